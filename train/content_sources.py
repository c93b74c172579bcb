"""Where content photos come from: a folder of images, here or at a URL, or any TFDS image dataset (`tfds:coco/2017`).

A source is an endless, seeded sequence of still encoded photos: position p holds the same photo in every run, so that
a resumed run goes on where it was.
"""

import hashlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter
from pathlib import Path, PurePath
from typing import NamedTuple, Protocol

import numpy as np

from faststyle.images.files import list_images
from faststyle.images.formats import READABLE_SUFFIXES
from faststyle.remote_files import RemoteFiles, is_url
from faststyle.user_error import UserError

TFDS_PREFIX = "tfds:"
_SHUFFLE_BUFFER = 1024
# At most this share of a source is held out, so that a small folder keeps enough to train on.
_HELD_OUT_SHARE = 0.1


class ContentSourceError(UserError):
    """Content photos that cannot be used; the message says what was found and what to do."""


class EncodedPhoto(NamedTuple):
    """A photo not yet decoded: its name for messages, and how to get its bytes."""

    name: str
    read: Callable[[], bytes]


class ContentSource(Protocol):
    """Photos to train on, and others held out for validation."""

    description: str

    def __len__(self) -> int:
        """Photos in one epoch, held-out ones not counted."""

    def photos(self, start: int) -> Iterator[EncodedPhoto]:
        """Endless photos from position `start` on, every epoch in another seeded order."""

    def held_out(self) -> list[EncodedPhoto]:
        """Photos that `photos` never gives."""

    def fingerprint(self) -> str:
        """Tells photos apart from those of another day: how many, and a digest of what names them."""


def open_content_source(spec: str, *, held_out: int, seed: int, data_dir: Path | None = None) -> ContentSource:
    """Opens a folder, one at a URL, or a TFDS dataset where `spec` begins with `tfds:`.

    Args:
        spec: a folder, searched recursively, a URL of one such as `gs://bucket/photos`, or e.g. `tfds:coco/2017`.
        held_out: photos to hold out, fewer where the source is small.
        seed: of the order and of the choice of held-out photos.
        data_dir: for TFDS, where its datasets lie; None is TFDS's own default.

    Raises:
        ContentSourceError: no such folder or dataset, or no image in it.
        RemoteFileError: a URL that cannot be read.
    """
    if spec.startswith(TFDS_PREFIX):
        return TfdsSource(spec.removeprefix(TFDS_PREFIX), held_out=held_out, seed=seed, data_dir=data_dir)
    return FolderSource(spec, held_out=held_out, seed=seed)


class _File(NamedTuple):
    """A photo of a folder: its path in it, and how to get its bytes and their number."""

    path: PurePath
    photo: EncodedPhoto
    size: Callable[[], int]


class FolderSource:
    """The image files below a folder, here or at a URL. See `open_content_source`."""

    def __init__(self, folder: str, *, held_out: int, seed: int) -> None:
        files = _remote_files(folder) if is_url(folder) else _local_files(Path(folder))
        if not files:
            raise ContentSourceError(f"{folder}: no image files (jpg, png, webp, tiff, bmp, gif) in it")
        shuffled = [files[i] for i in np.random.default_rng([seed, 0]).permutation(len(files))]
        count = _held_out_count(held_out, len(files))
        self._held_out, self._files = shuffled[:count], sorted(shuffled[count:], key=attrgetter("path"))
        self._seed = seed
        self.description = f"folder {folder}"

    def __len__(self) -> int:
        return len(self._files)

    def photos(self, start: int) -> Iterator[EncodedPhoto]:
        first_epoch, offset = divmod(start, len(self))
        for epoch in itertools.count(first_epoch):
            order = np.random.default_rng([self._seed, 1 + epoch]).permutation(len(self))
            yield from (self._files[i].photo for i in order[offset:])
            offset = 0

    def held_out(self) -> list[EncodedPhoto]:
        return [file.photo for file in self._held_out]

    def fingerprint(self) -> str:
        """Of names and sizes; nothing is read."""
        files = sorted(self._files + self._held_out, key=attrgetter("path"))
        return _fingerprint(f"{file.path.as_posix()} {file.size()}" for file in files)


