"""Masks from image files: how much of the style each place gets; white inside, black outside, gray in between."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from faststyle.images.files import ImageError, resize_to
from faststyle.images.photos import read_photo


def read_mask(path: Path) -> np.ndarray:
    """Reads a mask as `[height, width]` uint8; its transparent places count as black, colors by their luminance.

    Raises:
        ImageError: no such file, or no image in it.
    """
    photo = read_photo(path, name=str(path))
    mask = Image.fromarray(photo.pixels).convert("L")
    if photo.alpha is not None:
        mask = Image.composite(mask, Image.new("L", mask.size), Image.fromarray(photo.alpha))
    return np.asarray(mask)


def read_masks(paths: Sequence[str], photo: np.ndarray) -> list[np.ndarray]:
    """Masks of the photo's size.

    Returns:
        One `[height, width]` uint8 per path.

    Raises:
        ImageError: no image, of another size than the photo, or black everywhere.
    """
    masks = []
    for path in paths:
        mask = read_mask(Path(path))
        if mask.shape != photo.shape[:2]:
            sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in (mask, photo)]
            raise ImageError(f"{path}: mask of {sizes[0]} px for a photo of {sizes[1]} px; make it the photo's size")
        if not mask.any():
            raise ImageError(f"{path}: mask is black everywhere; paint the region white")
        masks.append(mask)
    return masks


def masks_at(masks: Sequence[np.ndarray], *, height: int, width: int) -> list[np.ndarray]:
    """Masks as `[height, width]` float32 in 0..1; where they overlap, they share."""
    scaled = [resize_to(mask, height=height, width=width) / 255.0 for mask in masks]
    overlap = np.maximum(np.sum(scaled, axis=0), 1.0)
    return [(mask / overlap).astype("float32") for mask in scaled]
