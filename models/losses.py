"""The terms of the perceptual loss. Content and style are relative errors: 0 is perfect, 1 as bad as black features.

Gram matrices and style loss: Gatys et al. 2015 (arXiv 1508.06576, eqs. 3-5); content loss: Johnson et al. 2016
(arXiv 1603.08155, eq. 2). Dividing by the target's own energy makes one weight mean the same for every style, image
size, layer and loss network. For one fixed target each term is a constant times the published one.

Every reduction and every product runs in float32, whatever the type of the features.
"""

from keras import ops

from faststyle.models.objective_settings import STATISTICS

_TINY = 1e-8
_COLOR_FLOOR = 0.03  # of 1: a spread of colors that nobody would call one, for styles of black and white
_GRID_PX = 8
_GRID_WINDOW = 8  # squares


def gram_matrix(features, mask=None, *, other=None):
    """Gram matrix `F^T F / (height * width)` with F as `[height * width, channels]`.

    Args:
        features: `[batch, height, width, channels]`.
        mask: `[regions, height, width, 1]` in 0..1: positions count by it, and the batch is one image. The Gram matrix
            is then `F^T diag(m) F / sum(m)`: guided Gram matrices of Gatys et al. 2017 (arXiv 1611.07865, section 4),
            whose guidance channel T is `sqrt(m)`, normalized.
        other: features for the right side of the product, same positions; None is `features` again.

    Returns:
        `[batch, channels, channels]` float32, or `[regions, ...]` with a mask.
    """
    flat = _flatten_positions(features)
    right = flat if other is None else _flatten_positions(other)
    if mask is None:
        product = _own_product(flat) if other is None else ops.matmul(ops.transpose(flat, (0, 2, 1)), right)
        return product / ops.cast(ops.shape(flat)[1], "float32")
    share = _flatten_positions(mask)
    product = ops.matmul(ops.transpose(flat * share, (0, 2, 1)), right * ops.ones_like(share[:, :1]))
    return product / (ops.sum(share, axis=(1, 2))[:, None, None] + _TINY)


def style_statistics(features, statistic: str, mask=None) -> dict:
    """What the style term compares at one layer, each `[batch, ...]` float32.

    "gram" is the Gram matrix. "covariance" is the mean activation and the Gram matrix of the centered features: ReLU
    features have large means, which make up most of a raw Gram matrix's energy and hide the strokes.

    Args:
        features: `[batch, height, width, channels]`.
        statistic: "gram" or "covariance".
        mask: `[regions, height, width, 1]`, see `gram_matrix`.

    Raises:
        ValueError: unknown statistic.
    """
    if statistic == "gram":
        return {"gram": gram_matrix(features, mask)}
    if statistic == "covariance":
        features = ops.cast(features, "float32")
        if mask is None:
            mean = ops.mean(features, axis=(1, 2), keepdims=True)
            # Centered features sum to 0, so that no gradient flows through this mean: it need not be computed.
            return {"mean": mean[:, 0, 0, :], "covariance": gram_matrix(features - ops.stop_gradient(mean))}
        mean = ops.sum(features * mask, axis=(1, 2)) / (ops.sum(mask, axis=(1, 2)) + _TINY)
        # The Gram matrix less that of the means: no copy of the features for each region.
        return {"mean": mean, "covariance": gram_matrix(features, mask) - mean[:, :, None] * mean[:, None, :]}
    raise ValueError(f"unknown style statistic {statistic!r}; choose one of {', '.join(STATISTICS)}")


def style_error(statistics: dict, targets: dict):
    """Relative squared error of style statistics: `sum over parts of ||A - T||^2 / ||T||^2`.

    Args:
        statistics: from `style_statistics`, `[batch, ...]`.
        targets: the same parts of the style image, `[batch, ...]` or `[1, ...]`.

    Returns:
        `[batch]` float32.
    """
    return sum(_relative_error(statistics[part], targets[part]) for part in targets)


def color_error(statistics: dict, targets: dict):
    """Squared error of mean color and covariance, in units of the style's own spread along each axis of its colors.

    With P the inverse of the style's covariance S: `tr((P (C - S))^2) / 3 + (m - s)^T P (m - s) / 3`. A relative error
    would be one of luminance alone, which makes up some 97 % of a painting's covariance, and leave pictures pale.

    Args:
        statistics: of the pixels in 0..1, from `style_statistics`.
        targets: the same of the style image, `[batch, ...]` or `[1, ...]`.

    Returns:
        `[batch]` float32: 0 is perfect, 1 are pictures of one color, the style's mean.
    """
    precision = ops.inv(targets["covariance"] + _COLOR_FLOOR**2 * ops.eye(3))
    whitened = ops.matmul(precision, statistics["covariance"] - targets["covariance"])
    covariance = ops.sum(whitened * ops.transpose(whitened, (0, 2, 1)), axis=(1, 2))
    shift = (statistics["mean"] - targets["mean"])[:, None, :]
    mean = ops.sum(ops.matmul(shift, precision) * shift, axis=(1, 2))
    return (covariance + mean) / 3.0


