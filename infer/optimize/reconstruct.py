"""What layers keep: an image rebuilt from noise out of its style or its content alone (Gatys et al. 2015, figure 1)."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from faststyle.images.contact_sheet import fit_within, grid
from faststyle.images.files import read_image
from faststyle.infer.optimize.log import OptimizeLog
from faststyle.infer.optimize.optimized_image import optimize_image
from faststyle.infer.optimize.settings import OptimizeSettings

KINDS = ("style", "content")


def reconstruction_settings(base: OptimizeSettings, kind: str, layers: Sequence[str]) -> OptimizeSettings:
    """Settings that rebuild the image of `base` from its style, or its content, at `layers`, starting from noise.

    The term that is not wanted is measured on pixels only, which costs nothing.
    """
    chosen, pixels = dict.fromkeys(layers, 1.0), {"rgb": 1.0}
    style = kind == "style"
    return dataclasses.replace(
        base,
        initial="noise",
        content_weight=0.0 if style else 1.0,
        style_weight=1.0 if style else 0.0,
        tv_weight=0.0,
        style_layers=chosen if style else pixels,
        content_layers=pixels if style else chosen,
    )


def reconstruction_grid(
    base: OptimizeSettings, kind: str, layers: Sequence[str], seeds: Sequence[int], *, size: int
) -> np.ndarray:
    """A sheet of reconstructions: a row per layer, a column per seed, the image itself at the top left.

    The row of a style reconstruction takes all layers up to its own, as in the paper's figure; that of a content
    reconstruction takes its own layer only.

    Args:
        base: everything but layers, weights, start and seed.
        kind: "style" or "content".
        layers: shallow to deep.
        seeds: of the noise.
        size: longer side of each picture, px.

    Returns:
        `[sheet_height, sheet_width, 3]` uint8.
    """
    rows: list[list[np.ndarray]] = [[fit_within(read_image(Path(base.content)), size)]]
    for count, layer in enumerate(layers, start=1):
        taken = layers[:count] if kind == "style" else [layer]
        settings = reconstruction_settings(dataclasses.replace(base, size=size, scales=()), kind, taken)
        rows.append([_run(dataclasses.replace(settings, seed=seed)) for seed in seeds])
    return grid(rows)


def _run(settings: OptimizeSettings) -> np.ndarray:
    with OptimizeLog(iterations=settings.iterations) as log:
        result = optimize_image(settings, log)
    if result.stopped_by == "Ctrl-C":
        raise KeyboardInterrupt("before the grid was complete; nothing was written")
    return result.image
