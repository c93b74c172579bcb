"""Checkpoints: one file per step, written atomically, checked when read, the newest good one wins."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from faststyle.atomic_files import write_atomically

_STATE_KEY = "state.json"
_KEPT = 3


class Checkpoint(NamedTuple):
    """What a checkpoint file holds: the step, named arrays, and a JSON-able state."""

    step: int
    arrays: dict[str, np.ndarray]
    state: dict


class CheckpointStore:
    """The checkpoints of one run: `step_00000200.npz` and so on.

    Args:
        folder: made when the first checkpoint is saved.
        report: called with one line when a checkpoint is damaged.
    """

    def __init__(self, folder: Path, *, report: Callable[[str], None] = print) -> None:
        self._folder = folder
        self._report = report

    def save(self, checkpoint: Checkpoint) -> Path:
        """Writes a checkpoint and removes all but the newest three; a kill at any moment leaves only whole files."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = dict(checkpoint.arrays)
        arrays[_STATE_KEY] = np.frombuffer(json.dumps(checkpoint.state).encode(), dtype="uint8")
        np.savez(buffer, **arrays)
        path = self._folder / f"step_{checkpoint.step:08d}.npz"
        write_atomically(path, buffer.getvalue())
        torn = self._folder.glob(".step_*.npz.*")  # of writers that were killed
        damaged = [newer for newer in self.paths() if newer.name > path.name]  # else they would crowd out good ones
        for old in (*damaged, *torn):
            old.unlink(missing_ok=True)
        for old in self.paths()[:-_KEPT]:
            old.unlink(missing_ok=True)
        return path

    def load_newest(self) -> Checkpoint | None:
        """The newest checkpoint that reads without error; damaged ones are reported and passed over."""
        for path in reversed(self.paths()):
            try:
                return _read(path)
            except MemoryError:
                raise
            except Exception as error:  # numpy, zipfile and json each raise their own kinds here
                self._report(f"checkpoint {path} is damaged ({error}); trying the one before")
        return None

    def paths(self) -> list[Path]:
        """Checkpoint files, oldest first."""
        files = self._folder.glob("step_*.npz") if self._folder.is_dir() else ()
        return sorted(path for path in files if re.fullmatch(r"step_\d{8}\.npz", path.name))


def _read(path: Path) -> Checkpoint:
    """Reads every array, after zip's checksums of all of them: numpy stops early where a damaged header says so."""
    with zipfile.ZipFile(path) as file:
        damaged = file.testzip()
        if damaged:
            raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != _STATE_KEY}
        state = json.loads(file[_STATE_KEY].tobytes())
    if not isinstance(state, dict) or not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise TypeError("its state is no JSON object, or an array is none")
    return Checkpoint(int(path.stem.removeprefix("step_")), arrays, state)
