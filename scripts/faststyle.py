"""The `faststyle` command: every subcommand in one place."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from faststyle import DISTRIBUTION
from faststyle.command_line import run_command_line

# Module and function that add each subcommand. One that is typed loads no other.
COMMANDS = {
    "stylize": ("faststyle.infer.stylize.command", "add_stylize_command"),
    "styles": ("faststyle.infer.styles.command", "add_styles_command"),
    "preview": ("faststyle.infer.optimize.preview_command", "add_preview_command"),
    "train": ("faststyle.train.train_command", "add_train_command"),
    "export": ("faststyle.train.export_command", "add_export_command"),
    "optimize": ("faststyle.infer.optimize.command", "add_optimize_command"),
    "reconstruct": ("faststyle.infer.optimize.reconstruct_command", "add_reconstruct_command"),
    "compare": ("faststyle.infer.compare.command", "add_compare_command"),
    "web": ("faststyle.scripts.web.command", "add_web_command"),
    "demo": ("faststyle.scripts.demo.command", "add_demo_command"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status."""
    typed = sys.argv[1:] if argv is None else argv
    if typed and typed[0] in COMMANDS:
        return run_command_line("faststyle", [add_command(typed[0])], argv)
    from importlib import metadata

    version = f"faststyle {metadata.version(DISTRIBUTION)}"
    return run_command_line("faststyle", [add_command(name) for name in COMMANDS], argv, version=version)


def add_command(name: str) -> Callable:
    """The function that adds a subcommand to an argparse subparsers object."""
    module, function = COMMANDS[name]
    return getattr(import_module(module), function)


if __name__ == "__main__":
    sys.exit(main())
