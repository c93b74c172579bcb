import numpy as np

from models.losses import flat_variation, flatness, total_variation
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


class TestFlatRegions:
    def test_a_photo_of_one_color_is_flat_and_a_checkerboard_is_not(self):
        flat = np.full((1, 20, 24, 3), 90, "float32")
        board = 255.0 * (np.indices((20, 24)).sum(axis=0) % 2)[None, :, :, None] * np.ones(3)
        np.testing.assert_array_equal(flatness(flat), np.ones((1, 20, 24, 1)))
        assert np.max(flatness(board.astype("float32"))) < 0.001

    def test_far_from_every_border_it_is_its_definition(self):
        photo = np.random.default_rng(0).uniform(100, 110, (1, 40, 44, 3)).astype("float32")
        unit = photo[0].astype("float64") / 255
        energy = (np.diff(unit, axis=0)[:, :-1] ** 2 + np.diff(unit, axis=1)[:-1] ** 2).mean(axis=-1)
        around = energy[20 - 7 : 20 + 8, 21 - 7 : 21 + 8].mean()
        expected = 1 / (1 + around / (2 * (4 / 255) ** 2))
        np.testing.assert_allclose(flatness(photo)[0, 20, 21, 0], expected, rtol=1e-4)

    def test_variation_counts_only_where_the_photo_is_flat(self):
        image = np.zeros((1, 8, 8, 3), "float32")
        image[:, 2:, :, :] = 51.0  # one edge of 0.2 in each of 8 columns, below row 1
        where = np.zeros((1, 8, 8, 1), "float32")
        where[:, 1, :4] = 0.5
        np.testing.assert_allclose(flat_variation(image, where), [4 * 0.5 * 0.2**2 / 64], rtol=1e-5)

    def test_fine_hatching_costs_more_than_a_wide_wave_of_the_same_contrast(self):
        column = np.arange(64)
        fine, wide = (np.tile(127 + 40 * np.sin(2 * np.pi * column / period), (64, 1)) for period in (4, 32))
        flat = np.ones((1, 64, 64, 1), "float32")
        costs = [float(flat_variation(w[None, :, :, None].astype("float32"), flat)[0]) for w in (fine, wide)]
        assert costs[0] > 20 * costs[1]
