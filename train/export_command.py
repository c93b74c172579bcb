"""`faststyle export`: arguments, and what they do. Heavy imports wait until the arguments are read."""

import argparse
import tempfile
from pathlib import Path

from faststyle.atomic_files import check_new_file
from faststyle.infer.stylize.command import parse_mixture
from faststyle.train.portable_formats import PORTABLE_FORMATS

_SAVED_MODEL = "savedmodel"


def add_export_command(subcommands) -> None:
    """Adds `export` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "export",
        help="write a TensorFlow SavedModel of a trained network, or a file for other runtimes",
        description="Write a TensorFlow SavedModel of a run's newest checkpoint, of a weights file, or of the gallery; "
        "or files for LiteRT and ONNX, which are checked against it.",
    )
    parser.add_argument(
        "source",
        type=Path,
        metavar="RUN_DIR|WEIGHTS|STYLE",
        help="run directory, its weights.npz, a gallery style's name, or gallery",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="MODEL_DIR", help="the model's folder; files are named after it"
    )
    parser.add_argument(
        "--format",
        type=_parse_formats,
        default=(_SAVED_MODEL,),
        metavar="FORMAT,...",
        help=f"any of {', '.join((_SAVED_MODEL, *PORTABLE_FORMATS))} (default: {_SAVED_MODEL})",
    )
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
    portable = {name: PORTABLE_FORMATS[name] for name in arguments.format if name != _SAVED_MODEL}
    for chosen in portable.values():
        chosen.check_installed()
        check_new_file(_file(arguments.output, chosen.suffix), overwrite=arguments.overwrite)
    with tempfile.TemporaryDirectory() as scratch:
        kept = _SAVED_MODEL in arguments.format
        model_dir = arguments.output if kept else Path(scratch) / "model"
        export_model(weights, model_dir, style_mixture=mixture, overwrite=arguments.overwrite)
        if kept:
            print(f"Exported model: {model_dir}")
        for chosen in portable.values():
            file = _file(arguments.output, chosen.suffix)
            difference = chosen.write(model_dir, file)
            print(f"Exported file: {file} (differs from the SavedModel by {difference:.2g} of 255 in the mean)")
    return 0


def _parse_formats(text: str) -> tuple[str, ...]:
    formats = tuple(dict.fromkeys(text.split(",")))
    unknown = next((name for name in formats if name not in (_SAVED_MODEL, *PORTABLE_FORMATS)), None)
    if unknown is not None:
        known = ", ".join((_SAVED_MODEL, *PORTABLE_FORMATS))
        raise argparse.ArgumentTypeError(f"unknown format {unknown!r}; there are {known}")
    return formats


def _file(output: Path, suffix: str) -> Path:
    """The file beside the model's folder; a name that ends so already is taken as it is."""
    return output if output.name.endswith(suffix) else output.with_name(output.name + suffix)


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
