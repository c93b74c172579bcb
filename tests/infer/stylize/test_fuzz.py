"""Damaged images of every format: one line each, never a traceback, never a partial result."""

import warnings

import numpy as np
import pytest
from PIL import Image

from faststyle.images.formats import FORMATS
from faststyle.infer.stylize.files import stylize_files
from faststyle.infer.stylize.jobs import plan_jobs
from faststyle.scripts.benchmarks.damage import damaged_bytes
from faststyle.scripts.benchmarks.fuzzed import KINDS, whole_photo
from faststyle.scripts.faststyle import main

MUTANTS = 200


@pytest.mark.parametrize("target", ["jpg", "tiff", "webp", "png"])
def test_every_damaged_image_becomes_a_whole_result_or_one_line(tmp_path, capfd, target):
    random = np.random.default_rng(list(FORMATS).index(target))
    photos = tmp_path / "photos"
    photos.mkdir()
    contents = {kind: whole_photo(kind, random) for kind in KINDS}
    for number in range(MUTANTS // 4):
        kind = KINDS[number % len(KINDS)]
        (photos / f"{number}.jpg").write_bytes(damaged_bytes(contents[kind], random))
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
        (tmp_path / "photos" / f"{kind}.png").write_bytes(whole_photo(kind, random)[:200])
    (tmp_path / "photos" / "good.png").write_bytes(whole_photo("PNG", random))
    monkeypatch.setattr("faststyle.infer.exported_model.stylizer.Stylizer", lambda *_, **__: lambda pixels: pixels)
    status = main(["stylize", "model", str(tmp_path / "photos"), "--output", str(tmp_path / "out")])
    assert status == 1
    terminal = capsys.readouterr()
    lines = [line for line in terminal.err.splitlines() if line.startswith("skipped ")]
    assert len(lines) == len(KINDS)
    assert terminal.out.splitlines() == [f"1 of {len(KINDS) + 1} stylized: {tmp_path / 'out'}"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.png"]


def test_one_damaged_photo_alone_is_an_error_of_one_line(tmp_path, capsys, monkeypatch):
    (tmp_path / "half.jpg").write_bytes(whole_photo("JPEG", np.random.default_rng(0))[:-200])
    monkeypatch.setattr("faststyle.infer.exported_model.stylizer.Stylizer", lambda *_, **__: lambda pixels: pixels)
    assert main(["stylize", "model", str(tmp_path / "half.jpg"), "--output", str(tmp_path / "out.png")]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path / 'half.jpg'}: damaged image (")
    assert error.count("\n") == 1
    assert not (tmp_path / "out.png").exists()
