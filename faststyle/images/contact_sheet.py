"""Contact sheets: pictures of any size side by side on white, as one image."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

_GAP_PX = 8


def grid(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Puts pictures into a grid, each centered in its cell, with a white gap around.

    Args:
        rows: rows of pictures `[height, width, 3]` uint8 of any sizes; rows may differ in length.

    Returns:
        `[sheet_height, sheet_width, 3]` uint8.
    """
    columns = max(len(row) for row in rows)
    widths = [max((row[c].shape[1] for row in rows if c < len(row)), default=0) for c in range(columns)]
    heights = [max(picture.shape[0] for picture in row) for row in rows]
    size = (sum(heights) + _GAP_PX * (len(rows) + 1), sum(widths) + _GAP_PX * (columns + 1), 3)
    sheet = np.full(size, 255, "uint8")
    top = _GAP_PX
    for row, height in zip(rows, heights, strict=True):
        left = _GAP_PX
        for picture, width in zip(row, widths, strict=False):
            y, x = top + (height - picture.shape[0]) // 2, left + (width - picture.shape[1]) // 2
            sheet[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
            left += width + _GAP_PX
        top += height + _GAP_PX
    return sheet


def fit_within(picture: np.ndarray, size_px: int) -> np.ndarray:
    """Scales a picture `[height, width, 3]` uint8 down, if need be, so that its longer side has `size_px`."""
    image = Image.fromarray(picture)
    image.thumbnail((size_px, size_px), Image.Resampling.LANCZOS)
    return np.asarray(image)
