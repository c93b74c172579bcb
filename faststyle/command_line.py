"""How every command behaves: one line and status 2 for user errors, a clean stop on Ctrl-C, no traceback."""

import argparse
import logging
import math
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from faststyle import DISTRIBUTION
from faststyle.native_logs import filter_native_logs
from faststyle.remote_files import Place, is_url
from faststyle.user_error import UserError

USER_ERROR, FAILED, INTERRUPTED = 2, 1, 130
READER_GONE = 141  # as a shell reports the end by SIGPIPE
_LARGEST = 2**31 - 1
_OF_TRAIN = {"importlib_resources", "keras", "matplotlib", "scipy", "skimage", "tensorflow", "tensorflow_datasets"}


def run_command_line(
    program: str,
    add_commands: Sequence[Callable],
    argv: Sequence[str] | None = None,
    *,
    only_command: str | None = None,
    version: str | None = None,
    passes_on: bool = False,
) -> int:
    """Parses `argv`, or the process's own command line, and runs the chosen command.

    A command is a function that adds a parser with `run` as its default; `run` takes the arguments and returns an exit
    status. `UserError` and `OSError` are the user's, as is a module of the extra `train` that is missing;
    `RuntimeError` is a run that could not go on. Anything else is a defect of the program and raised as it is.
    `only_command` is the command of a program that has no other, so that nobody has to type it. With `passes_on`
    options that the command does not know are no error: it finds them in `arguments.passed_on`.

    Returns:
        0 done, 1 failed or partly failed, 2 user error, 130 interrupted, 141 nobody reads the output any more.
    """
    try:
        try:
            return _parse_and_run(program, add_commands, argv, only_command, version, passes_on)
        finally:
            sys.stdout.flush()  # at the interpreter's end nobody could catch what this may raise
    except BrokenPipeError:
        _discard_output()
        return READER_GONE


def _parse_and_run(
    program: str, add_commands, argv, only_command: str | None, version: str | None, passes_on: bool
) -> int:
    parser = _OneLineParser(prog=program, description="Fast style transfer: train, export, stylize.")
    if version:
        parser.add_argument("--version", action="version", version=version)
    shown = "show where an error comes from"
    parser.add_argument("--traceback", action="store_true", help=shown)
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add_command in add_commands:
        add_command(subcommands)
    for subparser in subcommands.choices.values():  # without a default, which would undo the option before the command
        subparser.add_argument("--traceback", action="store_true", default=argparse.SUPPRESS, help=shown)
    typed = sys.argv[1:] if argv is None else argv
    typed = [only_command, *typed] if only_command else typed
    arguments, unknown = parser.parse_known_args(typed) if passes_on else (parser.parse_args(typed), [])
    warnings.filterwarnings("ignore", module="PIL")  # it warns of harmless defects of photos
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    if argv is None:  # the process is ours, so its standard error is, too
        filter_native_logs()
    try:
        _refuse_urls(arguments)
        arguments.passed_on = unknown
        return arguments.run(arguments)
    except KeyboardInterrupt as error:
        return _say(f"interrupted {one_line(error)}" if str(error) else "interrupted", INTERRUPTED)
    except BrokenPipeError:
        raise
    except ModuleNotFoundError as error:
        if arguments.traceback or (error.name or "").split(".")[0] not in _OF_TRAIN:
            raise
        needs = f'{error.name}, which is not installed: pip install "{DISTRIBUTION}[train]"'
        return _say(f"error: this needs {needs}", USER_ERROR)
    except (UserError, OSError) as error:
        if arguments.traceback:
            raise
        return _say(f"error: {one_line(error)}", USER_ERROR)
    except RuntimeError as error:
        if arguments.traceback:
            raise
        return _say(f"stopped: {one_line(error)}", FAILED)
    except Exception as error:
        if arguments.traceback or not _is_lack_of_memory(error):
            raise
        return _say("stopped: not enough memory; a smaller size needs less", FAILED)


def _refuse_urls(arguments: argparse.Namespace) -> None:
    """A URL taken for a path would make folders of its name here."""
    for value in vars(arguments).values():
        for place in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(place, (str, Path)) and is_url(place) and not isinstance(place, Place):
                raise UserError(
                    f"{str(place).replace('://', ':/').replace(':/', '://')}: takes a local path; "
                    "copy from or to there with `gcloud storage cp -r`, `aws s3 cp --recursive` or the like"
                )


def one_line(error: BaseException) -> str:
    """An error's message for people: one line, without what would steer a terminal; a file's error names the file."""
    told = str(error)
    if isinstance(error, OSError) and error.strerror:
        told = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = " ".join(told.split()) or type(error).__name__
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def parse_layers(text: str) -> dict[str, float]:
    """`relu1_2,relu3_3=0.5` as a dict from layer to weight; a bare name weighs 1."""
    layers = {}
    for part in text.split(","):
        name, _, weight = part.strip().partition("=")
        try:
            layers[name] = parse_number(weight) if weight else 1.0
        except argparse.ArgumentTypeError:
            raise argparse.ArgumentTypeError(f"{part!r} is not LAYER or LAYER=WEIGHT") from None
    return layers


def as_typed(value) -> str:
    """An option's value as it is typed: `relu1_2,relu3_3=0.5` for a dict, `128,256` for a tuple."""
    if isinstance(value, dict):
        return ",".join(name if weight == 1 else f"{name}={weight:g}" for name, weight in value.items())
    if type(value) is tuple:
        return ",".join(map(as_typed, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def parse_number(text: str) -> float:
    """`0.75` as a number; no infinity, and nothing that is no number, which `float` would take."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def parse_whole_number(text: str) -> int:
    """`128` as a number that 32 bits hold, as everything does that computes with it."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if abs(value) > _LARGEST:
        raise argparse.ArgumentTypeError(f"{text} is more than {_LARGEST:,}")
    return value


def parse_numbers(text: str) -> tuple[float, ...]:
    """`0.75,0.25` as a tuple."""
    return tuple(_each(parse_number, text, "a number, or several between commas"))


def parse_whole_numbers(text: str) -> tuple[int, ...]:
    """`128,256` as a tuple."""
    return tuple(_each(parse_whole_number, text, "a whole number, or several between commas"))


def _each(parse: Callable, text: str, wanted: str) -> list:
    try:
        return [parse(part) for part in text.split(",")]
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}") from None


class _OneLineParser(argparse.ArgumentParser):
    """Says what is wrong with the command line in one line, without the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(USER_ERROR, f"error: {message}; see {self.prog} --help\n")


def _is_lack_of_memory(error: Exception) -> bool:
    """Whether Python, NumPy or TensorFlow got no memory; TensorFlow's error goes by name, since it is not imported."""
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def _discard_output() -> None:
    """Lets the interpreter flush what is still buffered into nothing, without a word."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _say(line: str, status: int) -> int:
    print(line, file=sys.stderr)
    return status
