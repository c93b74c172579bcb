"""Colors from one image, everything else from another (Gatys et al. 2016, "Preserving Color", arXiv 1606.05897)."""

from collections.abc import Callable

import numpy as np

# Luma of ITU-R BT.601 on gamma-coded pixels, as in JPEG and in the paper's YIQ.
_LUMA = np.array([0.299, 0.587, 0.114], "float32")
_TINY_VARIANCE = 1e-3


def keep_luminance_only(stylized: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """The stylized image's luminance with the photo's colors (the paper's section 4).

    A color that the new luminance does not allow (bright yellow made dark) is moved toward gray just as far as 0..255
    requires, so that the luminance holds everywhere; plain clipping would change it.

    Args:
        stylized: `[height, width, 3]` RGB in 0..255, uint8 or float.
        photo: same shape.

    Returns:
        `[height, width, 3]` float32 in 0..255.

    Raises:
        ValueError: images of different shapes.
    """
    if stylized.shape != photo.shape:
        raise ValueError(f"images must have one shape, got {stylized.shape} and {photo.shape}; resize one")
    photo = np.asarray(photo, "float32")
    luminance = np.clip(np.asarray(stylized, "float32") @ _LUMA, 0, 255)[..., None]
    chroma = photo - (photo @ _LUMA)[..., None]
    room = np.where(chroma > 0, 255.0 - luminance, luminance)
    share = np.min(room / np.maximum(np.abs(chroma), room + 1e-6), axis=-1, keepdims=True)
    return np.clip(luminance + share * chroma, 0, 255)


def match_mean_covariance(image: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Recolors an image so that its colors have the mean and the covariance of the reference's.

    Every pixel x becomes `A (x - mean(image)) + mean(reference)`. Of all A with the right covariance this takes the one
    that moves colors least (optimal transport between Gaussians; the paper's section 3 lists two others).

    Args:
        image: `[height, width, 3]` RGB in 0..255, uint8 or float.
        reference: `[height, width, 3]`, any size.

    Returns:
        `[height, width, 3]` float32, clipped to 0..255.
    """
    return mean_covariance_map(image, reference)(image)


def mean_covariance_map(image: np.ndarray, reference: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The recoloring of `match_mean_covariance` as a function of pixels `[..., 3]`, for images too large for one array.

    Args:
        image: `[height, width, 3]` RGB in 0..255, or evenly spread pixels of it.
        reference: `[height, width, 3]`, any size.
    """
    mean, covariance = _color_statistics(image)
    target_mean, target_covariance = _color_statistics(reference)
    root = _power(covariance, 0.5)
    inverse_root = _power(covariance, -0.5)
    transport = inverse_root @ _power(root @ target_covariance @ root, 0.5) @ inverse_root

    def recolor(pixels: np.ndarray) -> np.ndarray:
        moved = (np.asarray(pixels, "float32") - mean) @ transport.astype("float32").T + target_mean
        return np.clip(moved, 0, 255).astype("float32")

    return recolor


def _color_statistics(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    colors = np.asarray(image, "float64").reshape(-1, 3)
    mean = colors.mean(axis=0)
    centered = colors - mean
    # A gray or flat picture has no variance in some direction; the tiny one keeps the inverse root finite.
    return mean.astype("float32"), centered.T @ centered / len(colors) + _TINY_VARIANCE * np.eye(3)


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    """A power of a symmetric positive definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, _TINY_VARIANCE**2) ** exponent) @ vectors.T
