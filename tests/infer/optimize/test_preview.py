import argparse
import shlex
from pathlib import Path

import numpy as np
import pytest

from faststyle.images.files import read_image, write_image
from faststyle.infer.optimize.optimized_image import OptimizedImage
from faststyle.infer.optimize.preview import preview_sheet
from faststyle.infer.optimize.settings import OptimizeSettings
from faststyle.scripts.faststyle import COMMANDS, add_command, main


@pytest.fixture
def pictures(tmp_path) -> tuple[Path, Path]:
    """A style image and a photo."""
    random = np.random.default_rng(0)
    for name, shape in (("style", (60, 44, 3)), ("photo", (48, 64, 3))):
        write_image(tmp_path / f"{name}.png", random.integers(0, 256, shape, dtype="uint8"))
    return tmp_path / "style.png", tmp_path / "photo.png"


@pytest.fixture
def cells(monkeypatch) -> list[OptimizeSettings]:
    """Records the settings of every cell; each result is one gray, brighter from cell to cell."""
    settings: list[OptimizeSettings] = []

    def optimize(cell, _log):
        settings.append(cell)
        assert read_image(Path(cell.initial)).shape == (48, 64, 3)
        return OptimizedImage(np.full((48, 64, 3), 20 * len(settings), "uint8"), {}, "iterations")

    monkeypatch.setattr("faststyle.infer.optimize.preview.optimize_image", optimize)
    return settings


@pytest.fixture
def captions(monkeypatch) -> dict[tuple, np.ndarray]:
    """Records what is written below which picture."""
    pictures: dict[tuple, np.ndarray] = {}

    def caption(picture, lines):
        pictures[tuple(lines)] = picture
        return picture

    monkeypatch.setattr("faststyle.infer.optimize.preview.captioned", caption)
    return pictures


def preview(style: Path, photo: Path, *options) -> int:
    sheet = photo.parent / "sheet.png"
    return main(["preview", str(style), str(photo), "--output", str(sheet), *map(str, options)])


def test_columns_are_content_weights_and_rows_are_sizes_of_the_style_images_shorter_side(pictures, cells, captions):
    options = ["--content-weights", "0.5,2", "--style-sizes", "32,96", "--tv-weight", "7", "--iterations", "3"]
    assert preview(*pictures, *options) == 0
    assert [(cell.content_weight, round(cell.style_scales[0] * 48)) for cell in cells] == [
        (0.5, 32),
        (2.0, 32),
        (0.5, 96),
        (2.0, 96),
    ]
    assert {(cell.tv_weight, cell.iterations, cell.loss_network) for cell in cells} == {(7.0, 3, "vgg16")}
    written = {lines: picture[0, 0, 0] // 20 for lines, picture in captions.items() if len(lines) == 2}
    assert written == {
        ("--content-weight 0.5", "--style-sizes 32"): 1,
        ("--content-weight 2", "--style-sizes 32"): 2,
        ("--content-weight 0.5", "--style-sizes 96"): 3,
        ("--content-weight 2", "--style-sizes 96"): 4,
    }


def test_the_printed_command_is_one_that_train_takes(pictures, cells, capsys):
    objective = ["--style-layers", "rgb,relu2_2=0.5", "--loss-network", "vgg19"]
    assert preview(*pictures, *objective, "--content-weights", "1", "--style-sizes", "64") == 0
    printed = capsys.readouterr().out.splitlines()[-1].removeprefix("train a cell: faststyle ")
    subcommands = (parser := argparse.ArgumentParser()).add_subparsers()
    for name in COMMANDS:
        add_command(name)(subcommands)
    arguments = parser.parse_args(shlex.split(printed.replace(" W ", " 1 ").replace(" PX", " 64")))
    assert arguments.style_images == [str(pictures[0])]
    assert (arguments.content_weight, arguments.style_sizes, arguments.loss_network) == (1.0, (64,), "vgg19")
    assert arguments.style_layers == cells[0].style_layers


def test_the_start_is_the_photo_in_the_styles_colors(pictures, captions, monkeypatch):
    def start_itself(cell, _log):
        return OptimizedImage(read_image(Path(cell.initial)), {}, "iterations")

    monkeypatch.setattr("faststyle.infer.optimize.preview.optimize_image", start_itself)
    write_image(pictures[0], np.random.default_rng(1).integers(100, 140, (60, 44, 3), dtype="uint8"))
    settings = OptimizeSettings(content=str(pictures[1]), styles=(str(pictures[0]),))
    preview_sheet(settings, [1.0], [32])
    cell = captions["--content-weight 1", "--style-sizes 32"]
    assert cell.shape == (48, 64, 3)
    np.testing.assert_allclose(cell.mean(axis=(0, 1)), read_image(pictures[0]).mean(axis=(0, 1)), atol=1)


def test_ctrl_c_says_how_far_it_came_and_leaves_no_sheet(pictures, monkeypatch, capsys):
    results = iter(["iterations", "Ctrl-C"])
    picture = np.zeros((48, 64, 3), "uint8")
    monkeypatch.setattr(
        "faststyle.infer.optimize.preview.optimize_image", lambda *_: OptimizedImage(picture, {}, next(results))
    )
    assert preview(*pictures) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "interrupted after 1 of 12 pictures; no sheet was written"
    assert not (pictures[0].parent / "sheet.png").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--style-sizes", "8"], "--style-sizes must lie in 32..8192 px, got 8"),
        (["--content-weights", "-1"], "content_weight must be 0 or more, got -1"),
        (["--size", "20"], "sizes must be 32 px or more"),
        (["--size", "40"], "smaller than 32 px on a side at this --size"),
        (["--iterations", "0"], "--iterations must be 1 or more"),
    ],
)
def test_a_users_mistake_is_one_line_before_any_work(pictures, cells, capsys, options, words):
    assert preview(*pictures, *options) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not cells


def test_a_sheet_that_exists_is_kept(pictures, cells, capsys):
    (pictures[0].parent / "sheet.png").write_bytes(b"mine")
    assert preview(*pictures) == 2
    assert "choose another name or pass --overwrite" in capsys.readouterr().err
    assert preview(*pictures, "--overwrite") == 0
    assert len(cells) == 12


def test_a_higher_content_weight_keeps_more_of_the_photo(pictures, captions):
    layers = ["--style-layers", "rgb,relu1_2", "--content-layers", "relu1_2", "--iterations", "10"]
    assert preview(*pictures, "--content-weights", "0,100", "--style-sizes", "32", *layers) == 0
    photo = captions["photo",].astype(int)
    little, much = (captions[f"--content-weight {weight}", "--style-sizes 32"] for weight in (0, 100))
    assert np.abs(much - photo).mean() < 0.5 * np.abs(little - photo).mean()
