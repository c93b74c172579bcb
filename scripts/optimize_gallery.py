"""Makes the gallery of `faststyle optimize`: a picture per knob, with the command of each, from free photos and styles.

`python -m faststyle.scripts.optimize_gallery --work runs/gallery` writes `docs/optimize_gallery.md` and its pictures.
What is in the work folder already is not made again; remove the folder to start afresh, e.g. with other weights.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from faststyle.command_line import run_command_line
from faststyle.images.contact_sheet import grid
from faststyle.images.files import read_image, write_image
from faststyle.scripts.demo.drawn_styles import DRAWN_STYLES
from faststyle.scripts.demo.sample_photos import write_sample_photos
from faststyle.scripts.faststyle import main as faststyle
from faststyle.user_error import UserError

_COMMON = "--size 256 --iterations 50"
_CAT, _COFFEE, _ASTRONAUT = "photos/chelsea.png", "photos/coffee.png", "photos/astronaut.png"
_BRUSH, _GLASS, _WOODCUT = "styles/brush_strokes.png", "styles/stained_glass.png", "styles/woodcut.png"


class Picture(NamedTuple):
    """A strip of results of one knob: arguments that all cells share, those of each cell, and what to see."""

    name: str
    caption: str
    shared: str
    cells: Sequence[str]


def _optimize(photo: str, *styles: str) -> str:
    return f"optimize {photo} {' '.join(styles)} {_COMMON}"


PICTURES = (
    Picture(
        "content_weight",
        "Content weight: more of the photo from left to right.",
        _optimize(_CAT, _BRUSH),
        [f"--content-weight {weight}" for weight in ("0.05", "0.15", "0.4", "1", "3")],
    ),
    Picture(
        "two_styles",
        "Two styles, blended by their weights.",
        _optimize(_ASTRONAUT, _BRUSH, _WOODCUT),
        [f"--style-weights {weights}" for weights in ("1,0", "0.75,0.25", "0.25,0.75")],
    ),
    Picture(
        "pooling",
        "Max (as the loss network was trained) against average pooling.",
        _optimize(_COFFEE, _GLASS),
        ["--pooling max", "--pooling average"],
    ),
    Picture(
        "layer_exponent",
        "Style layer exponent: below 1 fine grain, above 1 large forms.",
        _optimize(_CAT, _GLASS) + " --style-layers relu1_1,relu2_1,relu3_1,relu4_1",
        [f"--style-layer-exponent {exponent}" for exponent in ("0.2", "1", "2")],
    ),
    Picture(
        "iterations",
        "Iterations: 10, 50, 100, 200.",
        f"optimize {_COFFEE} {_BRUSH} --size 256",
        [f"--iterations {count}" for count in (10, 50, 100, 200)],
    ),
    Picture(
        "histogram",
        "Histogram loss off and on.",
        _optimize(_CAT, _WOODCUT),
        ["--histogram-weight 0", "--histogram-weight 0.3"],
    ),
    Picture(
        "shifted_gram",
        "Shifted Gram matrices off and on.",
        _optimize(_COFFEE, _WOODCUT),
        ["--shifted-gram-weight 0", "--shifted-gram-weight 1"],
    ),
    Picture(
        "colors",
        "The photo's colors: not kept, luminance only, style recolored first.",
        _optimize(_ASTRONAUT, _BRUSH),
        [f"--preserve-colors {mode}" for mode in ("none", "luminance", "covariance")],
    ),
    Picture(
        "masks",
        "Masks: one style in the ellipse, none elsewhere; a second style around it.",
        "",
        [
            f"{_optimize(_ASTRONAUT, _GLASS)} --masks masks/inside.png",
            f"{_optimize(_ASTRONAUT, _GLASS, _BRUSH)} --masks masks/inside.png masks/outside.png",
        ],
    ),
    Picture(
        "start",
        "Start: the photo, the style image, noise.",
        _optimize(_CAT, _BRUSH),
        [f"--initial {start}" for start in ("content", "style", "noise")],
    ),
    Picture(
        "scales",
        "One scale, coarse to fine, and coarse to fine with a style twice as large.",
        _optimize(_COFFEE, _GLASS),
        ["", "--scales 64,128,256", "--scales 64,128,256 --style-scales 2"],
    ),
    Picture(
        "presets",
        "Published settings: gatys and novak (from the photo), johnson and fastai (from gray), 100 iterations.",
        f"optimize {_ASTRONAUT} {_BRUSH} --size 256 --iterations 100",
        [f"--preset {name}" for name in ("gatys", "johnson", "fastai", "novak")],
    ),
    Picture(
        "reconstruction_style",
        "Style alone, from noise: all layers up to relu1_1, relu2_1, ..., relu5_1; two seeds.",
        f"reconstruct {_BRUSH} --size 128 --iterations 80",
        ["--kind style"],
    ),
    Picture(
        "reconstruction_content",
        "Content alone, from noise: one layer per row.",
        f"reconstruct {_CAT} --size 128 --iterations 80 --seeds 0",
        ["--kind content"],
    ),
)


def add_gallery_command(subcommands) -> None:
    """Adds `make` to an argparse subparsers object."""
    parser = subcommands.add_parser("make", help="make the gallery", description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("runs/gallery"), help="photos, styles and single results")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where the page goes (default: docs)")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="just these; the page then shows what exists")
    parser.set_defaults(run=run_gallery)


def run_gallery(arguments: argparse.Namespace) -> int:
    """Makes what is missing, then writes the page."""
    pictures = chosen_pictures(arguments.only)
    _write_inputs(arguments.work)
    for picture in pictures:
        cells = [read_image(_cell(picture, index, arguments.work)) for index in range(len(picture.cells))]
        write_image(arguments.docs / "gallery" / f"{picture.name}.jpg", grid([cells]))
    page = arguments.docs / "optimize_gallery.md"
    page.write_text(gallery_page(arguments.docs / "gallery"), encoding="utf-8")
    print(page)
    return 0


def chosen_pictures(only: Sequence[str] | None) -> list[Picture]:
    """The pictures of these names; None is all.

    Raises:
        UserError: no name, or an unknown one.
    """
    if only is None:
        return list(PICTURES)
    possible = [picture.name for picture in PICTURES]
    unknown = [name for name in only if name not in possible]
    if unknown or not only:
        problem = f"no picture is named {', '.join(unknown)}" if unknown else "--only needs names of pictures"
        raise UserError(f"{problem}; choose from {', '.join(possible)}")
    return [picture for picture in PICTURES if picture.name in only]


def gallery_page(folder: Path) -> str:
    """The page as Markdown: every picture that exists in `folder`, each with its commands."""
    parts = [
        "# Gallery of `faststyle optimize`",
        "Made by `python -m faststyle.scripts.optimize_gallery` from photographs in scikit-image and styles that our "
        "own code draws, which it writes to its work folder; run the commands there. "
        "[optimize.md](optimize.md) explains them.",
    ]
    for picture in PICTURES:
        if (folder / f"{picture.name}.jpg").exists():
            commands = "\n".join(f"faststyle {_command(picture, index)}" for index in range(len(picture.cells)))
            parts.append(
                f"## {picture.caption}\n\n![{picture.name}](gallery/{picture.name}.jpg)\n\n```\n{commands}\n```"
            )
    return "\n\n".join(parts) + "\n"


def _command(picture: Picture, index: int) -> str:
    words = f"{picture.shared} {picture.cells[index]} --output {picture.name}_{index}.png"
    return " ".join(words.split())


def _cell(picture: Picture, index: int, work: Path) -> Path:
    """The file of one result, made if it is missing."""
    path = work / f"{picture.name}_{index}.png"
    if not path.exists():
        print(f"{picture.name} {index + 1} of {len(picture.cells)}", flush=True)
        words = [str(work / word) if word.endswith(".png") else word for word in shlex.split(_command(picture, index))]
        status = faststyle(words)
        if status:
            raise SystemExit(status)
    return path


def _write_inputs(work: Path) -> None:
    write_sample_photos(work / "photos")
    for name, draw in DRAWN_STYLES.items():
        if not (work / "styles" / f"{name}.png").exists():
            write_image(work / "styles" / f"{name}.png", draw())
    inside = _ellipse(read_image(work / _ASTRONAUT).shape[:2])
    write_image(work / "masks" / "inside.png", inside)
    write_image(work / "masks" / "outside.png", 255 - inside)


def _ellipse(shape: tuple[int, int]) -> np.ndarray:
    """A soft-edged ellipse, white inside, `[height, width, 3]` uint8."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    radius = np.hypot((y / shape[0] - 0.4) / 0.42, (x / shape[1] - 0.42) / 0.26)
    white = np.clip((1.05 - radius) / 0.1, 0, 1) * 255
    return np.repeat(white[..., None], 3, axis=-1).astype("uint8")


if __name__ == "__main__":
    name = "python -m faststyle.scripts.optimize_gallery"
    sys.exit(run_command_line(name, [add_gallery_command], only_command="make"))
