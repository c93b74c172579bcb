"""The one objective that trainer, iterative path and comparison share, so that their numbers compare."""

import dataclasses
from collections.abc import Mapping

from keras import ops

from models.loss_network import LossNetwork
from models.losses import STATISTICS, content_error, style_error, style_statistics, total_variation


@dataclasses.dataclass(frozen=True)
class ObjectiveSettings:
    """Layers and weights of `content_weight * content + style_weight * style + tv_weight * tv`.

    Attributes:
        content_layers: layer name to weight; weights are scaled to sum 1.
        style_layers: layer name to weight; weights are scaled to sum 1. "rgb" compares the pixels' colors.
        statistic: "gram" or "covariance", see `models.losses.style_statistics`.
        content_weight: on the content term, 0 or more.
        style_weight: on the style term, 0 or more.
        tv_weight: on the total variation, 0 or more.

    Raises:
        ValueError: a negative weight, no weight at all, or an unknown statistic.
    """

    content_layers: Mapping[str, float]
    style_layers: Mapping[str, float]
    statistic: str = "covariance"
    content_weight: float = 1.0
    style_weight: float = 1.0
    tv_weight: float = 0.0

    def __post_init__(self) -> None:
        weights = {name: getattr(self, name) for name in ("content_weight", "style_weight", "tv_weight")}
        for name, weight in weights.items():
            if not weight >= 0:
                raise ValueError(f"{name} must be 0 or more, got {weight}")
        if self.content_weight == 0 and self.style_weight == 0:
            raise ValueError("content_weight and style_weight are both 0: nothing to learn; raise one of them")
        if self.statistic not in STATISTICS:
            raise ValueError(f"unknown style statistic {self.statistic!r}; choose one of {', '.join(STATISTICS)}")
        for kind, layers in (("content", self.content_layers), ("style", self.style_layers)):
            if not layers or min(layers.values()) < 0 or sum(layers.values()) <= 0:
                raise ValueError(f"{kind} layers need weights of 0 or more with a positive sum, got {dict(layers)}")


class Objective:
    """Perceptual loss of stylized images against content images and style targets.

    Args:
        loss_network: gives the features.
        settings: layers and weights.

    Raises:
        ValueError: a layer that the loss network does not have.
    """

    def __init__(self, loss_network: LossNetwork, settings: ObjectiveSettings) -> None:
        loss_network.check_layers((*settings.content_layers, *settings.style_layers))
        self.loss_network = loss_network
        self.settings = settings
        self._content_weights = _summing_to_one(settings.content_layers)
        self._style_weights = _summing_to_one(settings.style_layers)

    def content_targets(self, content_image) -> dict:
        """Features of content images `[batch, height, width, 3]` in 0..255, by layer; no gradient flows back."""
        features = self.loss_network.features(content_image, tuple(self._content_weights))
        return {name: ops.stop_gradient(value) for name, value in features.items()}

    def style_targets(self, style_image) -> dict:
        """Statistics of style images `[batch, height, width, 3]` in 0..255: `{layer: {part: [batch, ...]}}`."""
        features = self.loss_network.features(style_image, tuple(self._style_weights))
        return {name: style_statistics(value, self.settings.statistic) for name, value in features.items()}

    def terms(self, stylized_image, content_targets: dict, style_targets: dict) -> dict:
        """Every term of the objective, averaged over the batch, before weighting, and the weighted total.

        Args:
            stylized_image: `[batch, height, width, 3]` in 0..255.
            content_targets: from `content_targets`, same batch.
            style_targets: from `style_targets`, of batch 1 or the same batch.

        Returns:
            `{"total", "content", "style", "tv"}` to float32 scalars.
        """
        names = tuple(dict.fromkeys((*self._content_weights, *self._style_weights)))
        features = self.loss_network.features(stylized_image, names)
        content = sum(
            weight * content_error(features[name], content_targets[name])
            for name, weight in self._content_weights.items()
        )
        style = sum(
            weight * style_error(style_statistics(features[name], self.settings.statistic), style_targets[name])
            for name, weight in self._style_weights.items()
        )
        terms = {"content": content, "style": style, "tv": total_variation(stylized_image)}
        terms = {name: ops.mean(value) for name, value in terms.items()}
        weights = self.settings
        total = (
            weights.content_weight * terms["content"]
            + weights.style_weight * terms["style"]
            + weights.tv_weight * terms["tv"]
        )
        return {"total": total, **terms}


def mix_style_targets(style_targets: dict, style_mixture) -> dict:
    """Targets for each image of a batch: `style_mixture [batch, num_styles]` blends the rows of `style_targets`."""

    def mix(rows):
        flat = ops.reshape(rows, (ops.shape(rows)[0], -1))
        return ops.reshape(ops.matmul(style_mixture, flat), (-1, *ops.shape(rows)[1:]))

    return {layer: {part: mix(rows) for part, rows in parts.items()} for layer, parts in style_targets.items()}


def _summing_to_one(layer_weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(layer_weights.values())
    return {name: weight / total for name, weight in layer_weights.items()}
