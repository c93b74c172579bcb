"""Loss networks: frozen VGG-shaped classifiers whose features measure content and style (Simonyan & Zisserman 2014).

Features carry the papers' names, `relu{block}_{conv}`, for every network; `rgb`, `luminance` and `color_map` are the
pixels.
"""

import dataclasses
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import keras
from keras import layers, ops

from models.layer_names import (
    LUMINANCE_LAYER,
    PIXEL_LAYERS,
    is_network_layer,
    split_layer_name,
)
from models.loss_network_weights import load_compact_weights, load_imagenet_weights

# Mean of ImageNet's pixels, RGB in 0..255; every VGG was trained on images minus this.
MEAN_PIXEL = (123.68, 116.779, 103.939)
_LUMINANCE_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R BT.601
_LEAST_CONTRAST = 2.0 / 255.0
POOLINGS = ("max", "average")


@dataclasses.dataclass(frozen=True)
class _Architecture:
    convolutions: tuple[int, ...]
    channels: tuple[int, ...]
    pooling: str
    channel_order: str


ARCHITECTURES = {
    "vgg16": _Architecture((2, 2, 3, 3, 3), (64, 128, 256, 512, 512), "max", "bgr"),
    "vgg19": _Architecture((2, 2, 4, 4, 4), (64, 128, 256, 512, 512), "max", "bgr"),
    "compact": _Architecture((2, 2, 3, 3, 3), (32, 64, 128, 256, 256), "average", "rgb"),
}
LOSS_NETWORKS = tuple(ARCHITECTURES)


class LossNetwork:
    """A frozen network from images to named features.

    Args:
        name: "vgg16", "vgg19" (ImageNet weights) or "compact" (shipped: half width, see `models/assets`).
        pooling: "max" or "average" (Gatys et al. 2015 found average smoother); None is the network's own.
        dtype: a Keras dtype policy, e.g. "float32" or "mixed_bfloat16".
        weights_path: a file of Keras's no-top weights (for compact, of its own `.npz` form); None searches the cache,
            then downloads (for compact, takes the shipped file).

    Attributes:
        layer_names: every feature that can be asked for, shallow to deep.

    Raises:
        ValueError: unknown name or pooling.
        LossNetworkWeightsError: no usable weights.
    """

    def __init__(self, name: str, *, pooling: str | None = None, dtype="float32", weights_path: Path | None = None):
        if name not in ARCHITECTURES:
            raise ValueError(f"unknown loss network {name!r}; choose one of {', '.join(LOSS_NETWORKS)}")
        architecture = ARCHITECTURES[name]
        pooling = pooling or architecture.pooling
        if pooling not in POOLINGS:
            raise ValueError(f"unknown pooling {pooling!r}; choose one of {', '.join(POOLINGS)}")
        self.name = name
        self.pooling = pooling
        self._model = _build(architecture, pooling=pooling, dtype=dtype)
        self.layer_names = (
            *PIXEL_LAYERS,
            *(_relu_name(layer.name) for layer in _convolutions(self._model)),
        )
        self._submodels: dict[tuple[str, ...], keras.Model] = {}
        if name == "compact":
            load_compact_weights(self._model, weights_path)
        else:
            load_imagenet_weights(self._model, name, weights_path)
        self._model.trainable = False

    def features(self, image, layer_names: Sequence[str]) -> dict:
        """Features of images at the given layers.

        Args:
            image: `[batch, height, width, 3]` RGB in 0..255, any float type.
            layer_names: names from `layer_names`, each as it is or as `NAME/2`, `NAME/4`...: of the image averaged over
                squares of that many pixels, where strokes and their distances are as many times smaller. Pixels (`rgb`,
                `luminance`, `color_map`) are averaged over overlapping windows of twice as many, twice as densely.

        Returns:
            `{name: [batch, height_l, width_l, channels_l]}` in the compute dtype; `rgb` and `color_map`, the image
            / 255, are float32, as is `luminance`, where the image is light and dark, see `_light_and_dark`.

        Raises:
            ValueError: a layer that this network does not have.
        """
        self.check_layers(layer_names)
        groups: dict[tuple[int, bool], dict[str, str]] = {}
        for name in layer_names:
            layer, reduction = split_layer_name(name)
            groups.setdefault((reduction, is_network_layer(layer)), {})[layer] = name
        features: dict = {}
        for (reduction, deep), wanted in groups.items():
            reduced = (_averaged if deep else _smoothed)(image, reduction) if reduction > 1 else image
            values = self._submodel(tuple(wanted))(reduced) if deep else _pixel_features(reduced, wanted)
            features |= {wanted[layer]: value for layer, value in values.items()}
        return {name: features[name] for name in layer_names}

    def check_layers(self, layer_names: Sequence[str]) -> None:
        """Raises `ValueError` for the first name that is no layer of this network."""
        for name in layer_names:
            layer, reduction = split_layer_name(name)
            if layer not in self.layer_names or reduction < 1:
                known = ", ".join(self.layer_names)
                raise ValueError(
                    f"loss network {self.name!r} has no layer {name!r}; choose from {known}, or one of them at a "
                    f"coarser scale, as {self.layer_names[-1]}/2"
                )

    def _submodel(self, layer_names: tuple[str, ...]) -> keras.Model:
        if layer_names not in self._submodels:
            outputs = {name: self._model.get_layer(_conv_name(name)).output for name in layer_names}
            self._submodels[layer_names] = keras.Model(self._model.input, outputs)
        return self._submodels[layer_names]


