import numpy as np

from faststyle.models.losses import total_variation
from tests.loss_checks import assert_gradient_matches, assert_same_inside_tf_function, random_features


def test_total_variation_by_hand():
    image = np.array([[0, 51], [102, 0]], "float32")[None, :, :, None] * np.ones(3, "float32")
    down = (0.4**2 + 0.2**2) / 2
    across = (0.2**2 + 0.4**2) / 2
    np.testing.assert_allclose(total_variation(image), [down + across], rtol=1e-6)


def test_total_variation_is_the_mean_squared_difference_of_neighbors_on_both_axes():
    image = random_features((2, 6, 9, 3)) * 20
    unit = image.astype("float64") / 255
    axes = (1, 2, 3)
    expected = np.mean(np.diff(unit, axis=1) ** 2, axis=axes) + np.mean(np.diff(unit, axis=2) ** 2, axis=axes)
    np.testing.assert_allclose(total_variation(image), expected, rtol=1e-5)


def test_total_variation_of_a_constant_is_zero_and_does_not_see_brightness():
    np.testing.assert_array_equal(total_variation(np.full((2, 4, 5, 3), 200, "float32")), [0, 0])
    image = np.random.default_rng(0).integers(0, 200, (1, 6, 5, 3)).astype("float32")
    np.testing.assert_allclose(total_variation(image + 55), total_variation(image), rtol=1e-4)


def test_total_variation_is_the_same_inside_tf_function():
    assert_same_inside_tf_function(total_variation, random_features((2, 6, 9, 3)) * 20)


def test_total_variation_has_the_gradient_of_finite_differences():
    image = np.random.default_rng(0).uniform(0, 255, (1, 3, 4, 3)).astype("float32")
    assert_gradient_matches(lambda pixels: 255 * total_variation(pixels)[0], image, step=2.0)


def test_fine_hatching_costs_more_than_a_wide_wave_of_the_same_contrast():
    column = np.arange(64)
    costs = []
    for period in (4, 32):
        wave = np.tile(127 + 40 * np.sin(2 * np.pi * column / period), (64, 1))
        image = np.repeat(wave[None, :, :, None], 3, axis=-1).astype("float32")
        costs.append(float(total_variation(image)[0]))
    # Neighbors of a sampled sine differ by 2 sin(pi / period) times its amplitude times a cosine.
    expected = [2 * (40 / 255 * np.sin(np.pi / period)) ** 2 for period in (4, 32)]
    np.testing.assert_allclose(costs, expected, rtol=0.05)
