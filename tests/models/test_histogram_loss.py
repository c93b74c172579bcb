import numpy as np
import tensorflow as tf

from faststyle.models.histogram_loss import QUANTILES, activation_quantiles, histogram_error
from tests.finite_differences import finite_differences


def features(shape, seed):
    return np.random.default_rng(seed).gamma(2.0, 1.5, shape).astype("float32")


def numpy_error(stylized, style, weights=None):
    """Rank by rank: each channel against the style's quantile function, a line between the middles of its steps."""
    flat, target = stylized.reshape(-1, stylized.shape[-1]), style.reshape(-1, style.shape[-1]).astype("float64")
    weights = np.ones(len(flat)) if weights is None else weights.ravel()
    total = 0.0
    for channel in range(flat.shape[1]):
        order = np.argsort(flat[:, channel], kind="stable")
        share = weights[order] / weights.sum()
        ranks = np.cumsum(share) - 0.5 * share
        middles = (np.arange(len(target)) + 0.5) / len(target)
        matched = np.interp(ranks, middles, np.sort(target[:, channel]))
        total += np.sum(share * (flat[order, channel] - matched) ** 2)
    return total / flat.shape[1] / np.mean(target**2)


def test_two_positions_by_hand():
    # The smaller goes to the style's smaller: (1 - 2)^2 and (5 - 3)^2, over the mean square of the style.
    stylized = np.array([5.0, 1.0]).reshape(1, 1, 2, 1)
    style = np.array([2.0, 3.0]).reshape(1, 2, 1, 1)
    actual = float(histogram_error(stylized, activation_quantiles(style))[0])
    np.testing.assert_allclose(actual, ((1 - 2) ** 2 + (5 - 3) ** 2) / 2 / np.mean([4, 9]), rtol=0.08)
    exact = float(histogram_error(stylized, np.repeat(np.float32([2, 3]), QUANTILES // 2).reshape(1, -1, 1))[0])
    np.testing.assert_allclose(exact, 2.5 / 6.5, rtol=1e-5)


def test_error_is_its_definition_in_numpy():
    stylized, style = features((1, 7, 9, 3), 0), features((1, 11, 6, 3), 1)
    actual = histogram_error(stylized, activation_quantiles(style))
    np.testing.assert_allclose(actual, [numpy_error(stylized, style)], rtol=0.01)


def test_error_under_a_mask_ranks_and_counts_by_it():
    stylized, style = features((1, 7, 9, 3), 0), features((1, 11, 6, 3), 1)
    mask = np.random.default_rng(2).uniform(0, 1, (2, 7, 9, 1)).astype("float32")
    actual = histogram_error(stylized, activation_quantiles(np.concatenate([style, style])), mask)
    np.testing.assert_allclose(actual, [numpy_error(stylized, style, m) for m in mask], rtol=0.01)


def test_pixel_order_does_not_matter():
    style = features((1, 8, 8, 2), 0)
    shuffled = np.random.default_rng(1).permuted(style.reshape(64, 2), axis=0).reshape(1, 4, 16, 2)
    assert float(histogram_error(shuffled, activation_quantiles(style))[0]) < 1e-4


def test_gradient_is_that_of_finite_differences():
    stylized, quantiles = features((1, 3, 4, 2), 0), activation_quantiles(features((1, 5, 5, 2), 1))
    image = tf.constant(stylized)
    with tf.GradientTape() as tape:
        tape.watch(image)
        error = histogram_error(image, quantiles)[0]
    expected = finite_differences(lambda at: histogram_error(at.astype("float32"), quantiles)[0], stylized, 1e-2)
    np.testing.assert_allclose(tape.gradient(error, image), expected, rtol=0.03, atol=1e-4)
