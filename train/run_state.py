"""How far a run has come: what its checkpoints keep and a resume brings back."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from faststyle.train.checkpoints import Checkpoint, CheckpointStore
from faststyle.train.run_directory import RunDirectory, RunDirectoryError


class RunState:
    """A run's variables, steps done and place in the data, resumed from the newest checkpoint.

    Args:
        directory: of the run.
        variables: of network and optimizer, always in the same order.
        content: fingerprint of the photos that there are now.

    Attributes:
        step: steps done.
        position: of the next batch in the data.
        unreadable: photos that were named as such.
        content: as given.
        content_before: of the photos that the newest checkpoint was trained on.

    Raises:
        RunDirectoryError: checkpoints of another network or optimizer.
    """

    def __init__(self, directory: RunDirectory, variables: Sequence, content: str) -> None:
        self._directory, self._variables = directory, variables
        self._checkpoints = CheckpointStore(directory.checkpoints)
        self.step, self.position = 0, 0
        self.unreadable: set[str] = set()
        self.content = self.content_before = content
        checkpoint = self._checkpoints.load_newest()
        if checkpoint is not None:
            self.restore(checkpoint.arrays)
            self.step, self.position = checkpoint.step, checkpoint.state["position"]
            self.unreadable = set(checkpoint.state["unreadable"])
            self.content_before = checkpoint.state.get("content", content)  # older versions did not note it

    def arrays(self) -> dict[str, np.ndarray]:
        """Every variable as it is now, by its number and path."""
        return {f"{index:04d}:{variable.path}": np.array(variable) for index, variable in enumerate(self._variables)}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Gives every variable the value that `arrays` returned before.

        Raises:
            RunDirectoryError: they are of other variables.
        """
        if arrays.keys() != self.arrays().keys():
            raise RunDirectoryError(
                f"{self._directory.path}: its checkpoints are of another version of this program, whose network or "
                "optimizer was another; choose another --output to train anew"
            )
        for variable, array in zip(self._variables, arrays.values(), strict=True):
            variable.assign(array)

    def save(self) -> bool:
        """Writes a checkpoint; False, and nothing is written, where a variable is not finite."""
        arrays = self.arrays()
        if not all(np.isfinite(array).all() for array in arrays.values()):
            return False
        state = {"position": self.position, "unreadable": sorted(self.unreadable), "content": self.content}
        self._checkpoints.save(Checkpoint(self.step, arrays, state))
        return True

    def last_checkpoint(self) -> Path | None:
        """The newest checkpoint's file, None before the first."""
        paths = self._checkpoints.paths()
        return paths[-1] if paths else None
