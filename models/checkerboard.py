"""A fixed filter against one frequency: features that alternate from neighbor to neighbor along both axes."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="faststyle")
class WithoutCheckerboard(layers.Layer):
    """Removes checkerboards from `[batch, height, width, channels]`, sides at least 2, and leaves all else alone.

    What alternates along one axis is `(2 x - previous - next) / 4`; along both axes, that of that. It is all of a
    checkerboard, nothing of a plane, of stripes along an axis or of a constant, and little of anything smooth.

    In training it lets everything pass. A network likes to fill calm regions with the cheapest texture there is. If
    trained with the filter it learns another, nearly as regular; trained without, it puts it where this takes it out.
    """

    def call(self, inputs, training=None):
        if training:
            return inputs
        alternating = _alternating(_alternating(inputs, axis=1), axis=2)
        return inputs - alternating


def _alternating(x, *, axis: int):
    size = x.shape[axis] or ops.shape(x)[axis]
    pads = [[1, 1] if dimension == axis else [0, 0] for dimension in range(4)]
    padded = ops.pad(x, pads, mode="reflect")
    previous, following = (_part(padded, start, size, axis=axis) for start in (0, 2))
    return 0.5 * x - 0.25 * (previous + following)


def _part(x, start: int, size, *, axis: int):
    return x[:, start : start + size] if axis == 1 else x[:, :, start : start + size]
