"""`python -m infer`: the commands that turn images into images."""

import sys

from infer.command_line import run_command_line
from infer.compare.command import add_compare_command
from infer.optimize.command import add_optimize_command
from infer.optimize.preview_command import add_preview_command
from infer.optimize.reconstruct_command import add_reconstruct_command
from infer.styles.command import add_styles_command
from infer.stylize.command import add_stylize_command

COMMANDS = (
    add_stylize_command,
    add_styles_command,
    add_preview_command,
    add_optimize_command,
    add_reconstruct_command,
    add_compare_command,
)

if __name__ == "__main__":
    sys.exit(run_command_line("python -m infer", COMMANDS))
