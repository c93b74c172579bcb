"""`faststyle styles`: what the shipped gallery holds. Reads the gallery's card only, so that it answers at once."""

import argparse
import json
from pathlib import Path

_COLUMNS = 4


def add_styles_command(subcommands) -> None:
    """Adds `styles` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "styles",
        help="list the shipped styles",
        description="List the styles of the shipped gallery, or describe one. `faststyle stylize NAME PHOTO --output "
        "FILE` uses one.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="one style: its model card and thumbnail")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write a picture of all styles with their names")
    parser.add_argument("--overwrite", action="store_true", help="replace a sheet that exists")
    parser.set_defaults(run=run_styles)


def run_styles(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    from faststyle.infer.styles.gallery import find_style, gallery_styles

    if arguments.sheet:
        from faststyle.atomic_files import check_new_file
        from faststyle.images.files import check_writable_suffix, write_image

        check_writable_suffix(arguments.sheet)
        check_new_file(arguments.sheet, overwrite=arguments.overwrite)
        write_image(arguments.sheet, style_sheet())
        print(f"Sheet: {arguments.sheet}")
    elif arguments.name:
        described = describe(find_style(arguments.name))
        print(_as_json(described) if arguments.json else _as_text(described))
    else:
        styles = gallery_styles()
        print(_as_json([style._asdict() for style in styles]) if arguments.json else _table(styles))
    return 0


def describe(style) -> dict:
    """A gallery style with its thumbnail and what the model card says about its making.

    Args:
        style: a `GalleryStyle`.
    """
    from faststyle.infer.styles.gallery import GALLERY_MODEL, thumbnail
    from faststyle.infer.styles.model_card import read_model_card

    card = read_model_card(GALLERY_MODEL)
    settings = card.get("settings", {})
    validation = card.get("validation_per_style", {}).get(style.name) or card.get("validation")
    return {
        **style._asdict(),
        "training_data": card.get("training_data", settings.get("content")),
        "loss_network": card.get("loss_network_weights") or card.get("loss_network", settings.get("loss_network")),
        "steps": card.get("steps"),
        "validation": validation,
        "made_by": card.get("made_by"),
        "licence": card.get("licence"),
        "thumbnail": str(thumbnail(style.name)),
    }


def style_sheet():
    """All thumbnails with names, titles and painters: `[height, width, 3]` uint8."""
    from faststyle.images.contact_sheet import grid
    from faststyle.images.files import read_image
    from faststyle.images.labels import captioned
    from faststyle.infer.styles.gallery import gallery_styles, thumbnail

    cells = [captioned(read_image(thumbnail(style.name)), [style.name, _maker(style)]) for style in gallery_styles()]
    return grid([cells[start : start + _COLUMNS] for start in range(0, len(cells), _COLUMNS)])


def _maker(style) -> str:
    return f"{style.painter}, {style.year}" if style.year else f"drawn by {style.painter}"


def _table(styles) -> str:
    head = ("name", "title", "painter", "year", "kind")
    rows = [head, *([value or "" for value in style] for style in styles)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _as_json(value) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _as_text(described: dict) -> str:
    """One `key: value` per line; what the card does not say is left out."""
    shown = {key.replace("_", " "): _plain(value) for key, value in described.items() if value is not None}
    width = max(map(len, shown)) + 1
    return "\n".join(f"{key + ':':<{width}} {value}" for key, value in shown.items())


def _plain(value) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
