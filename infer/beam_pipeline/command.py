"""`python -m faststyle.infer.beam_pipeline`: arguments, and what is checked before an engine starts its workers.

Heavy imports wait until the arguments are read.
"""

import argparse
import importlib.util
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from faststyle import DISTRIBUTION
from faststyle.command_line import run_command_line
from faststyle.infer.stylize.command import add_encoding, add_look, add_precision, parse_mixture
from faststyle.remote_files import Place
from faststyle.user_error import UserError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status."""
    name = "python -m faststyle.infer.beam_pipeline"
    return run_command_line(name, [add_beam_command], argv, only_command="paint", passes_on=True)


def add_beam_command(subcommands) -> None:
    """Adds `paint` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "paint",
        help="stylize photos on an engine of Apache Beam's",
        description="Stylize any number of photos, the same pictures as `faststyle stylize`, on an engine of Apache "
        "Beam's. Pictures that are there are left; photos that cannot be stylized are listed in OUTPUT/broken.jsonl. "
        "Further options are Beam's own, such as --runner FlinkRunner, or --direct_running_mode multi_processing "
        "--direct_num_workers 8 for several processes on this machine.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--input",
        type=Place,
        required=True,
        metavar="PATTERN",
        help="folder, or pattern in quotes such as 'gs://bucket/**.jpg', where ** also goes into folders",
    )
    parser.add_argument(
        "--output", type=Place, required=True, metavar="FOLDER", help="of results, which keep their photos' folders"
    )
    parser.add_argument(
        "--model",
        type=Place,
        required=True,
        help="a gallery style, gallery with --mix, or an exported model's folder where each worker finds it; see "
        "`faststyle stylize --help`",
    )
    parser.add_argument("--mix", type=parse_mixture, metavar="NAME=W,...", help="style or blend of a many-style model")
    add_look(parser.add_argument_group("look"))
    add_encoding(parser.add_argument_group("files"))
    add_precision(parser.add_argument_group("machine"))
    parser.set_defaults(run=run_pipeline)


def run_pipeline(arguments: argparse.Namespace) -> int:
    """Runs the command; the exit status is 1 when a photo could not be stylized."""
    if not importlib.util.find_spec("apache_beam"):
        raise UserError(f'this needs apache_beam, which is not installed: pip install "{DISTRIBUTION}[beam]"')
    logging.basicConfig(level=logging.ERROR)  # Beam warns of what it could do, were other packages installed
    from faststyle.infer.beam_pipeline.engine import check_places, log, pipeline_options, remove_unfinished, run
    from faststyle.infer.beam_pipeline.pipeline import BROKEN, EXISTING, LOST, PAINTED, PHOTOS, paint_photos

    options = pipeline_options(arguments.passed_on)
    log(options, errors=arguments.traceback)
    places, painting = _places(arguments), _painting(arguments)
    check_places(places, options)
    painting.load()  # what is wrong with the model is said here, not by every worker
    counts = run(lambda pipeline: paint_photos(pipeline, places, painting), options)
    remove_unfinished(places)
    painted, existing, broken = (counts.get((PHOTOS, what), 0) for what in (PAINTED, EXISTING, BROKEN))
    if not painted + existing + broken:
        raise UserError(f"{arguments.input}: matches no image file")
    for (namespace, what), photos in counts.items():
        if namespace == LOST:
            print(f"{photos} photos: {what}", file=sys.stderr)
    if broken:
        print(f"{broken} could not be stylized: {places.broken_photos}", file=sys.stderr)
    earlier = f", {existing} were there" if existing else ""
    print(f"{painted} of {painted + broken} stylized{earlier}: {places.output}")
    return 1 if broken else 0


def _places(arguments: argparse.Namespace):
    from faststyle.images.formats import format_of
    from faststyle.infer.beam_pipeline.places import Places

    format_name = arguments.format or "png"
    format_of(Path(f"photo.{format_name}"))  # refuses what cannot be written here
    return Places.of(arguments.input, arguments.output, format_name)


def _painting(arguments: argparse.Namespace):
    from faststyle.infer.beam_pipeline.painting import Painting
    from faststyle.infer.stylize.look import Look

    return Painting.of_model(
        arguments.model,
        style_mixture=arguments.mix,
        strength=arguments.strength,
        look=Look(preserve_colors=arguments.preserve_colors, size_px=arguments.size),
        precision=arguments.precision,
        quality=arguments.quality,
        max_megapixels=arguments.max_megapixels,
    )
