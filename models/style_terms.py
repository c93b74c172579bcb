"""Further style terms of the objective as data: which layers each needs, what it keeps of a style, how it compares."""

from collections.abc import Mapping
from typing import Protocol

from keras import ops

from faststyle.models.chained_gram import chained_gram, in_depth_order
from faststyle.models.histogram_loss import activation_quantiles, histogram_error
from faststyle.models.losses import style_error
from faststyle.models.objective_settings import ObjectiveSettings
from faststyle.models.shifted_gram import shifted_gram_statistics, shifts_in_features
from faststyle.user_error import UserError


class StyleTerm(Protocol):
    """A term that compares the stylized image with statistics of the style image."""

    layers: tuple[str, ...]

    def targets(self, features: dict) -> dict:
        """Statistics of style images from their features: `{key: {part: [batch, ...]}}`."""

    def error(self, features: dict, targets: dict, masks: dict):
        """Relative error `[batch]` or, with masks by layer instead of Nones, `[regions]`."""


def further_style_terms(settings: ObjectiveSettings) -> dict[str, StyleTerm]:
    """The terms beyond the Gram matrices' own that have a weight, by name."""
    terms: dict[str, StyleTerm] = {}
    if settings.histogram_weight:
        terms["histogram"] = HistogramTerm(settings.histogram_layers)
    if settings.shifted_gram_weight:
        terms["shifted_gram"] = ShiftedGramTerm(settings.style_layers, settings.shifts)
    if settings.chained_gram_weight:
        terms["chained_gram"] = ChainedGramTerm(settings.style_layers, settings.activation_shift)
    return terms


class HistogramTerm:
    """`faststyle.models.histogram_loss`, averaged over layers by their weights."""

    def __init__(self, layer_weights: Mapping[str, float]) -> None:
        self.layers = tuple(layer_weights)
        self._weights = layer_weights

    def targets(self, features: dict) -> dict:
        return {name: {"quantiles": activation_quantiles(features[name])} for name in self.layers}

    def error(self, features: dict, targets: dict, masks: dict):
        errors = {
            name: histogram_error(features[name], targets[name]["quantiles"], masks[name]) for name in self.layers
        }
        return _weighted_mean(errors, self._weights)


class ShiftedGramTerm:
    """`faststyle.models.shifted_gram`: the mean relative error over shifts and directions, averaged over layers."""

    def __init__(self, layer_weights: Mapping[str, float], shifts: tuple[int, ...]) -> None:
        self.layers = tuple(name for name, weight in layer_weights.items() if weight)
        self._weights = layer_weights
        self._shifts = shifts

    def targets(self, features: dict) -> dict:
        return {name: self._statistics(features[name], name, None) for name in self.layers}

    def error(self, features: dict, targets: dict, masks: dict):
        errors = {}
        for name in self.layers:
            statistics = self._statistics(features[name], name, masks[name])
            shared = {part: target for part, target in targets[name].items() if part in statistics}
            if shared:  # a shift may be longer than a small feature map
                errors[name] = style_error(statistics, shared) / len(shared)
        if not errors:
            raise UserError(f"shifts of {self._shifts} px fit into no style layer; choose smaller shifts")
        return _weighted_mean(errors, self._weights)

    def _statistics(self, features, layer: str, mask) -> dict:
        return shifted_gram_statistics(features, shifts_in_features(self._shifts, layer), mask)


class ChainedGramTerm:
    """`models/chained_gram.py` over neighboring style layers; a pair weighs the geometric mean of its two layers.

    With a single style layer there is no pair, and the term is refused.
    """

    def __init__(self, layer_weights: Mapping[str, float], activation_shift: float) -> None:
        self.layers = tuple(in_depth_order(name for name, weight in layer_weights.items() if weight))
        if len(self.layers) < 2:
            raise UserError("chained Gram matrices need two style layers or more; add a layer")
        self._shift = activation_shift
        pairs = zip(self.layers, self.layers[1:], strict=False)
        self._weights = {f"{a}-{b}": (layer_weights[a] * layer_weights[b]) ** 0.5 for a, b in pairs}

    def targets(self, features: dict) -> dict:
        return {pair: {"gram": gram} for pair, gram in self._grams(features, dict.fromkeys(self.layers)).items()}

    def error(self, features: dict, targets: dict, masks: dict):
        grams = self._grams(features, masks)
        return _weighted_mean(
            {pair: style_error({"gram": grams[pair]}, targets[pair]) for pair in grams}, self._weights
        )

    def _grams(self, features: dict, masks: dict) -> dict:
        shifted = {name: ops.cast(features[name], "float32") + self._shift for name in self.layers}
        pairs = zip(self.layers, self.layers[1:], strict=False)
        return {f"{a}-{b}": chained_gram(shifted[a], shifted[b], masks[a]) for a, b in pairs}


def _weighted_mean(errors: dict, weights: Mapping[str, float]):
    return sum(weights[key] * error for key, error in errors.items()) / sum(weights[key] for key in errors)
