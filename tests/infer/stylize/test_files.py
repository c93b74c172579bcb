import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faststyle.images.files import read_image
from faststyle.images.heif import heif_available
from faststyle.infer.stylize.files import stylize_files
from faststyle.infer.stylize.jobs import plan_jobs
from faststyle.scripts.faststyle import main


@pytest.fixture
def model(two_styles) -> Path:
    return two_styles


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    (folder / "trip").mkdir(parents=True)
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 256, (45, 61, 3)).astype("uint8")).save(folder / "a.png")
    Image.fromarray(random.integers(0, 256, (33, 30, 3)).astype("uint8")).save(folder / "trip" / "b.jpg")
    return folder


def test_command_writes_one_file_upright_and_of_exact_size(model, tmp_path):
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 64, 3)).astype("uint8"))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    photo.save(tmp_path / "turned.jpg", exif=exif)
    assert main(["stylize", str(model), str(tmp_path / "turned.jpg"), "--output", str(tmp_path / "out.png")]) == 0
    assert read_image(tmp_path / "out.png").shape == (64, 40, 3)


def test_folder_keeps_its_tree_skips_broken_photos_and_says_so_by_status(model, photos, tmp_path, capsys):
    (photos / "broken.jpg").write_bytes(b"no image")
    status = main(["stylize", str(model), str(photos), "--output", str(tmp_path / "out")])
    assert status == 1
    assert read_image(tmp_path / "out" / "a.png").shape == (45, 61, 3)
    assert read_image(tmp_path / "out" / "trip" / "b.png").shape == (33, 30, 3)
    assert "2 of 3 stylized" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.*")) == ["a.png", "b.png"]


def test_existing_result_is_kept_without_overwrite(model, photos, tmp_path, capsys):
    (tmp_path / "out.png").write_bytes(b"mine")
    arguments = ["stylize", str(model), str(photos / "a.png"), "--output", str(tmp_path / "out.png")]
    assert main(arguments) == 2
    assert "pass --overwrite or --resume" in capsys.readouterr().err
    assert (tmp_path / "out.png").read_bytes() == b"mine"
    assert main([*arguments, "--overwrite"]) == 0
    assert read_image(tmp_path / "out.png").shape == (45, 61, 3)


def test_two_commands_that_make_the_same_results_at_once_leave_whole_ones(photos, tmp_path):
    out = tmp_path / "out"
    jobs = plan_jobs([photos], out, existing="resume").jobs
    together = threading.Barrier(2, timeout=30)

    def stylizer(image):
        together.wait()
        return 255 - image

    with ThreadPoolExecutor(2) as commands:
        failures = list(commands.map(lambda _: stylize_files(jobs, stylizer), range(2)))
    assert failures == [[], []]
    for name in ("a", "trip/b"):
        (photo,) = photos.glob(f"{name}.*")
        np.testing.assert_array_equal(read_image(out / f"{name}.png"), 255 - read_image(photo))
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == ["a.png", "b.png"]


def test_missing_model_and_missing_photo_are_one_line(model, tmp_path, capsys):
    assert main(["stylize", str(tmp_path), str(model / "saved_model.pb"), "--output", str(tmp_path / "o.png")]) == 2
    assert "no exported model" in capsys.readouterr().err
    assert main(["stylize", str(model), str(tmp_path / "no.jpg"), "--output", str(tmp_path / "o.png")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_failures_are_listed_and_the_rest_goes_on(photos, tmp_path):
    jobs = plan_jobs([photos], tmp_path / "out").jobs

    def stylizer(image):
        if image.shape[0] == 45:
            raise MemoryError
        return image

    assert stylize_files(jobs, stylizer) == [f"{photos / 'a.png'}: not enough memory"]
    assert (tmp_path / "out" / "trip" / "b.png").exists()


@pytest.mark.skipif(not heif_available(), reason="heic is not installed")
def test_a_photo_too_long_for_heic_is_skipped_and_the_rest_goes_on(photos, tmp_path):
    Image.new("RGB", (9000, 16)).save(photos / "banner.png")
    jobs = plan_jobs([photos], tmp_path / "out", format_name="heic").jobs
    (failure,) = stylize_files(jobs, lambda image: image)
    assert failure.startswith(f"{tmp_path / 'out' / 'banner.heic'}: cannot write (")
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.*")) == ["a.heic", "b.heic"]


def test_what_results_have_not_is_one_line_for_all_photos_that_lose_the_same(tmp_path, capsys):
    folder = tmp_path / "photos"
    folder.mkdir()
    clear = Image.new("RGBA", (16, 16), (255, 0, 0, 100))
    for name in ("a", "b", "c"):
        Image.new("CMYK", (16, 16)).save(folder / f"{name}.tif")
    clear.save(folder / "d.webp", save_all=True, append_images=[Image.new("RGBA", (16, 16), "blue")])
    Image.new("RGB", (16, 16)).save(folder / "e.png")
    stylize_files(plan_jobs([folder], tmp_path / "out", format_name="jpg").jobs, lambda image: image)
    assert [line for line in capsys.readouterr().err.splitlines() if str(folder) in line] == [
        f"{folder / 'a.tif'} and 2 more: CMYK became RGB",
        f"{folder / 'd.webp'}: only its first frame; transparency is laid over white",
    ]


def test_a_photo_that_loses_nothing_is_done_without_a_word(photos, tmp_path, capsys):
    stylize_files(plan_jobs([photos / "a.png"], tmp_path / "out.jpg").jobs, lambda image: image)
    assert capsys.readouterr().err == ""
