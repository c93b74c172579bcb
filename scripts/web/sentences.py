"""What goes wrong, as a sentence on the page: never a stack trace, never a place in the temporary folder."""

import functools
import inspect
import os
import re
import traceback
from collections.abc import Callable

import gradio as gr

from faststyle import DISTRIBUTION
from faststyle.command_line import one_line

_EXPECTED = (ValueError, OSError, RuntimeError, MemoryError, ModuleNotFoundError)
UNEXPECTED = "Something went wrong that this page did not expect; the terminal has the details."


def told_on_the_page(function: Callable) -> Callable:
    """An event's function whose errors become a sentence that stays until it is closed."""

    @functools.wraps(function)
    def told(*arguments, **options):
        try:
            return function(*arguments, **options)
        except gr.Error:
            raise
        except Exception as error:
            raise _as_notice(error) from None

    @functools.wraps(function)
    def told_while_it_runs(*arguments, **options):
        try:
            yield from function(*arguments, **options)
        except gr.Error:
            raise
        except Exception as error:
            raise _as_notice(error) from None

    return told_while_it_runs if inspect.isgeneratorfunction(function) else told


def sentence(error: Exception) -> str:
    """An error's line for people, who know files by their names and not by where the server keeps them."""
    if isinstance(error, MemoryError):
        return "Not enough memory; a smaller size needs less."
    if isinstance(error, ModuleNotFoundError):
        return f'This needs {error.name}, which is not installed: pip install "{DISTRIBUTION}[train]"'
    if not isinstance(error, _EXPECTED):
        traceback.print_exception(error)
        return UNEXPECTED
    line = one_line(error)
    scratch = os.environ.get("GRADIO_TEMP_DIR")
    return re.sub(re.escape(f"{scratch}/") + r"(?:[^/\s]+/)*", "", line) if scratch else line


def _as_notice(error: Exception) -> gr.Error:
    return gr.Error(sentence(error), duration=None, title="That did not work", print_exception=False)
