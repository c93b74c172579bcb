"""Damaged images of every format: one line each, never a traceback, never a partial result."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image, ImageCms

from faststyle.images.formats import FORMATS
from faststyle.images.heif import heif_available, register_heif
from faststyle.infer.stylize.files import stylize_files
from faststyle.infer.stylize.jobs import plan_jobs
from faststyle.scripts.faststyle import main

MUTANTS = 200
KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", *(["HEIF"] if heif_available() else []))
WITHOUT_METADATA = ("GIF", "BMP")


def whole(kind: str, random: np.random.Generator) -> bytes:
    """A small photo with everything that the format can hold."""
    if kind == "HEIF":
        register_heif()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    exif[0x8769] = {0x829A: 0.01, 0x927C: b"maker's note"}
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 29.6)}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {} if kind in WITHOUT_METADATA else {"exif": exif.tobytes(), "icc_profile": profile}
    options |= {"dpi": (300, 300)} if kind in ("JPEG", "PNG", "TIFF") else {}
    pixels = random.integers(0, 256, (24, 20, 3 if kind in ("JPEG", "BMP") else 4), dtype="uint8")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    """Truncated, or with flipped bits, or with two pieces swapped, or with a piece cut out."""
    size = len(content)
    damaged = bytearray(content)
    match random.integers(5):
        case 0:
            return content[: random.integers(size)]
        case 1:
            for position in random.integers(0, size, random.integers(1, 20)):
                damaged[position] ^= 1 << random.integers(8)
        case 2:
            for position in random.integers(0, min(size, 100), 3):  # headers
                damaged[position] = random.integers(256)
        case 3:
            length = random.integers(1, size // 4)
            a, b = sorted(random.integers(0, size - length, 2))
            b = max(b, a + length)
            damaged[a : a + length], damaged[b : b + length] = damaged[b : b + length], damaged[a : a + length]
        case 4:
            a = random.integers(size)
            del damaged[a : a + random.integers(1, 64)]
    return bytes(damaged)


@pytest.mark.parametrize("target", ["jpg", "tiff", "webp", "png"])
def test_every_damaged_image_becomes_a_whole_result_or_one_line(tmp_path, capfd, target):
    random = np.random.default_rng(list(FORMATS).index(target))
    photos = tmp_path / "photos"
    photos.mkdir()
    contents = {kind: whole(kind, random) for kind in KINDS}
    for number in range(MUTANTS // 4):
        kind = KINDS[number % len(KINDS)]
        (photos / f"{number}.jpg").write_bytes(mutated(contents[kind], random))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        failures = stylize_files(
            plan_jobs([photos], tmp_path / "out", format_name=target).jobs, lambda pixels: 255 - pixels
        )
    for line in failures:
        assert line.startswith(f"{photos}/")
        assert "\n" not in line
    results = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(results) + len(failures) == MUTANTS // 4
    assert len(failures) > 5
    for path in results:
        assert path.suffix in (f".{target}",)
        with Image.open(path) as result:
            result.load()
    terminal = capfd.readouterr()
    assert terminal.out == ""
    assert "Traceback" not in terminal.err


def test_the_command_names_every_damaged_photo_in_one_line(tmp_path, capsys, monkeypatch):
    random = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for kind in KINDS:
        (tmp_path / "photos" / f"{kind}.png").write_bytes(whole(kind, random)[:200])
    (tmp_path / "photos" / "good.png").write_bytes(whole("PNG", random))
    monkeypatch.setattr("faststyle.infer.exported_model.stylizer.Stylizer", lambda *_, **__: lambda pixels: pixels)
    status = main(["stylize", "model", str(tmp_path / "photos"), "--output", str(tmp_path / "out")])
    assert status == 1
    terminal = capsys.readouterr()
    lines = [line for line in terminal.err.splitlines() if line.startswith("skipped ")]
    assert len(lines) == len(KINDS)
    assert terminal.out.splitlines() == [f"1 of {len(KINDS) + 1} stylized: {tmp_path / 'out'}"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.png"]


def test_one_damaged_photo_alone_is_an_error_of_one_line(tmp_path, capsys, monkeypatch):
    (tmp_path / "half.jpg").write_bytes(whole("JPEG", np.random.default_rng(0))[:-200])
    monkeypatch.setattr("faststyle.infer.exported_model.stylizer.Stylizer", lambda *_, **__: lambda pixels: pixels)
    assert main(["stylize", "model", str(tmp_path / "half.jpg"), "--output", str(tmp_path / "out.png")]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path / 'half.jpg'}: damaged image (")
    assert error.count("\n") == 1
    assert not (tmp_path / "out.png").exists()
