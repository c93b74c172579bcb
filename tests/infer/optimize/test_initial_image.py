import numpy as np
import pytest
from PIL import Image

from faststyle.images.files import ImageError
from faststyle.infer.optimize.initial_image import initial_image

CONTENT = np.full((20, 30, 3), 200, "uint8")
STYLE = np.full((9, 9, 3), 50, "uint8")


def start(name, share=0.0, seed=0):
    return initial_image(name, CONTENT, STYLE, noise_share=share, seed=seed)


def test_content_and_style_at_the_contents_size(tmp_path):
    Image.new("RGB", (8, 4), (10, 20, 30)).save(tmp_path / "own.png")
    np.testing.assert_array_equal(start("content"), CONTENT)
    np.testing.assert_array_equal(start("style"), np.full(CONTENT.shape, 50))
    np.testing.assert_array_equal(start(str(tmp_path / "own.png"))[3, 4], (10, 20, 30))


def test_noise_depends_on_the_seed_only():
    np.testing.assert_array_equal(start("noise", seed=3), start("noise", seed=3))
    assert np.abs(start("noise", seed=3) - start("noise", seed=4)).mean() > 10
    assert 35 < start("noise").std() < 45


def test_gray_has_a_trace_of_noise():
    assert start("gray").mean() == pytest.approx(127.5, abs=0.1)
    assert start("gray").std() == pytest.approx(1, abs=0.05)


def test_a_blend_is_the_weighted_sum():
    inside = (start("noise") > 0) & (start("noise") < 255)
    expected = 0.75 * 200 + 0.25 * start("noise")
    np.testing.assert_allclose(start("content", 0.25)[inside], expected[inside], rtol=1e-5)


def test_a_missing_file_is_named():
    with pytest.raises(ImageError, match=r"nowhere\.png: no such file"):
        start("nowhere.png")
