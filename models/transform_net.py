"""The transform network: a photo in, the stylized photo out, in one pass (Johnson et al. 2016, arXiv 1603.08155)."""

from collections.abc import Callable

import keras
from keras import layers, ops

from faststyle.models.losses import grid_energy
from faststyle.models.noise import StyleNoise
from faststyle.models.normalization import ConditionalInstanceNormalization
from faststyle.models.style_colors import StyleColors
from faststyle.models.wide_convolutions import DoublingConv2D, FourPixelConv2D

GRID_WEIGHT = 500.0  # a weave that the eye just sees costs a tenth of what a style does
RESIDUAL_BLOCKS = 5
SIZE_MULTIPLE_PX = 4
BORDER_PX = 16


def build_transform_network(*, num_styles: int = 1, width: float = 1.0, dtype="float32") -> keras.Model:
    """Builds Johnson's network with conditional instance normalization after every convolution but the last.

    9x9 conv 32 - 3x3/2 conv 64 - 3x3/2 conv 128 - 5 residual blocks 128 - bilinear x2, 3x3 conv 64 -
    bilinear x2, 3x3 conv 32 - 9x9 conv 3; reflection padding. Before the residual blocks each style adds noise
    (`models/noise.py`), after the last convolution it mixes the colors (`models/style_colors.py`). With one style and
    width 1 it has the paper's 1,679,235 parameters, 128 amounts of noise and a map of colors of 12 numbers.

    Departures from the paper: conditional normalization, noise and colors; the upsampled positions are interpolated
    linearly, since a kernel sees the steps between repeated nearest neighbors and covers the picture with a weave of
    4 px; and the output has no tanh, since a saturated one hides any excess from training. `stylize_any_size` clips.

    Args:
        num_styles: styles the network holds, at least 1.
        width: factor on all channel counts; 0.5 is the published real-time size.
        dtype: a Keras dtype policy, e.g. "float32" or "mixed_bfloat16".

    Returns:
        A model from `[image, style_mixture]` to the stylized image: image `[batch, height, width, 3]` float32 in
        0..255, height and width multiples of 4; style_mixture `[batch, num_styles]` float32, rows sum to 1; output
        like image, float32, about 0..255 and not clipped.

    Raises:
        ValueError: `num_styles` or `width` out of range.
    """
    if num_styles < 1:
        raise ValueError(f"a transform network needs at least 1 style, got {num_styles}; pass num_styles=1 or more")
    if not 0 < width <= 4:
        raise ValueError(f"width must lie in (0, 4], got {width}; 1.0 is the paper's network, 0.5 the fast one")
    image = keras.Input((None, None, 3), name="image", dtype="float32")
    style_mixture = keras.Input((num_styles,), name="style_mixture", dtype="float32")

    def normalize(x, name):
        return ConditionalInstanceNormalization(num_styles, dtype=dtype, name=name)(x, style_mixture)

    def add_noise(x):
        return StyleNoise(num_styles, dtype=dtype, name="noise")(x, style_mixture)

    def recolor(x):
        return StyleColors(num_styles, dtype="float32", name="colors")(x, style_mixture)

    output = apply_trunk(image, normalize, add_noise, recolor, width=width, dtype=dtype)
    return keras.Model([image, style_mixture], output, name="transform_network")


def apply_trunk(image, normalize: Callable, add_noise: Callable, recolor: Callable, *, width: float, dtype="float32"):
    """The network's layers from image to stylized image, but for those that depend on the style.

    Args:
        image: `[batch, height, width, 3]` in 0..255.
        normalize: from features and a layer name to normalized features.
        add_noise: from the features of the encoder to the same with noise.
        recolor: from the channels of the last convolution to those of the style's colors.
        width: factor on all channel counts.
        dtype: a Keras dtype policy.
    """
    step = _Steps(normalize, width=width, dtype=dtype)
    x = FromPixels(dtype=dtype, name="from_pixels")(image)
    x = step.conv(x, 32, kernel=9, name="encode1")
    x = step.conv(x, 64, stride=2, name="encode2")
    x = step.conv(x, 128, stride=2, name="encode3")
    x = add_noise(x)
    for block in range(1, RESIDUAL_BLOCKS + 1):
        x = step.residual(x, 128, name=f"residual{block}")
    x = step.upsample_conv(x, 64, name="decode1")
    x = step.upsample_conv(x, 32, name="decode2")
    x = step.pad(x, 4, name="output_pad")
    x = FourPixelConv2D(3, 9, dtype=dtype, name="output_conv")(x)
    return ToPixels(dtype="float32", name="stylized_image")(recolor(x))


