import numpy as np
import pytest
import tensorflow as tf

from faststyle.models.losses import STATISTICS, gram_matrix, style_statistics
from tests.loss_checks import STYLE_PARTS, assert_same_inside_tf_function, numpy_gram, random_features


def test_style_statistics_of_bfloat16_features_keep_float32_digits():
    features = tf.cast(random_features((1, 24, 17, 3)), "bfloat16")
    exact = tf.cast(features, "float32").numpy()
    mean = exact.mean(axis=(1, 2), keepdims=True)
    statistics = style_statistics(features, "covariance")
    np.testing.assert_allclose(gram_matrix(features), numpy_gram(exact), rtol=1e-5)
    np.testing.assert_allclose(statistics["covariance"], numpy_gram(exact - mean), rtol=1e-4)
    np.testing.assert_allclose(statistics["mean"], mean[:, 0, 0], rtol=1e-5)


def test_covariance_of_two_pixels_by_hand():
    features = np.array([[[[1, 2], [3, 6]]]], "float32")
    statistics = style_statistics(features, "covariance")
    np.testing.assert_allclose(statistics["mean"], [[2, 4]])
    np.testing.assert_allclose(statistics["covariance"], [[[1, 2], [2, 4]]])


def test_covariance_statistics_are_numpys_mean_and_covariance():
    features = random_features()
    statistics = style_statistics(features, "covariance")
    for image in range(2):
        pixels = features[image].reshape(-1, 3).astype("float64")
        np.testing.assert_allclose(statistics["mean"][image], pixels.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(statistics["covariance"][image], np.cov(pixels.T, bias=True), rtol=1e-4)


def test_covariance_does_not_see_a_constant_added_to_a_channel():
    features = random_features()
    brighter = features + np.array([0, 2, 5], "float32")
    statistics, shifted = style_statistics(features, "covariance"), style_statistics(brighter, "covariance")
    np.testing.assert_allclose(shifted["covariance"], statistics["covariance"], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(shifted["mean"] - statistics["mean"], [[0, 2, 5]] * 2, atol=1e-4)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_style_statistics_are_the_same_inside_tf_function(statistic):
    assert sorted(style_statistics(random_features(), statistic)) == STYLE_PARTS[statistic]
    assert_same_inside_tf_function(lambda features: style_statistics(features, statistic), random_features())


def test_unknown_style_statistic_is_named_with_the_choices():
    with pytest.raises(ValueError, match="unknown style statistic 'histogram'; choose one of gram, covariance"):
        style_statistics(random_features(), "histogram")


@pytest.mark.parametrize("statistic", STATISTICS)
def test_statistics_under_masks_are_weighted_by_them(statistic):
    features = random_features((1, 5, 7, 3))
    masks = np.random.default_rng(1).uniform(0, 1, (2, 5, 7, 1)).astype("float32")
    actual = style_statistics(features, statistic, masks)
    flat = features.astype("float64").reshape(35, 3)
    for region, share in enumerate(masks.astype("float64").reshape(2, 35)):
        mean = np.average(flat, axis=0, weights=share)
        centered = flat if statistic == "gram" else flat - mean
        second = np.einsum("p,pc,pd->cd", share / share.sum(), centered, centered)
        np.testing.assert_allclose(actual[statistic][region], second, rtol=1e-3, atol=1e-4)
        if statistic == "covariance":
            np.testing.assert_allclose(actual["mean"][region], mean, rtol=1e-4)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_white_mask_changes_nothing(statistic):
    features = random_features((1, 5, 7, 3))
    plain, masked = (style_statistics(features, statistic, mask) for mask in (None, np.ones((1, 5, 7, 1), "float32")))
    for part in plain:
        np.testing.assert_allclose(plain[part], masked[part], rtol=1e-4, atol=1e-5)
