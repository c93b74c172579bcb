from pathlib import Path

import numpy as np
import pytest

from faststyle import load_stylizer
from faststyle.images.files import read_image
from faststyle.infer.exported_model.stylizer import StylizeError
from faststyle.infer.styles.gallery import (
    GALLERY_MODEL,
    GalleryError,
    find_model,
    find_style,
    gallery_styles,
    thumbnail,
)
from faststyle.infer.styles.model_card import identity_style, read_model_card
from faststyle.scripts.faststyle import main


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_every_row_of_the_shipped_model_but_the_identity_is_listed_with_a_maker_and_a_thumbnail():
    card = read_model_card(GALLERY_MODEL)
    assert {style.name for style in gallery_styles()} == set(card["styles"]) - {identity_style(card)}
    for style in gallery_styles():
        assert style.title
        assert style.painter
        assert bool(style.year) == (style.kind == "painting")
        assert max(read_image(thumbnail(style.name)).shape) == 192


def test_a_name_means_its_style_of_the_gallery():
    assert find_model("starry_night") == (GALLERY_MODEL, {"starry_night": 1.0})
    assert find_model("gallery", {"the_scream": 0.5}) == (GALLERY_MODEL, {"the_scream": 0.5})


def test_a_path_and_a_folder_of_a_styles_name_mean_themselves():
    folder = Path("starry_night")
    folder.mkdir()
    (folder / "saved_model.pb").touch()
    assert find_model("starry_night", {"a": 1.0}) == (folder, {"a": 1.0})
    assert find_model("runs/starry_night") == (Path("runs/starry_night"), None)


def test_a_folder_without_a_model_does_not_silently_hide_a_style():
    Path("udnie").mkdir()
    with pytest.raises(GalleryError, match="udnie: the folder of this name is no exported model and hides"):
        find_model("udnie")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("stary_night", "'stary_night'; did you mean starry_night?"),
        ("Monet", "did you mean water_lilies?"),
        ("zzz", "'zzz'; `faststyle styles` lists them all"),
    ],
)
def test_an_unknown_name_is_answered_with_those_alike(name, words):
    with pytest.raises(GalleryError) as caught:
        find_model(name)
    assert words in str(caught.value)
    with pytest.raises(GalleryError, match="faststyle styles"):
        find_style(name)


def test_one_style_takes_no_mixture_and_the_whole_gallery_wants_one():
    with pytest.raises(GalleryError, match="write gallery --mix starry_night=0.5,OTHER=0.5"):
        find_model("starry_night", {"udnie": 1.0})
    with pytest.raises(StylizeError, match="gallery holds many styles"):
        load_stylizer("gallery")


def test_a_gallery_style_and_its_mixture_paint_the_same_and_another_style_does_not():
    photo = np.random.default_rng(0).integers(0, 256, (40, 52, 3), dtype="uint8")
    named = load_stylizer("starry_night", precision="float32")(photo)
    mixed = load_stylizer("gallery", mix={"starry_night": 3}, precision="float32")(photo)
    other = load_stylizer("the_scream", precision="float32")(photo)
    np.testing.assert_array_equal(named, mixed)
    assert np.abs(named.astype(int) - other).mean() > 5


def test_the_command_paints_by_name_and_puts_the_style_into_file_names(tmp_path, capsys):
    import shutil

    shutil.copy(thumbnail("udnie"), tmp_path / "cat.jpg")
    options = ["--output", str(tmp_path / "out"), "--name", "{stem}-{style}.{suffix}"]
    assert main(["stylize", "starry_night", str(tmp_path / "cat.jpg"), *options]) == 0
    assert read_image(tmp_path / "out" / "cat-starry_night.png").shape == read_image(tmp_path / "cat.jpg").shape
    assert main(["stylize", "stary_night", str(tmp_path / "cat.jpg"), "--output", "x.png"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
