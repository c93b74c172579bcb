import numpy as np
import tensorflow as tf

from faststyle.models.losses import content_error
from tests.loss_checks import (
    assert_gradient_matches,
    assert_same_inside_tf_function,
    gradient,
    numpy_relative_error,
    random_features,
)


def test_content_error_by_hand():
    features = np.array([[[[1, 2], [3, 4]]]], "float32")
    targets = np.array([[[[1, 2], [2, 1]]]], "float32")
    np.testing.assert_allclose(content_error(features, targets), [10 / 10])


def test_content_error_is_the_relative_squared_error_of_each_image():
    features, targets = random_features(seed=1), random_features(seed=2)
    error = content_error(features, targets)
    assert error.shape == (2,)
    np.testing.assert_allclose(error, numpy_relative_error(features, targets), rtol=1e-5)


def test_content_error_of_the_content_itself_is_zero_and_of_black_is_one():
    targets = random_features()
    np.testing.assert_array_equal(content_error(targets, targets), [0, 0])
    np.testing.assert_allclose(content_error(np.zeros_like(targets), targets), [1, 1], rtol=1e-6)


def test_content_error_against_a_black_target_is_finite():
    black = np.zeros((1, 3, 4, 2), "float32")
    np.testing.assert_array_equal(content_error(black, black), [0])
    assert np.isfinite(content_error(random_features((1, 3, 4, 2)), black)).all()


def test_content_error_of_bfloat16_features_is_reduced_in_float32():
    features, targets = (tf.cast(random_features((1, 24, 17, 3), seed), "bfloat16") for seed in (1, 2))
    error = content_error(features, targets)
    exact = [tf.cast(values, "float32").numpy() for values in (features, targets)]
    assert error.dtype == "float32"
    np.testing.assert_allclose(error, numpy_relative_error(*exact), rtol=1e-5)


def test_content_error_is_the_same_inside_tf_function():
    assert_same_inside_tf_function(content_error, random_features(seed=1), random_features(seed=2))


def test_content_error_has_the_gradient_of_finite_differences():
    targets = random_features((1, 4, 3, 2), seed=2)
    assert_gradient_matches(lambda features: content_error(features, targets)[0], random_features((1, 4, 3, 2)))


def test_content_error_has_no_gradient_through_its_divisor():
    features, targets = random_features((1, 4, 3, 2), seed=1), random_features((1, 4, 3, 2), seed=2)
    expected = 2 * (targets - features) / np.sum(targets**2)
    actual = gradient(lambda watched: content_error(features, watched)[0], targets)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6)
