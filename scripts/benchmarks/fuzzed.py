"""What is damaged by chance and who reads it: the files as they should be, and the functions behind the commands."""

import functools
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageCms

from faststyle.images.files import read_image
from faststyle.images.heif import heif_available, register_heif
from faststyle.images.masks import read_mask
from faststyle.user_error import UserError

MOST_MEGAPIXELS = 10.0  # headers that tell of more are refused
KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", *(["HEIF"] if heif_available() else []))
OTHER_KINDS = ("DDS", "ICNS", "ICO", "JPEG2000", "PCX", "PPM", "SGI", "TGA")
_MOVING = ("GIF", "PNG", "TIFF", "WEBP", "MPO", "AVIF")
_WITHOUT_METADATA = ("GIF", "BMP", *OTHER_KINDS)


class Subject(NamedTuple):
    """Files that are damaged, and their reader.

    Attributes:
        name: of the folder that they are written to.
        share: how often, beside the others.
        write: writes the undamaged files into a folder.
        read: given a folder with the files in "in"; whether it could use them. Raises only what nobody expects.
        damaged: a pattern of the files that one is chosen of.
        one_of_them: whether the others are not there.
    """

    name: str
    share: int
    write: Callable[[Path], None]
    read: Callable[[Path], bool]
    damaged: str = "*"
    one_of_them: bool = False


def whole_photo(kind: str, random: np.random.Generator) -> bytes:
    """A small photo with everything that the format can hold."""
    if kind == "HEIF":
        register_heif()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    exif[0x8769] = {0x829A: 0.01, 0x927C: b"maker's note"}
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 29.6)}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options: dict[str, Any] = {} if kind in _WITHOUT_METADATA else {"exif": exif.tobytes(), "icc_profile": profile}
    options |= {"dpi": (300, 300)} if kind in ("JPEG", "PNG", "TIFF") else {}
    channels = 4 if kind in ("PNG", "WEBP", "TIFF", "GIF", "AVIF", "HEIF") else 3
    pixels = random.integers(0, 256, (24, 20, channels), dtype="uint8")
    return _encoded(Image.fromarray(pixels), kind, **options)


def _encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _write_photos(folder: Path) -> None:
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for kind in (*KINDS, *OTHER_KINDS):
        (folder / f"{kind}.jpg").write_bytes(whole_photo(kind, random))
    for mode in ("L", "LA", "P", "1", "CMYK", "I;16", "F", "LAB"):
        picture = Image.fromarray(random.integers(0, 256, (24, 20, 3), dtype="uint8"))
        picture = picture.convert("RGB" if mode == "LAB" else "L" if mode in ("I;16", "F") else mode)
        kind = "PNG" if mode in ("L", "LA", "P", "1", "I;16") else "TIFF"
        (folder / f"mode_{mode.replace(';', '')}.jpg").write_bytes(_encoded(picture.convert(mode), kind))
    frames = [Image.fromarray(random.integers(0, 256, (24, 20, 3), dtype="uint8")) for _ in range(3)]
    for kind in _MOVING:
        moving = _encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        (folder / f"moving_{kind}.jpg").write_bytes(moving)


def _read_photo(folder: Path) -> bool:
    """Painted into one of the formats; also read as a style image and as a mask."""
    from faststyle.infer.stylize.files import stylize_files
    from faststyle.infer.stylize.jobs import plan_jobs

    Image.MAX_IMAGE_PIXELS = int(MOST_MEGAPIXELS * 1e6)
    (photo,) = (folder / "in").iterdir()
    for read in (read_image, read_mask):
        _usable(read, photo)
    formats = ("png", "jpg", "webp", "tiff", "avif", *(["heic"] if heif_available() else []))
    target = formats[photo.stat().st_size % len(formats)]
    jobs = plan_jobs([photo], folder / f"out.{target}").jobs
    failures = stylize_files(jobs, lambda pixels: 255 - pixels, max_megapixels=MOST_MEGAPIXELS)
    if failures:
        assert "\n" not in failures[0], failures
        assert not (folder / f"out.{target}").exists(), failures
    else:
        with Image.open(folder / f"out.{target}") as result:
            result.load()
    return not failures


def _write_gallery(folder: Path) -> None:
    from faststyle.infer.exported_model.digests import graph_files
    from faststyle.infer.styles.gallery import GALLERY_MODEL
    from faststyle.infer.styles.model_card import CARD_FILE

    for path in (*graph_files(GALLERY_MODEL), GALLERY_MODEL / CARD_FILE):
        target = folder / path.relative_to(GALLERY_MODEL)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    Image.new("RGB", (20, 20), "teal").save(folder.parent / "teal.png")


def _write_export(folder: Path) -> None:
    from faststyle.infer.exported_model.digests import write_digests

    _write_gallery(folder)
    write_digests(folder)


