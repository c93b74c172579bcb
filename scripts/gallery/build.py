"""Builds the gallery that the project ships: the exported many-style model with its catalogue and thumbnails.

`python -m faststyle.scripts.gallery.build WEIGHTS` writes `models/assets/gallery/` of what `train.py` beside it made.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from faststyle.command_line import run_command_line
from faststyle.infer.styles.gallery import GALLERY_MODEL, THUMBNAILS

_SIZE_PX, _QUALITY = 192, 85
# Stylized larger than it is shown, so that strokes stay strokes.
_WORKING_PX = 384


def add_build_command(subcommands) -> None:
    """Adds `build` to an argparse subparsers object."""
    parser = subcommands.add_parser("build", help="build the gallery", description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="of the many-style network, an .npz file")
    parser.add_argument(
        "--output", type=Path, default=GALLERY_MODEL, metavar="FOLDER", help=f"default: {GALLERY_MODEL}"
    )
    parser.set_defaults(run=run_build)


def run_build(arguments: argparse.Namespace) -> int:
    """Exports into a scratch folder, adds the thumbnails there, and puts the whole in place of the old gallery."""
    from faststyle.models.transform_net_weights import TransformWeights, read_transform_weights
    from faststyle.train.export import export_model

    weights = read_transform_weights(arguments.weights)
    card = gallery_card(weights.card)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.output.parent, prefix=".gallery.") as scratch:
        model = Path(scratch) / "gallery"
        export_model(TransformWeights(weights.arrays, card), model)
        write_thumbnails(model, [entry["name"] for entry in card["gallery"]])
        if arguments.output.exists():
            arguments.output.replace(Path(scratch) / "replaced")
        model.replace(arguments.output)
    print(f"Gallery of {len(card['gallery'])} styles: {arguments.output}")
    return 0


def gallery_card(card: dict) -> dict:
    """The weights' card with the catalogue of its styles, the identity style left out, and without places."""
    from faststyle.scripts.gallery.catalogue import gallery_entry, in_catalogue_order, without_folders

    styles = [name for name in card["styles"] if name != card.get("identity_style")]
    shown = [gallery_entry(name) for name in in_catalogue_order(styles)]
    return {**without_folders(card), "gallery": shown}


def write_thumbnails(model: Path, names: list[str]) -> None:
    """Writes a sample photo in every style below the model's extra assets."""
    from faststyle.images.contact_sheet import fit_within
    from faststyle.images.files import write_photo
    from faststyle.images.photos import Photo
    from faststyle.infer.exported_model.stylizer import Stylizer
    from faststyle.scripts.demo.sample_photos import sample_scene

    photo = fit_within(sample_scene("chelsea"), _WORKING_PX)
    for name in names:
        stylized = Stylizer(model, style_mixture={name: 1.0}, precision="float32")(photo)
        write_photo(model / THUMBNAILS / f"{name}.jpg", Photo(fit_within(stylized, _SIZE_PX)), quality=_QUALITY)


if __name__ == "__main__":
    name = "python -m faststyle.scripts.gallery.build"
    sys.exit(run_command_line(name, [add_build_command], only_command="build"))
