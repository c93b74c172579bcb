import numpy as np
import pytest
from PIL import Image

from faststyle.infer.optimize.reconstruct import reconstruction_settings
from faststyle.infer.optimize.settings import OptimizeSettings
from faststyle.scripts.faststyle import main
from tests.toy_run import write_photos

BASE = OptimizeSettings(content="a", styles=("a",))


def test_style_alone_and_content_alone():
    style = reconstruction_settings(BASE, "style", ["relu1_1", "relu2_1"])
    assert (style.content_weight, style.style_weight, style.initial) == (0, 1, "noise")
    assert style.style_layers == {"relu1_1": 1, "relu2_1": 1}
    content = reconstruction_settings(BASE, "content", ["relu2_1"])
    assert (content.content_weight, content.style_weight) == (1, 0)
    assert content.content_layers == {"relu2_1": 1}


@pytest.mark.parametrize("kind", ["style", "content"])
def test_the_grid_has_a_row_per_layer_and_a_column_per_seed(tmp_path, kind):
    image = write_photos(tmp_path, count=1) / "photo_00.jpg"
    options = f"--kind {kind} --layers relu1_1,relu2_1 --seeds 0,1 --size 32 --iterations 2"
    assert main(["reconstruct", str(image), "--output", str(tmp_path / "sheet.png"), *options.split()]) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (2 * 32 + 3 * 8, 3 * 24 + 4 * 8)


def test_content_of_the_first_layer_comes_back_from_noise(tmp_path):
    image = write_photos(tmp_path, count=1) / "photo_00.jpg"
    options = "--kind content --layers relu1_1 --seeds 0 --size 64 --iterations 60"
    assert main(["reconstruct", str(image), "--output", str(tmp_path / "sheet.png"), *options.split()]) == 0
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"), "float32")
    original, rebuilt = sheet[8:56, 8:72], sheet[64:112, 8:72]
    assert np.abs(original - rebuilt).mean() < 12


def test_a_sheet_that_exists_or_has_no_place_is_refused_before_the_work(tmp_path, capsys):
    image = write_photos(tmp_path, count=1) / "photo_00.jpg"
    for output, words in ((image, "exists"), (image / "sheet.png", "is a file, but results need a folder there")):
        assert main(["reconstruct", str(image), "--output", str(output)]) == 2
        assert words in capsys.readouterr().err
