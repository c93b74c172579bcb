"""Conditional instance normalization: one trunk, many styles (Dumoulin et al. 2016, arXiv 1610.07629, eq. 5)."""

import keras
from keras import ops

from faststyle.models.fused_normalization import fused_normalization, has_fused_normalization


@keras.saving.register_keras_serializable(package="faststyle")
class ConditionalInstanceNormalization(keras.layers.Layer):
    """Normalizes each channel of each image to mean 0 and variance 1, then applies the style's scale and shift.

    `y = scale[style] * (x - mean(x)) / sqrt(var(x) + epsilon) + shift[style]`, mean and variance taken over height and
    width (instance normalization, Ulyanov et al. 2016, arXiv 1607.08022). A style mixture blends the rows linearly.

    The statistics and the arithmetic are float32 whatever the compute precision: the difference `x - mean` of two
    large bfloat16 numbers would keep too few digits.

    Args:
        num_styles: rows of scale and shift.
        epsilon: added to the variance; keeps flat images finite.

    Call arguments:
        inputs: `[batch, height, width, channels]`.
        style_mixture: `[batch, num_styles]` float32, rows sum to 1.

    Returns:
        `[batch, height, width, channels]` in the layer's compute dtype.
    """

    def __init__(self, num_styles: int, *, epsilon: float = 1e-5, **kwargs) -> None:
        super().__init__(autocast=False, **kwargs)
        self.num_styles = num_styles
        self.epsilon = epsilon

    def build(self, inputs_shape, style_mixture_shape=None) -> None:
        rows = (self.num_styles, inputs_shape[-1])
        self.scale = self.add_weight(name="scale", shape=rows, initializer="ones", autocast=False)
        self.shift = self.add_weight(name="shift", shape=rows, initializer="zeros", autocast=False)

    def call(self, inputs, style_mixture, training=None):
        scale, shift = self._rows(self.scale, style_mixture), self._rows(self.shift, style_mixture)
        if training and has_fused_normalization() and inputs.shape[0]:
            return self._fused(inputs, scale, shift)
        values = ops.cast(inputs, "float32")
        mean, variance = ops.moments(values, axes=(1, 2), keepdims=True)
        normalized = (values - mean) * ops.rsqrt(variance + self.epsilon)
        return ops.cast(normalized * scale[:, None, None] + shift[:, None, None], self.compute_dtype)

    def _fused(self, inputs, scale, shift):
        """The same in training, image by image."""
        images = ops.split(inputs, inputs.shape[0])  # the gradient of slices would be slow
        outputs = [
            fused_normalization(image, scale[index], shift[index], epsilon=self.epsilon)[0]
            for index, image in enumerate(images)
        ]
        return ops.cast(ops.concatenate(outputs), self.compute_dtype)

    def _rows(self, table, style_mixture):
        """`[batch, channels]`: the style's row, or a blend."""
        return ops.matmul(ops.cast(style_mixture, "float32"), ops.cast(table, "float32"))

    def compute_output_shape(self, inputs_shape, style_mixture_shape=None):
        return inputs_shape

    def get_config(self):
        return {**super().get_config(), "num_styles": self.num_styles, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="faststyle")
class TileNormalization(ConditionalInstanceNormalization):
    """The same for one tile of a large image: it normalizes by statistics of the whole image, given from outside.

    A tile's own mean and variance would differ from its neighbor's, and the seam would show (URST, Chen et al. 2021,
    arXiv 2103.11784). Statistics are mean and deviation, `sqrt(var + epsilon)`.

    Call arguments:
        inputs: `[1, height, width, channels]`.
        style_mixture: `[1, num_styles]` float32, rows sum to 1.
        statistics: `[2, channels]` float32, mean and deviation.

    Returns:
        The normalized tile in the shape of `inputs`.
    """

    def build(self, inputs_shape, style_mixture_shape=None, statistics_shape=None) -> None:
        super().build(inputs_shape, style_mixture_shape)

    def call(self, inputs, style_mixture, statistics):
        mean, deviation = statistics[0], statistics[1]
        gain = self._rows(self.scale, style_mixture)[:, None, None] / deviation
        offset = self._rows(self.shift, style_mixture)[:, None, None] - mean * gain
        return ops.cast(ops.cast(inputs, "float32") * gain + offset, self.compute_dtype)

    def compute_output_shape(self, inputs_shape, style_mixture_shape=None, statistics_shape=None):
        return inputs_shape


@keras.saving.register_keras_serializable(package="faststyle")
class MeasuredStatistics(keras.layers.Layer):
    """Mean and deviation of the features of a tile's core, as `[2, channels]` float32.

    The core leaves out the margin, which the tile's edge has spoiled.

    Call arguments:
        inputs: `[1, height, width, channels]`.
        core: `[4]` int32: top, left, bottom, right, in px of `inputs`.
    """

    def __init__(self, *, epsilon: float = 1e-5, **kwargs) -> None:
        super().__init__(autocast=False, **kwargs)
        self.epsilon = epsilon

    def call(self, inputs, core):
        values = ops.cast(inputs[:, core[0] : core[2], core[1] : core[3], :], "float32")
        mean, variance = ops.moments(values, axes=(0, 1, 2))
        return ops.stack([mean, ops.sqrt(variance + self.epsilon)])

    def compute_output_shape(self, inputs_shape, core_shape=None):
        return (2, inputs_shape[-1])

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
