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


def rescaled(weights: VggWeights, scale: str, images: Sequence[np.ndarray]) -> VggWeights:
    """A VGG whose features have another scale and are otherwise the same.

    Args:
        weights: of any training.
        scale: "own"; "caffe", as if its inputs were Caffe's, RGB of 0..255 less a mean; or "unit-mean", where every
            filter has a mean activation of 1 over images and positions (Gatys et al. 2016, section 2).
        images: `[height, width, 3]` uint8, on which mean activations are measured where none came with the project.

    Raises:
        ValueError: unknown scale.
    """
    if scale == "own":
        return weights
    if scale == "caffe":
        factor = float(np.mean(weights.deviation))
        return weights if factor == 1 else with_factor(weights, factor)
    if scale == "unit-mean":
        known = _shipped_means(weights)
        scaled = with_unit_means(weights, known or mean_activations(weights, images))
        where = "photographs" if known else "these images"
        return dataclasses.replace(scaled, source=f"{weights.source}, mean activations 1 on {where}")
    raise ValueError(f"unknown feature scale {scale!r}; choose own, caffe or unit-mean")


def with_factor(weights: VggWeights, factor: float) -> VggWeights:
    """All features `factor` times as large."""
    first = next(iter(weights.convolutions))
    convolutions = {
        name: (kernel * np.float32(factor if name == first else 1), bias * np.float32(factor))
        for name, (kernel, bias) in weights.convolutions.items()
    }
    return dataclasses.replace(weights, convolutions=convolutions, source=f"{weights.source}, features x {factor:.1f}")


def with_unit_means(weights: VggWeights, means: Mapping[str, np.ndarray]) -> VggWeights:
    """Every feature divided by its mean activation; one that is never active stays as it is.

    Args:
        weights: of any training.
        means: `{convolution: [channels]}`, from `mean_activations`.
    """
    convolutions, before = {}, np.ones(3, "float32")
    for name, (kernel, bias) in weights.convolutions.items():
        mean = np.where(means[name] > 0, means[name], 1).astype("float32")
        convolutions[name] = (kernel * before[:, None] / mean, bias / mean)
        before = mean
    return dataclasses.replace(weights, convolutions=convolutions)


def mean_activations(weights: VggWeights, images: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The mean of every feature over images and positions: `{convolution: [channels]}` float32.

    Args:
        weights: of any training.
        images: `[height, width, 3]` uint8, sides at least 16 px; each counts alike.
    """
    name = _network_name(weights)
    network = LossNetwork(name, weights=weights)
    layers = dict(zip(network.layer_names[1:], weights.convolutions, strict=True))
    sums = {convolution: np.zeros(len(bias)) for convolution, (_, bias) in weights.convolutions.items()}
    for image in images:
        features = network.features(image[None].astype("float32"), tuple(layers))
        for layer, convolution in layers.items():
            sums[convolution] += np.mean(np.asarray(features[layer], "float64"), axis=(0, 1, 2))
    return {convolution: (total / len(images)).astype("float32") for convolution, total in sums.items()}


def _network_name(weights: VggWeights) -> str:
    return next(name for name, blocks in VGG_BLOCKS.items() if sum(blocks) == len(weights.convolutions))


def _shipped_means(weights: VggWeights) -> dict[str, np.ndarray] | None:
    """From `faststyle.scripts.mean_activations`, if it measured these very weights."""
    with _MEASURED.open("rb") as file, np.load(file) as arrays:
        if str(arrays["source"]) != weights.source:
            return None
        return {name: arrays[name] for name in weights.convolutions}
