"""Previews: fixed photos stylized every so often, and the check that the network has not collapsed."""

import numpy as np

from infer.images.contact_sheet import grid
from infer.images.files import to_uint8
from models.transform_net import stylize_any_size

# A healthy stylized photo varies by tens of grey levels and has few pixels at the very ends of the range.
_FLAT_DEVIATION = 2.0
_SATURATED_SHARE = 0.9


def stylize_previews(network, photos: np.ndarray, num_styles: int) -> np.ndarray:
    """Stylizes `[count, height, width, 3]` uint8 in every style: `[num_styles, count, height, width, 3]` uint8."""
    rows = []
    for style in range(num_styles):
        mixture = np.zeros((1, num_styles), "float32")
        mixture[0, style] = 1.0
        images = [stylize_any_size(network, photo[None].astype("float32"), mixture) for photo in photos]
        rows.append(np.concatenate([to_uint8(np.asarray(image)) for image in images]))
    return np.stack(rows)


def preview_sheet(photos: np.ndarray, stylized: np.ndarray) -> np.ndarray:
    """One picture: the photos above, a row for each style below."""
    return grid([list(photos), *(list(row) for row in stylized)])


def collapse_reason(stylized: np.ndarray) -> str | None:
    """Why these previews show a collapsed network, or None where they are alive.

    Args:
        stylized: `[num_styles, count, height, width, 3]` uint8.
    """
    for row in stylized:
        deviation = float(np.median([image.std(axis=(0, 1)).mean() for image in row.astype("float32")]))
        if deviation < _FLAT_DEVIATION:
            return f"the previews are nearly one color (standard deviation {deviation:.1f} of 255)"
        saturated = float(np.mean((row == 0) | (row == 255)))
        if saturated > _SATURATED_SHARE:
            return f"{saturated:.0%} of the previews' values are fully black or white"
    return None
