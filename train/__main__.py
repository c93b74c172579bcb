"""`python -m train`: the commands that train and export."""

import sys

from infer.command_line import run_command_line
from train.export_command import add_export_command
from train.train_command import add_train_command

if __name__ == "__main__":
    sys.exit(run_command_line("python -m train", [add_train_command, add_export_command]))
