"""The transform network for one tile of a large image: normalization statistics come from outside (arXiv 2103.11784).

The statistics of instance normalization are all that one part of a picture knows of the others. With those of the whole
image given, a tile with a margin as wide as half the receptive field becomes exactly its part of the whole result.

Statistics are `[2, channels]` float32: mean and deviation of every channel of every normalization, in order.
"""

from collections.abc import Callable

import keras
from keras import ops

from faststyle.models.noise import StyleNoise
from faststyle.models.normalization import MeasuredStatistics, TileNormalization
from faststyle.models.style_colors import StyleColors
from faststyle.models.transform_net import SIZE_MULTIPLE_PX, apply_trunk


def build_painting_network(*, num_styles: int = 1, width: float = 1.0) -> keras.Model:
    """Builds the tile form of `build_transform_network`; its variables have the same paths and shapes.

    Returns:
        A model from `[tile, style_mixture, statistics, origin]` to the stylized tile: tile `[1, height, width, 3]`
        float32 in 0..255, sides multiples of 4; style_mixture `[1, num_styles]`; statistics of the whole image; origin
        `[2]` int32 multiples of 4, where the tile lies in the image, as (top, left); output like tile, not clipped.
    """
    inputs = tile, style_mixture, statistics, origin = _inputs(num_styles)
    normalize = _Given(style_mixture, statistics, num_styles)
    stylized = apply_trunk(tile, normalize, *_style_parts(origin, style_mixture, num_styles), width=width)
    return keras.Model(inputs, stylized, name="painting_network")


def build_measuring_network(*, num_styles: int = 1, width: float = 1.0) -> keras.Model:
    """Builds the network that measures the statistics which a tile would have in its place.

    Returns:
        A model from `[tile, style_mixture, statistics, origin, core, relative]` to the measured statistics of the
        tile's core: core `[4]` int32 multiples of 4, top, left, bottom, right of what is no margin. With relative `[1]`
        float32 = 0 every layer normalizes by the given statistics. With 1 they are relative to the tile's own: layers
        normalize by `mean + given mean * deviation` and `given deviation * deviation`; so zeros and ones are plain
        instance normalization.
    """
    inputs = tile, style_mixture, statistics, origin = _inputs(num_styles)
    core = keras.Input(batch_shape=(4,), name="core", dtype="int32")
    relative = keras.Input(batch_shape=(1,), name="relative", dtype="float32")
    normalize = _Measured(style_mixture, statistics, num_styles, core=core, relative=relative)
    apply_trunk(tile, normalize, *_style_parts(origin, style_mixture, num_styles), width=width)
    measured = ops.concatenate(normalize.measured, axis=1)
    return keras.Model([*inputs, core, relative], measured, name="measuring_network")


def _inputs(num_styles: int) -> tuple:
    return (
        keras.Input((None, None, 3), batch_size=1, name="tile", dtype="float32"),
        keras.Input((num_styles,), batch_size=1, name="style_mixture", dtype="float32"),
        keras.Input(batch_shape=(2, None), name="statistics", dtype="float32"),
        keras.Input(batch_shape=(2,), name="origin", dtype="int32"),
    )


def _style_parts(origin, style_mixture, num_styles: int) -> tuple[Callable, Callable]:
    """What adds the noise that lies at a tile's place, and what mixes the colors."""

    def add_noise(x):
        return StyleNoise(num_styles, name="noise")(x, style_mixture, origin // SIZE_MULTIPLE_PX)

    def recolor(x):
        return StyleColors(num_styles, name="colors")(x, style_mixture)

    return add_noise, recolor


class _Given:
    """Normalizes layer after layer by its columns of the statistics."""

    def __init__(self, style_mixture, statistics, num_styles: int) -> None:
        self._style_mixture = style_mixture
        self._statistics = statistics
        self._num_styles = num_styles
        self._next_column = 0

    def __call__(self, x, name: str):
        start, self._next_column = self._next_column, self._next_column + x.shape[-1]
        statistics = self._adapt(self._statistics[:, start : self._next_column], x, name)
        return TileNormalization(self._num_styles, name=name)(x, self._style_mixture, statistics)

    def _adapt(self, given, x, name: str):
        return given


class _Measured(_Given):
    """Measures what it normalizes, and keeps the measurements."""

    def __init__(self, *arguments, core, relative) -> None:
        super().__init__(*arguments)
        self._core = core
        self._relative = relative
        self.measured: list = []

    def _adapt(self, given, x, name: str):
        own = MeasuredStatistics(name=f"{name}_measured")(x, self._core // _stride(name))
        self.measured.append(own)
        unit = self._relative * own[1] + (1.0 - self._relative)
        return ops.stack([self._relative * own[0] + given[0] * unit, given[1] * unit])


def _stride(name: str) -> int:
    """Image pixels for each feature pixel, along a side."""
    if name.startswith(("encode1", "decode2")):
        return 1
    return 2 if name.startswith(("encode2", "decode1")) else SIZE_MULTIPLE_PX
