"""Gives each style of a trained network its painting's colors: the last thing that a run does to its weights."""

import keras
import numpy as np

from faststyle.models.style_colors import fit_color_map

_BATCH = 4
_EVERY_PX = 4  # neighbors have much the same color


def fit_colors(network: keras.Model, photos: np.ndarray, targets: dict[str, np.ndarray]) -> None:
    """Sets the colors of every style so that the stylized photos together have the style image's mean and covariance.

    Args:
        network: the transform network, after its last step.
        photos: `[count, height, width, 3]` uint8, sides multiples of 4.
        targets: mean `[num_styles, 3]` and covariance `[num_styles, 3, 3]` of the styles' colors in 0..1, of the
            network's first rows; the others are left as they are.
    """
    colors = network.get_layer("colors")
    matrices, offsets = np.asarray(colors.matrix).copy(), np.asarray(colors.offset).copy()
    rows = np.eye(colors.num_styles, dtype="float32")
    for style, (mean, covariance) in enumerate(zip(targets["mean"], targets["covariance"], strict=True)):
        stylized = _stylized_colors(network, photos, rows[style])
        matrix, offset = fit_color_map(stylized, 2.0 * mean - 1.0, 4.0 * covariance)  # in -1..1
        matrices[style], offsets[style] = matrix @ matrices[style], matrix @ offsets[style] + offset
    colors.matrix.assign(matrices)
    colors.offset.assign(offsets)


def _stylized_colors(network: keras.Model, photos: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Colors `[count, 3]` in -1..1 of the photos in one style."""
    colors = []
    for start in range(0, len(photos), _BATCH):  # not compiled: another graph would round otherwise after a resume
        batch = photos[start : start + _BATCH].astype("float32")
        stylized = np.asarray(network([batch, np.tile(row, (len(batch), 1))]))
        colors.append(stylized[:, ::_EVERY_PX, ::_EVERY_PX].reshape(-1, 3))
    return np.clip(np.concatenate(colors).astype("float64"), 0.0, 255.0) / 127.5 - 1.0
