"""The gallery that the project ships: one model of many styles, and how a style is found by its name."""

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from faststyle import models
from faststyle.infer.styles.model_card import read_model_card
from faststyle.remote_files import cached_copy, is_url
from faststyle.user_error import UserError

GALLERY_MODEL = Path(models.__file__).parent / "assets" / "gallery"
GALLERY_NAME = "gallery"
THUMBNAILS = Path("assets.extra") / "thumbnails"
_ALIKE = 0.6  # difflib's ratio from which a name is suggested


class GalleryError(UserError):
    """A name that means no model and no style of the gallery."""


class GalleryStyle(NamedTuple):
    """One style as the gallery's card describes it. `kind` is "painting" or "drawn"; only paintings have a year."""

    name: str
    title: str
    painter: str
    year: str | None
    kind: str


def gallery_styles() -> list[GalleryStyle]:
    """The shipped styles in the order of the card; the identity style is none of them.

    Raises:
        ModelCardError: the shipped model is missing or damaged.
    """
    entries = read_model_card(GALLERY_MODEL).get("gallery", [])
    return [GalleryStyle(*(entry[field] for field in GalleryStyle._fields)) for entry in entries]


def thumbnail(name: str) -> Path:
    """The file that shows a gallery style on a sample photo."""
    return GALLERY_MODEL / THUMBNAILS / f"{name}.jpg"


def find_style(name: str) -> GalleryStyle:
    """The gallery's style of this name.

    Raises:
        GalleryError: there is none; names those that are alike.
    """
    styles = gallery_styles()
    for style in styles:
        if style.name == name:
            return style
    raise GalleryError(f"no gallery style {name!r}{_suggestion(name, styles)}")


def find_model(
    model: str | os.PathLike, mixture: dict[str, float] | None = None
) -> tuple[Path, dict[str, float] | None]:
    """The folder and the style mixture that a model's name or path means.

    A path means itself, and so does a name that is a folder here; a URL means the copy of its folder in the cache.
    Otherwise a gallery style's name means that style of the shipped model, and "gallery" the shipped model.

    Args:
        model: what the user gave.
        mixture: style name to weight, or None.

    Raises:
        GalleryError: a name that is neither folder nor style, or a mixture within one style.
        RemoteFileError: a URL that cannot be read.
    """
    if is_url(model):
        return cached_copy(str(model)), mixture
    path = Path(model)
    if len(path.parts) != 1 or (path.is_dir() and not _hides_the_gallery(path)):
        return path, mixture
    name = str(path)
    if name == GALLERY_NAME and not path.is_dir():
        return GALLERY_MODEL, mixture
    styles = gallery_styles()
    if path.is_dir():
        raise GalleryError(f"{name}: the folder of this name is no exported model and hides the gallery's; rename it")
    if name not in [style.name for style in styles]:
        raise GalleryError(f"no model folder and no gallery style {name!r}{_suggestion(name, styles)}")
    if mixture is not None:
        raise GalleryError(f"{name} is one style; to blend styles, write {GALLERY_NAME} --mix {name}=0.5,OTHER=0.5")
    return GALLERY_MODEL, {name: 1.0}


def _hides_the_gallery(folder: Path) -> bool:
    """Whether a folder that is no exported model has the name of something in the gallery."""
    names = [GALLERY_NAME, *(style.name for style in gallery_styles())]
    return str(folder) in names and not (folder / "saved_model.pb").is_file()


def _suggestion(name: str, styles: Sequence[GalleryStyle]) -> str:
    wanted = name.lower()
    alike = difflib.get_close_matches(wanted, [style.name for style in styles], cutoff=_ALIKE)
    containing = [style.name for style in styles if len(wanted) > 2 and wanted in " ".join(style[:3]).lower()]
    suggested = list(dict.fromkeys([*alike, *containing]))
    return (f"; did you mean {' or '.join(suggested)}?" if suggested else ";") + " `faststyle styles` lists them all"
