"""Random resized crops, flips and color jitter (Szegedy et al. 2014; Howard 2013) of a whole batch, on its device."""

import keras
from keras import ops

_SMALLEST_AREA = 0.4  # of a crop, as a share of the photo
_LARGEST_ASPECT = 4 / 3
_COLOR_JITTER = 0.3  # brightness, contrast and saturation each vary by this share
_LUMINANCE = (0.299, 0.587, 0.114)


def augmented(images, *, seed: keras.random.SeedGenerator):
    """Each image's own random crop, resized to the image's size, half of them mirrored, with its own color jitter.

    Args:
        images: `[batch, size, size, 3]` float32 in 0..255.
        seed: of everything random.

    Returns:
        The same shape and range.
    """
    area, aspect, x, y, flip, brightness, contrast, saturation = ops.unstack(
        keras.random.uniform((8, ops.shape(images)[0]), seed=seed), 8
    )
    side = ops.sqrt(_SMALLEST_AREA + (1 - _SMALLEST_AREA) * area)
    stretch = _LARGEST_ASPECT ** (aspect - 0.5)
    width, height = ops.minimum(1.0, side * stretch), ops.minimum(1.0, side / stretch)
    columns = resampling(x * (1 - width), width, size=images.shape[2])
    columns = ops.where(flip[:, None, None] < 0.5, columns[:, ::-1], columns)
    rows = resampling(y * (1 - height), height, size=images.shape[1])
    crops = ops.einsum("nyi,nijc->nyjc", rows, images)
    crops = ops.einsum("nxj,nyjc->nyxc", columns, crops)
    return _jittered(crops, *(1 + _COLOR_JITTER * (2 * amount - 1) for amount in (brightness, contrast, saturation)))


def resampling(first, length, *, size: int):
    """Matrices that stretch a part of a line of `size` pixels over the whole line, by linear interpolation.

    Args:
        first: `[batch]`, where each part begins, as a share of the line.
        length: `[batch]`, of each part, as a share of the line.
        size: pixels of the line.

    Returns:
        `[batch, size, size]` float32; the rows sum to 1.
    """
    pixels = ops.arange(size, dtype="float32") + 0.5
    centers = size * first[:, None] + length[:, None] * pixels
    weights = ops.maximum(0.0, 1.0 - ops.abs(centers[:, :, None] - pixels))
    return weights / ops.sum(weights, axis=-1, keepdims=True)


def _jittered(images, brightness, contrast, saturation):
    images = images * brightness[:, None, None, None]
    gray = ops.sum(images * ops.convert_to_tensor(_LUMINANCE), axis=-1, keepdims=True)
    images = gray + saturation[:, None, None, None] * (images - gray)
    mean = ops.mean(gray, axis=(1, 2), keepdims=True)
    return ops.clip(mean + contrast[:, None, None, None] * (images - mean), 0.0, 255.0)
