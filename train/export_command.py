"""`faststyle export`: arguments, and what they do. Heavy imports wait until the arguments are read."""

import argparse
from pathlib import Path

from faststyle.infer.stylize.command import parse_mixture


def add_export_command(subcommands) -> None:
    """Adds `export` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "export",
        help="write a TensorFlow SavedModel of a trained network",
        description="Write a TensorFlow SavedModel of a run's newest checkpoint, of a weights file, or of the gallery.",
    )
    parser.add_argument(
        "source",
        type=Path,
        metavar="RUN_DIR|WEIGHTS|STYLE",
        help="run directory, its weights.npz, a gallery style's name, or gallery",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="MODEL_DIR", help="the model's folder")
    parser.add_argument(
        "--mix", type=parse_mixture, metavar="NAME=W,...", help="fold a many-style network into this mixture"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an exported model that exists")
    parser.set_defaults(run=run_export)


def run_export(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    from faststyle.infer.exported_model.stylizer import mixture_row
    from faststyle.train.export import export_model

    weights, mix = _read_source(arguments.source, arguments.mix)
    mixture = mixture_row(weights.card["styles"], mix) if mix else None
    export_model(weights, arguments.output, style_mixture=mixture, overwrite=arguments.overwrite)
    print(f"Exported model: {arguments.output}")
    return 0


def _read_source(source: Path, mix: dict[str, float] | None):
    """The weights that the source means, and the mixture to fold them into."""
    from faststyle.infer.styles.gallery import GALLERY_MODEL, find_model
    from faststyle.models.transform_net_weights import GALLERY_WEIGHTS, read_transform_weights
    from faststyle.train.run_directory import RunDirectory
    from faststyle.train.trained_weights import weights_of_run

    if source.is_dir():
        return weights_of_run(RunDirectory(source)), mix
    if source.suffix or source.is_file():
        return read_transform_weights(source), mix
    found, mix = find_model(source, mix)
    return read_transform_weights(GALLERY_WEIGHTS if found == GALLERY_MODEL else found), mix