def _read_card(folder: Path) -> bool:
    """As `stylize --name`, `compare` and the page read a card."""
    from faststyle.infer.compare.settings import objective_of_model
    from faststyle.infer.exported_model.stylizer import mixture_row
    from faststyle.infer.styles.model_card import identity_style, read_model_card
    from faststyle.infer.stylize.naming import Naming

    def read() -> None:
        card = read_model_card(folder / "in")
        identity_style(card)
        objective_of_model(folder / "in")
        mixture_row(card["styles"], {card["styles"][0]: 1.0})
        name = Naming("{stem}-{style}.{suffix}", card["styles"][0]).name("a")
        assert "/" not in name, name

    return _usable(read)


def _read_model(folder: Path) -> bool:
    """Painted with by the command itself."""
    from faststyle.scripts.faststyle import main

    arguments = ["stylize", str(folder / "in"), str(folder.parent / "teal.png"), "--output", str(folder / "out.png")]
    status = main([*arguments, "--mix", "starry_night", "--runtime", "openvino"])
    assert status in (0, 2), status
    assert (folder / "out.png").exists() == (status == 0)
    return status == 0


@functools.cache
def _toy_settings():
    from faststyle.train.settings import TrainSettings

    return TrainSettings(style_images=(os.devnull,), content="photos", base="random", width=0.125, steps=8)


@functools.cache
def _toy_network():
    from faststyle.models.transform_net import build_transform_network

    return build_transform_network(width=0.125)


def _write_run(folder: Path) -> None:
    from faststyle.train.run_directory import RunDirectory
    from faststyle.train.run_state import RunState, style_digests

    directory, settings = RunDirectory(folder), _toy_settings()
    directory.open(settings, {"backend": "tensorflow", "versions": {"keras": "3.0"}, "loss_network_weights": "vgg16"})
    state = RunState(directory, _toy_network().variables, "12 photos (abc)", style_digests(settings))
    for state.step in (2, 4):
        state.position = state.step
        state.save()
    lines = [{"step": step, "split": "train", "total": 0.5} for step in range(1, 5)]
    directory.metrics.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def _read_run(folder: Path) -> bool:
    """As a resumed training and `faststyle export` begin."""
    from faststyle.train.run_directory import RunDirectory, changes
    from faststyle.train.run_log import RunLog
    from faststyle.train.run_state import RunState, check_pictures, style_digests
    from faststyle.train.trained_weights import weights_of_run

    def resume() -> None:
        directory, settings = RunDirectory(folder / "in"), _toy_settings()
        directory.check(settings)
        check_pictures(directory, settings, content="12 photos (abc)")
        changes(directory.last_environment(), {"backend": "jax", "versions": {}})
        network = _toy_network()
        state = RunState(directory, network.variables, "12 photos (abc)", style_digests(settings))
        assert isinstance(state.position, int), state.position
        with RunLog(directory.metrics, directory.tensorboard, steps=8, resume_step=state.step, batch_size=1):
            pass

    exported = _usable(lambda: weights_of_run(RunDirectory(folder / "in")))
    return _usable(resume) and exported


def _write_weights(folder: Path) -> None:
    from faststyle.models.transform_net_weights import pack_transform_weights

    folder.mkdir(parents=True)
    (folder / "weights.npz").write_bytes(pack_transform_weights(_toy_network(), {"styles": ["sea"]}))


def _read_weights(folder: Path) -> bool:
    """As `train --base` begins and `export` reads."""
    from faststyle.models.transform_net_weights import read_transform_weights, start_from

    network = _toy_network()
    return _usable(lambda: start_from(network, read_transform_weights(folder / "in" / "weights.npz"), ["wave"]))


def _write_report(folder: Path) -> None:
    from faststyle.infer.compare.report_folder import ReportFolder

    report = ReportFolder(folder)
    report.open({"seed": 1, "sizes": [64], "photos": {"a.jpg": "abc"}})
    report.write("00_a", 64, None, {"terms": {"total": 1.0}}, {})


def _read_report(folder: Path) -> bool:
    from faststyle.infer.compare.report_folder import ReportFolder

    def read() -> None:
        report = ReportFolder(folder / "in")
        report.open({"seed": 1, "sizes": [64], "photos": {"a.jpg": "abc"}})
        numbers = report.read("00_a", 64, None)
        assert numbers is None or isinstance(numbers, dict), numbers

    return _usable(read)


def _usable(function: Callable, *arguments) -> bool:
    """Whether it ends without one of the errors that the command line says in one line."""
    try:
        function(*arguments)
    except (UserError, OSError, MemoryError):
        return False
    return True


SUBJECTS = (
    Subject("photos", 40, _write_photos, _read_photo, one_of_them=True),
    Subject("cards", 12, _write_gallery, _read_card, damaged="*.json"),
    Subject("runs", 16, _write_run, _read_run),
    Subject("weights", 16, _write_weights, _read_weights),
    Subject("reports", 12, _write_report, _read_report, damaged="*.json"),
    Subject("exports", 3, _write_export, _read_model),
    Subject("graphs", 1, _write_gallery, _read_model),
)
