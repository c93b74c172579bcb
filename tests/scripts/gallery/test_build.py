import json
from pathlib import Path

import pytest

from faststyle.command_line import run_command_line
from faststyle.images.files import read_image
from faststyle.infer.styles.gallery import GALLERY_MODEL, THUMBNAILS
from faststyle.infer.styles.model_card import identity_style, read_model_card
from faststyle.models.transform_net import build_transform_network
from faststyle.models.transform_net_weights import (
    GALLERY_WEIGHTS,
    assign_weights,
    pack_transform_weights,
    read_transform_weights,
)
from faststyle.scripts.gallery.build import add_build_command
from faststyle.scripts.gallery.catalogue import CatalogueError
from tests.toy_run import toy_weights


def toy_file(folder: Path, styles: list[str]) -> Path:
    weights = toy_weights(len(styles))
    network = build_transform_network(num_styles=len(styles), width=0.125)
    assign_weights(network, weights.arrays)
    settings = {"content": "/home/me/photos", "style_images": ["/home/me/woodcut.png"], "steps": 7}
    card = {"styles": styles, "identity_style": "photo", "settings": settings}
    (folder / "toy.npz").write_bytes(pack_transform_weights(network, card))
    return folder / "toy.npz"


def build(*arguments) -> int:
    return run_command_line("test", [add_build_command], ["--traceback", "build", *map(str, arguments)])


@pytest.mark.usefixtures("without_tile_graphs", "one_residual_block")
def test_the_gallery_replaces_the_old_one_whole_with_catalogue_identity_and_thumbnails(tmp_path):
    weights = toy_file(tmp_path, ["woodcut", "photo"])
    gallery = tmp_path / "assets" / "gallery"
    gallery.mkdir(parents=True)
    (gallery / "old").touch()
    assert build(weights, "--output", gallery) == 0
    card = read_model_card(gallery)
    assert (card["styles"], identity_style(card)) == (["woodcut", "photo"], "photo")
    assert card["settings"] == {"content": "photos", "style_images": ["woodcut.png"], "steps": 7}
    assert json.loads((gallery / "assets.extra" / "style.json").read_text())["gallery"] == [
        {"name": "woodcut", "title": "Woodcut", "painter": "faststyle", "year": None, "kind": "drawn"}
    ]
    assert [path.name for path in (gallery / THUMBNAILS).iterdir()] == ["woodcut.jpg"]
    assert max(read_image(gallery / THUMBNAILS / "woodcut.jpg").shape) == 192
    assert not (gallery / "old").exists()
    assert [path.name for path in gallery.parent.iterdir()] == ["gallery"]


def test_a_style_without_an_entry_stops_the_build_before_anything_is_written(tmp_path):
    with pytest.raises(CatalogueError):
        build(toy_file(tmp_path, ["woodcut", "dogs"]), "--output", tmp_path / "gallery")
    assert not (tmp_path / "gallery").exists()


def test_the_shipped_gallery_is_of_the_shipped_weights():
    assert read_model_card(GALLERY_MODEL)["styles"] == read_transform_weights(GALLERY_WEIGHTS).card["styles"]
