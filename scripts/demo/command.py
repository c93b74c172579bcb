"""`faststyle demo`: arguments, and what they do. Heavy imports wait until the arguments are read."""

import argparse
from pathlib import Path

from faststyle.command_line import parse_whole_number


def add_demo_command(subcommands) -> None:
    """Adds `demo` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "demo",
        help="train, export and stylize on shipped assets, offline",
        description="The whole story in minutes, offline: draw styles, train a network on sample photographs, export "
        "the model, stylize photographs, and put everything on one contact sheet.",
    )
    parser.add_argument("--output", type=Path, default=Path("demo"), metavar="DIR", help="folder (default: demo)")
    parser.add_argument("--steps", type=parse_whole_number, default=300, help="training steps (default: 300)")
    parser.set_defaults(run=run_demo_command)


def run_demo_command(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    from faststyle.scripts.demo.demo import run_demo

    run_demo(arguments.output, steps=arguments.steps)
    return 0
