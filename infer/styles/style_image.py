"""Style images: read, and refused where they are nearly one color, which is no style."""

from pathlib import Path

import numpy as np

from faststyle.images.files import ImageError, read_image

# A relative error divides by the style's own energy, which a flat picture does not have.
_FLAT_STYLE_DEVIATION = 2.0


def read_style_image(path: Path) -> np.ndarray:
    """Reads a style image as `[height, width, 3]` uint8.

    Raises:
        ImageError: no image, or nearly one color.
    """
    style = read_image(path)
    if style.std(axis=(0, 1)).max() < _FLAT_STYLE_DEVIATION:
        raise ImageError(f"{path}: nearly one color, so it has no style; choose another style image")
    return style
