"""`faststyle stylize`: arguments, and what they do. Heavy imports wait until the arguments are read."""

import argparse
from pathlib import Path


def add_stylize_command(subcommands) -> None:
    """Adds `stylize` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "stylize",
        help="stylize photos with an exported model",
        description="Stylize photos with an exported model. Results have exactly the size of their photos.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="exported model, e.g. runs/starry/export")
    parser.add_argument("inputs", type=Path, nargs="+", metavar="INPUT", help="photos, or folders of photos")
    parser.add_argument("--output", type=Path, required=True, metavar="PATH", help="image file, or folder for several")
    parser.add_argument(
        "--mix",
        type=parse_mixture,
        metavar="NAME=W,...",
        help="style or blend of a many-style model (default: its first)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace results that exist")
    parser.set_defaults(run=run_stylize)


def run_stylize(arguments: argparse.Namespace) -> int:
    """Runs the command; the exit status is 1 when a photo of several could not be stylized."""
    from infer.stylize import plan_jobs, stylize_files
    from infer.stylizer import StylizeError, Stylizer

    jobs = plan_jobs(arguments.inputs, arguments.output, overwrite=arguments.overwrite)
    failures = stylize_files(jobs, Stylizer(arguments.model, style_mixture=arguments.mix))
    if failures and len(jobs) == 1:
        raise StylizeError(failures[0])
    done = len(jobs) - len(failures)
    place = jobs[0].target if len(jobs) == 1 else arguments.output
    print(f"{done} of {len(jobs)} stylized: {place}")
    return 1 if failures else 0


def parse_mixture(text: str) -> dict[str, float]:
    """`starry_night=0.75,the_scream=0.25` as a dict; a bare name weighs 1."""
    weights = {}
    for part in text.split(","):
        name, _, weight = part.strip().partition("=")
        try:
            weights[name] = float(weight) if weight else 1.0
        except ValueError:
            raise argparse.ArgumentTypeError(f"{part!r} is not NAME=WEIGHT") from None
    return weights
