"""Stylizes a large image tile by tile, as if at once: normalization statistics of the whole image, then tiles.

Statistics come from a thumbnail (`fast`; URST, Chen et al. 2021, arXiv 2103.11784) or from all tiles (`exact`). A
layer's statistics depend on those of the layers before it. Simply measuring all layers again and again with the last
round's statistics diverges. So each round measures all tiles, notes by how much they differ from the thumbnail measured
under the same statistics, and lets the thumbnail, which finds its own statistics in one pass, find those that include
this difference. After some three rounds nothing changes any more (defect correction, as in multigrid methods).
"""

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from faststyle.images.files import to_uint8
from faststyle.infer.exported_model.runtimes import RuntimeChoiceError, load_graph
from faststyle.infer.exported_model.tiles import (
    MULTIPLE_PX,
    Tile,
    cut_window,
    paste_core,
    plan_tiles,
    with_border,
)

PAINTING_GRAPH = Path("assets.extra") / "tiles" / "painting"
MEASURING_GRAPH = Path("assets.extra") / "tiles" / "measuring"
TILES_CARD = Path("assets.extra") / "tiles" / "tiles.json"
CORE_PX = 1024
_THUMBNAIL_PIXELS = 2**20
# Exact statistics are those that a round changes by less than this share of each channel's deviation.
_TOLERANCE = 0.01
_MOST_CHANNELS = 1_000_000
_NORMALIZATIONS = 15  # each round makes at least one more of them exact

# Is told before every tile what is done to it, how many are done, and of how many.
OnTile = Callable[[str, int, int], None]


def say_nothing(what: str, done: int, total: int) -> None:
    """The `OnTile` of work that nobody watches."""


class TilePainter:
    """The tile graphs of an exported model. Statistics are `[2, channels]` float64, mean and deviation.

    Args:
        model_dir: exported model with tile graphs, see `has_tile_graphs`.
        mixture: `{"style_mixture": [1, num_styles] float32}` for a model of several styles, else empty.
        core_px: side of a tile without its margin.
        on_tile: called before every tile; what it raises ends the work.
        **choice: `runtime` and `precision` of `load_graph`.

    Raises:
        RuntimeChoiceError: tile graphs that cannot be read.
    """

    def __init__(
        self,
        model_dir: Path,
        mixture: dict[str, np.ndarray],
        *,
        core_px: int = CORE_PX,
        on_tile: OnTile = say_nothing,
        **choice: Any,
    ) -> None:
        channels = _read_channels(model_dir / TILES_CARD)
        self._neutral = np.stack([np.zeros(channels), np.ones(channels)])
        self._painting, self._measuring = (  # for any size: tiles at edges have sizes of their own
            load_graph(model_dir / graph, sized_from_pixels=math.inf, **choice)
            for graph in (PAINTING_GRAPH, MEASURING_GRAPH)
        )
        self._mixture = mixture
        self._core_px = core_px
        self._on_tile = on_tile

    def paint(self, image: np.ndarray, statistics: np.ndarray) -> np.ndarray:
        """Stylizes `[height, width, 3]` uint8, normalizing by the given statistics."""
        height, width = image.shape[:2]
        image, border = with_border(image)
        stylized = np.empty_like(image)
        given = {"statistics": statistics.astype("float32"), **self._mixture}
        for tile in self._told_tiles("painting", image):
            paste_core(stylized, tile, to_uint8(self._painting(_placed(image, tile) | given)[0]))
        return stylized[border : border + height, border : border + width]

    def fast_statistics(self, image: np.ndarray) -> np.ndarray:
        """Statistics of a thumbnail of at most a megapixel."""
        return self._own_statistics(_thumbnail(with_border(image)[0]), self._neutral)

    def exact_statistics(self, image: np.ndarray) -> np.ndarray:
        """Statistics of the whole image."""
        image, _ = with_border(image)
        thumbnail = _thumbnail(image)
        statistics = self._own_statistics(thumbnail, self._neutral)
        for number in range(1, _NORMALIZATIONS + 1):
            whole = self._measure_tiles(image, statistics, number)
            difference = _relative(whole, self._measure(thumbnail, statistics))
            last, statistics = statistics, _absolute(difference, self._own_statistics(thumbnail, difference))
            if np.max(np.abs(statistics - last) / statistics[1]) < _TOLERANCE:
                break
        return statistics

    def _own_statistics(self, image: np.ndarray, difference: np.ndarray) -> np.ndarray:
        """An image's statistics in one pass, when every layer normalizes by its own, changed by a difference."""
        return self._measure(image, difference, relative=True)

    def _measure(self, image: np.ndarray, statistics: np.ndarray, *, relative: bool = False) -> np.ndarray:
        (tile,) = plan_tiles(*image.shape[:2], core_px=max(image.shape) + MULTIPLE_PX)
        return self._measure_tile(image, tile, statistics, relative=relative)

    def _measure_tiles(self, image: np.ndarray, statistics: np.ndarray, number: int) -> np.ndarray:
        """Statistics of the whole image when every layer normalizes by the given ones."""
        pixels, moments = 0, np.zeros_like(statistics)
        for tile in self._told_tiles(f"measuring, round {number}", image):
            mean, deviation = self._measure_tile(image, tile, statistics)
            moments += tile.pixels * np.stack([mean, deviation**2 + mean**2])
            pixels += tile.pixels
        mean, square = moments / pixels
        return np.stack([mean, np.sqrt(square - mean**2)])

    def _told_tiles(self, what: str, image: np.ndarray) -> Iterator[Tile]:
        tiles = list(plan_tiles(*image.shape[:2], core_px=self._core_px))
        for done, tile in enumerate(tiles):
            self._on_tile(what, done, len(tiles))
            yield tile

    def _measure_tile(
        self, image: np.ndarray, tile: Tile, statistics: np.ndarray, *, relative: bool = False
    ) -> np.ndarray:
        inputs = _placed(image, tile) | {
            "statistics": statistics.astype("float32"),
            "core": np.array(tile.core_in_window, "int32"),
            "relative": np.array([relative], "float32"),
        }
        return self._measuring(inputs | self._mixture).astype("float64")


def has_tile_graphs(model_dir: Path) -> bool:
    """Whether a model carries tile graphs; models of earlier versions do not."""
    return (model_dir / TILES_CARD).is_file()


def _read_channels(path: Path) -> int:
    try:
        channels = json.loads(path.read_text(encoding="utf-8"))["channels"]
        if not 0 < channels <= _MOST_CHANNELS:
            raise ValueError(f"channels {channels}")
        return int(channels)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RuntimeChoiceError(f"{path}: damaged model ({error})") from None


def _placed(image: np.ndarray, tile: Tile) -> dict[str, np.ndarray]:
    """What both graphs are told of a tile: its window, and where that begins."""
    return {"tile": cut_window(image, tile), "origin": np.array(tile.window[:2], "int32")}


def _thumbnail(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    scale = min(1.0, (_THUMBNAIL_PIXELS / (height * width)) ** 0.5)
    if scale == 1.0:
        return image
    size = tuple(max(MULTIPLE_PX * 4, round(side * scale / MULTIPLE_PX) * MULTIPLE_PX) for side in (width, height))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0))


def _relative(statistics: np.ndarray, base: np.ndarray) -> np.ndarray:
    return np.stack([(statistics[0] - base[0]) / base[1], statistics[1] / base[1]])


def _absolute(difference: np.ndarray, base: np.ndarray) -> np.ndarray:
    return np.stack([base[0] + difference[0] * base[1], difference[1] * base[1]])
