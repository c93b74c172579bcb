import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from faststyle.images.blending import MaskError, blend, fit_mask
from faststyle.images.color_transfer import keep_luminance_only, match_mean_covariance
from faststyle.infer.stylize.look import Look


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype="uint8")


def inverted(photo: np.ndarray) -> np.ndarray:
    return 255 - photo


def recolored(photo: np.ndarray) -> np.ndarray:
    return (photo[..., ::-1] // 2 + 20).astype("uint8")


def test_by_default_it_is_the_stylized_image():
    np.testing.assert_array_equal(Look().apply(inverted, noise(17, 23)), 255 - noise(17, 23))


def test_a_blend_is_exact_at_both_ends_in_every_band(monkeypatch):
    monkeypatch.setattr("faststyle.images.bands._BAND_PIXELS", 50)
    photo, stylized = noise(31, 20), noise(31, 20, seed=1)
    np.testing.assert_array_equal(blend(photo, stylized, 0.0), photo)
    np.testing.assert_array_equal(blend(photo, stylized, 1.0), stylized)
    mask = np.zeros((31, 20), "uint8")
    mask[:, 7:] = 255
    blended = blend(photo, stylized, mask)
    np.testing.assert_array_equal(blended[:, :7], photo[:, :7])
    np.testing.assert_array_equal(blended[:, 7:], stylized[:, 7:])


def test_a_gray_mask_blends_by_its_value():
    photo, mask = noise(9, 8), np.arange(72, dtype="uint8").reshape(9, 8)
    expected = photo + (mask / 255)[..., None] * (255.0 - 2.0 * photo)
    np.testing.assert_allclose(Look(mask=mask).apply(inverted, photo), expected, atol=0.51)


def test_the_mask_is_scaled_to_the_photo():
    mask = np.zeros((10, 20), "uint8")
    mask[:, 10:] = 255
    fitted = fit_mask(mask, 50, 100)
    assert fitted.shape == (50, 100)
    assert (fitted[:, :45] == 0).all()
    assert (fitted[:, 55:] == 255).all()


@pytest.mark.parametrize("feather_px", [4.0, 12.0])
def test_the_feather_is_a_gaussian_of_half_its_width(feather_px):
    mask = np.zeros((60, 80), "uint8")
    mask[20:45, 30:60] = 255
    expected = gaussian_filter(mask.astype("float32"), feather_px / 2, mode="nearest")
    np.testing.assert_allclose(fit_mask(mask, 60, 80, feather_px=feather_px), expected, atol=6)


@pytest.mark.parametrize("shape", [(100, 151), (51, 75), (10, 15)])
def test_a_rounded_size_is_the_same_shape(shape):
    assert fit_mask(np.zeros(shape, "uint8"), 100, 150).shape == (100, 150)


def test_another_shape_is_refused_before_the_network_runs():
    def stylizer(_):
        raise AssertionError

    with pytest.raises(MaskError, match="mask of 40x30 px has another shape than the photo of 40x20 px"):
        Look(mask=np.zeros((30, 40), "uint8")).apply(stylizer, noise(20, 40))


def test_luminance_mode_is_its_definition_in_every_band(monkeypatch):
    monkeypatch.setattr("faststyle.images.bands._BAND_PIXELS", 50)
    photo = noise(31, 20)
    expected = keep_luminance_only(recolored(photo), photo)
    np.testing.assert_allclose(Look(preserve_colors="luminance").apply(recolored, photo), expected, atol=0.51)


def test_covariance_mode_is_its_definition_in_every_band(monkeypatch):
    monkeypatch.setattr("faststyle.images.bands._BAND_PIXELS", 50)
    photo = noise(31, 20)
    expected = match_mean_covariance(recolored(photo), photo)
    np.testing.assert_allclose(Look(preserve_colors="covariance").apply(recolored, photo), expected, atol=0.51)


def test_large_photos_give_their_statistics_from_a_sample(monkeypatch):
    photo = noise(200, 300)
    whole = Look(preserve_colors="covariance").apply(recolored, photo).astype(int)
    monkeypatch.setattr("faststyle.infer.stylize.look._SAMPLED_PIXELS", 6000)
    sampled = Look(preserve_colors="covariance").apply(recolored, photo).astype(int)
    assert 0 < np.abs(whole - sampled).mean() < 3


def test_colors_are_kept_before_the_mask_acts():
    photo, mask = noise(20, 30), np.full((20, 30), 128, "uint8")
    stylized = Look(preserve_colors="luminance").apply(recolored, photo).astype(float)
    result = Look(preserve_colors="luminance", mask=mask).apply(recolored, photo)
    share = 128 / 255
    np.testing.assert_allclose(result, photo + share * (stylized - photo), atol=1.1)
