"""Histogram loss: every channel takes the style's distribution (Risser et al. 2017, arXiv 1701.08893, section 4.2).

The paper remaps activations through a 255-bin table. Here every activation is matched by its own rank: the k-th
smallest goes to the style's quantile of the same rank. So each position has its true gradient, `2 (F - matched)`, and
the error is the squared Wasserstein distance between the two distributions.
"""

from keras import ops

# A style's quantile function is kept at this many even ranks and is linear between them.
QUANTILES = 4096
_TINY = 1e-8


def activation_quantiles(features):
    """The quantile function of every channel, at ranks `(k + 0.5) / QUANTILES`.

    Args:
        features: `[batch, height, width, channels]` of the style image.

    Returns:
        `[batch, QUANTILES, channels]` float32.
    """
    batch, height, width, channels = ops.shape(features)
    ordered = ops.sort(ops.reshape(ops.cast(features, "float32"), (batch, height * width, channels)), axis=1)
    ranks = (ops.arange(QUANTILES, dtype="float32") + 0.5) / QUANTILES
    return _at_ranks(ordered, ops.tile(ranks[None, :, None], (batch, 1, channels)))


def histogram_error(features, quantiles, mask=None):
    """Relative squared distance to the matched activations: `mean((F - matched)^2) / mean(style^2)`.

    Args:
        features: `[batch, height, width, channels]` of the stylized image.
        quantiles: from `activation_quantiles`, same batch, or batch 1.
        mask: `[regions, height, width, 1]` in 0..1: positions count by it, in the ranks too. None is everywhere.

    Returns:
        `[batch]` float32, or `[regions]` with a mask.
    """
    batch, height, width, channels = ops.shape(features)
    flat = ops.reshape(ops.cast(features, "float32"), (batch, height * width, channels))
    share = ops.ones_like(flat[..., :1])
    if mask is not None:
        share = ops.reshape(ops.cast(mask, "float32"), (-1, height * width, 1))
        flat = flat * ops.ones_like(share)
    share = share / (ops.sum(share, axis=1, keepdims=True) + _TINY)
    matched = ops.stop_gradient(_at_ranks(quantiles * ops.ones_like(flat[:, :1]), _ranks(flat, share)))
    energy = ops.mean(ops.square(quantiles), axis=(1, 2))
    return ops.mean(ops.sum(share * ops.square(flat - matched), axis=1), axis=1) / (energy + _TINY)


def _ranks(flat, share):
    """Rank in 0..1 of every activation within its channel, the middle of the share that it takes."""
    order = ops.argsort(flat, axis=1)
    ordered_share = ops.take_along_axis(share * ops.ones_like(flat), order, axis=1)
    ordered_ranks = ops.cumsum(ordered_share, axis=1) - 0.5 * ordered_share
    return ops.take_along_axis(ordered_ranks, ops.argsort(order, axis=1), axis=1)


def _at_ranks(ordered, ranks):
    """Linear interpolation of `ordered [batch, count, channels]`, whose values sit at ranks `(k + 0.5) / count`."""
    count = ops.shape(ordered)[1]
    place = ops.clip(ranks * ops.cast(count, "float32") - 0.5, 0.0, ops.cast(count - 1, "float32"))
    low = ops.cast(ops.floor(place), "int32")
    high = ops.minimum(low + 1, count - 1)
    share = place - ops.cast(low, "float32")
    below, above = (ops.take_along_axis(ordered, index, axis=1) for index in (low, high))
    return (1.0 - share) * below + share * above
