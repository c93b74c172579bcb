import numpy as np
import pytest

from models.checkerboard import WithoutCheckerboard

y, x = np.mgrid[:8, :6]
random = np.random.default_rng(11)


def filtered(plane):
    return np.asarray(WithoutCheckerboard()(np.asarray(plane, "float32")[None, :, :, None]))[0, :, :, 0]


def test_a_checkerboard_is_gone_and_its_surroundings_stay():
    background = 3.0 + 0.5 * y
    np.testing.assert_allclose(filtered(background + (-1.0) ** (x + y)), background, atol=1e-6)


@pytest.mark.parametrize("plane", [np.ones((8, 6)), (-1.0) ** x, (-1.0) ** y, np.cos(np.pi * y / 7) + 0 * x])
def test_constants_and_stripes_along_an_axis_stay(plane):
    np.testing.assert_allclose(filtered(plane), plane, atol=1e-6)


def test_training_lets_everything_pass():
    board = np.asarray((-1.0) ** (x + y), "float32")[None, :, :, None]
    np.testing.assert_array_equal(WithoutCheckerboard()(board, training=True), board)


def test_it_is_the_products_of_two_second_differences():
    plane = random.normal(size=(8, 6))
    kernel = np.outer([-1, 2, -1], [-1, 2, -1]) / 16
    padded = np.pad(plane, 1, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    np.testing.assert_allclose(filtered(plane), plane - (windows * kernel).sum(axis=(2, 3)), atol=1e-6)
