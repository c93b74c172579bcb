"""Files that appear whole or not at all, whenever the process is killed; places are looked at before the work."""

import os
import tempfile
from pathlib import Path

from faststyle.user_error import UserError


class PlaceError(UserError):
    """A place where a result cannot be written."""


def check_new_file(path: Path, *, overwrite: bool) -> None:
    """Refuses a file that cannot be written, before the work of minutes; creates nothing.

    Raises:
        PlaceError: it exists and may not be replaced, or `check_place` of its folder.
    """
    if path.exists() and not overwrite:
        raise PlaceError(f"{path} exists; choose another name or pass --overwrite")
    check_place(path.parent)


def check_place(folder: Path) -> None:
    """Refuses an output folder that is a file or may not be written, before any work; creates nothing.

    Raises:
        PlaceError: what is in the way.
    """
    place = folder.absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise PlaceError(f"{place}: is a file, but results need a folder there; choose another --output")
    if not os.access(place, os.W_OK | os.X_OK):
        raise PlaceError(f"{place}: cannot write there (read-only); choose another --output")


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file that appears whole or not at all, whenever the process is killed. Makes parent folders.

    Raises:
        OSError: it cannot be written; `filename` is `path`, which a full disk's own error does not tell.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write_beside(path, content)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def _write_beside(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
