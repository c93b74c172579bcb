"""The `faststyle` command: every subcommand in one place."""

import sys
from importlib import metadata

from faststyle import DISTRIBUTION
from faststyle.command_line import run_command_line
from faststyle.infer.compare.command import add_compare_command
from faststyle.infer.optimize.command import add_optimize_command
from faststyle.infer.optimize.preview_command import add_preview_command
from faststyle.infer.optimize.reconstruct_command import add_reconstruct_command
from faststyle.infer.styles.command import add_styles_command
from faststyle.infer.stylize.command import add_stylize_command
from faststyle.scripts.demo.command import add_demo_command
from faststyle.train.export_command import add_export_command
from faststyle.train.train_command import add_train_command

COMMANDS = (
    add_stylize_command,
    add_styles_command,
    add_preview_command,
    add_train_command,
    add_export_command,
    add_optimize_command,
    add_reconstruct_command,
    add_compare_command,
    add_demo_command,
)


def main(argv: list[str] | None = None) -> int:
    """Runs the command line and returns its exit status."""
    return run_command_line("faststyle", COMMANDS, argv, version=f"faststyle {metadata.version(DISTRIBUTION)}")


if __name__ == "__main__":
    sys.exit(main())
