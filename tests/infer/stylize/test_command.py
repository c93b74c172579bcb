import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faststyle.images.files import read_image, write_image
from faststyle.scripts.faststyle import main

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture(autouse=True)
def inverting_model(monkeypatch):
    """A model that turns photos into their negatives."""

    class Inverting:
        def __init__(self, model_dir, **_options):
            pass

        def __call__(self, image):
            return 255 - image

    monkeypatch.setattr("faststyle.infer.exported_model.stylizer.Stylizer", Inverting)


@pytest.fixture
def photo(tmp_path) -> Path:
    write_image(tmp_path / "photo.png", np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype="uint8"))
    return tmp_path / "photo.png"


@pytest.fixture
def photos(tmp_path, photo) -> Path:
    (tmp_path / "photos").mkdir()
    for number in range(6):
        (tmp_path / "photos" / f"{number}.png").write_bytes(photo.read_bytes())
    return tmp_path / "photos"


def stylize(*arguments) -> int:
    return main(["stylize", "model", *map(str, arguments)])


class Stdin:
    def __init__(self, content: bytes, *, terminal: bool = False):
        self.buffer = io.BytesIO(content)
        self.isatty = lambda: terminal


@pytest.mark.parametrize(("options", "kind"), [([], "PNG"), (["--format", "webp"], "WEBP")])
def test_a_pipe_gives_only_the_image(photo, monkeypatch, capsysbinary, options, kind):
    monkeypatch.setattr("sys.stdin", Stdin(photo.read_bytes()))
    assert stylize("-", "--output", "-", *options) == 0
    terminal = capsysbinary.readouterr()
    with Image.open(io.BytesIO(terminal.out)) as result:
        assert (result.format, result.size) == (kind, (30, 20))
        if kind == "PNG":
            np.testing.assert_array_equal(np.asarray(result), 255 - read_image(photo))
    assert terminal.err == b""


