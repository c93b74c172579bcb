import numpy as np
import pytest
import tensorflow as tf

from faststyle.models.losses import STATISTICS, style_error, style_statistics
from tests.loss_checks import (
    STYLE_PARTS,
    assert_gradient_matches,
    assert_same_inside_tf_function,
    numpy_relative_error,
    random_features,
)


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
