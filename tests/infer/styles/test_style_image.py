import numpy as np
import pytest
from PIL import Image

from faststyle.images.files import ImageError, write_image
from faststyle.infer.styles.style_image import read_style_image


def test_a_style_is_read_and_a_flat_one_refused(tmp_path):
    style = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype("uint8")
    write_image(tmp_path / "style.png", style)
    np.testing.assert_array_equal(read_style_image(tmp_path / "style.png"), style)
    write_image(tmp_path / "flat.png", np.full((20, 30, 3), 90, "uint8"))
    with pytest.raises(ImageError, match=r"flat\.png: nearly one color, so it has no style"):
        read_style_image(tmp_path / "flat.png")


def test_what_a_style_image_is_not_taken_with_is_told_once(tmp_path, capsys):
    frames = [Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 30, 3), "uint8")) for seed in range(3)]
    frames[0].save(tmp_path / "style.png", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_style_image(tmp_path / "style.png", tell=True), frames[0])
    assert capsys.readouterr().err == f"{tmp_path / 'style.png'}: only its first frame\n"
    read_style_image(tmp_path / "style.png")
    assert capsys.readouterr().err == ""
