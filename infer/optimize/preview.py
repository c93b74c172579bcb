"""Which weight? One photo optimized at several content weights and style sizes, before a network is trained for hours.

A short optimization of the pixels (`optimized_image.py`) on the trainer's objective shows in seconds where it leads. It
starts from the photo in the style's colors, which a network learns at once and L-BFGS is slow to reach.
"""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from faststyle.images.color_transfer import match_mean_covariance
from faststyle.images.contact_sheet import fit_within, grid
from faststyle.images.files import ImageError, read_image, to_uint8, write_image
from faststyle.images.labels import captioned, text_cell
from faststyle.infer.optimize.log import OptimizeLog
from faststyle.infer.optimize.optimized_image import optimize_image
from faststyle.infer.optimize.settings import LARGEST_PX, OptimizeSettings
from faststyle.user_error import UserError

_SMALLEST_PX = 32  # four poolings leave two pixels


def preview_sheet(
    settings: OptimizeSettings,
    content_weights: Sequence[float],
    style_sizes: Sequence[int],
    *,
    shared_options: Sequence[str] = (),
) -> np.ndarray:
    """A sheet of content weights from left to right, style sizes from top to bottom, each with its options of `train`.

    Args:
        settings: photo, one style, size, iterations and what all cells share of the objective.
        content_weights: one column each.
        style_sizes: shorter side of the style image, px, one row each.
        shared_options: of `train`, shown once.

    Returns:
        `[height, width, 3]` uint8.

    Raises:
        UserError: pictures, weights or sizes that cannot be used.
        KeyboardInterrupt: with a word on how far it came.
    """
    photo, style = (read_image(Path(path)) for path in (settings.content, settings.styles[0]))
    content = fit_within(photo, settings.size)
    if min(content.shape[:2]) < _SMALLEST_PX:
        raise ImageError(f"{settings.content}: smaller than {_SMALLEST_PX} px on a side at this --size")
    rows = [
        [_cell(settings, weight, size, min(content.shape[:2])) for weight in content_weights] for size in style_sizes
    ]
    pictures = _optimized(rows, to_uint8(match_mean_covariance(content, style)))
    cells = [
        [
            captioned(next(pictures), [f"--content-weight {weight:g}", f"--style-sizes {size}"])
            for weight in content_weights
        ]
        for size in style_sizes
    ]
    head = [
        captioned(fit_within(style, max(content.shape)), ["style"]),
        captioned(content, ["photo"]),
        text_cell(["all of them with", *shared_options]),
    ]
    return grid([head[: 2 if not shared_options else 3], *cells])


def _cell(settings: OptimizeSettings, weight: float, style_size: int, shorter_side: int) -> OptimizeSettings:
    if not _SMALLEST_PX <= style_size <= LARGEST_PX:
        raise UserError(f"--style-sizes must lie in {_SMALLEST_PX}..{LARGEST_PX} px, got {style_size}")
    return dataclasses.replace(settings, content_weight=weight, style_scales=(style_size / shorter_side,))


def _optimized(rows: Sequence[Sequence[OptimizeSettings]], start: np.ndarray):
    """Yields the picture of every cell, row by row, from the start `[height, width, 3]` uint8."""
    cells = [cell for row in rows for cell in row]
    with (
        tempfile.TemporaryDirectory(prefix="faststyle.") as scratch,
        OptimizeLog(iterations=sum(cell.iterations for cell in cells)) as log,
    ):
        initial = Path(scratch) / "start.png"
        write_image(initial, start)
        for done, cell in enumerate(cells):
            halted = KeyboardInterrupt(f"after {done} of {len(cells)} pictures; no sheet was written")
            try:
                result = optimize_image(dataclasses.replace(cell, initial=str(initial)), log)
            except KeyboardInterrupt:
                raise halted from None
            if result.stopped_by == "Ctrl-C":
                raise halted
            yield result.image