def _averaged(image, reduction: int):
    # Strides are given, since Keras 3.15 on JAX fails to take them from the size.
    return ops.average_pool(image, reduction, strides=reduction, data_format="channels_last")


def _smoothed(image, reduction: int):
    """Overlapping averages: pixels that are only compared at square after square get a grid of squares."""
    smooth = ops.average_pool(image, reduction, strides=1, data_format="channels_last")
    return ops.average_pool(smooth, reduction, strides=reduction // 2, data_format="channels_last")


def _pixel_features(image, layers: Iterable[str]) -> dict:
    features = {layer: ops.cast(image, "float32") / 255.0 for layer in layers if layer != LUMINANCE_LAYER}
    if LUMINANCE_LAYER in layers:
        features[LUMINANCE_LAYER] = _light_and_dark(image)
    return features


def _light_and_dark(image):
    """Luminance less its mean and divided by its deviation, beside a plane of ones: `[batch, height, width, 2]`.

    So the relative error between two images is 1 - r, r the correlation of their luminance: 0 where light is light and
    dark is dark, 1 for unrelated images, 2 for a negative. The ones keep it finite for an image without contrast.
    """
    luminance = ops.sum(ops.cast(image, "float32") * ops.convert_to_tensor(_LUMINANCE_WEIGHTS), axis=-1, keepdims=True)
    centered = (luminance - ops.mean(luminance, axis=(1, 2), keepdims=True)) / 255.0
    variance = ops.mean(ops.square(centered), axis=(1, 2), keepdims=True)
    return ops.concatenate([centered / ops.sqrt(variance + _LEAST_CONTRAST**2), ops.ones_like(centered)], axis=-1)


def _build(architecture: _Architecture, *, pooling: str, dtype) -> keras.Model:
    """A convolution stack with `keras.applications`' layer names, so that weights move by name."""
    pool = layers.MaxPooling2D if pooling == "max" else layers.AveragePooling2D
    image = keras.Input((None, None, 3), dtype="float32")
    x = _MeanPixelSubtraction(architecture.channel_order, dtype=dtype)(image)
    blocks = zip(architecture.convolutions, architecture.channels, strict=True)
    for block, (convolutions, channels) in enumerate(blocks, start=1):
        if block > 1:
            x = pool(2, dtype=dtype, name=f"block{block - 1}_pool")(x)
        for conv in range(1, convolutions + 1):
            name = f"block{block}_conv{conv}"
            x = layers.Conv2D(channels, 3, padding="same", activation="relu", dtype=dtype, name=name)(x)
    return keras.Model(image, x)


@keras.saving.register_keras_serializable(package="faststyle")
class _MeanPixelSubtraction(layers.Layer):
    """RGB 0..255 to the range that a VGG was trained on, in its order of channels."""

    def __init__(self, channel_order: str, **kwargs) -> None:
        super().__init__(autocast=False, **kwargs)
        self.channel_order = channel_order

    def call(self, inputs):
        centered = ops.cast(inputs, "float32") - ops.convert_to_tensor(MEAN_PIXEL, "float32")
        if self.channel_order == "bgr":
            centered = ops.flip(centered, axis=-1)
        return ops.cast(centered, self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "channel_order": self.channel_order}


def _convolutions(model: keras.Model) -> list:
    return [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]


def _relu_name(conv_name: str) -> str:
    return re.sub(r"block(\d)_conv(\d)", r"relu\1_\2", conv_name)


def _conv_name(relu_name: str) -> str:
    return re.sub(r"relu(\d)_(\d)", r"block\1_conv\2", relu_name)
