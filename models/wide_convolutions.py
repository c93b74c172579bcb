"""Convolutions that give several neighboring pixels at once, as channels: the same results from wider products.

Processors multiply by sixteen channels or more at a time; a layer that makes few channels of many positions leaves
most of that unused. Here copies of the kernel, one for each of the neighbors, make a layer of more channels and fewer
positions, whose output is then laid out as the pixels that it is.
"""

import keras
import numpy as np
from keras import layers, ops


class _OwnWeights(layers.Layer):
    """Kernel and bias of a square convolution; kernels are arranged in float32 and cast afterwards."""

    def __init__(self, filters: int, kernel_size: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size

    def build(self, input_shape) -> None:
        shape = (self.kernel_size, self.kernel_size, input_shape[-1], self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, autocast=False)
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def _convolve(self, inputs, kernel):
        return ops.conv(inputs, ops.cast(kernel, self.compute_dtype), padding="valid", data_format="channels_last")


# Shares of the small positions before, at and after i in the doubled positions 2i - 1, 2i, 2i + 1, 2i + 2.
_DOUBLED = np.array([[0.75, 0.25, 0.0], [0.25, 0.75, 0.0], [0.0, 0.75, 0.25], [0.0, 0.25, 0.75]], "float32")
# [phase, small position, kernel position]: the kernel lies around 2i in phase 0, around 2i + 1 in phase 1.
_PHASES = np.stack([_DOUBLED[0:3].T, _DOUBLED[1:4].T])


@keras.saving.register_keras_serializable(package="faststyle")
class DoublingConv2D(_OwnWeights):
    """Doubles height and width by linear interpolation, then convolves 3x3.

    A doubled position and its neighbors all come from a position of the small input and its neighbors, with one of four
    sets of shares. So four 3x3 kernels, blended from the one, give the four positions of each 2x2 square from the small
    input (the sub-pixel convolution of Shi et al. 2016, arXiv 1609.05158): as many products, without the large image in
    between. Beyond the border the small input is repeated.

    Args:
        filters: output channels.

    Call arguments:
        inputs: `[batch, height, width, channels]`.

    Returns:
        `[batch, 2 * height, 2 * width, filters]` in the layer's compute dtype.
    """

    def __init__(self, filters: int, **kwargs) -> None:
        super().__init__(filters, kernel_size=3, **kwargs)

    def call(self, inputs):
        _, height, width, channels = ops.shape(inputs)
        blended = ops.einsum("ptk,qsl,klio->tsipqo", _PHASES, _PHASES, self.kernel)
        padded = ops.pad(inputs, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="symmetric")
        squares = self._convolve(padded, ops.reshape(blended, (3, 3, channels, 4 * self.filters)))
        rows = ops.transpose(ops.reshape(squares, (-1, height, width, 2, 2 * self.filters)), (0, 1, 3, 2, 4))
        return ops.reshape(rows, (-1, 2 * height, 2 * width, self.filters)) + self.bias

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return (batch, height and 2 * height, width and 2 * width, self.filters)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


_PIXELS = 4


@keras.saving.register_keras_serializable(package="faststyle")
class FourPixelConv2D(_OwnWeights):
    """A convolution without padding, computed for four pixels of a row at a time.

    Four neighbors become one position of four times the channels. The kernel, shifted by 0, 1, 2 and 3 columns, is one
    kernel that is three columns wider and covers a whole number of such positions; its outputs are the row's pixels in
    order. On CPUs twice as fast for 9x9 and 3 colors. The same with a stride of four columns in place of the larger
    positions is wrong in OpenVINO 2026.4 in bfloat16 on processors with AMX: pale pictures with blotches.

    Args:
        filters: output channels.
        kernel_size: height and width of the kernel, one more than a multiple of 4.

    Call arguments:
        inputs: `[batch, height, width, channels]`, width a multiple of 4.

    Returns:
        `[batch, height - kernel_size + 1, width - kernel_size + 1, filters]` in the layer's compute dtype.

    Raises:
        ValueError: another `kernel_size`.
    """

    def __init__(self, filters: int, kernel_size: int, **kwargs) -> None:
        if kernel_size % _PIXELS != 1:
            raise ValueError(f"kernel_size must be one more than a multiple of {_PIXELS}, such as 9, got {kernel_size}")
        super().__init__(filters, kernel_size, **kwargs)

    def call(self, inputs):
        _, height, width, channels = ops.shape(inputs)
        size, last = self.kernel_size, _PIXELS - 1
        shifted = [ops.pad(self.kernel, [[0, 0], [i, last - i], [0, 0], [0, 0]]) for i in range(_PIXELS)]
        positions = (size + last) // _PIXELS
        wide = ops.reshape(ops.stack(shifted, axis=3), (size, positions, _PIXELS * channels, _PIXELS * self.filters))
        pixels = self._convolve(ops.reshape(inputs, (-1, height, width // _PIXELS, _PIXELS * channels)), wide)
        return ops.reshape(pixels, (-1, height - size + 1, width - size + 1, self.filters)) + self.bias

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        less = self.kernel_size - 1
        return (batch, height and height - less, width and width - less, self.filters)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "kernel_size": self.kernel_size}
