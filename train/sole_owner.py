"""One process for a run directory: a second training on it would write over the first one's checkpoints."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such lock; runs there are not guarded
    fcntl = None  # type: ignore[assignment]

LOCK_NAME = ".lock"


class AlreadyOwnedError(ValueError):
    """Another process works in this folder."""


@contextlib.contextmanager
def sole_owner(folder: Path) -> Iterator[None]:
    """Holds a folder for this process; makes it where it is missing and removes it again if it stayed empty.

    The kernel gives the lock back however the process ends, so that a crash leaves a file behind but no lock.

    Raises:
        AlreadyOwnedError: another process holds it; the message has its id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK_NAME
    descriptor = _locked(lock)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        with contextlib.suppress(OSError):  # the run directory may be gone by now
            lock.unlink()
        os.close(descriptor)
        with contextlib.suppress(OSError):
            folder.rmdir()


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
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), lock.stat()):
                return descriptor
        os.close(descriptor)  # its last owner removed the file between opening and locking
