"""What lies at a URL such as gs://bucket/photos: fsspec reads it, with the package that it wants for the scheme."""

import contextlib
import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from faststyle.user_error import UserError

_URL = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)  # a `Path` has lost one of its slashes


class RemoteFileError(UserError):
    """A URL that cannot be read."""


class Place(str):
    """The type of options that take a local path or a URL; `run_command_line` refuses the URLs of all others."""


def is_url(place: str | os.PathLike) -> bool:
    """Whether a place begins like `gs://`; a drive such as `C:/` does not."""
    return _URL.match(str(place)) is not None


class RemoteFiles:
    """The files below a URL, or the single one that is there.

    Attributes:
        known: from each file's path below the URL, "." of a single file, to what its file system knows of it.

    Raises:
        RemoteFileError: fsspec or its package for the scheme is missing, or nothing there that can be read.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            import fsspec

            self._system, root = fsspec.core.url_to_fs(url)
            found = self._system.find(root, detail=True)
        except Exception as error:  # every file system has its own kinds
            raise RemoteFileError(f"{url}: {_reason(error)}") from error
        if not found:
            raise RemoteFileError(f"{url}: no such file or folder")
        self._addresses = {PurePosixPath(address).relative_to(root): address for address in found}
        self.known: dict[PurePosixPath, dict] = {path: found[at] for path, at in self._addresses.items()}

    def read(self, path: PurePosixPath) -> bytes:
        """A file's content.

        Raises:
            OSError: it cannot be read.
        """
        try:
            return self._system.cat_file(self._addresses[path])
        except Exception as error:
            raise OSError(errno.EIO, _reason(error), self._url) from error

    def copy(self, target: Path) -> None:
        """Copies the folder, or the single file, to a path that is not there yet.

        Raises:
            RemoteFileError: a file cannot be read, or its copy not written.
        """
        copies = [str(target / path) for path in self._addresses]
        try:
            self._system.get(list(self._addresses.values()), copies)
        except Exception as error:
            raise RemoteFileError(f"{self._url}: {_reason(error, 'copied')}") from error


@contextlib.contextmanager
def local_copies(places: Sequence[str]) -> Iterator[list[Path]]:
    """The places as local paths until the block ends, each URL as a copy of what is there; see `RemoteFiles.copy`."""
    paths = [Path(place) for place in places]
    with contextlib.ExitStack() as copies:
        for index, path in enumerate(paths):
            if is_url(path):
                scratch = copies.enter_context(tempfile.TemporaryDirectory(prefix="faststyle-"))
                paths[index] = Path(scratch) / path.name
                RemoteFiles(places[index]).copy(paths[index])
        yield paths


def cached_copy(url: str) -> Path:
    """A copy of the folder at a URL in this user's cache, made again once anything there has changed.

    Raises:
        RemoteFileError: see `RemoteFiles`.
    """
    import platformdirs

    remote = RemoteFiles(url)
    state = hashlib.blake2b(repr((url, sorted(remote.known.items()))).encode(), digest_size=16).hexdigest()
    copies = Path(platformdirs.user_cache_dir("faststyle", appauthor=False)) / "models"
    copies.mkdir(parents=True, exist_ok=True)
    if not (copies / state).is_dir():
        with tempfile.TemporaryDirectory(dir=copies) as scratch:
            remote.copy(Path(scratch) / state)
            with contextlib.suppress(OSError):  # another process was first
                (Path(scratch) / state).replace(copies / state)
    return copies / state


def _reason(error: Exception, wanted: str = "read") -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"needs {error.name}, which is not installed: pip install fsspec"
    return f"cannot be {wanted} ({error or type(error).__name__})"
