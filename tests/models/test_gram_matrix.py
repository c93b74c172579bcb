import numpy as np
import tensorflow as tf

from faststyle.models.losses import gram_matrix
from tests.loss_checks import assert_gradient_matches, assert_same_inside_tf_function, numpy_gram, random_features


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


def test_gram_matrix_has_the_gradient_of_finite_differences_even_where_its_two_halves_weigh_differently():
    weights = np.array([[1, 2], [-3, 0.5]], "float32")

    def weighted_sum(features):
        return tf.reduce_sum(weights * gram_matrix(features)[0])

    assert_gradient_matches(weighted_sum, random_features((1, 3, 4, 2), seed=1))


def test_gram_matrix_is_the_same_inside_tf_function():
    assert_same_inside_tf_function(gram_matrix, random_features())
