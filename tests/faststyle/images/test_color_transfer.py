import numpy as np
import pytest

from faststyle.images.color_transfer import keep_luminance_only, match_mean_covariance

LUMA = np.array([0.299, 0.587, 0.114])


def colors(shape, *, mean, spread, seed):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(3, 3))
    return np.clip(random.normal(size=(*shape, 3)) @ mixing * spread + mean, 0, 255)


def test_luminance_is_the_stylized_images_and_color_the_photos_by_hand():
    # Luma of (100, 100, 100) is 100, of the photo 0.299 * 60 + 0.587 * 20 + 0.114 * 40 = 34.24.
    result = keep_luminance_only(np.full((1, 1, 3), 100, "uint8"), np.array([[[60, 20, 40]]], "uint8"))
    np.testing.assert_allclose(result[0, 0], np.array([60, 20, 40]) - 34.24 + 100, atol=1e-3)
    assert result.dtype == np.float32


def test_luminance_holds_on_any_colors():
    random = np.random.default_rng(0)
    stylized, photo = random.integers(0, 256, (2, 33, 21, 3)).astype("uint8")
    result = keep_luminance_only(stylized, photo)
    assert result.min() >= 0
    assert result.max() <= 255
    np.testing.assert_allclose(result @ LUMA, stylized @ LUMA, atol=0.01)


def test_hue_is_the_photos_even_where_the_color_must_pale():
    stylized = np.full((1, 1, 3), 240, "uint8")
    photo = np.array([[[200, 40, 40]]], "uint8")
    chroma = keep_luminance_only(stylized, photo)[0, 0] - 240
    expected = photo[0, 0] - photo[0, 0] @ LUMA
    np.testing.assert_allclose(chroma / np.abs(chroma).max(), expected / np.abs(expected).max(), atol=1e-4)


def test_a_photo_with_its_own_luminance_is_unchanged():
    photo = np.random.default_rng(1).integers(0, 256, (9, 7, 3)).astype("uint8")
    np.testing.assert_allclose(keep_luminance_only(photo, photo), photo, atol=0.01)


def test_black_and_white_stay_black_and_white():
    stylized = np.array([[[0, 0, 0], [255, 255, 255]]], "uint8")
    photo = np.array([[[255, 0, 0], [0, 0, 255]]], "uint8")
    np.testing.assert_allclose(keep_luminance_only(stylized, photo), stylized, atol=0.01)


def test_images_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="images must have one shape"):
        keep_luminance_only(np.zeros((4, 4, 3)), np.zeros((4, 5, 3)))


def test_mean_and_covariance_become_the_references():
    image = colors((40, 30), mean=(110, 120, 130), spread=12, seed=0)
    reference = colors((25, 45), mean=(140, 100, 120), spread=9, seed=1)
    moved = match_mean_covariance(image, reference).reshape(-1, 3)
    np.testing.assert_allclose(moved.mean(axis=0), reference.reshape(-1, 3).mean(axis=0), atol=0.05)
    np.testing.assert_allclose(np.cov(moved.T), np.cov(reference.reshape(-1, 3).T), atol=1.0)


def test_an_image_matched_to_itself_is_unchanged():
    image = np.random.default_rng(0).integers(0, 256, (12, 10, 3)).astype("uint8")
    np.testing.assert_allclose(match_mean_covariance(image, image), image, atol=0.05)


def test_one_channel_scaled_by_hand():
    # Independent channels: the least moving map scales each by the ratio of standard deviations.
    image = np.stack(np.meshgrid([90, 110], [80, 120]), axis=-1)
    image = np.concatenate([image, np.full((2, 2, 1), 100)], axis=-1)
    reference = (image - 100) * np.array([2, 0.5, 1]) + np.array([120, 90, 60])
    np.testing.assert_allclose(match_mean_covariance(image, reference), reference, atol=0.1)


@pytest.mark.parametrize("flat", ["image", "reference", "both"])
def test_gray_and_flat_pictures_stay_finite(flat):
    image = np.full((4, 5, 3), 80, "uint8") if flat != "reference" else colors((4, 5), mean=120, spread=9, seed=0)
    reference = np.full((6, 3, 3), 200, "uint8") if flat != "image" else colors((6, 3), mean=120, spread=9, seed=1)
    moved = match_mean_covariance(image, reference)
    assert np.isfinite(moved).all()
    np.testing.assert_allclose(moved.mean(axis=(0, 1)), np.mean(reference, axis=(0, 1)), atol=0.1)
