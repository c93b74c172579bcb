"""Style images: read, and refused where they are nearly one color, which is no style."""

import sys
from pathlib import Path

import numpy as np

from faststyle.images.files import ImageError
from faststyle.images.photos import read_photo

# A relative error divides by the style's own energy, which a flat picture does not have.
_FLAT_STYLE_DEVIATION = 2.0


def read_style_image(path: Path, *, tell: bool = False) -> np.ndarray:
    """Reads a style image as `[height, width, 3]` uint8, over white where it is transparent.

    Args:
        path: of the file.
        tell: say on standard error what of the file is left out, such as all frames but the first.

    Raises:
        ImageError: no image, or nearly one color.
    """
    image = read_photo(path, name=str(path))
    style = image.over_white()
    if style.std(axis=(0, 1)).max() < _FLAT_STYLE_DEVIATION:
        raise ImageError(f"{path}: nearly one color, so it has no style; choose another style image")
    if tell and image.left_out:
        print(f"{path}: {'; '.join(image.left_out)}", file=sys.stderr)
    return style
