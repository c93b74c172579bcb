import shutil

import numpy as np
import pytest

from faststyle.command_line import run_command_line
from faststyle.images.files import read_image, write_image
from faststyle.models.transform_net import build_transform_network
from faststyle.models.transform_net_weights import GALLERY_WEIGHTS, pack_transform_weights, read_transform_weights
from faststyle.scripts.demo.drawn_styles import DRAWN_STYLES
from faststyle.scripts.gallery.train import add_train_gallery_command, write_without_borders
from faststyle.train import start
from faststyle.train.trainer import TERMS
from tests.toy_run import write_photos


@pytest.fixture(autouse=True)
def _plain_drawings(monkeypatch):
    """Gradients for drawn styles, whose drawing takes seconds."""
    gradient = np.linspace(0, 255, 48 * 48 * 3).reshape(48, 48, 3).astype("uint8")
    for name in DRAWN_STYLES:
        monkeypatch.setitem(DRAWN_STYLES, name, lambda: gradient)


@pytest.mark.parametrize(("options", "batch_sizes"), [([], [4, 2]), (["--batch-size", "16", "8"], [16, 8])])
def test_each_phase_has_its_batch_size_and_starts_from_the_one_before(tmp_path, monkeypatch, options, batch_sizes):
    runs = []

    def pretend_training(settings, output):
        runs.append(settings)
        output.mkdir()
        shutil.copy(GALLERY_WEIGHTS, output / "weights.npz")

    monkeypatch.setattr(start, "run_training", pretend_training)
    painting = write_photos(tmp_path / "scans", count=1) / "photo_00.jpg"
    arguments = [
        "train",
        str(painting),
        "--content",
        "photos",
        "--output",
        str(tmp_path),
        "--base",
        "gallery",
        *options,
    ]
    assert run_command_line("train", [add_train_gallery_command], arguments) == 0
    assert [run.batch_size for run in runs] == batch_sizes
    assert [run.image_size for run in runs] == [128, 256]
    assert [run.base for run in runs] == ["gallery", str(tmp_path / "small_crops" / "weights.npz")]
    assert (tmp_path / "gallery.npz").is_file()


def test_styles_that_stay_poor_are_left_out_of_network_and_card(tmp_path):
    photos = write_photos(tmp_path / "photos", size_px=64)
    styles = [str(path) for path in sorted(write_photos(tmp_path / "styles", count=2, seed=5).iterdir())]
    base = build_transform_network(num_styles=4, width=0.5)
    card = {
        "styles": ["photo_00", "photo_01", "mosaic", "photo"],
        "validation_per_style": {
            "photo_00": dict.fromkeys(TERMS, 1.0),
            "photo_01": dict.fromkeys(TERMS, 5.0),
            "mosaic": dict.fromkeys(TERMS, 2.0),
        },
    }
    (tmp_path / "base.npz").write_bytes(pack_transform_weights(base, card))
    arguments = ["train", *styles, "--content", str(photos), "--output", str(tmp_path / "out"), "--steps", "0", "0"]
    left_out = ["photo_01", *(name for name in DRAWN_STYLES if name != "mosaic")]
    arguments += ["--base", str(tmp_path / "base.npz"), "--without", *left_out]
    assert run_command_line("train", [add_train_gallery_command], arguments) == 0
    weights = read_transform_weights(tmp_path / "out" / "gallery.npz")
    assert weights.card["styles"] == ["photo_00", "mosaic", "photo"]
    assert weights.card["validation_per_style"].keys() == {"photo_00", "mosaic"}
    assert weights.card["validation"] == dict.fromkeys(TERMS, 1.5)
    gains = np.asarray(base.get_layer("noise").gain)
    np.testing.assert_allclose(weights.arrays["noise/gain"], gains[[0, 2, 3]], atol=1e-3)


def test_paintings_lose_four_percent_of_their_shorter_side_on_every_side(tmp_path):
    scan = np.random.default_rng(0).integers(0, 256, (50, 120, 3)).astype("uint8")
    write_image(tmp_path / "frame.png", scan)
    (path,) = write_without_borders([str(tmp_path / "frame.png")], tmp_path / "paintings")
    assert path == tmp_path / "paintings" / "frame.png"
    np.testing.assert_array_equal(read_image(path), scan[2:-2, 2:-2])


@pytest.mark.slow
def test_both_phases_run_and_keep_each_styles_own_rows_as_float16(tmp_path):
    photos = write_photos(tmp_path / "photos", size_px=64)
    styles = [str(path) for path in sorted(write_photos(tmp_path / "styles", count=2, seed=5).iterdir())]
    arguments = ["train", *styles, "--content", str(photos), "--output", str(tmp_path / "base"), "--steps", "2", "1"]
    assert run_command_line("train", [add_train_gallery_command], arguments) == 0
    weights = read_transform_weights(tmp_path / "base" / "gallery.npz")
    trained = read_transform_weights(tmp_path / "base" / "large_crops" / "weights.npz")
    assert weights.card["styles"] == ["photo_00", "photo_01", *DRAWN_STYLES, "photo"]
    assert weights.card["identity_style"] == "photo"
    for path, array in weights.arrays.items():
        assert array.dtype == "float16"
        assert (array == trained.arrays[path].astype("float16")).all()
