"""What a comparison judges: our exported model, any image-to-image SavedModel, or a folder of stylized images."""

import hashlib
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from faststyle.images.files import ImageError, list_images, read_image, resize_to
from faststyle.infer.compare.foreign_model import ForeignModel
from faststyle.infer.compare.photos import center_square
from faststyle.infer.compare.settings import CompareSettings
from faststyle.infer.exported_model.runtimes import load_graph
from faststyle.infer.exported_model.stylizer import StylizeError, mixture_row
from faststyle.infer.styles.model_card import CARD_FILE, read_model_card
from faststyle.infer.styles.names import style_name

_MODEL_FILE = "saved_model.pb"
_UNROUNDED, _ROUNDED = "its float output, clipped to 0..255 and not rounded", "the image files' 8-bit pixels"


class Stylized(NamedTuple):
    """A stylized photo, `[size, size, 3]` float32 in 0..255, and what had to be done to it, or ""."""

    image: np.ndarray
    note: str = ""


class ComparedModel(Protocol):
    """Something that stylizes photos.

    Attributes:
        timed: whether its seconds mean anything.
    """

    timed: bool

    def stylized(self, photo: Path, content: np.ndarray) -> Stylized:
        """The stylized photo. `content` is the photo as it was cut, `[size, size, 3]` uint8."""


def load_compared_model(settings: CompareSettings) -> ComparedModel:
    """Opens whatever `settings.model` is.

    Raises:
        UserError: nothing there that can be compared.
    """
    folder = Path(settings.model)
    if (folder / CARD_FILE).is_file():
        return _OurModel(settings)
    if (folder / _MODEL_FILE).is_file():
        return _OtherModel(settings)
    return _StylizedImages(folder)


def stems_of_images(model: Path) -> set[str] | None:
    """Names of a folder's stylized images without suffix; None for a SavedModel, which takes any photo.

    Raises:
        ImageError: neither a model nor a folder with images.
    """
    if (model / _MODEL_FILE).is_file():
        return None
    if not model.is_dir():
        raise ImageError(f"{model}: no such folder; MODEL is an exported model or a folder of stylized images")
    stems = {path.stem for path in list_images(model)}
    if not stems:
        raise ImageError(f"{model}: neither a SavedModel (saved_model.pb) nor a folder of stylized images")
    return stems


def pixels_compared(model: Path) -> str:
    """In words, which pixels the objective is computed of."""
    return _UNROUNDED if (model / _MODEL_FILE).is_file() else _ROUNDED


def fingerprint(path: Path) -> str:
    """A digest of a file, of a SavedModel's graph and weights, or of a folder's images."""
    files = [path]
    if path.is_dir():
        graph = path / _MODEL_FILE
        files = [graph, *sorted((path / "variables").glob("*"))] if graph.is_file() else list_images(path)
    digest = hashlib.blake2b(digest_size=12)
    for file in files:
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


class _OurModel:
    timed = True

    def __init__(self, settings: CompareSettings) -> None:
        folder = Path(settings.model)
        styles = read_model_card(folder)["styles"]
        mix = settings.mix or _style_by_name(styles, style_name(settings.style), settings.style_size)
        row = mixture_row(styles, mix)[None]
        self._mixture = {"style_mixture": row} if len(styles) > 1 else {}
        self._graph = load_graph(folder, runtime=settings.runtime, precision=settings.precision)

    def stylized(self, photo: Path, content: np.ndarray) -> Stylized:
        stylized = self._graph({"image": content[None].astype("float32"), **self._mixture})[0]
        return Stylized(np.clip(np.asarray(stylized, "float32"), 0, 255))


class _OtherModel:
    timed = True

    def __init__(self, settings: CompareSettings) -> None:
        if settings.mix:
            raise StylizeError("--mix chooses a style of a model made by this project, which this one is not")
        output_range = settings.output_range or settings.input_range
        self._model = ForeignModel(Path(settings.model), input_range=settings.input_range, output_range=output_range)
        for size in settings.sizes:
            self._model.check_size(size)

    def stylized(self, photo: Path, content: np.ndarray) -> Stylized:
        return Stylized(*self._model(content))


class _StylizedImages:
    timed = False

    def __init__(self, folder: Path) -> None:
        self._files = {path.stem: path for path in list_images(folder)}

    def stylized(self, photo: Path, content: np.ndarray) -> Stylized:
        image, own = read_image(self._files[photo.stem]), read_image(photo)
        note = ""
        if image.shape != own.shape:
            note = f"resized from {image.shape[1]}x{image.shape[0]} to the photo's {own.shape[1]}x{own.shape[0]} px"
            image = resize_to(image, height=own.shape[0], width=own.shape[1])
        return Stylized(center_square(image, content.shape[0]).astype("float32"), note)


def _style_by_name(styles: list[str], name: str, size: int) -> dict[str, float]:
    """The style that is called like the style image, at this size where the model has several, or the only one."""
    if len(styles) == 1:
        return {styles[0]: 1.0}
    found = next((style for style in (name, f"{name}@{size}") if style in styles), None)
    if found is None:
        known = ", ".join(styles)
        raise StylizeError(f"no style of this model is called {name!r} as the style image; --mix one of {known}")
    return {found: 1.0}
