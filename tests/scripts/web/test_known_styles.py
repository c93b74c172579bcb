import shutil

import pytest

from faststyle.infer.exported_model.stylizer import StylizeError
from faststyle.infer.styles.gallery import gallery_styles
from faststyle.infer.styles.model_card import ModelCardError
from faststyle.scripts.web.known_styles import KnownStyles, find_export
from faststyle.train.settings import TrainSettings
from tests.scripts.web.served import colorful_photo


def test_the_gallery_is_offered_and_what_was_trained_or_given_stands_before_it(two_styles, one_style, tmp_path):
    shutil.copytree(one_style, tmp_path / "mine" / "export")
    titles = [style.title for style in KnownStyles([two_styles], tmp_path).all()]
    assert titles[:3] == ["style_0", f"style_0 ({two_styles.parent.name})", "style_1"]
    assert titles[3:] == [style.title for style in gallery_styles()]


def test_a_run_trained_meanwhile_is_there_the_next_time(one_style, tmp_path):
    styles = KnownStyles([], tmp_path)
    with pytest.raises(StylizeError, match="the style 'style_0' is not here any more"):
        styles.find("style_0")
    shutil.copytree(one_style, tmp_path / "mine" / "export")
    assert styles.find("style_0").model == tmp_path / "mine" / "export"


def test_styles_of_different_models_do_not_blend(two_styles, tmp_path):
    styles = KnownStyles([two_styles], tmp_path)
    with pytest.raises(StylizeError, match="style_0 and Udnie are of different models, which cannot blend"):
        styles.stylizer(styles.find("style_0"), styles.find("Udnie"))


def test_a_run_directory_means_its_export(one_style, tmp_path):
    shutil.copytree(one_style, tmp_path / "mine" / "export")
    assert find_export(tmp_path / "mine") == tmp_path / "mine" / "export"
    assert find_export(one_style) == one_style
    with pytest.raises(ModelCardError, match="no exported model"):
        find_export(tmp_path)


def test_a_style_trained_here_shows_its_painting_and_one_without_any_picture_a_gray_card(one_style, tmp_path):
    pictures_of = pytest.importorskip("faststyle.scripts.web.paint_section", reason="Gradio is missing").pictures_of
    shutil.copytree(one_style, tmp_path / "runs" / "mine" / "export")
    styles = KnownStyles([], tmp_path / "runs")
    assert styles.find("style_0").picture is None
    assert pictures_of(styles.all())[0][0].std() == 0
    painting = colorful_photo(tmp_path / "style_0.png")
    (tmp_path / "runs" / "mine" / "config.json").write_text(
        TrainSettings(style_images=(str(painting),), content="").to_json()
    )
    assert styles.find("style_0").picture == painting
    assert pictures_of(styles.all())[0][0].std() > 5
