"""How far a stylized image's colors follow from its photo's: places of one color in the photo stay of one color.

Which color a style makes of the photo's is free, as long as it is a smooth map: a quadratic polynomial in red, green
and blue. What varies without the photo's colors varying is the error: color patches across a face or a shirt.
"""

from keras import ops

_TERMS = 9  # 3 linear and 6 quadratic
_LEAST_DEVIATION = 0.01  # of the photo's terms: less tells nothing
_LEAST_CONTRAST = 0.03  # of the stylized image: less weighs nothing


def color_basis(photo):
    """Orthonormal polynomials of a photo's colors, as functions of position; no gradient flows through them.

    Args:
        photo: `[batch, height, width, 3]` float32 in 0..1.

    Returns:
        `[batch, 9, height * width]` float32; rows are orthogonal to each other and to a constant, of length 1 where
        the photo has that many independent colors, and shorter, down to 0, where it has not.
    """
    centered = _centered(photo)
    red, green, blue = (centered[..., channel] for channel in range(3))
    squares = [red * red, green * green, blue * blue, red * green, red * blue, green * blue]
    terms = ops.stack([red, green, blue, *squares], axis=-1)
    terms = ops.transpose(terms - ops.mean(terms, axis=1, keepdims=True), (0, 2, 1))
    covariance = ops.matmul(terms, ops.transpose(terms, (0, 2, 1))) / _count(terms)
    root = ops.cholesky(covariance + _LEAST_DEVIATION**2 * ops.eye(_TERMS))
    return ops.stop_gradient(ops.solve_triangular(root, terms, lower=True) / ops.sqrt(_count(terms)))


def color_map_error(stylized, basis):
    """The share of the colors' variance that no quadratic map of the photo's colors explains: `1 - R^2`.

    Args:
        stylized: `[batch, height, width, 3]` float32 in 0..1.
        basis: from `color_basis`, of the photo.

    Returns:
        `[batch]` float32 in 0..1: 0 where colors are a map of the photo's, 1 where they have nothing to do with it. The
        share is of at least a small variance, so that a gray image has no error.
    """
    centered = _centered(stylized)
    variance = ops.sum(ops.square(centered), axis=(1, 2))
    explained = ops.sum(ops.square(ops.matmul(basis, centered)), axis=(1, 2))
    return (variance - explained) / (variance + _LEAST_CONTRAST**2 * _count(basis))


def _centered(image):
    """`[batch, positions, 3]` float32, each channel of mean 0."""
    batch, height, width, channels = ops.shape(image)
    flat = ops.reshape(ops.cast(image, "float32"), (batch, height * width, channels))
    return flat - ops.mean(flat, axis=1, keepdims=True)


def _count(rows):
    return ops.cast(ops.shape(rows)[-1], "float32")
