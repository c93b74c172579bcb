"""Shifted Gram matrices: long-range order as features against their translate (Berger & Memisevic 2016, 1606.01286).

A plain Gram matrix forgets where features are; the product with a translate knows what lies how far apart, so that
rows, waves and symmetries survive (the paper's section 3).
"""

from faststyle.models.layer_names import layer_stride
from faststyle.models.losses import gram_matrix


def shifted_gram_statistics(features, shifts, mask=None) -> dict:
    """`mean over positions of F(y, x) F(y, x + d)^T`, and the same downward, for every shift d.

    Args:
        features: `[batch, height, width, channels]`.
        shifts: px of this feature map; those that do not fit into the map are left out.
        mask: `[regions, height, width, 1]` in 0..1; a pair counts by the product of its two ends. None is everywhere.

    Returns:
        `{"across_{d}", "down_{d}"}` to `[batch or regions, channels, channels]` float32.
    """
    parts = {}
    height, width = features.shape[1:3]
    fits = (shift for shift in shifts if height is None or shift < min(height, width))
    for shift in fits:
        here = (slice(None), slice(None), slice(None, -shift))
        there = (slice(None), slice(None), slice(shift, None))
        parts[f"across_{shift}"] = _correlation(features, mask, here, there)
        parts[f"down_{shift}"] = _correlation(features, mask, _downward(here), _downward(there))
    return parts


def shifts_in_features(shifts, layer: str) -> tuple[int, ...]:
    """Shifts in px of the image as px of a layer's feature map; at least 1, each once."""
    stride = layer_stride(layer)
    return tuple(dict.fromkeys(max(1, shift // stride) for shift in shifts))


def _correlation(features, mask, here, there):
    pair_mask = None if mask is None else mask[here] * mask[there]
    return gram_matrix(features[here], pair_mask, other=features[there])


def _downward(index):
    return (index[0], index[2], index[1])