class TfdsSource:
    """The `train` split of a TFDS dataset; only its image feature is read. See `open_content_source`.

    The order is TFDS's seeded shuffle of files, then a seeded shuffle buffer; a resumed run reads up to its position.
    """

    def __init__(self, name: str, *, held_out: int, seed: int, data_dir: Path | None = None) -> None:
        import tensorflow_datasets as tfds

        try:
            self._builder = tfds.builder(name, data_dir=data_dir)
            self._builder.download_and_prepare()
        except Exception as error:  # TFDS raises its own kinds, and those of its downloads
            first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ContentSourceError(
                f"tfds:{name}: cannot be read or downloaded ({first_line}); --data-dir says where datasets lie"
            ) from error
        self._split = "train" if "train" in self._builder.info.splits else next(iter(self._builder.info.splits))
        self._image_key = _image_feature(self._builder.info.features, name)
        total = self._builder.info.splits[self._split].num_examples
        self._held_out_count = _held_out_count(held_out, total)
        self._length = total - self._held_out_count
        if self._length < 1:
            raise ContentSourceError(f"tfds:{name}: split {self._split!r} is empty")
        self._name = name
        self._seed = seed
        self.description = f"tfds:{name}, split {self._split}"

    def __len__(self) -> int:
        return self._length

    def photos(self, start: int) -> Iterator[EncodedPhoto]:
        first_epoch, offset = divmod(start, len(self))
        for epoch in itertools.count(first_epoch):
            seed = self._seed + epoch
            dataset = self._read(f"{self._split}[{self._held_out_count}:]", shuffle_seed=seed)
            dataset = dataset.shuffle(_SHUFFLE_BUFFER, seed=seed).skip(offset).prefetch(_SHUFFLE_BUFFER // 8)
            for index, encoded in enumerate(self._iterate(dataset), start=offset):
                yield EncodedPhoto(f"{self._name} epoch {epoch} example {index}", _reader(encoded))
            offset = 0

    def held_out(self) -> list[EncodedPhoto]:
        if not self._held_out_count:  # TFDS refuses to read an empty part of a split
            return []
        dataset = self._read(f"{self._split}[:{self._held_out_count}]", shuffle_seed=None)
        return [
            EncodedPhoto(f"{self._name} held-out example {index}", _reader(encoded))
            for index, encoded in enumerate(self._iterate(dataset))
        ]

    def fingerprint(self) -> str:
        """Of the data set's full name, which has its version, and the shards of its split."""
        split = self._builder.info.splits[self._split]
        return _fingerprint([self._builder.info.full_name, *map(str, split.shard_lengths)], photos=split.num_examples)

    def _iterate(self, dataset) -> Iterator[bytes]:
        import tensorflow as tf

        try:
            yield from dataset.as_numpy_iterator()
        except tf.errors.OpError as error:
            reason = (error.message or type(error).__name__).splitlines()[0]
            raise ContentSourceError(
                f"tfds:{self._name}: its files are damaged, prepare it again ({reason})"
            ) from error

    def _read(self, split: str, *, shuffle_seed: int | None):
        """The split's encoded images as a deterministic `tf.data.Dataset` of strings."""
        import tensorflow as tf
        import tensorflow_datasets as tfds

        key = self._image_key
        dataset = self._builder.as_dataset(
            split=split,
            shuffle_files=shuffle_seed is not None,
            decoders=tfds.decode.PartialDecoding({key: True}, decoders={key: tfds.decode.SkipDecoding()}),
            read_config=tfds.ReadConfig(
                shuffle_seed=shuffle_seed, try_autocache=False, shuffle_reshuffle_each_iteration=False
            ),
        )
        options = tf.data.Options()
        options.deterministic = True
        return dataset.with_options(options).map(lambda example: example[key])


def _reader(encoded: bytes) -> Callable[[], bytes]:
    return lambda: encoded


def _local_files(folder: Path) -> list[_File]:
    if not folder.is_dir():
        raise ContentSourceError(f"{folder}: no such folder; --content takes a folder of photos, its URL, or tfds:NAME")
    return [
        _File(path.relative_to(folder), EncodedPhoto(str(path), path.read_bytes), partial(os.path.getsize, path))
        for path in list_images(folder)
    ]


def _remote_files(url: str) -> list[_File]:
    remote = RemoteFiles(url)
    return [
        _File(path, EncodedPhoto(f"{url}/{path}", partial(remote.read, path)), partial(known.__getitem__, "size"))
        for path, known in sorted(remote.known.items(), key=lambda item: item[0])
        if path.suffix.lower() in READABLE_SUFFIXES and not any(part.startswith(".") for part in path.parts)
    ]


def _fingerprint(lines: Iterable[str], *, photos: int | None = None) -> str:
    lines = list(lines)
    digest = hashlib.blake2b("\n".join(lines).encode(errors="surrogateescape"), digest_size=4).hexdigest()
    return f"{len(lines) if photos is None else photos:,} photos ({digest})"


def _held_out_count(wanted: int, total: int) -> int:
    return min(wanted, int(total * _HELD_OUT_SHARE))


def _image_feature(features, name: str) -> str:
    import tensorflow_datasets as tfds

    for key, feature in features.items():
        if isinstance(feature, tfds.features.Image):
            return key
    raise ContentSourceError(f"tfds:{name}: no image feature among {', '.join(features)}")
