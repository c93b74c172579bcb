import numpy as np
import pytest
import tensorflow as tf

from faststyle.models.losses import color_error, style_statistics
from tests.loss_checks import assert_gradient_matches, assert_same_inside_tf_function

FLOOR = 0.03**2


def colors(shape, spread, seed=0):
    """Pixels in 0..1 around a mean of 0.5, their channels of different spread and correlated."""
    random = np.random.default_rng(seed)
    shared, own = random.normal(size=(*shape, 1)), random.normal(size=(*shape, 3))
    return (0.5 + spread * (shared + own * [0.3, 0.6, 0.1])).astype("float32")


def statistics(pixels):
    return style_statistics(tf.constant(pixels), "covariance")


def by_hand(variances, mean):
    return {"mean": tf.constant([mean]), "covariance": tf.linalg.diag([variances])}


def test_every_axis_counts_by_the_styles_own_spread():
    # The second axis has a hundredth of the first one's variance; twice its variance is as wrong as twice the first's.
    style = by_hand([1 - FLOOR, 0.01 - FLOOR, 0.01 - FLOOR], [0.5, 0.5, 0.5])
    first = by_hand([2 - FLOOR, 0.01 - FLOOR, 0.01 - FLOOR], [0.5, 0.5, 0.5])
    second = by_hand([1 - FLOOR, 0.02 - FLOOR, 0.01 - FLOOR], [0.5, 0.5, 0.5])
    shifted = by_hand([1 - FLOOR, 0.01 - FLOOR, 0.01 - FLOOR], [0.5, 0.6, 0.5])
    for other in (first, second, shifted):
        np.testing.assert_allclose(color_error(other, style), [1 / 3], rtol=1e-4)


def test_it_is_its_definition_for_each_image_of_a_batch():
    image, style = colors((2, 5, 7), 0.1, seed=1), colors((1, 6, 4), 0.2, seed=2)
    flat = style.reshape(-1, 3).astype("float64")
    target, precision = np.cov(flat.T, bias=True), np.linalg.inv(np.cov(flat.T, bias=True) + FLOOR * np.eye(3))
    expected = []
    for pixels in image.reshape(2, -1, 3).astype("float64"):
        whitened, shift = precision @ (np.cov(pixels.T, bias=True) - target), pixels.mean(axis=0) - flat.mean(axis=0)
        expected.append((np.trace(whitened @ whitened) + shift @ precision @ shift) / 3)
    np.testing.assert_allclose(color_error(statistics(image), statistics(style)), expected, rtol=1e-4)


def test_the_style_itself_is_perfect_and_its_mean_color_alone_is_1_wrong():
    style = colors((1, 40, 30), 3.0)
    np.testing.assert_allclose(color_error(statistics(style), statistics(style)), [0], atol=1e-6)
    plain = np.broadcast_to(style.mean(axis=(1, 2), keepdims=True), style.shape)
    np.testing.assert_allclose(color_error(statistics(plain), statistics(style)), [1], rtol=0.05)


def test_a_style_of_black_and_white_refuses_color_and_stays_finite():
    gray = np.repeat(colors((1, 20, 30), 0.2)[..., :1], 3, axis=-1)
    faint = gray + np.random.default_rng(1).normal(scale=0.03, size=gray.shape).astype("float32")
    error = float(color_error(statistics(faint), statistics(gray))[0])
    assert error == pytest.approx(2 / 3, rel=0.15)  # two axes of color, each as far as the floor


def test_it_is_the_same_inside_tf_function():
    style = statistics(colors((1, 6, 4), 0.2, seed=2))
    assert_same_inside_tf_function(
        lambda pixels: color_error(style_statistics(pixels, "covariance"), style), colors((2, 5, 7), 0.1, seed=1)
    )


def test_its_gradient_is_that_of_finite_differences():
    style = statistics(colors((1, 6, 4), 0.2, seed=2))
    assert_gradient_matches(
        lambda pixels: tf.reduce_sum(color_error(style_statistics(pixels, "covariance"), style)),
        colors((1, 3, 4), 0.3, seed=3),
    )
