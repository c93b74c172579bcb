"""Layers and weights of the objective, with the defaults that every command shares. Imports nothing heavy."""

import dataclasses
import math
from collections.abc import Mapping

from faststyle.user_error import UserError

STATISTICS = ("gram", "covariance")
# The first layer of each block, as Gatys took them: later ones of shallow blocks gave fine grain, ticks and dots where
# these give strokes. The image at half its size brings strokes that the layers would be too small for; more coarser
# scales blotched faces.
STYLE_LAYERS = {
    "rgb": 1.0,
    "relu1_1": 1.0,
    "relu2_1": 1.0,
    "relu3_1": 1.0,
    "relu4_1": 1.0,
    "relu4_1/2": 1.0,
}
CONTENT_LAYERS = {"relu3_3": 1.0}


@dataclasses.dataclass(frozen=True)
class ObjectiveSettings:
    """Layers and weights of `content_weight * content + style_weight * style + tv_weight * tv + further terms`.

    Attributes:
        content_layers: layer name to weight; weights are scaled to sum 1.
        style_layers: layer name to weight; weights are scaled to sum 1. "rgb" compares the pixels' colors.
        statistic: "gram" or "covariance", see `faststyle.models.losses.style_statistics`.
        content_weight: on the content term, 0 or more.
        style_weight: on the style term, 0 or more.
        tv_weight: on the total variation, 0 or more.
        activation_shift: added to features before their Gram matrix (Novak & Nikulin 2016, section 3.3, take -1).
        histogram_weight: on the histogram loss, see `faststyle.models.histogram_loss`.
        histogram_layers: layer name to weight; weights are scaled to sum 1.
        shifted_gram_weight: on the shifted Gram matrices of the style layers, see `faststyle.models.shifted_gram`.
        shifts: of those, in px of the image.
        chained_gram_weight: on the Gram matrices of neighboring style layers, see `faststyle.models.chained_gram`.

    Raises:
        UserError: a negative weight, no weight at all, an unknown statistic, or shifts that are no shifts.
    """

    content_layers: Mapping[str, float] = dataclasses.field(default_factory=lambda: dict(CONTENT_LAYERS))
    style_layers: Mapping[str, float] = dataclasses.field(default_factory=lambda: dict(STYLE_LAYERS))
    statistic: str = "covariance"
    content_weight: float = 0.4
    style_weight: float = 1.0
    tv_weight: float = 3.0
    activation_shift: float = 0.0
    histogram_weight: float = 0.0
    histogram_layers: Mapping[str, float] = dataclasses.field(default_factory=lambda: {"relu1_1": 1.0, "relu4_1": 1.0})
    shifted_gram_weight: float = 0.0
    shifts: tuple[int, ...] = (16, 32)
    chained_gram_weight: float = 0.0

    def __post_init__(self) -> None:
        weights = self.weights()
        for name, weight in weights.items():
            if not (weight >= 0 and math.isfinite(weight)):
                raise UserError(f"{name}_weight must be 0 or more, got {weight}")
        if sum(weights.values()) == weights["tv"]:
            raise UserError("content_weight and style_weight are both 0: nothing to learn; raise one of them")
        if self.statistic not in STATISTICS:
            raise UserError(f"unknown style statistic {self.statistic!r}; choose one of {', '.join(STATISTICS)}")
        if self.activation_shift and self.statistic != "gram":
            raise UserError("an activation shift changes Gram matrices only; choose the statistic gram")
        if not self.shifts or min(self.shifts) < 1:
            raise UserError(f"shifts must be 1 px or more, got {tuple(self.shifts)}")
        for kind in ("content", "style", "histogram"):
            layers = getattr(self, f"{kind}_layers")
            weights_fit = all(weight >= 0 and math.isfinite(weight) for weight in layers.values())
            if not weights_fit or sum(layers.values()) <= 0:
                raise UserError(f"{kind} layers need weights of 0 or more with a positive sum, got {dict(layers)}")

    def layers(self) -> tuple[str, ...]:
        """Every layer that some term with a weight compares."""
        histogram = self.histogram_layers if self.histogram_weight else {}
        return tuple(dict.fromkeys((*self.content_layers, *self.style_layers, *histogram)))

    def weights(self) -> dict[str, float]:
        """Term to weight, in the order in which terms are shown."""
        names = ("content", "style", "tv", "histogram", "shifted_gram", "chained_gram")
        return {name: getattr(self, f"{name}_weight") for name in names}
