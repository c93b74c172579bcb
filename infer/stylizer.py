"""An exported style model as a function: a photo in, the stylized photo of the same size out."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from infer.images import to_uint8
from infer.model_card import read_model_card
from infer.runtimes import load_graph
from infer.tile_painter import CORE_PX, TilePainter, has_tile_graphs

MINIMUM_SIZE_PX = 16
TILINGS = ("auto", "off", "fast", "exact")
# Larger images are stylized in tiles: up to here the whole network's features fit into about 2 GiB.
WHOLE_LIMIT_PIXELS = 4 * 2**20


class StylizeError(ValueError):
    """Inputs, outputs or a mixture that make no sense together."""


def load_stylizer(
    model_dir: str | os.PathLike,
    *,
    mix: dict[str, float] | None = None,
    runtime: str = "auto",
    precision: str = "auto",
    tiling: str = "auto",
) -> "Stylizer":
    """Loads an exported model; see `Stylizer`, whose `style_mixture` is called `mix` as on the command line."""
    return Stylizer(Path(model_dir), style_mixture=mix, runtime=runtime, precision=precision, tiling=tiling)


class Stylizer:
    """An exported style model, ready to use by any number of threads. `styles` names what it holds.

    Args:
        model_dir: from `faststyle train` or `faststyle export`.
        style_mixture: style name to weight for a model of several styles; weights are scaled to sum 1. None is the
            first style.
        runtime: "openvino" (starts at once), "tensorflow", or "auto": TensorFlow only where it may find a GPU.
        precision: "bfloat16", "float32", or "auto": bfloat16 where the processor is fast at it.
        tiling: how images are stylized whose features would not fit into memory. "exact" gives what the whole image at
            once would give; "fast" takes the statistics from a thumbnail; "off" never tiles; "auto" is exact tiling
            above 4 megapixels.
        core_px: side of a tile without its margin.

    Raises:
        ModelCardError: no exported model there.
        RuntimeChoiceError: a runtime or precision that does not exist here.
        StylizeError: a style that the model does not hold, or an unknown tiling.
    """

    def __init__(
        self,
        model_dir: Path,
        *,
        style_mixture: dict[str, float] | None = None,
        runtime: str = "auto",
        precision: str = "auto",
        tiling: str = "auto",
        core_px: int = CORE_PX,
    ) -> None:
        self.styles: list[str] = read_model_card(model_dir)["styles"]
        if tiling not in TILINGS:
            raise StylizeError(f"unknown tiling {tiling!r}; choose one of {', '.join(TILINGS)}")
        row = mixture_row(self.styles, style_mixture)[None]
        self._mixture = {"style_mixture": row} if len(self.styles) > 1 else {}
        self._model_dir = model_dir
        self._choice = {"runtime": runtime, "precision": precision}
        self._tiling = tiling
        self._core_px = core_px
        self._graph = load_graph(model_dir, **self._choice)
        self._painter: TilePainter | None = None
        self._painter_lock = threading.Lock()

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Stylizes `[height, width, 3]` uint8 in RGB, sides at least 16 px; the result has the same shape and type.

        Raises:
            StylizeError: too small, another shape or type, or too large for a model without tile graphs.
        """
        _check_image(image)
        large = image.shape[0] * image.shape[1] > WHOLE_LIMIT_PIXELS
        if self._tiling == "off" or (self._tiling == "auto" and not large):
            return to_uint8(self._graph({"image": image[None].astype("float32"), **self._mixture})[0])
        painter = self.tile_painter()
        if self._tiling == "fast":
            return painter.paint(image, painter.fast_statistics(image))
        return painter.paint(image, painter.exact_statistics(image))

    def tile_painter(self) -> TilePainter:
        """The model's tile graphs, loaded when they are first needed.

        Raises:
            StylizeError: the model has none.
        """
        with self._painter_lock:
            if self._painter is None:
                if not has_tile_graphs(self._model_dir):
                    raise StylizeError(
                        f"{self._model_dir}: this model was exported without tile graphs, which photos above "
                        f"{WHOLE_LIMIT_PIXELS / 1e6:.0f} megapixels and videos need; "
                        "export it again, or use --tiling off for a photo"
                    )
                self._painter = TilePainter(self._model_dir, self._mixture, core_px=self._core_px, **self._choice)
            return self._painter


def _check_image(image: np.ndarray) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise StylizeError(f"a photo is [height, width, 3] uint8, got {list(image.shape)} {image.dtype}")
    if min(image.shape[:2]) < MINIMUM_SIZE_PX:
        size = f"{image.shape[1]}x{image.shape[0]}"
        raise StylizeError(f"photo of {size} px: sides must be at least {MINIMUM_SIZE_PX} px")


def mixture_row(styles: Sequence[str], weights: dict[str, float] | None) -> np.ndarray:
    """Weights by style name as `[num_styles]` float32 of sum 1; None chooses the first style.

    Raises:
        StylizeError: an unknown name, a negative weight, or no positive weight.
    """
    weights = weights or {styles[0]: 1.0}
    unknown = [name for name in weights if name not in styles]
    if unknown:
        raise StylizeError(f"no style {unknown[0]!r} in this model; it holds {', '.join(styles)}")
    row = np.array([weights.get(name, 0.0) for name in styles], "float32")
    if not np.isfinite(row).all() or row.min() < 0 or row.sum() <= 0:
        raise StylizeError(f"a style mixture needs weights of 0 or more with a positive sum, got {weights}")
    return row / row.sum()
