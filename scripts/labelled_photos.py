"""Labelled photographs to train a classifier on: a folder of class folders, or a TFDS dataset with labels."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from infer.images.files import list_images

TFDS_PREFIX = "tfds:"


class LabelledPhotosError(ValueError):
    """A collection that cannot be used; the message says what was found and what to do."""


class LabelledPhoto(NamedTuple):
    """A photo not yet decoded, its name for messages and its class."""

    encoded: bytes | Path
    name: str
    label: int


class LabelledPhotos(Protocol):
    """Photos with classes 0..len(class_names)-1, always in the same order."""

    class_names: list[str]

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[LabelledPhoto]: ...


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

    def __iter__(self) -> Iterator[LabelledPhoto]:
        return iter(self._photos)


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

    def __iter__(self) -> Iterator[LabelledPhoto]:
        import tensorflow_datasets as tfds

        examples = self._builder.as_dataset(
            split=self._split,
            decoders=tfds.decode.PartialDecoding(
                {"image": True, "label": True}, decoders={"image": tfds.decode.SkipDecoding()}
            ),
            read_config=tfds.ReadConfig(try_autocache=False),
        )
        encoded = examples.map(lambda example: (example["image"], example["label"]))
        for index, (image, label) in enumerate(encoded.as_numpy_iterator()):
            yield LabelledPhoto(image, f"{self._name} example {index}", int(label))


def _tiny_imagenet_validation(annotations: Path) -> list[tuple[Path, str]]:
    lines = (line.split("\t") for line in annotations.read_text(encoding="utf-8").splitlines())
    return [(annotations.parent / "images" / columns[0], columns[1]) for columns in lines]
