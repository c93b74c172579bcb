"""Labelled photos decoded once into one file of squares, from which batches are read as fast as a GPU takes them.

Decoding a photo for every step keeps a GPU waiting. The file is memory-mapped, so that a collection may be larger than
memory, and stays beside the run, so that a resumed run does not decode again.
"""

import io
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from infer.atomic_files import write_atomically
from infer.images.files import ImageError, open_rgb
from scripts.labelled_photos import LabelledPhoto, LabelledPhotos, LabelledPhotosError, open_labelled_photos

_DECODED_AHEAD = 256
_UNREADABLE = -1  # in place of a label
_IMAGES, _LABELS, _CLASSES = "images.npy", "labels.npy", "classes.txt"


class DecodedPhotos(NamedTuple):
    """Squares of photos, their labels and the names of the classes.

    Attributes:
        images: `[count, size, size, 3]` uint8, memory-mapped.
        labels: `[count]` int32, -1 where a photo could not be read.
        class_names: by label.
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: list[str]

    def batches(self, *, batch_size: int, seed: int, start: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Endless shuffled batches from batch `start` on, the same in every run; each epoch has another order.

        Yields:
            Images `[batch_size, size, size, 3]` uint8 and labels `[batch_size]` int32.
        """
        readable = np.flatnonzero(self.labels != _UNREADABLE)
        if len(readable) == 0:
            raise LabelledPhotosError("none of the photos can be read")
        per_epoch = -(-len(readable) // batch_size)  # the last batch is filled up from the epoch's beginning
        batch = start
        while True:
            epoch, first = divmod(batch, per_epoch)
            order = np.random.default_rng([seed, epoch]).permutation(readable)
            for index in range(first, per_epoch):
                chosen = np.take(order, range(index * batch_size, (index + 1) * batch_size), mode="wrap")
                yield self.images[chosen], self.labels[chosen]
            batch = (epoch + 1) * per_epoch


def decoded_photos(spec: str, *, size_px: int, folder: Path) -> DecodedPhotos:
    """The center squares of a collection from `folder`, where they are decoded if it does not hold them yet.

    Raises:
        LabelledPhotosError: nothing usable at `spec`.
    """
    if not (folder / _LABELS).is_file():
        _decode(open_labelled_photos(spec), size_px, folder)
    names = (folder / _CLASSES).read_text(encoding="utf-8").splitlines()
    return DecodedPhotos(np.load(folder / _IMAGES, mmap_mode="r"), np.load(folder / _LABELS), names)


def center_squares(photos: LabelledPhotos, *, size_px: int) -> Iterator[tuple[np.ndarray | None, int]]:
    """Each photo's center square `[size_px, size_px, 3]` uint8, None where it cannot be read, and its label."""
    ahead: deque = deque()
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="decode") as pool:
        for photo in photos:
            ahead.append((pool.submit(_center_square, photo, size_px), photo.label))
            if len(ahead) > _DECODED_AHEAD:
                square, label = ahead.popleft()
                yield square.result(), label
        for square, label in ahead:
            yield square.result(), label


def _decode(photos: LabelledPhotos, size_px: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shape = (len(photos), size_px, size_px, 3)
    images = np.lib.format.open_memmap(folder / _IMAGES, mode="w+", dtype="uint8", shape=shape)
    labels = np.full(len(photos), _UNREADABLE, "int32")
    squares = tqdm(center_squares(photos, size_px=size_px), "decoding", total=len(photos), unit="photo")
    for index, (square, label) in enumerate(squares):
        if square is not None:
            images[index], labels[index] = square, label
    images.flush()
    (folder / _CLASSES).write_text("\n".join(photos.class_names) + "\n", encoding="utf-8")
    buffer = io.BytesIO()
    np.save(buffer, labels)
    write_atomically(folder / _LABELS, buffer.getvalue())  # last: it says that the rest is complete


def _center_square(photo: LabelledPhoto, size_px: int) -> np.ndarray | None:
    try:
        image = open_rgb(photo.encoded, name=photo.name, draft_size_px=size_px)
    except ImageError:
        return None
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    resized = image.resize((size_px, size_px), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    return np.asarray(resized)
