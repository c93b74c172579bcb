"""Where the tiles of a large image lie: cores that partition it, inside windows that overlap by a margin."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

MULTIPLE_PX = 4
# Half the receptive field of the transform network, a multiple of 4.
MARGIN_PX = 64
# Mirrored around the whole image, as `models.transform_net.stylize_any_size` does.
BORDER_PX = 16


class Tile(NamedTuple):
    """Boxes as (top, left, bottom, right) in px: the core, the window around it, and the core inside the window."""

    core: tuple[int, int, int, int]
    window: tuple[int, int, int, int]

    @property
    def core_in_window(self) -> tuple[int, int, int, int]:
        top, left = self.window[:2]
        return self.core[0] - top, self.core[1] - left, self.core[2] - top, self.core[3] - left

    @property
    def pixels(self) -> int:
        """Pixels of the core."""
        return (self.core[2] - self.core[0]) * (self.core[3] - self.core[1])


def with_border(image: np.ndarray) -> tuple[np.ndarray, int]:
    """An image with a mirrored border of 16 px, less where it has not as many, and how many it is.

    At the bottom and the right it goes on to a multiple of 4.
    """
    border = min(BORDER_PX, min(image.shape[:2]) // MULTIPLE_PX * MULTIPLE_PX - MULTIPLE_PX)
    sides = [(border, border + -side % MULTIPLE_PX) for side in image.shape[:2]]
    return np.pad(image, [*sides, (0, 0)], mode="reflect"), border


def plan_tiles(height: int, width: int, *, core_px: int) -> Iterator[Tile]:
    """Cores of about equal size, sides at most `core_px`, that partition an image whose sides are multiples of 4.

    Windows end where the image ends, so that the network's own padding acts there as on the whole image.
    """
    rows, columns = _cuts(height, core_px), _cuts(width, core_px)
    for top, bottom in itertools.pairwise(rows):
        for left, right in itertools.pairwise(columns):
            window = (
                max(0, top - MARGIN_PX),
                max(0, left - MARGIN_PX),
                min(height, bottom + MARGIN_PX),
                min(width, right + MARGIN_PX),
            )
            yield Tile((top, left, bottom, right), window)


def cut_window(image: np.ndarray, tile: Tile) -> np.ndarray:
    """The tile's window as `[1, height, width, 3]` float32."""
    top, left, bottom, right = tile.window
    return image[None, top:bottom, left:right].astype("float32")


def paste_core(image: np.ndarray, tile: Tile, stylized_window: np.ndarray) -> None:
    """Writes the core of `[height, width, 3]` into its place."""
    top, left, bottom, right = tile.core
    inner_top, inner_left, inner_bottom, inner_right = tile.core_in_window
    image[top:bottom, left:right] = stylized_window[inner_top:inner_bottom, inner_left:inner_right]


def _cuts(side: int, core_px: int) -> list[int]:
    count = -(-side // core_px)
    units = side // MULTIPLE_PX
    return [index * units // count * MULTIPLE_PX for index in range(count)] + [side]
