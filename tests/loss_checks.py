"""Features to measure losses of, their definitions in numpy, and the checks that every loss has to pass."""

import numpy as np
import tensorflow as tf

from tests.finite_differences import finite_differences

STYLE_PARTS = {"gram": ["gram"], "covariance": ["covariance", "mean"]}
ANY_SIZE = tf.TensorSpec([None, None, None, None])


def random_features(shape=(2, 5, 7, 3), seed=0):
    """Like ReLU features: not negative, channels of different size, larger toward one corner."""
    random = np.random.default_rng(seed)
    slope = np.linspace(0.5, 2.0, shape[1])[:, None, None] + np.linspace(0.0, 1.0, shape[2])[:, None]
    channels = np.arange(1, shape[3] + 1)
    return np.maximum(random.normal(0.3, 1.0, shape) * slope * channels, 0).astype("float32")


def numpy_gram(features):
    flat = features.astype("float64").reshape(features.shape[0], -1, features.shape[-1])
    return np.einsum("bpc,bpd->bcd", flat, flat) / flat.shape[1]


def numpy_relative_error(values, targets):
    axes = tuple(range(1, targets.ndim))
    values, targets = values.astype("float64"), targets.astype("float64")
    return np.sum((values - targets) ** 2, axis=axes) / np.sum(targets**2, axis=axes)


def gradient(function, at):
    at = tf.constant(at)
    with tf.GradientTape() as tape:
        tape.watch(at)
        value = function(at)
    return tape.gradient(value, at).numpy()


def assert_gradient_matches(function, at, step=1e-2):
    # Traced, since it is asked twice for every element.
    expected = finite_differences(tf.function(function, input_signature=[tf.TensorSpec(at.shape)]), at, step)
    assert np.abs(expected).max() > 1e-3, "a gradient of nothing tests nothing"
    np.testing.assert_allclose(gradient(function, at), expected, rtol=1e-2, atol=1e-2 * np.abs(expected).max())


def assert_same_inside_tf_function(function, *arguments):
    traced = tf.function(function, input_signature=[ANY_SIZE] * len(arguments))
    eager, graph = function(*arguments), traced(*arguments)
    tf.nest.map_structure(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), eager, graph)