def stylize_any_size(network: Callable, image, style_mixture):
    """Applies a transform network to images of any size: reflection padding, a crop, clipping.

    The padding is of 16 px, less where a photo has not as many, and on to a multiple of 4: along its border a network
    paints what the loss rarely saw. (Johnson et al. pad the photo as well, by 40 px, and have convolutions without
    padding take that away.)

    Args:
        network: a model from `[image, style_mixture]` to a stylized image, as from `build_transform_network`.
        image: `[batch, height, width, 3]` float32 in 0..255, sides at least 16 px.
        style_mixture: `[batch, num_styles]` float32, rows sum to 1.

    Returns:
        Stylized image, same shape as `image`, float32 in 0..255.
    """
    image, style_mixture = ops.convert_to_tensor(image), ops.convert_to_tensor(style_mixture)
    height, width = ops.shape(image)[1:3]
    fits = ops.minimum(height, width) // SIZE_MULTIPLE_PX * SIZE_MULTIPLE_PX - SIZE_MULTIPLE_PX
    border = ops.minimum(BORDER_PX, fits)
    # Twice the remainder, since a negative side's is another one in ONNX converters.
    missing = [(SIZE_MULTIPLE_PX - side % SIZE_MULTIPLE_PX) % SIZE_MULTIPLE_PX for side in (height, width)]
    bottom, right = (border + missed for missed in missing)
    padded = ops.pad(image, [[0, 0], [border, bottom], [border, right], [0, 0]], mode="reflect")
    padded = ops.reshape(padded, (-1, border + height + bottom, border + width + right, 3))  # a graph forgets the 3
    stylized = network([padded, style_mixture])[:, border : border + height, border : border + width, :]
    return ops.clip(stylized, 0.0, 255.0)


@keras.saving.register_keras_serializable(package="faststyle")
class ReflectionPadding2D(layers.Layer):
    """Pads height and width by `padding` px, mirrored at the border, so that no frame shows in the output."""

    def __init__(self, padding: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, inputs):
        sides = [self.padding, self.padding]
        return ops.pad(inputs, [[0, 0], sides, sides, [0, 0]], mode="reflect")

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        grow = 2 * self.padding
        return (batch, height and height + grow, width and width + grow, channels)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}


@keras.saving.register_keras_serializable(package="faststyle")
class FromPixels(layers.Layer):
    """Maps 0..255 to -1..1, with no need of TensorFlow on other backends, as Keras's `Rescaling` has."""

    def __init__(self, **kwargs) -> None:
        super().__init__(autocast=False, **kwargs)

    def call(self, inputs):
        return ops.cast(ops.cast(inputs, "float32") / 127.5 - 1.0, self.compute_dtype)


@keras.saving.register_keras_serializable(package="faststyle")
class ToPixels(layers.Layer):
    """Maps `[batch, height, width, 3]` from about -1..1 to about 0..255, in float32, without a bound.

    In training it adds two penalties: on what lies outside 0..255 and will be clipped, and on texture that repeats with
    the network's own grid, see `faststyle.models.losses.grid_energy`.
    """

    def call(self, inputs, training=None):
        unit = ops.cast(inputs, "float32")
        pixels = 127.5 * (unit + 1.0)
        if training:
            self.add_loss(ops.mean(ops.square(ops.relu(ops.abs(unit) - 1.0))))
            self.add_loss(GRID_WEIGHT * ops.mean(grid_energy(pixels)))
        return pixels


class _Steps:
    """The network's recurring steps, with the settings that all of them share."""

    def __init__(self, normalize: Callable, *, width: float, dtype) -> None:
        self._normalize = normalize
        self._width = width
        self._dtype = dtype

    def pad(self, x, padding: int, *, name: str):
        return ReflectionPadding2D(padding, dtype=self._dtype, name=name)(x)

    def conv(self, x, channels: int, *, name: str, kernel: int = 3, stride: int = 1, activation: bool = True):
        x = self.pad(x, kernel // 2, name=f"{name}_pad")
        x = layers.Conv2D(self._scaled(channels), kernel, strides=stride, dtype=self._dtype, name=f"{name}_conv")(x)
        return self._normalized(x, name=name, activation=activation)

    def residual(self, x, channels: int, *, name: str):
        y = self.conv(x, channels, name=f"{name}_1")
        y = self.conv(y, channels, name=f"{name}_2", activation=False)
        return layers.Add(dtype=self._dtype, name=name)([x, y])

    def upsample_conv(self, x, channels: int, *, name: str):
        x = DoublingConv2D(self._scaled(channels), dtype=self._dtype, name=f"{name}_conv")(x)
        return self._normalized(x, name=name, activation=True)

    def _normalized(self, x, *, name: str, activation: bool):
        x = self._normalize(x, f"{name}_norm")
        return layers.ReLU(dtype=self._dtype, name=f"{name}_relu")(x) if activation else x

    def _scaled(self, channels: int) -> int:
        return channels // 32 * max(1, round(32 * self._width))  # one factor, so that a file tells its width
