"""Strokes that scale with the picture: stylize at a working size, result at full size with the photo's detail."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from faststyle.infer.exported_model.stylizer import MINIMUM_SIZE_PX


def stylize_at_size(stylizer: Callable[[np.ndarray], np.ndarray], photo: np.ndarray, longer_side_px: int) -> np.ndarray:
    """Stylizes a photo scaled to a working size, larger or smaller than it is; the result has the photo's size.

    Args:
        stylizer: `[height, width, 3]` uint8 to the same.
        photo: `[height, width, 3]` uint8.
        longer_side_px: of the working size; a narrow panorama is worked on larger, so that its shorter side has 16 px.
    """
    height, width = photo.shape[:2]
    scale = max(longer_side_px / max(height, width), MINIMUM_SIZE_PX / min(height, width))
    size = (round(width * scale), round(height * scale))
    if size == (width, height):
        return stylizer(photo)
    small = _resize(photo, size)
    stylized = stylizer(small)
    if scale > 1:
        return _resize(stylized, (width, height))
    from faststyle.infer.stylize.detail import carry_detail  # imports SciPy

    return carry_detail(stylized, small, photo)


def _resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
