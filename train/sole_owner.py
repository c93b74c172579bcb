"""One process for a run directory: a second training on it would write over the first one's checkpoints."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from faststyle.user_error import UserError

try:
    import fcntl
except ImportError:  # Windows has no such lock; runs there are not guarded
    fcntl = None  # type: ignore[assignment]

LOCK_NAME = ".lock"


class AlreadyOwnedError(UserError):
    """Another process works in this folder."""


class LostFolderError(UserError):
    """The folder was taken away from the process that held it."""


@contextlib.contextmanager
def sole_owner(folder: Path) -> Iterator[Callable[[], None]]:
    """Holds a folder for this process; makes it where it is missing and removes it again if it stayed empty.

    The kernel gives the lock back however the process ends, so that a crash leaves a file behind but no lock.

    Yields:
        A function that raises `LostFolderError` when the folder has been removed, moved or replaced meanwhile.

    Raises:
        AlreadyOwnedError: another process holds it; the message has its id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK_NAME
    descriptor = _locked(lock)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield functools.partial(_check_held, lock, descriptor)
    finally:
        if _is_held(lock, descriptor):  # and not of another process in a folder of the same name
            with contextlib.suppress(OSError):
                lock.unlink()
        os.close(descriptor)
        with contextlib.suppress(OSError):
            folder.rmdir()


def owner_of(folder: Path) -> int | None:
    """The process that holds a folder, or None; where the system has no such lock, None."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY)
    except OSError:
        return None
    try:
        if fcntl is None:
            return None
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(descriptor, 32).decode(errors="replace").strip()
        return int(owner) if owner.isdigit() else None
    except OSError:  # a file system without locks
        return None
    finally:
        os.close(descriptor)
    return None


def _locked(lock: Path) -> int:
    """A descriptor of the lock file, which it alone holds."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        if fcntl is None:
            return descriptor
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            process = f"process {owner}" if owner.isdigit() else "another process"
            raise AlreadyOwnedError(f"{lock.parent}: {process} is training here; let it end, or stop it") from None
        except OSError:  # a file system without locks
            return descriptor
        if _is_held(lock, descriptor):
            return descriptor
        os.close(descriptor)  # its last owner removed the file between opening and locking


def _check_held(lock: Path, descriptor: int) -> None:
    if not _is_held(lock, descriptor):
        raise LostFolderError(
            f"{lock.parent}: was removed, moved or replaced while this run wrote to it, which ends here; "
            "a moved run directory is resumed at its new place"
        )


def _is_held(lock: Path, descriptor: int) -> bool:
    """Whether the file that this process has locked is still the one at this path."""
    try:
        return os.path.samestat(os.fstat(descriptor), lock.stat())
    except OSError:
        return False
