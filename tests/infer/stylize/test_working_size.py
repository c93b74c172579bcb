import numpy as np
import pytest
from PIL import Image

from faststyle.infer.stylize.detail import carry_detail
from faststyle.infer.stylize.working_size import stylize_at_size


def picture(height: int, width: int) -> np.ndarray:
    """Smooth waves with a sharp diagonal edge."""
    y, x = np.mgrid[:height, :width]
    waves = 60 + 30 * np.sin(x / 17) + 30 * np.cos(y / 23)
    return np.repeat((waves + 90 * (x + y > width))[..., None], 3, axis=-1).astype("uint8")


def scaled(image: np.ndarray, width: int, height: int, how=Image.Resampling.LANCZOS) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((width, height), how))


@pytest.mark.parametrize(
    ("photo", "size_px", "worked_on"),
    [((40, 60), 30, (20, 30)), ((60, 40), 30, (30, 20)), ((40, 60), 120, (80, 120)), ((20, 400), 100, (16, 320))],
)
def test_the_longer_side_has_the_working_size_but_the_shorter_one_16_px(photo, size_px, worked_on):
    sizes = []

    def stylizer(image):
        sizes.append(image.shape[:2])
        return image

    assert stylize_at_size(stylizer, picture(*photo), size_px).shape == (*photo, 3)
    assert sizes == [worked_on]


def test_at_the_photos_own_size_nothing_is_scaled():
    photo = picture(40, 60)
    np.testing.assert_array_equal(stylize_at_size(lambda image: 255 - image, photo, 60), 255 - photo)


def test_a_style_that_changes_nothing_gives_the_photo_back_sharp():
    photo = picture(240, 320)
    small = scaled(photo, 80, 60)
    blurred = np.abs(scaled(small, 320, 240, Image.Resampling.BICUBIC).astype(int) - photo).mean()
    carried = np.abs(carry_detail(small, small, photo).astype(int) - photo).mean()
    assert carried < 0.4 * blurred


def test_a_style_that_inverts_gets_inverted_detail():
    photo = picture(240, 320)
    small = scaled(photo, 80, 60)
    result = carry_detail(255 - small, small, photo).astype(int)
    inverted = 255 - photo.astype(int)
    blurred = scaled(255 - small, 320, 240, Image.Resampling.BICUBIC).astype(int)
    assert np.abs(result - inverted).mean() < 0.4 * np.abs(blurred - inverted).mean()


def test_a_flat_style_gets_no_detail():
    photo = picture(240, 320)
    result = carry_detail(np.full((60, 80, 3), 99, "uint8"), scaled(photo, 80, 60), photo)
    np.testing.assert_array_equal(result, np.full_like(photo, 99))


def test_a_flat_photo_leaves_the_strokes_as_they_are():
    strokes = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype="uint8")
    grain = 100 + np.random.default_rng(1).integers(-3, 4, (120, 160, 3))
    photo = grain.astype("uint8")
    result = carry_detail(strokes, scaled(photo, 40, 30), photo).astype(int)
    upscaled = scaled(strokes, 160, 120, Image.Resampling.BICUBIC).astype(int)
    assert np.abs(result - upscaled).mean() < 1.5


def test_bands_leave_no_seam(monkeypatch):
    photo, strokes = picture(240, 320), np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype="uint8")
    whole = carry_detail(strokes, scaled(photo, 80, 60), photo)
    monkeypatch.setattr("faststyle.images.bands._BAND_PIXELS", 320 * 7)
    banded = carry_detail(strokes, scaled(photo, 80, 60), photo)
    assert np.abs(whole.astype(int) - banded).max() <= 1