def test_a_terminal_is_no_pipe(photo, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", Stdin(b"", terminal=True))
    assert stylize("-", "--output", "x.png") == 2
    assert capsys.readouterr().err == "error: standard input is a terminal; pipe a photo into it\n"


def test_a_damaged_photo_in_a_pipe_is_one_line(monkeypatch, capsysbinary):
    monkeypatch.setattr("sys.stdin", Stdin(b"no image"))
    assert stylize("-", "--output", "-") == 2
    assert capsysbinary.readouterr() == (b"", b"error: standard input: not an image, or of an unknown format\n")


def test_a_reader_that_is_gone_is_one_line(photo):
    code = (
        "import sys, faststyle.infer.exported_model.stylizer\n"
        "faststyle.infer.exported_model.stylizer.Stylizer = lambda *_, **__: lambda image: image\n"
        "from faststyle.scripts.faststyle import main\n"
        f"sys.exit(main(['stylize', 'model', {str(photo)!r}, '--output', '-']))\n"
    )
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert result.returncode == 2
    assert result.stderr == b"error: standard output: cannot write (Broken pipe)\n"


def test_a_folder_with_names_of_its_own_and_resume(photos, tmp_path, capsys):
    out = tmp_path / "out"
    options = [photos, "--output", out, "--mix", "wave", "--name", "{stem}-{style}.jpg"]
    assert stylize(*options) == 0
    assert sorted(path.name for path in out.iterdir()) == [f"{n}-wave.jpg" for n in range(6)]
    (out / "3-wave.jpg").unlink()
    before = (out / "1-wave.jpg").stat().st_mtime_ns
    assert stylize(*options, "--resume") == 0
    assert "1 of 1 stylized, 5 were there" in capsys.readouterr().out
    assert (out / "1-wave.jpg").stat().st_mtime_ns == before
    assert stylize(*options, "--resume") == 0
    assert "0 of 0 stylized, 6 were there" in capsys.readouterr().out


def test_a_full_disk_ends_the_run_in_one_line_and_leaves_no_half_file(photos, tmp_path, monkeypatch, capsys):
    fsync, calls = os.fsync, []

    def fill_up(handle):
        calls.append(handle)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", fill_up)
    assert stylize(photos, "--output", tmp_path / "out") == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == (
        f"error: {tmp_path / 'out' / '2.png'}: cannot write (No space left on device); "
        "2 of 6 stylized; --resume goes on"
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "1.png"]


def test_ctrl_c_says_what_is_done_and_leaves_whole_files(photos, tmp_path, monkeypatch, capsys):
    calls = []

    def interrupt(image):
        calls.append(image)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return image

    monkeypatch.setattr("faststyle.infer.exported_model.stylizer.Stylizer", lambda *_, **__: interrupt)
    assert stylize(photos, "--output", tmp_path / "out") == 130
    last = capsys.readouterr().err.splitlines()[-1]
    results = list((tmp_path / "out").iterdir())
    assert len(results) == 3
    assert last == "interrupted after 3 of 6 stylized; --resume goes on"
    for path in results:
        assert read_image(path).shape == (20, 30, 3)


def test_a_mask_styles_inside_only(photo, tmp_path):
    mask = np.zeros((20, 30, 3), "uint8")
    mask[:, :10] = 255
    write_image(tmp_path / "mask.png", mask)
    assert stylize(photo, "--output", tmp_path / "out.png", "--mask", tmp_path / "mask.png") == 0
    result = read_image(tmp_path / "out.png")
    np.testing.assert_array_equal(result[:, :10], 255 - read_image(photo)[:, :10])
    np.testing.assert_array_equal(result[:, 10:], read_image(photo)[:, 10:])


def test_a_mask_of_another_shape_is_one_line(photo, tmp_path, capsys):
    write_image(tmp_path / "mask.png", np.zeros((20, 20, 3), "uint8"))
    assert stylize(photo, "--output", tmp_path / "out.png", "--mask", tmp_path / "mask.png") == 2
    assert "the mask of 20x20 px has another shape" in capsys.readouterr().err


def test_transparent_places_of_a_mask_are_outside(photo, tmp_path):
    Image.new("RGBA", (30, 20), (255, 255, 255, 0)).save(tmp_path / "mask.png")
    assert stylize(photo, "--output", tmp_path / "out.png", "--mask", tmp_path / "mask.png") == 0
    np.testing.assert_array_equal(read_image(tmp_path / "out.png"), read_image(photo))


def test_strength_0_is_the_photo(photo, tmp_path):
    assert stylize(photo, "--output", tmp_path / "out.png", "--strength", 0) == 0
    np.testing.assert_array_equal(read_image(tmp_path / "out.png"), read_image(photo))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--strength", "1.5"], "is no number from 0 to 1"),
        (["--strength", "nan"], "is no number from 0 to 1"),
        (["--size", "8"], "is no whole number from 16"),
        (["--quality", "0"], "is no whole number from 1 to 100"),
        (["--resume", "--overwrite"], "not allowed with"),
        (["--preserve-colors", "hue"], "invalid choice"),
    ],
)
def test_knobs_out_of_range_are_one_line(photo, capsys, options, words):
    with pytest.raises(SystemExit) as caught:
        stylize(photo, "--output", "x.png", *options)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_too_many_megapixels_are_refused(tmp_path, capsys):
    Image.new("L", (100, 50)).save(tmp_path / "large.png")
    assert stylize(tmp_path / "large.png", "--output", tmp_path / "out.png", "--max-megapixels", 0.004) == 2
    told = "large.png: 100x50 px is more than 0.004 megapixels; a higher --max-megapixels allows it"
    assert told in capsys.readouterr().err
    assert stylize(tmp_path / "large.png", "--output", tmp_path / "out.png", "--max-megapixels", 0.005) == 0


def test_a_result_that_its_format_cannot_hold_is_one_line_in_a_pipe_too(tmp_path, capsysbinary):
    Image.new("L", (16_400, 20)).save(tmp_path / "long.png")
    assert stylize(tmp_path / "long.png", "--output", "-", "--format", "webp") == 2
    out, error = capsysbinary.readouterr()
    assert out == b""
    assert b"long.png: cannot be written as WEBP" in error
    assert error.count(b"\n") == 1


def test_a_single_photo_waits_for_no_import_that_it_does_not_need(photo):
    program = (
        "import sys; from faststyle.scripts.faststyle import main\n"
        f"status = main(['stylize', 'starry_night', {str(photo)!r}, '--output', '-'])\n"
        "slow = ('tqdm', 'tensorflow', 'scipy', 'openvino_telemetry')\n"
        "sys.exit(status or ', '.join(name for name in slow if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"\x89PNG")
