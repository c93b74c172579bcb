import keras
import numpy as np
import pytest

from scripts.photo_augmentation import augmented, resampling


def test_resampling_the_whole_line_changes_nothing():
    np.testing.assert_allclose(resampling(np.float32([0]), np.float32([1]), size=5)[0], np.eye(5), atol=1e-6)


def test_resampling_half_a_line_interpolates_linearly():
    line = np.float32([0, 10, 20, 30])
    rows = np.asarray(resampling(np.float32([0.25]), np.float32([0.5]), size=4)[0])
    np.testing.assert_allclose(rows @ line, [7.5, 12.5, 17.5, 22.5])  # half a pixel apart, from 7.5


def test_resampling_at_the_border_repeats_the_last_pixel():
    rows = np.asarray(resampling(np.float32([0.0]), np.float32([0.5]), size=4)[0])
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    np.testing.assert_allclose(rows[0], [1, 0, 0, 0])


@pytest.fixture(scope="module")
def ramps():
    """Images whose level grows from left to right, and the same again and again."""
    return np.broadcast_to(np.linspace(80, 160, 32, dtype="float32")[None, None, :, None], (64, 32, 32, 3))


def test_every_image_is_augmented_on_its_own_and_half_of_them_are_mirrored(ramps):
    result = np.asarray(augmented(ramps, seed=keras.random.SeedGenerator(0)))
    assert result.shape == ramps.shape
    slopes = (result[:, :, -1] - result[:, :, 0]).mean(axis=(1, 2))
    assert 16 < np.sum(slopes > 0) < 48
    assert np.all(np.abs(slopes) > 80 * np.sqrt(0.4) * 0.7 * 0.7 * 0.8)  # the narrowest crop, dark and of low contrast
    assert len(np.unique(np.round(slopes, 3))) == len(slopes)


def test_colors_vary_by_the_jitter_and_stay_within_pixels():
    gray = np.full((64, 16, 16, 3), 100, "float32")
    means = np.asarray(augmented(gray, seed=keras.random.SeedGenerator(0))).mean(axis=(1, 2, 3))
    assert means.min() > 69
    assert means.max() < 131
    assert means.std() > 10
    white = np.asarray(augmented(np.full((64, 8, 8, 3), 255, "float32"), seed=keras.random.SeedGenerator(0)))
    assert white.max() == 255


def test_the_same_seed_gives_the_same_crops(ramps):
    one, other = (augmented(ramps, seed=keras.random.SeedGenerator(3)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
