"""Previews: fixed photos stylized every so often, and the check that the network has not collapsed."""

import numpy as np

from faststyle.images.contact_sheet import grid
from faststyle.images.files import to_uint8
from faststyle.train.trainer import StyleTrainer

# A healthy stylized photo varies by tens of grey levels and has few pixels at the very ends of the range.
_FLAT_DEVIATION = 2.0
_SATURATED_SHARE = 0.9


def stylize_previews(trainer: StyleTrainer, photos: np.ndarray, *, num_rows: int) -> np.ndarray:
    """Stylizes photos in every row of the network, compiled as the training step is.

    Args:
        trainer: of the network.
        photos: `[count, height, width, 3]` uint8, sides multiples of 4.
        num_rows: all rows of the network.

    Returns:
        `[num_rows, count, height, width, 3]` uint8.
    """
    rows = np.eye(num_rows, dtype="float32")
    batches = ({"image": photos, "style_mixture": np.tile(row, (len(photos), 1))} for row in rows)
    return np.stack([to_uint8(trainer.predict_on_batch(batch)) for batch in batches])


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
