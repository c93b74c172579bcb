import numpy as np
import pytest
import tensorflow as tf

from models.losses import STATISTICS, gram_matrix, style_error, style_statistics
from tests.loss_checks import (
    assert_gradient_matches,
    assert_same_inside_tf_function,
    numpy_gram,
    numpy_relative_error,
    random_features,
)

STYLE_PARTS = {"gram": ["gram"], "covariance": ["covariance", "mean"]}


def test_gram_matrix_of_two_pixels_by_hand():
    features = np.array([[[[1, 2], [3, 4]]]], "float32")
    np.testing.assert_allclose(gram_matrix(features), [[[5, 7], [7, 10]]])


def test_gram_matrix_is_the_mean_outer_product_of_the_pixels():
    features = random_features()
    np.testing.assert_allclose(gram_matrix(features), numpy_gram(features), rtol=1e-5)


def test_gram_matrix_ignores_the_order_of_pixels():
    features = random_features()
    pixels = features.reshape(2, 35, 3)[:, np.random.default_rng(1).permutation(35)]
    shuffled = pixels.reshape(2, 7, 5, 3)
    assert not np.array_equal(pixels, features.reshape(2, 35, 3))
    np.testing.assert_allclose(gram_matrix(shuffled), gram_matrix(features), rtol=1e-5)


def test_gram_matrix_accumulates_in_float32_for_bfloat16_features():
    # A bfloat16 sum of ones stops at 256: half of 512 pixels would be lost.
    ones = tf.ones([1, 16, 32, 3], "bfloat16")
    gram = gram_matrix(ones)
    assert gram.dtype == "float32"
    np.testing.assert_array_equal(gram, np.ones((1, 3, 3)))


def test_style_statistics_of_bfloat16_features_keep_float32_digits():
    features = tf.cast(random_features((1, 24, 17, 3)), "bfloat16")
    exact = tf.cast(features, "float32").numpy()
    mean = exact.mean(axis=(1, 2), keepdims=True)
    statistics = style_statistics(features, "covariance")
    np.testing.assert_allclose(gram_matrix(features), numpy_gram(exact), rtol=1e-5)
    np.testing.assert_allclose(statistics["covariance"], numpy_gram(exact - mean), rtol=1e-4)
    np.testing.assert_allclose(statistics["mean"], mean[:, 0, 0], rtol=1e-5)


def test_gram_matrix_has_the_gradient_of_finite_differences_even_where_its_two_halves_weigh_differently():
    weights = np.array([[1, 2], [-3, 0.5]], "float32")

    def weighted_sum(features):
        return tf.reduce_sum(weights * gram_matrix(features)[0])

    assert_gradient_matches(weighted_sum, random_features((1, 3, 4, 2), seed=1))


def test_gram_matrix_is_the_same_inside_tf_function():
    assert_same_inside_tf_function(gram_matrix, random_features())


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


def test_style_error_by_hand():
    targets = {"mean": tf.constant([[3.0, 4.0]]), "covariance": tf.constant([[[2.0, 0.0], [0.0, 0.0]]])}
    values = {"mean": tf.constant([[3.0, 3.0]]), "covariance": tf.constant([[[1.0, 1.0], [0.0, 0.0]]])}
    np.testing.assert_allclose(style_error(values, targets), [1 / 25 + 2 / 4], rtol=1e-6)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_style_error_is_the_relative_squared_error_of_each_part_added(statistic):
    features, target = random_features(seed=1), random_features((2, 4, 6, 3), seed=2)
    values, targets = style_statistics(features, statistic), style_statistics(target, statistic)
    expected = sum(numpy_relative_error(values[part].numpy(), targets[part].numpy()) for part in STYLE_PARTS[statistic])
    np.testing.assert_allclose(style_error(values, targets), expected, rtol=1e-5)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_one_style_target_serves_every_image_of_a_batch(statistic):
    values = style_statistics(random_features(seed=1), statistic)
    one = style_statistics(random_features((1, 4, 6, 3), seed=2), statistic)
    repeated = {part: np.repeat(target, 2, axis=0) for part, target in one.items()}
    error = style_error(values, one)
    assert error.shape == (2,)
    np.testing.assert_allclose(error, style_error(values, repeated), rtol=1e-6)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_style_error_of_the_target_itself_is_zero(statistic):
    targets = style_statistics(random_features(), statistic)
    np.testing.assert_array_equal(style_error(targets, targets), [0, 0])


@pytest.mark.parametrize("statistic", STATISTICS)
def test_style_error_of_a_black_feature_map_is_one_for_each_part(statistic):
    targets = style_statistics(random_features(), statistic)
    black = style_statistics(np.zeros((2, 3, 4, 3), "float32"), statistic)
    np.testing.assert_allclose(style_error(black, targets), [len(STYLE_PARTS[statistic])] * 2, rtol=1e-5)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_style_error_does_not_depend_on_the_scale_of_the_features(statistic):
    def error(scale):
        features, target = scale * random_features(seed=1), scale * random_features(seed=2)
        return style_error(style_statistics(features, statistic), style_statistics(target, statistic))

    np.testing.assert_allclose(error(np.float32(30)), error(np.float32(1)), rtol=1e-4)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_style_error_is_the_same_inside_tf_function(statistic):
    def error(features, target):
        return style_error(style_statistics(features, statistic), style_statistics(target, statistic))

    assert_same_inside_tf_function(error, random_features(seed=1), random_features((1, 4, 6, 3), seed=2))


@pytest.mark.parametrize("statistic", STATISTICS)
def test_style_error_has_the_gradient_of_finite_differences(statistic):
    targets = style_statistics(random_features((1, 4, 3, 2), seed=2), statistic)

    def error(features):
        return style_error(style_statistics(features, statistic), targets)[0]

    assert_gradient_matches(error, random_features((1, 3, 4, 2), seed=1))


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
