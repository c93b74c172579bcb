import pytest

from infer.command_line import run_command_line
from models.transform_net_weights import read_transform_weights
from scripts.drawn_styles import DRAWN_STYLES
from scripts.train_gallery import add_train_gallery_command
from tests.toy_run import write_photos


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
