import keras
import numpy as np
import pytest

from faststyle.models.transform_net import build_transform_network
from faststyle.train.color_fit import fit_colors

TARGETS = {
    "mean": np.array([[0.6, 0.4, 0.3], [0.3, 0.5, 0.6]], "float32"),
    "covariance": np.array([np.diag([0.02, 0.01, 0.02]), np.diag([0.01, 0.02, 0.01])], "float32"),
}


@pytest.fixture
def network():
    keras.utils.set_random_seed(0)
    network = build_transform_network(num_styles=3, width=0.125)
    kernel = network.get_layer("output_conv").kernel
    kernel.assign(0.3 * np.asarray(kernel))  # few pixels beyond 0..255, as after a training
    return network


@pytest.fixture(scope="module")
def photos():
    return np.random.default_rng(0).integers(0, 256, (6, 32, 36, 3)).astype("uint8")


def stylized_colors(network, photos, style):
    mixture = np.tile(np.eye(3, dtype="float32")[style], (len(photos), 1))
    stylized = np.asarray(network([photos.astype("float32"), mixture]))
    return stylized[:, ::4, ::4].reshape(-1, 3) / 255.0


def test_stylized_photos_together_have_each_styles_colors(network, photos):
    fit_colors(network, photos, TARGETS)
    for style in range(2):
        colors = stylized_colors(network, photos, style)
        np.testing.assert_allclose(colors.mean(axis=0), TARGETS["mean"][style], atol=0.02)
        np.testing.assert_allclose(np.cov(colors, rowvar=False), TARGETS["covariance"][style], atol=0.004)


def test_row_without_a_style_keeps_its_colors(network, photos):
    before = stylized_colors(network, photos, style=2)
    fit_colors(network, photos, TARGETS)
    np.testing.assert_array_equal(stylized_colors(network, photos, style=2), before)


def test_colors_that_were_fitted_before_are_fitted_further(network, photos):
    fit_colors(network, photos, TARGETS)
    fit_colors(network, photos, TARGETS)
    colors = stylized_colors(network, photos, style=1)
    np.testing.assert_allclose(colors.mean(axis=0), TARGETS["mean"][1], atol=0.01)
    np.testing.assert_allclose(np.cov(colors, rowvar=False), TARGETS["covariance"][1], atol=0.002)
