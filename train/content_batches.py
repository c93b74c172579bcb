"""Encoded photos to batches of crops: decoded in parallel, cropped and flipped by a seed, unreadable files skipped."""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from faststyle.images.files import ImageError, open_rgb
from faststyle.train.content_sources import ContentSource, ContentSourceError, EncodedPhoto, open_content_source
from faststyle.train.settings import TrainSettings

MINIMUM_PHOTO_PX = 16
# The crop is cut from the photo scaled so that its shorter side has 1 to 1.5 times the crop's size.
_LARGEST_SCALE = 1.5
_PHOTOS_AHEAD_PER_WORKER = 4


class ContentBatch(NamedTuple):
    """Crops `[batch, size, size, 3]` uint8, and the source position where the next batch begins."""

    images: np.ndarray
    next_position: int


def content_batches(
    source: ContentSource,
    *,
    batch_size: int,
    image_size: int,
    seed: int,
    start: int = 0,
    on_unreadable: Callable[[str, str], None] = lambda name, reason: None,
    part: int = 0,
    parts: int = 1,
) -> Iterator[ContentBatch]:
    """Endless batches of random crops, horizontally flipped half of the time.

    The crop of a photo depends on `seed` and its position only. An unreadable photo is left out and reported.

    Of several processes each decodes and gets its own part of every batch: the same images that one alone would get,
    as long as all can be read. In the place of one that cannot, a part shows a photo of its next batch already now, so
    that every batch begins where it would begin for all of them.

    Args:
        source: photos.
        batch_size: images in a batch, of all parts.
        image_size: side of the crops in px.
        seed: of crops and flips.
        start: position in the source, as `ContentBatch.next_position`.
        part: which part of the batches, from 0.
        parts: into how many equal parts batches are divided.
        on_unreadable: called with name and reason, for every time an unreadable photo comes up.

    Raises:
        ContentSourceError: a whole epoch held no readable photo.
    """
    size = batch_size // parts
    photos = enumerate(source.photos(start), start=start)
    own = ((position, photo) for position, photo in photos if (position - start) % batch_size // size == part)
    crops = _crops_or_nones(source, own, image_size=image_size, seed=seed, on_unreadable=on_unreadable)
    if parts > 1:
        yield from _parts_of_batches(crops, size, ends=itertools.count(start + batch_size, batch_size))
        return
    images: list[np.ndarray] = []
    for position, crop in crops:
        if crop is None:
            continue
        images.append(crop)
        if len(images) == batch_size:
            yield ContentBatch(np.stack(images), position + 1)
            images = []


def open_enough_content(settings: TrainSettings, *, devices: int = 1) -> ContentSource:
    """The photos of a run.

    Args:
        settings: of the run.
        devices: each of which takes a batch in every step.

    Raises:
        ContentSourceError: none there, or fewer that can be read than a batch needs.
    """
    data_dir = Path(settings.data_dir) if settings.data_dir else None
    source = open_content_source(settings.content, held_out=settings.held_out, seed=settings.seed, data_dir=data_dir)
    check_enough_readable(source, settings.batch_size * devices)
    return source


def check_enough_readable(source: ContentSource, batch_size: int) -> None:
    """Raises `ContentSourceError` when one epoch of the source holds fewer than `batch_size` readable photos."""
    readable, first_reason = 0, ""
    for _, photo in zip(range(len(source)), source.photos(0), strict=False):
        try:
            _decode(photo)
            readable += 1
        except ImageError as error:
            first_reason = first_reason or f", e.g. {error}"
        if readable == batch_size:
            return
    raise ContentSourceError(
        f"{source.description}: {readable} readable photos of {len(source)}, but a batch needs {batch_size}; "
        f"add photos or lower --batch-size{first_reason}"
    )


def center_crops(photos: Iterable[EncodedPhoto], *, image_size: int, limit: int | None = None) -> np.ndarray:
    """The centers of the first `limit` readable photos, as `[count, image_size, image_size, 3]` uint8."""
    crops: list[np.ndarray] = []
    for photo in photos:
        if len(crops) == limit:
            break
        try:
            crops.append(_crop(_decode(photo, draft_size_px=image_size), image_size, scale=1.0, at=(0.5, 0.5)))
        except ImageError:
            continue
    return np.stack(crops) if crops else np.zeros((0, image_size, image_size, 3), "uint8")


def _parts_of_batches(crops: Iterator, size: int, *, ends: Iterator[int]) -> Iterator[ContentBatch]:
    upcoming: deque = deque()
    for end in ends:
        while len(readable := [crop for crop in upcoming if crop is not None]) < size:
            upcoming.append(next(crops)[1])
        yield ContentBatch(np.stack(readable[:size]), end)
        for _ in range(size):
            upcoming.popleft()


def _crops_or_nones(source: ContentSource, photos: Iterable, *, image_size: int, seed: int, on_unreadable: Callable):
    """Yields `(position, crop or None)` in order."""
    unreadable_in_a_row = 0
    for position, name, crop in _decoded(photos, image_size=image_size, seed=seed):
        if isinstance(crop, ImageError):
            on_unreadable(name, str(crop))
            unreadable_in_a_row += 1
            if unreadable_in_a_row >= 2 * len(source) - 1:  # these hold a whole epoch, wherever they begin
                raise ContentSourceError(f"{source.description}: none of its {len(source)} images can be read")
            yield position, None
        else:
            unreadable_in_a_row = 0
            yield position, crop


def _decoded(photos: Iterable[tuple[int, EncodedPhoto]], *, image_size: int, seed: int):
    """Yields `(position, name, crop or ImageError)` in order, decoding ahead on all cores."""
    ahead: deque = deque()
    workers = os.cpu_count() or 1
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    try:
        for position, photo in photos:
            ahead.append((position, photo.name, pool.submit(_random_crop, photo, image_size, (seed, position))))
            if len(ahead) > _PHOTOS_AHEAD_PER_WORKER * workers:
                position, name, future = ahead.popleft()
                yield position, name, future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _random_crop(photo: EncodedPhoto, image_size: int, seed: tuple[int, int]) -> np.ndarray | ImageError:
    random = np.random.default_rng(seed)
    scale, *at, flip = random.random(4)
    try:
        image = _decode(photo, draft_size_px=round(image_size * _LARGEST_SCALE))
    except ImageError as error:
        return error
    crop = _crop(image, image_size, scale=1.0 + (_LARGEST_SCALE - 1.0) * scale, at=tuple(at))
    return crop[:, ::-1] if flip < 0.5 else crop


def _decode(photo: EncodedPhoto, *, draft_size_px: int | None = None) -> Image.Image:
    try:
        encoded = photo.read()
    except OSError as error:
        raise ImageError(f"{photo.name}: {error.strerror}") from None
    image = open_rgb(encoded, name=photo.name, draft_size_px=draft_size_px)
    if min(image.size) < MINIMUM_PHOTO_PX:
        raise ImageError(f"{photo.name}: only {image.width}x{image.height} px")
    return image


def _crop(image: Image.Image, size_px: int, *, scale: float, at: tuple[float, float]) -> np.ndarray:
    """A square of the photo scaled so that its shorter side has `size_px * scale` (enlarged only where it must be).

    `at` places the square: 0..1 of the room there is, from the left and from the top.
    """
    shorter = min(image.size)
    side = shorter / min(scale, max(1.0, shorter / size_px))
    left, top = (image.width - side) * at[0], (image.height - side) * at[1]
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((size_px, size_px), Image.Resampling.BICUBIC, box=box))
