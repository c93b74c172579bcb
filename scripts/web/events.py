"""How the page's events run: at once, or one after the other where they fill every core."""

import importlib.util
import os
import tempfile
from pathlib import Path
from typing import Any

from faststyle import DISTRIBUTION

_PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_NO_BADGES: dict[str, Any] = {"show_progress_on": []}  # of an error, which would lie over every output, and stay
# Nobody waits for another one. What fails is told, which the browser does not do for what passes by the queue.
AT_ONCE: dict[str, Any] = {"concurrency_limit": None} | _PRIVATE | _NO_BADGES
# Also while the same event is still being answered, when Gradio would drop it: what was chosen last counts.
LAST_WINS: dict[str, Any] = AT_ONCE | {"trigger_mode": "always_last"}
# Sooner by some milliseconds, and silent.
SILENT: dict[str, Any] = {"queue": False} | _PRIVATE | _NO_BADGES
# One at a time of all browsers; the others see their place in the queue.
IN_TURN: dict[str, Any] = {"concurrency_id": "heavy", "concurrency_limit": 1, "api_visibility": "private"}


def new_file(name: str) -> Path:
    """A place for a file to download, in a folder of its own below the temporary one."""
    return Path(tempfile.mkdtemp(dir=scratch_folder())) / name


def scratch_folder() -> Path:
    """The server's temporary folder, which goes when it ends."""
    return Path(os.environ["GRADIO_TEMP_DIR"])


def is_installed(package: str) -> bool:
    """Whether a package could be imported, without importing it."""
    return importlib.util.find_spec(package) is not None


def needs_training(what: str) -> str:
    """What a section says that cannot work here."""
    return f'{what} needs TensorFlow, which is not installed here: `pip install "{DISTRIBUTION}[train]"`'
