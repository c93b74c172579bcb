"""Measures VGG-16's mean activations on photographs: `python -m faststyle.scripts.mean_activations PHOTOS`.

`faststyle.models.feature_scale` divides by them, as Gatys et al. did. Photos are seen with a shorter side of 256 px.
"""

import argparse
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np

from faststyle.command_line import run_command_line

_OUTPUT = Path(__file__).parent.parent / "models" / "assets" / "mean_activations.npz"
_SHORTER_SIDE_PX = 256


def add_mean_activations_command(subcommands) -> None:
    """Adds `measure` to an argparse subparsers object."""
    parser = subcommands.add_parser("measure", description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, metavar="PHOTOS", help="folder of photos")
    parser.add_argument("--count", type=int, default=500, help="photos, evenly over the folder (default: 500)")
    parser.add_argument("--output", type=Path, default=_OUTPUT, metavar="FILE", help="(default: the shipped file)")
    parser.set_defaults(run=run_mean_activations)


def run_mean_activations(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    from faststyle.atomic_files import write_atomically
    from faststyle.images.files import list_images, read_image, resize_shorter_side
    from faststyle.models.feature_scale import mean_activations
    from faststyle.models.loss_network import POOLINGS
    from faststyle.models.loss_network_weights import load_vgg_weights

    photos = list_images(arguments.photos)
    chosen = photos[:: max(1, len(photos) // arguments.count)][: arguments.count]
    weights = load_vgg_weights("vgg16")
    images = [resize_shorter_side(read_image(path), _SHORTER_SIDE_PX) for path in chosen]
    means = {
        f"{pooling}/{name}": values
        for pooling in POOLINGS
        for name, values in mean_activations(weights, images, pooling=pooling).items()
    }
    buffer = io.BytesIO()
    entries: dict[str, Any] = {"source": np.array(weights.source), **means}
    np.savez_compressed(buffer, **entries)
    write_atomically(arguments.output, buffer.getvalue())
    print(f"{arguments.output}: {sum(map(len, means.values()))} mean activations on {len(chosen)} photos")
    return 0


if __name__ == "__main__":
    name = "python -m faststyle.scripts.mean_activations"
    sys.exit(run_command_line(name, [add_mean_activations_command], only_command="measure"))
