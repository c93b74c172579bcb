from pathlib import Path

import numpy as np
import pytest

from faststyle.images.files import ImageError, write_image
from faststyle.infer.compare.compared_models import fingerprint, load_compared_model, pixels_compared, stems_of_images
from faststyle.infer.compare.settings import CompareSettings
from faststyle.infer.exported_model.runtimes import load_graph
from faststyle.infer.exported_model.stylizer import StylizeError
from faststyle.infer.optimize.settings import OptimizeSettings

CONTENT = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype("uint8")


def settings(model: Path, style: str = "style.png", **changes) -> CompareSettings:
    objective = OptimizeSettings(content="photos", styles=(style,))
    return CompareSettings(model=str(model), style=style, content="photos", objective=objective, **changes)


def test_the_style_that_is_called_like_the_style_image_is_taken(two_styles):
    by_name = load_compared_model(settings(two_styles, "paintings/style_1.jpg", precision="float32"))
    by_mix = load_compared_model(settings(two_styles, mix={"style_1": 1.0}, precision="float32"))
    stylized, note = by_name.stylized(Path("photo.jpg"), CONTENT)
    np.testing.assert_array_equal(stylized, by_mix.stylized(Path("photo.jpg"), CONTENT).image)
    inputs = {"image": CONTENT[None].astype("float32"), "style_mixture": np.float32([[0, 1]])}
    expected = load_graph(two_styles, precision="float32")(inputs)[0]
    np.testing.assert_allclose(stylized, np.clip(expected, 0, 255))
    assert note == ""
    assert stylized.dtype == np.float32


def test_a_style_of_several_sizes_is_taken_at_the_size_that_is_judged(two_styles, monkeypatch):
    rows = []
    monkeypatch.setattr(
        "faststyle.infer.compare.compared_models.read_model_card", lambda folder: {"styles": ["a@256", "a@512"]}
    )
    monkeypatch.setattr(
        "faststyle.infer.compare.compared_models.mixture_row", lambda styles, mix: rows.append(mix) or np.ones(2)
    )
    load_compared_model(settings(two_styles, "a.jpg", style_size=512))
    assert rows == [{"a@512": 1.0}]


def test_a_model_of_many_styles_without_this_name_asks_for_one(two_styles):
    with pytest.raises(StylizeError, match="no style of this model is called 'wave'.*--mix one of style_0, style_1"):
        load_compared_model(settings(two_styles, "wave.jpg"))


def test_a_style_cannot_be_chosen_from_a_foreign_model(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(StylizeError, match="--mix chooses a style of a model made by this project"):
        load_compared_model(settings(tmp_path, mix={"a": 1.0}))


def test_a_stylized_file_is_cut_as_its_photo(tmp_path):
    photo = np.random.default_rng(1).integers(0, 256, (32, 48, 3)).astype("uint8")
    write_image(tmp_path / "photos" / "a.png", photo)
    write_image(tmp_path / "stylized" / "a.png", 255 - photo)
    stylized, note = load_compared_model(settings(tmp_path / "stylized")).stylized(
        tmp_path / "photos" / "a.png", photo[:, 8:40]
    )
    np.testing.assert_array_equal(stylized, 255 - photo[:, 8:40].astype("float32"))
    assert note == ""


def test_stems_are_those_of_a_folder_and_none_for_a_model(tmp_path, one_style):
    write_image(tmp_path / "b.png", CONTENT)
    write_image(tmp_path / "more" / "a.jpg", CONTENT)
    assert stems_of_images(tmp_path) == {"a", "b"}
    assert stems_of_images(one_style) is None


def test_what_is_no_model_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"neither a SavedModel \(saved_model.pb\) nor a folder of stylized images"):
        stems_of_images(tmp_path)
    with pytest.raises(ImageError, match="no such folder"):
        stems_of_images(tmp_path / "nowhere")


def test_the_report_knows_which_pixels_were_compared(tmp_path, one_style):
    assert "not rounded" in pixels_compared(one_style)
    assert "8-bit" in pixels_compared(tmp_path)


def test_a_fingerprint_changes_with_the_content_only(tmp_path):
    first, second = tmp_path / "1" / "a.png", tmp_path / "2" / "a.png"
    write_image(first, CONTENT)
    write_image(second, CONTENT)
    assert fingerprint(first) == fingerprint(second) == fingerprint(first)
    assert fingerprint(first.parent) == fingerprint(second.parent)
    write_image(second, 255 - CONTENT)
    assert fingerprint(first) != fingerprint(second)
    assert fingerprint(first.parent) != fingerprint(second.parent)
