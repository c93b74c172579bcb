"""`faststyle export`: arguments, and what they do. Heavy imports wait until the arguments are read."""

import argparse
from pathlib import Path

from infer.stylize_command import parse_mixture


def add_export_command(subcommands) -> None:
    """Adds `export` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "export",
        help="write a TensorFlow SavedModel of a trained network",
        description="Write a TensorFlow SavedModel of a run's newest checkpoint, or of a weights file.",
    )
    parser.add_argument("source", type=Path, metavar="RUN_DIR|WEIGHTS", help="run directory, or its weights.npz")
    parser.add_argument("--output", type=Path, required=True, metavar="MODEL_DIR", help="the model's folder")
    parser.add_argument(
        "--mix", type=parse_mixture, metavar="NAME=W,...", help="fold a many-style network into this mixture"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an exported model that exists")
    parser.set_defaults(run=run_export)


def run_export(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    from infer.stylizer import mixture_row
    from models.transform_net_weights import read_transform_weights
    from train.export import export_model
    from train.run_directory import RunDirectory
    from train.trained_weights import weights_of_run

    source: Path = arguments.source
    weights = weights_of_run(RunDirectory(source)) if source.is_dir() else read_transform_weights(source)
    mixture = mixture_row(weights.card["styles"], arguments.mix) if arguments.mix else None
    export_model(weights, arguments.output, style_mixture=mixture, overwrite=arguments.overwrite)
    print(f"Exported model: {arguments.output}")
    return 0
