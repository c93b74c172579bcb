"""An exported style model as a function: a photo in, the stylized photo of the same size out."""

import copy
import os
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from faststyle.images.blending import blend
from faststyle.images.files import to_uint8
from faststyle.infer.exported_model.runtimes import SIZED_FROM_PIXELS, choose_runtime, load_graph
from faststyle.infer.exported_model.tile_painter import CORE_PX, OnTile, TilePainter, has_tile_graphs, say_nothing
from faststyle.infer.styles.gallery import GALLERY_MODEL, GALLERY_NAME, find_model
from faststyle.infer.styles.model_card import identity_style, read_model_card
from faststyle.user_error import UserError

MINIMUM_SIZE_PX = 16
TILINGS = ("auto", "off", "fast", "exact")
# Larger images are stylized in tiles: up to here the whole network's features fit into some 2 GiB, 3 in float32 with
# OpenVINO, which holds fewer at a time. Cameras and phones have 12 megapixels.
WHOLE_LIMIT_PIXELS = {"openvino": 13_000_000, "tensorflow": 4_200_000}


class StylizeError(UserError):
    """Inputs, outputs or a mixture that make no sense together."""


def load_stylizer(
    model: str | os.PathLike,
    *,
    mix: dict[str, float] | None = None,
    strength: float = 1.0,
    runtime: str = "auto",
    precision: str = "auto",
    tiling: str = "auto",
) -> "Stylizer":
    """Loads a model; see `Stylizer`, whose `style_mixture` is called `mix` as on the command line."""
    return Stylizer(model, style_mixture=mix, strength=strength, runtime=runtime, precision=precision, tiling=tiling)


class Stylizer:
    """An exported style model, ready to use by any number of threads.

    Args:
        model: folder from `faststyle train` or `faststyle export`, or a name from the gallery, see `find_model`.
        style_mixture: style name to weight for a model of several styles; weights are scaled to sum 1. None is the
            first style.
        strength: 0 is the photo itself, 1 the full style. Between them a model with an identity style, which was
            trained to show the photo, mixes it in; of another model the result is laid over the photo.
        runtime: "openvino" (starts at once), "tensorflow", or "auto": TensorFlow only where it may find a GPU.
        precision: "bfloat16", "float32", or "auto": bfloat16 where the processor is fast at it.
        tiling: how images are stylized whose features would not fit into memory. "exact" gives what the whole image at
            once would give; "fast" takes the statistics from a thumbnail; "off" never tiles; "auto" is exact tiling
            of what is larger than `WHOLE_LIMIT_PIXELS`.
        core_px: side of a tile without its margin.
        sized_from_pixels: see `load_graph`; 0 is for many photos of few sizes.

    Attributes:
        styles: names of what the model holds.
        identity_style: the one that shows the photo, or None.

    Raises:
        GalleryError: a name that is neither a folder nor a gallery style.
        ModelCardError: no exported model there.
        RuntimeChoiceError: a runtime or precision that does not exist here.
        StylizeError: a style that the model does not hold, a strength beyond 0..1, or an unknown tiling.
    """

    def __init__(
        self,
        model: str | os.PathLike,
        *,
        style_mixture: dict[str, float] | None = None,
        strength: float = 1.0,
        runtime: str = "auto",
        precision: str = "auto",
        tiling: str = "auto",
        core_px: int = CORE_PX,
        sized_from_pixels: float = SIZED_FROM_PIXELS,
    ) -> None:
        model_dir, style_mixture = find_model(model, style_mixture)
        card = read_model_card(model_dir)
        self.styles: list[str] = card["styles"]
        self.identity_style: str | None = identity_style(card)
        if tiling not in TILINGS:
            raise StylizeError(f"unknown tiling {tiling!r}; choose one of {', '.join(TILINGS)}")
        self._model_dir = model_dir
        self._choice: dict[str, Any] = {"runtime": runtime, "precision": precision}
        self._tiling = tiling
        self._whole_limit_pixels = WHOLE_LIMIT_PIXELS[choose_runtime(runtime)]
        self._core_px = core_px
        self._mix(style_mixture, strength)
        self._graph = load_graph(model_dir, sized_from_pixels=sized_from_pixels, **self._choice)

    def remixed(
        self, style_mixture: dict[str, float] | None = None, *, strength: float = 1.0, on_tile: OnTile = say_nothing
    ) -> "Stylizer":
        """The same loaded model with another mixture and strength, at once: no file is read again.

        Args:
            style_mixture: as of the class.
            strength: as of the class.
            on_tile: called before every tile of a photo that is stylized in tiles; what it raises ends the work.

        Raises:
            StylizeError: a style that the model does not hold, or a strength beyond 0..1.
        """
        other = copy.copy(self)
        other._mix(style_mixture, strength)
        other._on_tile = on_tile
        return other

    def _mix(self, style_mixture: dict[str, float] | None, strength: float) -> None:
        if not 0 <= strength <= 1:
            raise StylizeError(f"strength must lie in 0..1, got {strength}")
        if self._model_dir == GALLERY_MODEL and style_mixture is None:
            raise StylizeError(f"{GALLERY_NAME} holds many styles: name one as the model, or blend some with --mix")
        row = mixture_row(self.styles, style_mixture)
        if self.identity_style:
            row = strength * row + (1 - strength) * mixture_row(self.styles, {self.identity_style: 1.0})
        self._mixture = {"style_mixture": row[None]} if len(self.styles) > 1 else {}
        self._strength = strength
        self._on_tile: OnTile = say_nothing
        self._painter: TilePainter | None = None
        self._painter_lock = threading.Lock()

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Stylizes `[height, width, 3]` uint8 in RGB, sides at least 16 px; the result has the same shape and type.

        Raises:
            StylizeError: too small, another shape or type, or too large for a model without tile graphs.
        """
        _check_image(image)
        if self._strength == 0:
            return image.copy()
        stylized = self._stylize(image)
        learned = self._strength == 1 or self.identity_style
        return stylized if learned else blend(image, stylized, self._strength)

    def _stylize(self, image: np.ndarray) -> np.ndarray:
        large = image.shape[0] * image.shape[1] > self._whole_limit_pixels
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
                        f"{self._whole_limit_pixels / 1e6:.0f} megapixels and videos need; "
                        "export it again, or use --tiling off for a photo"
                    )
                self._painter = TilePainter(
                    self._model_dir, self._mixture, core_px=self._core_px, on_tile=self._on_tile, **self._choice
                )
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
