"""The styles that the page offers: the gallery's, those of given models, and those that were trained here."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from faststyle.infer.exported_model.runtimes import SIZED_FROM_PIXELS
from faststyle.infer.exported_model.stylizer import StylizeError, Stylizer
from faststyle.infer.exported_model.tile_painter import OnTile, say_nothing
from faststyle.infer.styles.gallery import GALLERY_MODEL, gallery_styles, thumbnail
from faststyle.infer.styles.model_card import ModelCardError, identity_style, read_model_card
from faststyle.train.run_directory import RunDirectory, RunDirectoryError

_MODEL_FILE = "saved_model.pb"
_PREVIEW_FILE = Path("assets.extra") / "preview.png"


class KnownStyle(NamedTuple):
    """A style as the page offers it.

    Attributes:
        title: what the page calls it.
        model: the exported model that holds it.
        name: its name there.
        picture: what shows it, or None.
        painting: what it was learned from, where that file is known and still there.
    """

    title: str
    model: Path
    name: str
    picture: Path | None
    painting: Path | None = None


class KnownStyles:
    """All styles, with their models loaded once.

    Args:
        models: exported models beside the gallery.
        runs: folder of run directories; those with an export are offered, the newest first.
    """

    def __init__(self, models: Sequence[Path], runs: Path) -> None:
        self._models, self._runs = list(models), runs
        self._loaded: dict[tuple[Path, int, bool], Stylizer] = {}
        self._lock = threading.Lock()

    def all(self) -> list[KnownStyle]:
        """Those trained here, those of the given models, the gallery; titles are unique."""
        found = [style for model in [*self._exports(), *self._models] for style in _styles_of(model)]
        gallery = [
            KnownStyle(style.title, GALLERY_MODEL, style.name, thumbnail(style.name)) for style in gallery_styles()
        ]
        titled: dict[str, KnownStyle] = {}
        for style in [*found, *gallery]:
            title = style.title if style.title not in titled else f"{style.title} ({style.model.parent.name})"
            titled.setdefault(title, style._replace(title=title))
        return list(titled.values())

    def find(self, title: str) -> KnownStyle:
        """The style of this title.

        Raises:
            StylizeError: there is none any more.
        """
        for style in self.all():
            if style.title == title:
                return style
        raise StylizeError(f"the style {title!r} is not here any more; choose another")

    def stylizer(
        self,
        first: KnownStyle,
        second: KnownStyle | None = None,
        *,
        share: float = 0.5,
        strength: float = 1.0,
        again_and_again: bool = False,
        on_tile: OnTile = say_nothing,
    ) -> Stylizer:
        """What paints in one style, or in a mixture of two of the same model; at once where the model is loaded.

        Args:
            first: the style.
            second: another one, or None.
            share: of the second, 0..1.
            strength: see `Stylizer`.
            again_and_again: whether the same size follows: the first painting of a size takes longer, the others a
                third less; all may differ from those of the command in the last digit.
            on_tile: see `Stylizer.remixed`.

        Raises:
            StylizeError: two styles of different models.
        """
        mixture = {first.name: 1.0}
        if second is not None and second != first:
            if second.model != first.model:
                raise StylizeError(f"{first.title} and {second.title} are of different models, which cannot blend")
            mixture = {first.name: 1.0 - share, second.name: share}
        return self._load(first, again_and_again).remixed(mixture, strength=strength, on_tile=on_tile)

    def _load(self, style: KnownStyle, again_and_again: bool) -> Stylizer:
        written = os.stat(style.model / _MODEL_FILE).st_mtime_ns  # a training may export again
        key = (style.model, written, again_and_again)
        with self._lock:
            if key not in self._loaded:
                self._loaded = {
                    kept: value for kept, value in self._loaded.items() if kept[:2] == key[:2] or kept[0] != style.model
                }
                pixels = 0 if again_and_again else SIZED_FROM_PIXELS
                self._loaded[key] = Stylizer(style.model, style_mixture={style.name: 1.0}, sized_from_pixels=pixels)
            return self._loaded[key]

    def _exports(self) -> list[Path]:
        exports = self._runs.glob(f"*/export/{_MODEL_FILE}")
        return [file.parent for file in sorted(exports, key=lambda file: -file.stat().st_mtime)]


def find_export(path: Path) -> Path:
    """The exported model that a run directory or a model's own folder means.

    Raises:
        ModelCardError: none there.
    """
    export = path / "export"
    model = export if (export / _MODEL_FILE).is_file() else path
    read_model_card(model)
    return model


def _styles_of(model: Path) -> list[KnownStyle]:
    try:
        card = read_model_card(model)
    except ModelCardError:  # of a folder that others may write to meanwhile
        return []
    preview = model / _PREVIEW_FILE
    shown = preview if preview.is_file() else None
    paintings = _paintings(model.parent)
    names = [name for name in card["styles"] if name != identity_style(card)]
    return [KnownStyle(name, model, name, paintings.get(name, shown), paintings.get(name)) for name in names]


def _paintings(run: Path) -> dict[str, Path]:
    """The style images of a run directory by the names of its styles, where they are still there."""
    try:
        rows = RunDirectory(run).load_settings().style_rows()
    except (RunDirectoryError, OSError):
        return {}
    return {name: Path(path) for name, path, _ in rows if Path(path).is_file()}
