import argparse
import shlex

import numpy as np
import pytest

from faststyle.command_line import run_command_line
from faststyle.images.files import write_image
from faststyle.infer.optimize.command import settings_from
from faststyle.scripts.faststyle import COMMANDS, add_command
from faststyle.scripts.optimize_gallery import PICTURES, _command, add_gallery_command, chosen_pictures, gallery_page


def parse(command):
    subcommands = (parser := argparse.ArgumentParser()).add_subparsers()
    for name in COMMANDS:
        add_command(name)(subcommands)
    return parser.parse_args(shlex.split(command))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_every_command_of_the_gallery_is_one_that_faststyle_takes(picture):
    for index in range(len(picture.cells)):
        arguments = parse(_command(picture, index))
        if _command(picture, index).startswith("optimize"):
            assert settings_from(arguments).loss_network == "vgg16"


def test_the_page_shows_what_exists_with_its_commands(tmp_path):
    write_image(tmp_path / "colors.jpg", np.zeros((4, 4, 3), "uint8"))
    page = gallery_page(tmp_path)
    assert page.count("![") == 1
    assert "![colors](gallery/colors.jpg)" in page
    assert page.count("--preserve-colors") == 3
    assert "  " not in page


def test_pictures_have_names_of_their_own():
    names = [picture.name for picture in PICTURES]
    assert len(set(names)) == len(names) >= 12


def test_only_some_pictures_are_made_in_the_order_of_the_page():
    assert [picture.name for picture in chosen_pictures(["scales", "colors"])] == ["colors", "scales"]
    assert chosen_pictures(None) == list(PICTURES)


@pytest.mark.parametrize(
    ("names", "problem"),
    [([], "--only needs names of pictures"), (["colors", "sunset", "dawn"], "no picture is named sunset, dawn")],
    ids=["none", "unknown"],
)
def test_names_that_are_missing_or_unknown_are_one_line_with_the_possible_ones(tmp_path, capsys, names, problem):
    places = ["--work", str(tmp_path / "work"), "--docs", str(tmp_path / "docs")]
    assert run_command_line("gallery", [add_gallery_command], [*places, "--only", *names], only_command="make") == 2
    possible = ", ".join(picture.name for picture in PICTURES)
    assert capsys.readouterr().err == f"error: {problem}; choose from {possible}\n"
    assert not list(tmp_path.iterdir())
