import keras
import numpy as np
import tensorflow as tf

from faststyle.models.fused_normalization import fused_normalization, has_fused_normalization


def numpy_normalization(inputs, scale, offset, mean, variance, *, epsilon):
    return scale * (inputs - mean) / np.sqrt(variance + epsilon) + offset


def random_arguments():
    random = np.random.default_rng(0)
    inputs = random.normal(3.0, 2.0, (2, 5, 7, 4)).astype("float32")
    return inputs, *(random.uniform(0.5, 2.0, 4).astype("float32") for _ in range(2))


def test_the_backend_of_these_tests_has_it():
    assert has_fused_normalization() == (keras.backend.backend() == "tensorflow")


def test_it_normalizes_by_the_statistics_of_all_images_and_positions():
    inputs, scale, offset = random_arguments()
    mean, variance = inputs.mean(axis=(0, 1, 2)), inputs.var(axis=(0, 1, 2))
    outputs, used_mean, _ = fused_normalization(inputs, scale, offset, epsilon=0.1)
    expected = numpy_normalization(inputs, scale, offset, mean, variance, epsilon=0.1)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(used_mean, mean, rtol=1e-5)


def test_given_statistics_are_taken():
    inputs, scale, offset = random_arguments()
    mean, variance = np.float32([1, 2, 3, 4]), np.float32([1, 4, 9, 16])
    outputs, *_ = fused_normalization(inputs, scale, offset, epsilon=0.1, statistics=(mean, variance))
    expected = numpy_normalization(inputs, scale, offset, mean, variance, epsilon=0.1)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


def test_bfloat16_stays_bfloat16_with_statistics_in_float32():
    # Near 1000 bfloat16 numbers lie 4 apart; a mean rounded to one of them would shift every output.
    steps = np.random.default_rng(2).integers(-4, 5, (1, 9, 13, 4)) * 4.0
    inputs = tf.constant(900 + steps, "bfloat16")
    ones, zeros = np.ones(4, "float32"), np.zeros(4, "float32")
    outputs, mean, _ = fused_normalization(inputs, ones, zeros, epsilon=0.0)
    assert outputs.dtype == "bfloat16"
    assert mean.dtype == "float32"
    expected = numpy_normalization(steps, 1.0, 0.0, steps.mean(axis=(0, 1, 2)), steps.var(axis=(0, 1, 2)), epsilon=0.0)
    np.testing.assert_allclose(tf.cast(outputs, "float32"), expected, rtol=2**-7, atol=2e-3)
