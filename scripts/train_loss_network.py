"""Trains the compact loss network: a half-width VGG-16 on labelled photographs, robust against small perturbations.

`python -m scripts.train_loss_network COLLECTION@SIZE... --output FOLDER` trains plainly for `--plain-steps`, then
adversarially with growing epsilon, resumes when repeated, and writes `FOLDER/compact_vgg16_half.npz`, with batch
normalization folded into the convolutions. The defaults are those of the shipped weights, for a GPU.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

from infer.command_line import run_command_line
from scripts.loss_network_settings import ClassifierSettings, Collection


def add_train_loss_network_command(subcommands) -> None:
    """Adds `train` to an argparse subparsers object."""
    default = ClassifierSettings(())
    parser = subcommands.add_parser("train", help="train the loss network", description=__doc__.splitlines()[0])
    parser.add_argument(
        "collections",
        nargs="+",
        type=parse_collection,
        metavar="COLLECTION@SIZE",
        help="folder of class folders, or tfds:NAME, and the side of its squares in px; steps take turns, "
        "one named several times has several of them",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="checkpoints, log and weights")
    parser.add_argument("--width", type=float, default=default.width, help="times VGG-16's channels")
    parser.add_argument("--steps", type=int, default=default.steps)
    parser.add_argument(
        "--batch-size", type=int, default=default.batch_size, help="at the smallest size; fewer of larger ones"
    )
    parser.add_argument("--learning-rate", type=float, default=default.learning_rate, help="AdamW's, with cosine decay")
    parser.add_argument("--weight-decay", type=float, default=default.weight_decay)
    parser.add_argument(
        "--plain-steps", type=int, default=default.plain_steps, metavar="STEPS", help="before adversarial training"
    )
    parser.add_argument(
        "--epsilon",
        type=float,
        nargs=2,
        default=default.epsilon,
        metavar=("FIRST", "LAST"),
        help="largest adversarial change of a pixel in grey levels, growing after the plain steps",
    )
    parser.add_argument("--precision", default=default.precision, choices=("auto", "bfloat16", "float32"))
    parser.add_argument("--save-every", type=int, default=default.save_every, metavar="STEPS")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.set_defaults(run=run_train_loss_network)


def run_train_loss_network(arguments: argparse.Namespace) -> int:
    """Trains, or goes on training, and writes the folded weights."""
    from scripts.loss_network_training import train_loss_network

    names = {field.name for field in dataclasses.fields(ClassifierSettings)}
    chosen = {name: value for name, value in vars(arguments).items() if name in names}
    chosen |= {"collections": tuple(arguments.collections), "epsilon": tuple(arguments.epsilon)}
    path = train_loss_network(ClassifierSettings(**chosen), arguments.output)
    print(f"Loss network: {path}")
    return 0


def parse_collection(text: str) -> Collection:
    """`photos/train@64` as a collection."""
    spec, _, size = text.rpartition("@")
    if not spec or not size.isdigit() or int(size) < 32:
        raise argparse.ArgumentTypeError(f"{text!r} is not COLLECTION@SIZE with a size of at least 32 px")
    return Collection(spec, int(size))


if __name__ == "__main__":
    sys.exit(
        run_command_line("python -m scripts.train_loss_network", [add_train_loss_network_command], only_command="train")
    )
