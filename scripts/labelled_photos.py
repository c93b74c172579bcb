"""Labelled photographs to train a classifier on: a folder of class folders, or a TFDS dataset with labels.

A collection is an endless, seeded sequence of augmented crops: position p holds the same crop in every run, so that a
resumed run goes on where it was.
"""

import itertools
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image, ImageEnhance

from infer.images.files import ImageError, list_images, open_rgb

TFDS_PREFIX = "tfds:"
_SHUFFLE_BUFFER = 8192
_DECODED_AHEAD = 256
_SMALLEST_AREA = 0.3  # of a random crop, as a share of the photo
_LARGEST_ASPECT = 4 / 3
_COLOR_JITTER = 0.3  # brightness, contrast and saturation each vary by this share
_ORDER_STREAM, _CROP_STREAM = 0, 1


class LabelledPhotosError(ValueError):
    """A collection that cannot be used; the message says what was found and what to do."""


class LabelledPhoto(NamedTuple):
    """A photo not yet decoded, its name for messages and its class."""

    encoded: bytes | Path
    name: str
    label: int


class LabelledPhotos(Protocol):
    """Photos with classes 0..len(class_names)-1."""

    class_names: list[str]

    def __len__(self) -> int:
        """Photos in one epoch."""

    def photos(self, start: int, *, seed: int) -> Iterator[LabelledPhoto]:
        """Endless photos from position `start` on, every epoch in another seeded order."""


def open_labelled_photos(spec: str, *, split: str = "train", data_dir: Path | None = None) -> LabelledPhotos:
    """Opens a folder of class folders, or a TFDS dataset where `spec` begins with `tfds:`.

    Raises:
        LabelledPhotosError: nothing usable there.
    """
    if spec.startswith(TFDS_PREFIX):
        return TfdsClasses(spec.removeprefix(TFDS_PREFIX), split=split, data_dir=data_dir)
    return ClassFolders(Path(spec))


class ClassFolders:
    """A folder with one folder for each class, images anywhere below it, or Tiny ImageNet's `val` folder."""

    def __init__(self, folder: Path) -> None:
        annotations = folder / "val_annotations.txt"
        if annotations.is_file():
            labelled = _tiny_imagenet_validation(annotations)
        elif folder.is_dir():
            classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
            labelled = [(image, path.name) for path in classes for image in list_images(path)]
        else:
            raise LabelledPhotosError(f"{folder}: no such folder; give a folder of class folders, or tfds:NAME")
        self.class_names = sorted({name for _, name in labelled})
        if len(self.class_names) < 2:
            raise LabelledPhotosError(f"{folder}: needs images in at least two class folders")
        index = {name: label for label, name in enumerate(self.class_names)}
        self._photos = [LabelledPhoto(path, str(path), index[name]) for path, name in labelled]

    def __len__(self) -> int:
        return len(self._photos)

    def photos(self, start: int, *, seed: int) -> Iterator[LabelledPhoto]:
        first_epoch, offset = divmod(start, len(self))
        for epoch in itertools.count(first_epoch):
            order = np.random.default_rng([seed, _ORDER_STREAM, epoch]).permutation(len(self))
            yield from (self._photos[i] for i in order[offset:])
            offset = 0


class TfdsClasses:
    """A split of a TFDS dataset with the features `image` and `label`, e.g. `imagenet_resized/64x64`."""

    def __init__(self, name: str, *, split: str, data_dir: Path | None = None) -> None:
        import tensorflow_datasets as tfds

        try:
            self._builder = tfds.builder(name, data_dir=data_dir)
            self._builder.download_and_prepare()
            self._length = self._builder.info.splits[split].num_examples
            self.class_names = list(self._builder.info.features["label"].names)
        except Exception as error:  # TFDS raises its own kinds, and those of its downloads
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise LabelledPhotosError(f"tfds:{name}: no labelled images to read there ({reason})") from error
        self._name, self._split = name, split

    def __len__(self) -> int:
        return self._length

    def photos(self, start: int, *, seed: int) -> Iterator[LabelledPhoto]:
        first_epoch, offset = divmod(start, len(self))
        for epoch in itertools.count(first_epoch):
            dataset = self._encoded(seed + epoch).shuffle(_SHUFFLE_BUFFER, seed=seed + epoch).skip(offset)
            for index, (encoded, label) in enumerate(dataset.as_numpy_iterator(), start=offset):
                yield LabelledPhoto(encoded, f"{self._name} epoch {epoch} example {index}", int(label))
            offset = 0

    def _encoded(self, seed: int):
        import tensorflow_datasets as tfds

        examples = self._builder.as_dataset(
            split=self._split,
            shuffle_files=True,
            decoders=tfds.decode.PartialDecoding(
                {"image": True, "label": True}, decoders={"image": tfds.decode.SkipDecoding()}
            ),
            read_config=tfds.ReadConfig(shuffle_seed=seed, try_autocache=False, interleave_cycle_length=1),
        )
        return examples.map(lambda example: (example["image"], example["label"]))


