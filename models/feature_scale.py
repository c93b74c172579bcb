"""The scale of a VGG's features, on which published weights rest.

A content error grows with the square of the features and a Gram matrix's error with their fourth power, so that one
network needs other weights than the same network with features twice as large. Relative errors do not care.

Everything here is exact: pooling and ReLU pass a positive factor on, so that a factor on a kernel's outputs and on its
biases scales a feature, and its inverse on the next kernel's inputs takes it out again.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from importlib.resources import files

import numpy as np

from faststyle.models.loss_network import LossNetwork
from faststyle.models.loss_network_weights import VGG_BLOCKS, VggWeights

_MEASURED = files("faststyle.models") / "assets" / "mean_activations.npz"
# Features of the VGG published for Caffe against those of torchvision's, by block: its training left other scales.
# The geometric mean of two ratios, of the mean and of the largest activation of convI_1, on Kandinsky's Composition VII
# at 512 px: TensorFlow's tutorial on style transfer prints those of VGG-19 in Keras (means 34.0, 199.8, 230.8, 791.2
# and 59.2). Further convolutions of a block are on the way to the next.
_CAFFE_TO_TORCHVISION = (73.0, 150.0, 114.0, 285.0, 87.0)


def rescaled(weights: VggWeights, scale: str, images: Sequence[np.ndarray], *, pooling: str = "max") -> VggWeights:
    """A VGG whose features have another scale and are otherwise the same.

    Args:
        weights: of any training.
        scale: "own"; "caffe", that of the VGG published for Caffe, on which most publications rest; or "unit-mean",
            where every filter has a mean activation of 1 over images and positions (Gatys et al. 2016, section 2).
        images: `[height, width, 3]` uint8, on which mean activations are measured where none came with the project.
        pooling: of the network that will have these weights, for mean activations.

    Raises:
        ValueError: unknown scale.
    """
    if scale == "own":
        return weights
    if scale == "caffe":
        if set(weights.deviation) == {1.0}:  # it is Caffe's
            return weights
        factors = _caffe_factors(VGG_BLOCKS[_network_name(weights)])
        scaled = with_factors(weights, dict(zip(weights.convolutions, factors, strict=True)))
        return dataclasses.replace(scaled, source=f"{weights.source}, features scaled to Caffe's")
    if scale == "unit-mean":
        known = _shipped_means(weights, pooling)
        means = known or mean_activations(weights, images, pooling=pooling)
        scaled = with_factors(weights, {name: 1 / np.where(mean > 0, mean, 1) for name, mean in means.items()})
        where = "photographs" if known else "these images"
        return dataclasses.replace(scaled, source=f"{weights.source}, mean activations 1 on {where}")
    raise ValueError(f"unknown feature scale {scale!r}; choose own, caffe or unit-mean")


def with_factors(weights: VggWeights, factors: Mapping[str, np.ndarray | float]) -> VggWeights:
    """Every feature multiplied by its own positive factor.

    Args:
        weights: of any training.
        factors: by convolution, one number or `[channels]`.
    """
    convolutions, before = {}, np.ones(3, "float32")
    for name, (kernel, bias) in weights.convolutions.items():
        factor = np.broadcast_to(np.asarray(factors[name], "float32"), bias.shape)
        convolutions[name] = (kernel / before[:, None] * factor, bias * factor)
        before = factor
    return dataclasses.replace(weights, convolutions=convolutions)


def mean_activations(
    weights: VggWeights, images: Sequence[np.ndarray], *, pooling: str = "max"
) -> dict[str, np.ndarray]:
    """The mean of every feature over images and positions: `{convolution: [channels]}` float32.

    Args:
        weights: of any training.
        images: `[height, width, 3]` uint8, sides at least 16 px; each counts alike.
        pooling: "max" or "average".
    """
    name = _network_name(weights)
    network = LossNetwork(name, pooling=pooling, weights=weights)
    layers = dict(zip(network.layer_names[1:], weights.convolutions, strict=True))
    sums = {convolution: np.zeros(len(bias)) for convolution, (_, bias) in weights.convolutions.items()}
    for image in images:
        features = network.features(image[None].astype("float32"), tuple(layers))
        for layer, convolution in layers.items():
            sums[convolution] += np.mean(np.asarray(features[layer], "float64"), axis=(0, 1, 2))
    return {convolution: (total / len(images)).astype("float32") for convolution, total in sums.items()}


def _caffe_factors(blocks: Sequence[int]) -> list[float]:
    """One factor for each convolution, interpolated geometrically between the first ones of the blocks."""
    firsts = np.cumsum([0, *blocks[:-1]])
    return list(np.exp(np.interp(range(sum(blocks)), firsts, np.log(_CAFFE_TO_TORCHVISION))))


def _network_name(weights: VggWeights) -> str:
    return next(name for name, blocks in VGG_BLOCKS.items() if sum(blocks) == len(weights.convolutions))


def _shipped_means(weights: VggWeights, pooling: str) -> dict[str, np.ndarray] | None:
    """From `faststyle.scripts.mean_activations`, if it measured these very weights."""
    with _MEASURED.open("rb") as file, np.load(file) as arrays:
        if str(arrays["source"]) != weights.source:
            return None
        return {name: arrays[f"{pooling}/{name}"] for name in weights.convolutions}
