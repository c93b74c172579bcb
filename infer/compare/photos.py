"""Which photos a comparison takes, the same ones every time, and how they are cut."""

import glob
from collections.abc import Container, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from faststyle.images.files import ImageError, list_images, read_image
from faststyle.images.formats import READABLE_SUFFIXES

_SMALLEST_PX = 32


def choose_photos(source: Path, *, count: int, seed: int, stems: Container[str] | None = None) -> list[Path]:
    """Photos in seeded order, the first `count` of those that can be read.

    Args:
        source: folder (searched recursively), pattern such as `photos/**/*.jpg`, or one photo.
        count: fewer where there are fewer.
        seed: of the order.
        stems: only photos of these names without suffix; None is every photo.

    Raises:
        ImageError: nothing there that can be read.
    """
    files = _files(source)
    if stems is not None:
        files = [path for path in files if path.stem in stems]
        if not files:
            raise ImageError(f"{source}: no photo is named as one of the stylized images")
    order = np.random.default_rng(seed).permutation(len(files))
    chosen = [path for path, _ in zip(_readable(files[index] for index in order), range(count), strict=False)]
    if not chosen:
        raise ImageError(f"{source}: none of its {len(files)} images can be read at {_SMALLEST_PX} px or more")
    return chosen


def center_square(image: np.ndarray, size_px: int) -> np.ndarray:
    """The largest square in the middle of `[height, width, 3]` uint8, scaled to `size_px` on a side, up or down."""
    height, width = image.shape[:2]
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(Image.fromarray(image).resize((size_px, size_px), Image.Resampling.LANCZOS, box=box))


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    if source.is_dir():
        files = list_images(source)
    elif glob.has_magic(str(source)):
        found = (Path(match) for match in sorted(glob.glob(str(source), recursive=True)))
        files = [path for path in found if path.suffix.lower() in READABLE_SUFFIXES and path.is_file()]
    else:
        raise ImageError(f"{source}: no such file or folder")
    if not files:
        raise ImageError(f"{source}: no image files in it")
    return files


def _readable(files: Iterator[Path]) -> Iterator[Path]:
    for path in files:
        try:
            if min(read_image(path).shape[:2]) >= _SMALLEST_PX:
                yield path
        except ImageError:
            continue