def training_batches(
    photos: LabelledPhotos, *, batch_size: int, size_px: int, seed: int, start: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Endless batches of random resized crops, flips and color jitter (Szegedy et al. 2014; Howard 2013).

    Unreadable photos are left out. What a photo becomes depends on `seed` and its position only.

    Args:
        photos: the collection.
        batch_size: crops in a batch.
        size_px: side of the crops.
        seed: of order and augmentation.
        start: batches that were consumed before.

    Yields:
        Crops `[batch_size, size_px, size_px, 3]` float32 in 0..255 and labels `[batch_size]` int32.
    """
    first = start * batch_size
    numbered = enumerate(photos.photos(first, seed=seed), start=first)

    def augmented(job: tuple[int, LabelledPhoto]) -> np.ndarray | None:
        position, photo = job
        return _augmented_crop(photo, size_px, np.random.default_rng([seed, _CROP_STREAM, position]))

    crops: list[np.ndarray] = []
    labels: list[int] = []
    for (_, photo), crop in _map_ahead(augmented, numbered):
        if crop is None:
            crop = crops[-1] if crops else np.full((size_px, size_px, 3), 128, "uint8")  # keeps positions in step
        crops.append(crop)
        labels.append(photo.label)
        if len(crops) == batch_size:
            yield np.stack(crops).astype("float32"), np.asarray(labels, "int32")
            crops, labels = [], []


def center_crops(photos: LabelledPhotos, *, size_px: int, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """The centers of `limit` photos: `[count, size_px, size_px, 3]` uint8 and labels `[count]`."""
    crops, labels = [], []
    jobs = itertools.islice(photos.photos(0, seed=0), min(limit, len(photos)))
    for photo, crop in _map_ahead(lambda photo: _center_crop(photo, size_px), jobs):
        if crop is not None:
            crops.append(crop)
            labels.append(photo.label)
    return np.stack(crops), np.asarray(labels)


def _tiny_imagenet_validation(annotations: Path) -> list[tuple[Path, str]]:
    lines = (line.split("\t") for line in annotations.read_text(encoding="utf-8").splitlines())
    return [(annotations.parent / "images" / columns[0], columns[1]) for columns in lines]


def _map_ahead(function, jobs: Iterator):
    """Yields `(job, function(job))` in order, computed ahead on all cores."""
    ahead: deque = deque()
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="decode") as pool:
        for job in jobs:
            ahead.append((job, pool.submit(function, job)))
            if len(ahead) > _DECODED_AHEAD:
                done, future = ahead.popleft()
                yield done, future.result()
        for done, future in ahead:
            yield done, future.result()


def _augmented_crop(photo: LabelledPhoto, size_px: int, random: np.random.Generator) -> np.ndarray | None:
    area, aspect, x, y, flip, *jitter = random.random(8)
    try:
        image = open_rgb(photo.encoded, name=photo.name, draft_size_px=2 * size_px)
    except ImageError:
        return None
    side = np.sqrt(image.width * image.height * (_SMALLEST_AREA + (1 - _SMALLEST_AREA) * area))
    stretch = _LARGEST_ASPECT ** (aspect - 0.5)
    width, height = min(image.width, side * stretch), min(image.height, side / stretch)
    left, top = x * (image.width - width), y * (image.height - height)
    box = (left, top, left + width, top + height)
    crop = image.resize((size_px, size_px), Image.Resampling.BILINEAR, box=box)
    enhancers = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
    for enhancer, amount in zip(enhancers, jitter, strict=True):
        crop = enhancer(crop).enhance(1 + _COLOR_JITTER * (2 * amount - 1))
    pixels = np.asarray(crop)
    return pixels[:, ::-1] if flip < 0.5 else pixels


def _center_crop(photo: LabelledPhoto, size_px: int) -> np.ndarray | None:
    try:
        image = open_rgb(photo.encoded, name=photo.name, draft_size_px=size_px)
    except ImageError:
        return None
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    resized = image.resize((size_px, size_px), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    return np.asarray(resized)
