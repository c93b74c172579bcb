"""Noise for the transform network, of which each style adds as much as it wants.

A network that sees only the photo has nothing in a clear sky to make strokes of: it repeats one small pattern all over
it, a regular hatching. With noise to start from it paints different strokes at every place. The amount per channel is
learned (as in Karras et al. 2019, arXiv 1812.04948, section 3.2), here for each style. The noise itself is fixed: the
same photo gives the same picture, and neighboring frames of a video the same strokes.
"""

import functools

import keras
import numpy as np
from keras import ops

# Two patterns that repeat after different lengths; their sum repeats after 896 positions only.
_PERIODS = (112, 128)
_LONGEST_WAVE = 32
_INITIAL_GAIN = 0.1


@functools.cache
def _tileable_pattern(period: int) -> np.ndarray:
    """Noise `[period, period]` of deviation 1, as strong at every scale: amplitudes fall with frequency (pink)."""
    spectrum = np.fft.fft2(np.random.default_rng(period).normal(size=(period, period)))
    frequencies = np.fft.fftfreq(period)
    frequency = np.hypot(frequencies[:, None], frequencies[None, :])
    amplitude = np.where(frequency < 1 / _LONGEST_WAVE, 0.0, 1.0 / np.maximum(frequency, 1 / _LONGEST_WAVE))
    pattern = np.fft.ifft2(spectrum * amplitude).real
    return (pattern / pattern.std()).astype("float32")


def noise_plane(height, width, origins):
    """A part of an endless plane of noise.

    Args:
        height: in positions.
        width: in positions.
        origins: `[2, 2]` int32, where the part begins in each of the two patterns, as (row, column).

    Returns:
        `[height, width]` float32, of mean 0 and deviation 1 over large parts.
    """
    total = 0.0
    for origin, period in zip((origins[0], origins[1]), _PERIODS, strict=True):
        rows = (ops.arange(height, dtype="int32") + origin[0]) % period
        columns = (ops.arange(width, dtype="int32") + origin[1]) % period
        total = total + ops.take(ops.take(_tileable_pattern(period), rows, axis=0), columns, axis=1)
    return total / len(_PERIODS) ** 0.5


@keras.saving.register_keras_serializable(package="faststyle")
class StyleNoise(keras.layers.Layer):
    """Adds noise: `y = x + gain[style] * noise`, one gain per channel, the same noise for all channels.

    In training every call takes the noise from another place, so that the network does not learn one place by heart.

    Args:
        num_styles: rows of the gain.

    Call arguments:
        inputs: `[batch, height, width, channels]`.
        style_mixture: `[batch, num_styles]` float32, rows sum to 1.
        origin: `[2]` int32, the place of `inputs` in the whole image, as (row, column) in positions of `inputs`; None
            is where the image begins.

    Returns:
        `[batch, height, width, channels]` in the layer's compute dtype.
    """

    def __init__(self, num_styles: int, **kwargs) -> None:
        super().__init__(autocast=False, **kwargs)
        self.num_styles = num_styles
        self._places = keras.random.SeedGenerator(0, name="noise_places")

    def build(self, inputs_shape, style_mixture_shape=None, origin_shape=None) -> None:
        start = keras.initializers.RandomNormal(stddev=_INITIAL_GAIN)
        rows = (self.num_styles, inputs_shape[-1])
        self.gain = self.add_weight(name="gain", shape=rows, initializer=start, autocast=False)

    def call(self, inputs, style_mixture, origin=None, training=None):
        _, height, width, _ = ops.shape(inputs)
        noise = noise_plane(height, width, self._origins(origin, training))
        gain = ops.matmul(ops.cast(style_mixture, "float32"), ops.cast(self.gain, "float32"))
        added = ops.cast(ops.reshape(noise, (1, height, width, 1)) * gain[:, None, None, :], self.compute_dtype)
        return ops.cast(inputs, self.compute_dtype) + added

    def _origins(self, origin, training):
        if training:
            return keras.random.randint((2, 2), 0, max(_PERIODS), dtype="int32", seed=self._places)
        return ops.zeros((2, 2), "int32") if origin is None else ops.stack([origin, origin])

    def compute_output_shape(self, inputs_shape, style_mixture_shape=None, origin_shape=None):
        return inputs_shape

    def get_config(self):
        return {**super().get_config(), "num_styles": self.num_styles}
