"""The one objective that trainer, iterative path and comparison share, so that their numbers compare."""

from collections.abc import Mapping, Sequence

from keras import ops

from faststyle.models.layer_names import PIXEL_LAYER
from faststyle.models.loss_network import LossNetwork
from faststyle.models.losses import color_error, content_error, style_error, style_statistics, total_variation
from faststyle.models.objective_settings import ObjectiveSettings
from faststyle.models.style_terms import further_style_terms


class Objective:
    """Perceptual loss of stylized images against content images and style targets.

    Args:
        loss_network: gives the features.
        settings: layers and weights.

    Raises:
        UserError: a layer that the loss network does not have.
    """

    def __init__(self, loss_network: LossNetwork, settings: ObjectiveSettings) -> None:
        self._further = further_style_terms(settings)
        further_layers = [name for term in self._further.values() for name in term.layers]
        loss_network.check_layers(settings.layers())
        self.loss_network = loss_network
        self.settings = settings
        self._content_weights = _summing_to_one(settings.content_layers)
        self._style_weights = _summing_to_one(settings.style_layers)
        self._style_names = tuple(dict.fromkeys((*self._style_weights, *further_layers)))

    def content_targets(self, content_image) -> dict:
        """Features of content images `[batch, height, width, 3]` in 0..255, by layer; no gradient flows back."""
        features = self.loss_network.features(content_image, tuple(self._content_weights))
        return {name: ops.stop_gradient(value) for name, value in features.items()}

    def style_targets(self, style_image) -> dict:
        """Statistics of style images `[batch, height, width, 3]` in 0..255: `{layer: {part: [batch, ...]}}`.

        Each further style term adds its own, under the term's name and the layer's.
        """
        features = self.loss_network.features(style_image, self._style_names)
        targets = {name: self._statistics(features[name]) for name in self._style_weights}
        return targets | {
            f"{term}/{key}": parts
            for term, further in self._further.items()
            for key, parts in further.targets(features).items()
        }

    def terms(self, stylized_image, content_targets: dict, style_targets: dict, *, masks=None) -> dict:
        """Every term of the objective, averaged over the batch, before weighting, and the weighted total.

        Args:
            stylized_image: `[batch, height, width, 3]` in 0..255.
            content_targets: from `content_targets`, same batch.
            style_targets: from `style_targets`, of batch 1 or the same batch; with masks, one row per region.
            masks: `[regions, height, width, 1]` in 0..1, for a batch of one image: row r of the style targets holds for
                region r only. A region's error counts by its area, so that style is as strong at every pixel.

        Returns:
            `{"total", "content", "style", "tv"}` to float32 scalars, and every further term that has a weight.
        """
        names = tuple(dict.fromkeys((*self._content_weights, *self._style_names)))
        features = self.loss_network.features(stylized_image, names)
        content = sum(
            weight * content_error(features[name], content_targets[name])
            for name, weight in self._content_weights.items()
        )
        layer_masks = _layer_masks(masks, features) if masks is not None else dict.fromkeys(features)
        style = sum(
            weight * _error_at(name, self._statistics(features[name], layer_masks[name]), style_targets[name])
            for name, weight in self._style_weights.items()
        )
        further = {
            name: term.error(features, _targets_of(name, style_targets), layer_masks)
            for name, term in self._further.items()
        }
        if masks is not None:
            area = ops.mean(masks, axis=(1, 2, 3))
            style, further = (ops.sum(area * style), {name: ops.sum(area * error) for name, error in further.items()})
        terms = {
            "content": content,
            "style": style,
            "tv": total_variation(stylized_image),
            **further,
        }
        terms = {name: ops.mean(value) for name, value in terms.items()}
        weights = self.settings.weights()
        return {"total": sum(weights[name] * value for name, value in terms.items()), **terms}

    def _statistics(self, features, mask=None) -> dict:
        if self.settings.activation_shift:
            features = ops.cast(features, "float32") + self.settings.activation_shift
        return style_statistics(features, self.settings.statistic, mask)


def stack_style_targets(targets: Sequence[dict]) -> dict:
    """Targets of single style images, from `Objective.style_targets`, as rows: `{layer: {part: [num_styles, ...]}}`.

    Parts that some style lacks (shifts beyond the size of a small image) are left out.
    """
    shared = {
        key: [part for part in parts if all(part in t[key] for t in targets)] for key, parts in targets[0].items()
    }
    return {
        key: {part: ops.concatenate([t[key][part] for t in targets]) for part in parts} for key, parts in shared.items()
    }


def mix_style_targets(style_targets: dict, style_mixture) -> dict:
    """Targets for each image of a batch: `style_mixture [batch, num_styles]` blends the rows of `style_targets`."""

    def mix(rows):
        flat = ops.reshape(rows, (ops.shape(rows)[0], -1))
        return ops.reshape(ops.matmul(style_mixture, flat), (-1, *ops.shape(rows)[1:]))

    return {layer: {part: mix(rows) for part, rows in parts.items()} for layer, parts in style_targets.items()}


def _summing_to_one(layer_weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(layer_weights.values())
    return {name: weight / total for name, weight in layer_weights.items()}


def _error_at(layer: str, statistics: dict, targets: dict):
    return (color_error if layer == PIXEL_LAYER and "covariance" in targets else style_error)(statistics, targets)


def _targets_of(term: str, style_targets: dict) -> dict:
    prefix = f"{term}/"
    return {key.removeprefix(prefix): parts for key, parts in style_targets.items() if key.startswith(prefix)}


def _layer_masks(masks, features: dict) -> dict:
    """Masks `[regions, height, width, 1]` at every layer's size, averaged over the area of its positions."""
    return {name: _resized_mask(masks, ops.shape(value)[1:3]) for name, value in features.items()}


def _resized_mask(masks, size):
    resized = ops.image.resize(masks, size, interpolation="bilinear", antialias=True, data_format="channels_last")
    return ops.clip(resized, 0.0, 1.0)