def content_error(features, targets):
    """Relative squared error of features: `mean((F - P)^2) / mean(P^2)`, with no gradient through the divisor.

    Args:
        features: of the stylized image, `[batch, height, width, channels]`.
        targets: of the content image, same shape.

    Returns:
        `[batch]` float32.
    """
    return _relative_error(ops.cast(features, "float32"), ops.cast(targets, "float32"))


def total_variation(image):
    """Mean squared difference of neighboring pixels along both axes, of pixels scaled to 0..1.

    Args:
        image: `[batch, height, width, 3]` in 0..255, sides at least 2 px.

    Returns:
        `[batch]` float32.
    """
    down, across = _differences(image)
    return ops.mean(ops.square(down), axis=(1, 2)) + ops.mean(ops.square(across), axis=(1, 2))


def grid_energy(image):
    """How much of an image's texture repeats every 8 px, in step with the image's own rows and columns.

    A network that upsamples twice treats pixels unequally by their place modulo 4, and fills calm regions with a weave
    or with dots of a period of 2, 4 or 8 px (checkerboards, Odena et al. 2016, 10.23915/distill.00003). No style
    statistic minds, since these forget places. Here the differences of neighboring pixels are averaged over all squares
    of 8 px within some 64 px, place by place: strokes cancel out, what sits on the grid remains.

    Args:
        image: `[batch, height, width, channels]` in 0..255, sides at least 9 px.

    Returns:
        `[batch]` float32: the variance, over the places in a square, of their average difference; pixels in 0..1.
    """
    return sum(_variance_on_grid(differences, image.shape[-1]) for differences in _differences(image))


def _variance_on_grid(rows, channels: int):
    batch, height, width = ops.shape(rows)
    down, across = height // _GRID_PX, width // (_GRID_PX * channels)
    whole = ops.slice(rows, (0, 0, 0), (batch, down * _GRID_PX, across * _GRID_PX * channels))
    squares = ops.reshape(whole, (batch, down, _GRID_PX, across, _GRID_PX * channels))
    squares = ops.reshape(ops.transpose(squares, (0, 1, 3, 2, 4)), (batch, down, across, _GRID_PX**2 * channels))
    window = (min(_GRID_WINDOW, down), min(_GRID_WINDOW, across))
    average = ops.average_pool(squares, window, strides=window, data_format="channels_last")
    places = ops.reshape(average, (batch, -1, _GRID_PX**2, channels))
    return ops.mean(ops.var(places, axis=2), axis=(1, 2))


def _differences(image):
    """To the neighbors below and on the right, of pixels in 0..1, as rows `[batch, height, width * channels]`.

    Slices of whole rows, and by `ops.slice`: on CPUs the gradients of a slice of pixels, 3 numbers each, and of
    TensorFlow's strided slices are slow.
    """
    batch, height, width, channels = ops.shape(image)
    rows = ops.reshape(ops.cast(image, "float32"), (batch, height, width * channels)) / 255.0
    tall, wide = (batch, height - 1, width * channels), (batch, height, (width - 1) * channels)
    return (
        ops.slice(rows, (0, 1, 0), tall) - ops.slice(rows, (0, 0, 0), tall),
        ops.slice(rows, (0, 0, channels), wide) - ops.slice(rows, (0, 0, 0), wide),
    )


def _relative_error(values, targets):
    axes = tuple(range(1, len(targets.shape)))
    energy = ops.stop_gradient(ops.mean(ops.square(targets), axis=axes))
    return ops.mean(ops.square(values - targets), axis=axes) / (energy + _TINY)


def _own_product(flat):
    """`F^T F`, with one product in its gradient and not two: the left and the right one mirror each other."""
    product = ops.matmul(ops.transpose(flat, (0, 2, 1)), ops.stop_gradient(flat))
    return product + ops.transpose(product, (0, 2, 1)) - ops.stop_gradient(product)


def _flatten_positions(features):
    batch, height, width, channels = ops.shape(features)
    return ops.reshape(ops.cast(features, "float32"), (batch, height * width, channels))
