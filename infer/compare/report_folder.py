"""The report folder: one file for every finished measurement, so that a comparison goes on where it stopped."""

import json
from pathlib import Path

import numpy as np

from faststyle.atomic_files import check_place, write_atomically
from faststyle.images.files import write_image
from faststyle.infer.compare.settings import Method
from faststyle.user_error import UserError

_SETTINGS = "settings.json"
# Settings that say where a file lies and not what is measured.
_FREE_TO_CHANGE = {"vgg_weights"}


class ReportFolderError(UserError):
    """A folder that cannot hold this comparison."""


class ReportFolder:
    """Paths and files of one comparison: `measurements/KEY/SIZE/{network,METHOD}.json` with pictures beside."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.report = path / "report.html"
        self.numbers = path / "report.json"
        self.sheet = path / "contact_sheet.png"
        self._identity: dict = {}

    def open(self, identity: dict) -> None:
        """Finds that the folder is this comparison's own, or free to become so with the first thing written.

        Args:
            identity: everything that the numbers depend on, as plain JSON values.

        Raises:
            ReportFolderError: a file, or a folder with something else in it.
            PlaceError: a place that may not be written.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ReportFolderError(f"{self.path}: is a file; --output takes a folder")
        check_place(self.path)
        settings = self.path / _SETTINGS
        if settings.is_file():
            changed = _differences(_read_json(settings) or {}, identity)
            if changed:
                raise ReportFolderError(
                    f"{self.path}: holds a comparison with other settings ({'; '.join(changed)}); "
                    "repeat its command to go on, or choose another --output"
                )
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise ReportFolderError(f"{self.path}: not empty and not a comparison; choose another --output")
        self._identity = identity

    def picture(self, key: str, size: int, name: str) -> Path:
        """Path of a picture: "content", "network", or a method's name, with "_equal" where it was as low."""
        return self._place(key, size) / f"{name}.png"

    def read(self, key: str, size: int, what: Method | None) -> dict | None:
        """The numbers of a finished measurement, or None. `what` is None for the network."""
        return _read_json(self._place(key, size) / f"{file_name(what)}.json")

    def write(self, key: str, size: int, what: Method | None, numbers: dict, pictures: dict[str, np.ndarray]) -> None:
        """Writes pictures, then the numbers, whose file says that the measurement is finished."""
        settings = self.path / _SETTINGS
        if not settings.is_file():
            write_atomically(settings, (json.dumps(self._identity, indent=2) + "\n").encode())
        for name, picture in pictures.items():
            write_image(self.picture(key, size, name), picture)
        path = self._place(key, size) / f"{file_name(what)}.json"
        write_atomically(path, (json.dumps(numbers) + "\n").encode())

    def _place(self, key: str, size: int) -> Path:
        return self.path / "measurements" / key / str(size)


def file_name(what: Method | None) -> str:
    """Name of a measurement's files: "network" or e.g. "lbfgs_content"."""
    return f"{what.optimizer}_{what.start}" if what else "network"


def _read_json(path: Path) -> dict | None:
    """A file's JSON object; None where there is none, or the file is damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _differences(old: dict, new: dict) -> list[str]:
    names = [name for name in new if old.get(name) != new[name] and name not in _FREE_TO_CHANGE]
    return [f"{name} was {_short(old.get(name))}, now {_short(new[name])}" for name in names]


def _short(value) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
