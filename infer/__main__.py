"""`python -m infer`: the commands that turn images into images."""

import sys

from infer.command_line import run_command_line
from infer.compare_command import add_compare_command
from infer.optimize_command import add_optimize_command
from infer.reconstruct_command import add_reconstruct_command
from infer.stylize_command import add_stylize_command

if __name__ == "__main__":
    commands = [add_stylize_command, add_optimize_command, add_reconstruct_command, add_compare_command]
    sys.exit(run_command_line("python -m infer", commands))
