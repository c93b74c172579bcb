"""Trains the shipped gallery: paintings, the drawn styles and the photo itself in one network, small crops first.

`python -m faststyle.scripts.gallery.train PAINTING... --content PHOTOS --output FOLDER` takes some hours on two cores,
resumes when repeated, and writes `FOLDER/gallery.npz` for `models/assets/`. `build.py` makes the model of it. With
`KERAS_BACKEND=jax` no TensorFlow is needed; on a GPU, `--batch-size 16 8` or more.

A painting's outermost 4 % are left out: scans end in frames and canvas edges, and Seurat painted a border, which a
network draws as a frame around every photo.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from faststyle.command_line import run_command_line

_WEIGHTS = "gallery.npz"
_BORDER = 0.04  # of a painting's shorter side


def add_train_gallery_command(subcommands) -> None:
    """Adds `train` to an argparse subparsers object."""
    parser = subcommands.add_parser("train", help="train the gallery", description=__doc__.splitlines()[0])
    parser.add_argument("paintings", nargs="+", metavar="PAINTING")
    parser.add_argument("--content", required=True, metavar="SOURCE", help="folder of photos, or tfds:NAME")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--base", default="random", metavar="WEIGHTS", help="random, gallery, or a weights file")
    parser.add_argument(
        "--steps", type=int, nargs=2, default=(3000, 8000), metavar=("SMALL", "LARGE"), help="0 leaves a phase out"
    )
    # The learning rate stays: steps of Muon and Adam have a size of their own, of which a batch steadies the direction.
    parser.add_argument(
        "--batch-size", type=int, nargs=2, default=(4, 2), metavar=("SMALL", "LARGE"), help="crops per step"
    )
    parser.add_argument(
        "--learning-rate", type=float, metavar="RATE", help="peak; a quarter of the default to train on a good network"
    )
    parser.add_argument(
        "--without",
        nargs="+",
        default=[],
        metavar="NAME",
        help="styles that are trained, but stay poor and are left out",
    )
    parser.set_defaults(run=run_train_gallery)


def run_train_gallery(arguments: argparse.Namespace) -> int:
    """Trains both phases and packs the weights as float16."""
    from faststyle.atomic_files import write_atomically
    from faststyle.infer.styles.names import style_name
    from faststyle.models.transform_net_weights import pack_transform_weights, read_transform_weights
    from faststyle.scripts.demo.drawn_styles import write_drawn_styles
    from faststyle.scripts.gallery.catalogue import without_folders
    from faststyle.train.assembly import initial_network
    from faststyle.train.settings import TrainSettings
    from faststyle.train.start import run_training

    paintings = write_without_borders(arguments.paintings, arguments.output / "paintings")
    styles = tuple(map(str, (*paintings, *write_drawn_styles(arguments.output / "drawn_styles"))))
    common = {
        "style_images": styles,
        "content": arguments.content,
        "learned_strength": True,
        "learning_rate": arguments.learning_rate,
        "preview_every": 2000,
        "held_out": 4,
    }
    small_steps, large_steps = arguments.steps
    small_batch, large_batch = arguments.batch_size
    phases = {
        "small_crops": {"image_size": 128, "batch_size": small_batch, "steps": small_steps},
        "large_crops": {"batch_size": large_batch, "steps": large_steps},
    }
    base = arguments.base
    for name, settings in phases.items():
        if settings["steps"]:
            run_training(TrainSettings(**common, **settings, base=base), arguments.output / name)
            base = str(arguments.output / name / "weights.npz")

    shown = {**common, "style_images": tuple(path for path in styles if style_name(path) not in arguments.without)}
    network = initial_network(TrainSettings(**shown, base=base), "float32")
    card = without_styles(read_transform_weights(Path(base)).card, arguments.without)
    write_atomically(
        arguments.output / _WEIGHTS, pack_transform_weights(network, without_folders(card), dtype="float16")
    )
    print(f"Gallery: {arguments.output / _WEIGHTS}")
    return 0


def without_styles(card: dict, names: Sequence[str]) -> dict:
    """The card of a network that lost the rows of the styles `names`."""
    from faststyle.train.held_out import mean_terms

    per_style = {name: terms for name, terms in card["validation_per_style"].items() if name not in names}
    return {
        **card,
        "styles": [name for name in card["styles"] if name not in names],
        "validation": mean_terms(list(per_style.values())),
        "validation_per_style": per_style,
    }


def write_without_borders(paintings: Sequence[str], folder: Path) -> list[Path]:
    """Copies of paintings in `folder`, each less its outermost part; their files in the given order."""
    from faststyle.images.files import read_image, write_image

    paths = []
    for painting in map(Path, paintings):
        image = read_image(painting)
        height, width = image.shape[:2]
        border = round(_BORDER * min(height, width))
        paths.append(folder / f"{painting.stem}.png")
        write_image(paths[-1], image[border : height - border, border : width - border])
    return paths


if __name__ == "__main__":
    name = "python -m faststyle.scripts.gallery.train"
    sys.exit(run_command_line(name, [add_train_gallery_command], only_command="train"))
