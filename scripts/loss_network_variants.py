"""Known ways to change what a loss network's style term sees, to be looked at beside each other.

Each is an objective over the same weights: raw Gram matrices, max pooling (Gatys et al. 2015, section 2), channels of
mean activation 1 (Gatys et al. 2016, section 2), smoothed activations (Wang, Li, Vasconcelos 2021, arXiv 2104.05623)
and pixel colors or coarser scales left out, or colors at a coarser scale added.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from keras import ops

from models.layer_names import PIXEL_LAYER, is_network_layer, split_layer_name
from models.loss_network import LossNetwork
from models.objective import Objective, ObjectiveSettings

_COARSE_COLORS = ("rgb/4", "rgb/16")


def objective_variants(weights_path: Path, settings: ObjectiveSettings, photos: Sequence[np.ndarray]) -> dict:
    """Objectives to compare, by name; the first is `settings` as it is.

    Args:
        weights_path: of the compact loss network.
        settings: layers and weights that all share.
        photos: `[height, width, 3]` uint8 each, to measure mean activations on.
    """
    network = LossNetwork("compact", weights_path=weights_path)
    layers = settings.style_layers
    without_colors = {name: weight for name, weight in layers.items() if is_network_layer(name)}
    one_scale = {name: weight for name, weight in layers.items() if split_layer_name(name)[1] == 1}
    coarse_colors = {**layers, **dict.fromkeys(_COARSE_COLORS, layers.get(PIXEL_LAYER, 1.0))}

    def with_style_layers(chosen: dict) -> Objective:
        return Objective(network, dataclasses.replace(settings, style_layers=chosen))

    # A relative Gram error is some hundred times smaller for the same look.
    gram = dataclasses.replace(settings, statistic="gram", content_weight=settings.content_weight / 10)
    return {
        "default": Objective(network, settings),
        "Gram": Objective(network, gram),
        "max pooling": Objective(LossNetwork("compact", weights_path=weights_path, pooling="max"), settings),
        "mean activation 1": Objective(
            _UnitMeanNetwork(network, photos, (*layers, *settings.content_layers)), settings
        ),
        "smoothed": Objective(_SmoothedNetwork(network), settings),
        "no pixel colors": with_style_layers(without_colors),
        "one scale": with_style_layers(one_scale),
        "coarse colors": with_style_layers(coarse_colors),
    }


class _ChangedNetwork(LossNetwork):
    """A loss network whose deep features are changed by `_change`; pixels stay as they are."""

    def __init__(self, network: LossNetwork) -> None:
        self._network = network
        self.layer_names = network.layer_names

    def features(self, image, layer_names):
        features = self._network.features(image, layer_names)
        return {
            name: self._change(name, value) if is_network_layer(name) else value for name, value in features.items()
        }

    def check_layers(self, layer_names) -> None:
        self._network.check_layers(layer_names)

    def _change(self, name: str, value):
        raise NotImplementedError


class _UnitMeanNetwork(_ChangedNetwork):
    """Every channel divided by its mean over `photos`, so that rare features weigh as much as common ones."""

    def __init__(self, network: LossNetwork, photos: Sequence[np.ndarray], layer_names: Sequence[str]) -> None:
        super().__init__(network)
        sums: dict[str, np.ndarray] = {}
        for photo in photos:
            for name, value in network.features(photo[None].astype("float32"), layer_names).items():
                sums[name] = sums.get(name, 0.0) + np.asarray(value).mean(axis=(0, 1, 2))
        # A channel that hardly ever fires would otherwise count most.
        self._scales = {name: 1 / np.maximum(total, 0.05 * total.mean()) for name, total in sums.items()}

    def _change(self, name: str, value):
        return value * ops.convert_to_tensor(self._scales[name].astype("float32"))


class _SmoothedNetwork(_ChangedNetwork):
    """Softmax over the channels of every position, which flattens peaks."""

    def _change(self, name: str, value):
        return ops.softmax(value / (ops.std(value, axis=(1, 2, 3), keepdims=True) + 1e-6), axis=-1)
