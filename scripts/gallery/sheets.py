"""Shows the shipped gallery: one photo in all paintings, each style on four photos, strips of mixture and strength.

`python -m faststyle.scripts.gallery.sheets` writes `docs/gallery.md` and its pictures, from scikit-image's photographs.
With `--paintings FOLDER --output ELSEWHERE` the sheets show each painting beside its style, for looking only.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from faststyle.command_line import run_command_line
from faststyle.images.contact_sheet import fit_within, grid
from faststyle.images.files import ImageError, list_images, read_image, write_photo
from faststyle.images.labels import captioned, text_cell
from faststyle.images.photos import Photo
from faststyle.infer.compare.photos import center_square
from faststyle.infer.exported_model.stylizer import load_stylizer
from faststyle.infer.styles.gallery import GALLERY_NAME, GalleryStyle, find_style, gallery_styles
from faststyle.scripts.demo.drawn_styles import DRAWN_STYLES
from faststyle.scripts.demo.sample_photos import sample_scene
from faststyle.user_error import UserError

_DOCS = Path("docs")
_SCENES = ("astronaut", "chelsea", "coffee", "rocket")
_STYLES_PER_SHEET = 4
_MOSAIC_COLUMNS = 7
_STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
_QUALITY = 80
_TEXT_SHARE = 1 / 24  # of a photo's longer side


def add_sheets_command(subcommands) -> None:
    """Adds `sheets` to an argparse subparsers object."""
    parser = subcommands.add_parser("sheets", help="make the sheets", description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=_DOCS, metavar="FOLDER", help="for gallery.md (default: docs)")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="its first four (default: scikit-image's)")
    parser.add_argument("--paintings", type=Path, metavar="FOLDER", help="holds NAME.jpg of each painting to show")
    parser.add_argument("--size", type=int, default=512, metavar="PX", help="longer side of the photos (default: 512)")
    parser.add_argument("--mixture", nargs=2, default=("starry_night", "the_scream"), metavar="NAME", help="strip of")
    parser.add_argument("--strength", default="starry_night", metavar="NAME", help="strip of")
    parser.set_defaults(run=run_sheets)


def run_sheets(arguments: argparse.Namespace) -> int:
    """Makes all pictures, then the page."""
    if arguments.paintings and arguments.output == _DOCS:
        raise UserError("sheets with paintings are for looking, not for the docs; give another --output")
    photos = read_photos(arguments.photos, arguments.size)
    styles = gallery_styles()
    first, second = arguments.mixture
    for name in (first, second, arguments.strength):
        find_style(name)
    places = arguments.output / "gallery"
    for old in places.glob("contact_sheet_*.jpg"):
        old.unlink()
    for number, start in enumerate(range(0, len(styles), _STYLES_PER_SHEET), start=1):
        shown = styles[start : start + _STYLES_PER_SHEET]
        _write(places / f"contact_sheet_{number}.jpg", contact_sheet(shown, photos, arguments.paintings))
    _write(places / "mosaic.jpg", mosaic(styles, photos[1 % len(photos)]))
    _write(places / "mixture.jpg", mixture_strip(first, second, photos[0]))
    _write(places / "strength.jpg", strength_strip(arguments.strength, photos[0]))
    text = page(places, arguments)
    (arguments.output / "gallery.md").write_text(text, encoding="utf-8")
    print(arguments.output / "gallery.md")
    return 0


def read_photos(folder: Path | None, size_px: int) -> list[np.ndarray]:
    """The first four photos of a folder, or scikit-image's, at most so large: `[height, width, 3]` uint8 each.

    Raises:
        ImageError: no photo there.
    """
    pictures = [sample_scene(name) for name in _SCENES]
    if folder:
        files = list_images(folder)[: len(_SCENES)]
        if not files:
            raise ImageError(f"{folder}: no photos in it")
        pictures = [read_image(path) for path in files]
    return [fit_within(picture, size_px) for picture in pictures]


def contact_sheet(styles: list[GalleryStyle], photos: list[np.ndarray], paintings: Path | None) -> np.ndarray:
    """Photos along the top, a style in each row: what it is called and where it comes from, then every photo in it."""
    rows = [[text_cell([]), *photos]]
    for style in styles:
        stylizer = load_stylizer(style.name)
        rows.append([_style_cell(style, paintings, photos[0]), *(stylizer(photo) for photo in photos)])
    return grid(rows)


def mosaic(styles: list[GalleryStyle], photo: np.ndarray) -> np.ndarray:
    """The photo's middle, then the same in the style of each painting, row after row."""
    square = center_square(photo, max(photo.shape) // 2)
    paintings = [style.name for style in styles if style.kind == "painting"]
    cells = [square, *(load_stylizer(name)(square) for name in paintings)]
    return grid([cells[start : start + _MOSAIC_COLUMNS] for start in range(0, len(cells), _MOSAIC_COLUMNS)])


def mixture_strip(first: str, second: str, photo: np.ndarray) -> np.ndarray:
    """One photo in mixtures from one style to the other."""
    cells = []
    for share in _STEPS:
        mix = {first: 1 - share, second: share}
        named = [f"{name}={weight:g}" for name, weight in mix.items()]
        cells.append(captioned(load_stylizer(GALLERY_NAME, mix=mix)(photo), named, text_px=_text_px(photo)))
    return grid([cells])


def strength_strip(name: str, photo: np.ndarray) -> np.ndarray:
    """One photo in one style, from the photo itself to the full style."""
    results = [(strength, load_stylizer(name, strength=strength)(photo)) for strength in _STEPS]
    return grid([[captioned(result, [f"{strength:g}"], text_px=_text_px(photo)) for strength, result in results]])


def page(pictures: Path, arguments: argparse.Namespace) -> str:
    """The Markdown page that shows the pictures and lists the styles."""
    (first, second), faded = arguments.mixture, arguments.strength
    photos = "photographs of our own choice" if arguments.photos else "photographs in scikit-image"
    rows = [f"| `{style.name}` | {style.title} | {_maker(style)} | {style.year or ''} |" for style in gallery_styles()]
    sheets = sorted(pictures.glob("contact_sheet_*.jpg"), key=lambda path: (len(path.name), path.name))
    return (
        "\n\n".join(
            [
                "# Gallery",
                "The styles that come with the project, in one network. `faststyle styles` lists them, "
                "`faststyle stylize NAME photo.jpg --output painted.png` paints with one. Made by "
                f"`python -m faststyle.scripts.gallery.sheets` from {photos} at {arguments.size} px.",
                "\n".join(["| name | picture | by | year |", "|---|---|---|---|", *rows]),
                f"![One photo in the style of each painting]({_link(pictures / 'mosaic.jpg')})",
                *(f"![Four styles on four photographs]({_link(sheet)})" for sheet in sheets),
                f"## Mixtures\n\n![{first} to {second}]({_link(pictures / 'mixture.jpg')})",
                f"`faststyle stylize gallery photo.jpg --mix {first}=0.75,{second}=0.25 --output painted.png`",
                f"## Strength\n\n![{faded} from 0 to 1]({_link(pictures / 'strength.jpg')})",
                f"`faststyle stylize {faded} photo.jpg --strength 0.5 --output painted.png`",
            ]
        )
        + "\n"
    )


def _style_cell(style: GalleryStyle, paintings: Path | None, photo: np.ndarray) -> np.ndarray:
    """The style's name, below its drawing or, where there is a file of it, its painting."""
    text_px, size_px = _text_px(photo), max(photo.shape)
    picture = style.name.partition("@")[0]
    if style.kind == "drawn":
        return captioned(fit_within(DRAWN_STYLES[picture](), size_px // 2), [style.name], text_px=text_px)
    lines = [style.name, style.title, style.painter, style.year or ""]
    file = paintings / f"{picture}.jpg" if paintings else None
    if file and file.exists():
        return captioned(fit_within(read_image(file), size_px), lines, text_px=text_px)
    return text_cell(lines, text_px=text_px)


def _maker(style: GalleryStyle) -> str:
    return "our own drawing" if style.kind == "drawn" else style.painter


def _text_px(photo: np.ndarray) -> int:
    return max(8, round(max(photo.shape) * _TEXT_SHARE))


def _link(picture: Path) -> str:
    return f"{picture.parent.name}/{picture.name}"


def _write(path: Path, picture: np.ndarray) -> None:
    write_photo(path, Photo(picture), quality=_QUALITY)
    print(path, flush=True)


if __name__ == "__main__":
    name = "python -m faststyle.scripts.gallery.sheets"
    sys.exit(run_command_line(name, [add_sheets_command], only_command="sheets"))
