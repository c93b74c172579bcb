"""Masks from image files: how much of the style each place gets."""

from pathlib import Path

import numpy as np
from PIL import Image

from infer.photos import read_photo


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
