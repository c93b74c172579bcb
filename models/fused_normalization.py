"""Batch normalization by TensorFlow's fused kernel: bfloat16 in and out, float32 in between, one pass over memory.

Written as separate operations, normalization takes longer than the convolutions around it on processors whose matrix
units are fast. Other backends fuse by themselves (XLA), or not at all.
"""

import keras


def has_fused_normalization() -> bool:
    """Whether this Keras runs on TensorFlow."""
    return keras.backend.backend() == "tensorflow"


def fused_normalization(inputs, scale, offset, *, epsilon: float, statistics=None):
    """`scale * (x - mean) / sqrt(variance + epsilon) + offset` by channel, over all images and positions.

    Args:
        inputs: `[batch, height, width, channels]`, bfloat16 or float32.
        scale: `[channels]` float32.
        offset: `[channels]` float32.
        epsilon: added to the variance.
        statistics: mean and variance, each `[channels]` float32; None takes those of the inputs.

    Returns:
        The normalized inputs, in their type, and the mean and variance taken, float32.
    """
    import tensorflow as tf

    mean, variance = statistics or (None, None)
    return tf.compat.v1.nn.fused_batch_norm(
        inputs, scale, offset, mean, variance, epsilon=epsilon, is_training=statistics is None
    )
