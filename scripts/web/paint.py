"""Painting one photo as the page's sliders say: small at once, and the file itself as the command line would."""

import dataclasses
import shlex
from pathlib import Path

import numpy as np

from faststyle.images.contact_sheet import fit_within
from faststyle.images.photos import read_photo
from faststyle.infer.exported_model.stylizer import StylizeError
from faststyle.infer.exported_model.tile_painter import OnTile, say_nothing
from faststyle.infer.styles.gallery import GALLERY_MODEL, GALLERY_NAME
from faststyle.infer.stylize.files import stylize_files
from faststyle.infer.stylize.jobs import plan_jobs
from faststyle.infer.stylize.look import Look
from faststyle.scripts.web.known_styles import KnownStyle, KnownStyles

QUICK_PX = 512  # longer side of what follows a slider
SETTLED_PX = 1024  # and of what is shown once it rests
_SMALLEST_PX = 16


@dataclasses.dataclass(frozen=True)
class OpenedPhoto:
    """A photo as the page shows it.

    Attributes:
        path: its file.
        quick: `[height, width, 3]` uint8 with `QUICK_PX` at its longer side, or the photo's own where that is smaller.
        settled: the same with `SETTLED_PX`.
        size_px: the photo's own width and height.
        icc_profile: of the pixels.
        left_out: what a painting of it will not have, in words.
    """

    path: Path
    quick: np.ndarray
    settled: np.ndarray
    size_px: tuple[int, int]
    icc_profile: bytes | None
    left_out: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Wish:
    """How a photo shall be painted.

    Attributes:
        first: the style.
        second: a style to blend it with, or None.
        share: of the second style, 0..1.
        strength: 0 is the photo, 1 the full style.
        stroke_size: how many times larger strokes are than those of painting at the photo's own size; at least 1.
        preserve_colors: see `Look`.
        mask: see `Look`.
        feather: how far the mask's edge fades, as a share of the photo's longer side.
    """

    first: KnownStyle
    second: KnownStyle | None = None
    share: float = 0.5
    strength: float = 1.0
    stroke_size: float = 1.0
    preserve_colors: str | None = None
    mask: np.ndarray | None = None
    feather: float = 0.0

    def look_at(self, longer_side_px: int, *, shown_px: int | None = None) -> Look:
        """The look of the photo, or of a smaller picture of it that is to show what the photo will look like.

        Args:
            longer_side_px: the photo's.
            shown_px: the smaller picture's longer side; None is the photo itself.
        """
        own_px = shown_px or longer_side_px
        working_px = max(_SMALLEST_PX, round(longer_side_px / self.stroke_size))
        return Look(
            preserve_colors=self.preserve_colors,
            size_px=working_px if working_px < own_px else None,
            mask=self.mask,
            feather_px=self.feather * own_px,
        )


def open_photo(path: Path) -> OpenedPhoto:
    """Reads a photo for the page.

    Raises:
        ImageError: no image, damaged, or too large.
        StylizeError: too small.
    """
    photo = read_photo(path, name=path.name)
    height, width = photo.pixels.shape[:2]
    if min(height, width) < _SMALLEST_PX:
        raise StylizeError(f"{path.name}: {width}x{height} px; sides must be at least {_SMALLEST_PX} px")
    settled = fit_within(photo.over_white(), SETTLED_PX)
    return OpenedPhoto(path, fit_within(settled, QUICK_PX), settled, (width, height), photo.icc_profile, photo.left_out)


def usual_stroke_size(photo: OpenedPhoto, most: float) -> float:
    """The stroke size at which a photo looks as its preview does: rounded to a quarter, from 1 to `most`."""
    return min(most, max(1.0, round(4 * max(photo.size_px) / SETTLED_PX) / 4))


def preview(photo: OpenedPhoto, wish: Wish, styles: KnownStyles, *, quick: bool) -> np.ndarray:
    """The painting at the size of `photo.quick` or `photo.settled`, `[height, width, 3]` uint8.

    Strokes are as large as in the photo's own painting where its working size is no larger than the preview.
    """
    shown = photo.quick if quick else photo.settled
    if not wish.strength:
        return shown
    look = wish.look_at(max(photo.size_px), shown_px=max(shown.shape[:2]))
    stylizer = styles.stylizer(
        wish.first,
        wish.second,
        share=wish.share,
        strength=wish.strength,
        again_and_again=quick and look.size_px is None,  # the slider of the strokes brings another size every time
    )
    return look.apply(stylizer, shown)


def paint_file(
    photo: OpenedPhoto, wish: Wish, styles: KnownStyles, target: Path, *, on_tile: OnTile = say_nothing
) -> None:
    """Paints the photo's file into another one, as `faststyle stylize` does.

    Args:
        photo: what to paint.
        wish: how.
        styles: that hold the wished ones.
        target: the suffix says the format.
        on_tile: see `Stylizer.remixed`.

    Raises:
        StylizeError: what could not be done.
    """
    stylizer = styles.stylizer(wish.first, wish.second, share=wish.share, strength=wish.strength, on_tile=on_tile)
    look = wish.look_at(max(photo.size_px))
    plan = plan_jobs([photo.path], target, existing="overwrite")
    failures = stylize_files(plan.jobs, lambda pixels: look.apply(stylizer, pixels) if wish.strength else pixels)
    if failures:
        raise StylizeError(failures[0])


def command_line_of(photo: OpenedPhoto, wish: Wish, target: Path) -> str:
    """The command that paints the same file."""
    model = GALLERY_NAME if wish.first.model == GALLERY_MODEL else str(wish.first.model)
    mix = f"{wish.first.name}={1 - wish.share:g},{wish.second.name}={wish.share:g}" if wish.second else wish.first.name
    look = wish.look_at(max(photo.size_px))
    words = ["faststyle", "stylize", model, photo.path.name, "--mix", mix, "--output", target.name]
    words += ["--strength", f"{wish.strength:g}"] if wish.strength < 1 else []
    words += ["--size", str(look.size_px)] if look.size_px else []
    words += ["--preserve-colors", look.preserve_colors] if look.preserve_colors else []
    words += ["--mask", "mask.png", "--feather", f"{look.feather_px:g}"] if look.mask is not None else []
    return shlex.join(words)
