"""Loss networks: frozen VGG-shaped classifiers whose features measure content and style (Simonyan & Zisserman 2014).

Features carry the papers' names, `relu{block}_{conv}`; `rgb` is the pixels.
"""

from collections.abc import Sequence

import keras
from keras import layers, ops

from faststyle.models.layer_names import PIXEL_LAYER, split_layer_name
from faststyle.models.loss_network_weights import VGG_BLOCKS, VggWeights, load_vgg_weights
from faststyle.user_error import UserError

POOLINGS = ("max", "average")
LOSS_NETWORKS = tuple(VGG_BLOCKS)


class LossNetwork:
    """A frozen VGG from images to named features, no deeper than asked for.

    Args:
        name: "vgg16" or "vgg19".
        layers: the deepest of these is where the network ends; None is all of it.
        pooling: "max", its own, or "average" (Gatys et al. 2015 found it smoother).
        dtype: a Keras dtype policy, e.g. "float32" or "mixed_bfloat16".
        weights: of this network; None takes those that `faststyle.models.loss_network_weights.load_vgg_weights` finds.

    Attributes:
        layer_names: every feature that a network of this name has, shallow to deep.
        weights_source: which weights these are, for people.

    Raises:
        UserError: unknown name, layer or pooling.
        LossNetworkWeightsError: no usable weights.
    """

    def __init__(
        self,
        name: str,
        *,
        layers: Sequence[str] | None = None,
        pooling: str = "max",
        dtype="float32",
        weights: VggWeights | None = None,
    ):
        if name not in LOSS_NETWORKS:
            raise UserError(f"unknown loss network {name!r}; choose one of {', '.join(LOSS_NETWORKS)}")
        if pooling not in POOLINGS:
            raise UserError(f"unknown pooling {pooling!r}; choose one of {', '.join(POOLINGS)}")
        self.name = name
        self.pooling = pooling
        blocks = enumerate(VGG_BLOCKS[name], start=1)
        relus = [f"relu{block}_{conv}" for block, count in blocks for conv in range(1, count + 1)]
        self.layer_names = (PIXEL_LAYER, *relus)
        self._depth = len(relus)
        self.check_layers(layers or ())
        self._depth = max(self.layer_names.index(split_layer_name(layer)[0]) for layer in layers or relus)
        weights = weights or load_vgg_weights(name)
        self.weights_source = weights.source
        self._model = _build(weights, relus[: self._depth], pooling=pooling, dtype=dtype)
        self._model.trainable = False
        self._submodels: dict[tuple[str, ...], keras.Model] = {}

    def features(self, image, layer_names: Sequence[str]) -> dict:
        """Features of images at the given layers.

        Args:
            image: `[batch, height, width, 3]` RGB in 0..255, any float type.
            layer_names: names from `layer_names`, none deeper than the network is, each as it is or as `NAME/2`,
                `NAME/4`...: of the image averaged over squares of that many pixels, where strokes and their distances
                are as many times smaller.

        Returns:
            `{name: [batch, height_l, width_l, channels_l]}` in the compute dtype; `rgb`, the image / 255, is float32.

        Raises:
            UserError: a layer that this network does not have, or one deeper than it was built for.
        """
        self.check_layers(layer_names)
        self.check_size(layer_names, *image.shape[1:3])
        groups: dict[int, dict[str, str]] = {}
        for name in layer_names:
            layer, reduction = split_layer_name(name)
            groups.setdefault(reduction, {})[layer] = name
        features: dict = {}
        for reduction, wanted in groups.items():
            reduced = _averaged(image, reduction) if reduction > 1 else image
            if PIXEL_LAYER in wanted:
                features[wanted.pop(PIXEL_LAYER)] = ops.cast(reduced, "float32") / 255.0
            if wanted:
                values = self._submodel(tuple(wanted))(reduced)
                features |= {wanted[layer]: value for layer, value in values.items()}
        return {name: features[name] for name in layer_names}

    def check_layers(self, layer_names: Sequence[str]) -> None:
        """Raises `UserError` for the first name that is no layer of this network, or deeper than it was built for."""
        for name in layer_names:
            layer, reduction = split_layer_name(name)
            if layer not in self.layer_names or reduction < 1:
                known = ", ".join(self.layer_names)
                raise UserError(
                    f"loss network {self.name!r} has no layer {name!r}; choose from {known}, or one of them at a "
                    f"coarser scale, as {self.layer_names[-1]}/2"
                )
            if self.layer_names.index(layer) > self._depth:
                end = self.layer_names[self._depth]
                raise UserError(f"this loss network ends at {end!r}, before {name!r}; build it with that layer")

    def check_size(self, layer_names: Sequence[str], height: int | None, width: int | None) -> None:
        """Raises `UserError` for the first layer that has nothing of such an image; None is a side not yet known."""
        side = min((side for side in (height, width) if side is not None), default=None)
        for name in layer_names:
            layer, reduction = split_layer_name(name)
            poolings = 0 if layer == PIXEL_LAYER else int(layer.removeprefix("relu").split("_")[0]) - 1
            least = reduction * 2**poolings
            if side is not None and side < least:
                raise UserError(f"layer {name!r} needs images of {least} px or more on each side, got {side}")

    def _submodel(self, layer_names: tuple[str, ...]) -> keras.Model:
        if layer_names not in self._submodels:
            outputs = {name: self._model.get_layer(name).output for name in layer_names}
            self._submodels[layer_names] = keras.Model(self._model.input, outputs)
        return self._submodels[layer_names]


def _averaged(image, reduction: int):
    # Strides are given, since Keras 3.15 on JAX fails to take them from the size.
    return ops.average_pool(image, reduction, strides=reduction, data_format="channels_last")


def _build(weights: VggWeights, relus: Sequence[str], *, pooling: str, dtype) -> keras.Model:
    """The convolutions that end in `relus`, in this order, and the pooling before each further block."""
    pool = layers.MaxPooling2D if pooling == "max" else layers.AveragePooling2D
    image = keras.Input((None, None, 3), dtype="float32")
    x = _Standardization(weights.mean_pixel, weights.deviation, dtype=dtype)(image)
    for name in relus:
        kernel, bias = weights.convolutions[name.replace("relu", "block").replace("_", "_conv")]
        if name.endswith("_1") and name != "relu1_1":
            x = pool(2, dtype=dtype)(x)
        convolution = layers.Conv2D(len(bias), 3, padding="same", activation="relu", dtype=dtype, name=name)
        x = convolution(x)
        convolution.set_weights([kernel, bias])
    return keras.Model(image, x)


class _Standardization(layers.Layer):
    """RGB 0..255 to what a VGG was trained on: less the mean, over the deviation."""

    def __init__(self, mean_pixel, deviation, **kwargs) -> None:
        super().__init__(autocast=False, **kwargs)
        self._mean_pixel, self._deviation = mean_pixel, deviation

    def call(self, inputs):
        mean, deviation = (ops.convert_to_tensor(v, "float32") for v in (self._mean_pixel, self._deviation))
        return ops.cast((ops.cast(inputs, "float32") - mean) / deviation, self.compute_dtype)
