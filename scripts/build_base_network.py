"""Builds the base network that training starts from: many styles at once, small crops first, then large ones.

`python -m scripts.build_base_network STYLE_IMAGE... --content PHOTOS --output FOLDER` takes some hours on two cores,
resumes when repeated, and writes `FOLDER/base_transform_network.npz`, to be copied into `models/assets/`.
"""

import argparse
import sys
from pathlib import Path

from infer.command_line import run_command_line

_WEIGHTS = "base_transform_network.npz"


def add_build_command(subcommands) -> None:
    """Adds `build` to an argparse subparsers object."""
    parser = subcommands.add_parser("build", help="train the base network", description=__doc__.splitlines()[0])
    parser.add_argument("style_images", nargs="+", metavar="STYLE_IMAGE")
    parser.add_argument("--content", required=True, metavar="SOURCE", help="folder of photos, or tfds:NAME")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--steps", type=int, nargs=2, default=(3000, 5000), metavar=("SMALL", "LARGE"))
    parser.set_defaults(run=run_build)


def run_build(arguments: argparse.Namespace) -> int:
    """Trains both phases and packs the weights as float16."""
    from infer.atomic_files import write_atomically
    from models.transform_net_weights import pack_transform_weights, read_transform_weights
    from train.assembly import initial_network
    from train.settings import TrainSettings
    from train.training_run import run_training

    small_steps, large_steps = arguments.steps
    common = {"style_images": tuple(arguments.style_images), "content": arguments.content, "loss_network": "compact"}
    small, large = arguments.output / "small_crops", arguments.output / "large_crops"
    first = TrainSettings(
        **common, initial_weights="random", image_size=128, style_size=384, batch_size=4, steps=small_steps
    )
    run_training(first, small)
    second = TrainSettings(**common, initial_weights=str(small / "weights.npz"), steps=large_steps)
    run_training(second, large)

    weights_path = large / "weights.npz"
    network = initial_network(TrainSettings(**common, initial_weights=str(weights_path)), "float32")
    card = read_transform_weights(weights_path).card
    write_atomically(arguments.output / _WEIGHTS, pack_transform_weights(network, card, dtype="float16"))
    print(f"Base network: {arguments.output / _WEIGHTS}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command_line("python -m scripts.build_base_network", [add_build_command], only_command="build"))
