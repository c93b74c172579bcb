"""How far a run has come: what its checkpoints keep and a resume brings back."""

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from faststyle.train.checkpoints import Checkpoint, CheckpointStore
from faststyle.train.run_directory import RunDirectory, RunDirectoryError
from faststyle.train.settings import TrainSettings


class RunState:
    """A run's variables, steps done and place in the data, resumed from the newest checkpoint.

    Args:
        directory: of the run.
        variables: of network and optimizer, always in the same order.
        content: fingerprint of the photos that there are now.
        styles: of the style images, as from `style_digests`.

    Attributes:
        step: steps done.
        position: of the next batch in the data.
        unreadable: photos that were named as such.
        content: as given.
        content_before: of the photos that the newest checkpoint was trained on.

    Raises:
        RunDirectoryError: checkpoints of another network or optimizer, or whose state is not one of ours.
    """

    def __init__(self, directory: RunDirectory, variables: Sequence, content: str, styles: Sequence[str] = ()) -> None:
        self._directory, self._variables, self._styles = directory, variables, list(styles)
        self._checkpoints = CheckpointStore(directory.checkpoints)
        self.step, self.position = 0, 0
        self.unreadable: set[str] = set()
        self.content = self.content_before = content
        checkpoint = _newest(self._checkpoints, directory)
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
        shapes, wanted = ({name: array.shape for name, array in these.items()} for these in (arrays, self.arrays()))
        if shapes != wanted:
            raise RunDirectoryError(
                f"{self._directory.path}: its checkpoints are of another version of this program, whose network or "
                "optimizer was another; choose another --output to train anew"
            )
        for variable, array in zip(self._variables, arrays.values(), strict=True):
            variable.assign(array)

    def share(self, from_chief: Callable[[bytes], bytes]) -> None:
        """Goes on where the chief of several processes does, who alone needs to see the checkpoints."""
        arrays = {"": np.array([self.step, self.position]), **self.arrays()}
        data = io.BytesIO(from_chief(b"".join(array.tobytes() for array in arrays.values())))
        told = {
            name: np.frombuffer(data.read(array.nbytes), array.dtype).reshape(array.shape)
            for name, array in arrays.items()
        }
        self.step, self.position = map(int, told.pop(""))
        self.restore(told)

    def save(self) -> bool:
        """Writes a checkpoint; False, and nothing is written, where a variable is not finite."""
        arrays = self.arrays()
        if not all(np.isfinite(array).all() for array in arrays.values()):
            return False
        state = {
            "position": self.position,
            "unreadable": sorted(self.unreadable),
            "content": self.content,
            "styles": self._styles,
        }
        self._checkpoints.save(Checkpoint(self.step, arrays, state))
        return True

    def last_checkpoint(self) -> Path | None:
        """The newest checkpoint's file, None before the first."""
        paths = self._checkpoints.paths()
        return paths[-1] if paths else None


def _newest(checkpoints: CheckpointStore, directory: RunDirectory) -> Checkpoint | None:
    """The newest checkpoint that reads, whose state holds what `RunState.save` notes."""
    checkpoint = checkpoints.load_newest()
    if checkpoint is None:
        return None
    position = checkpoint.state.get("position")
    lists = checkpoint.state.get("unreadable"), checkpoint.state.get("styles", [])
    if not (isinstance(position, int) and position >= 0 and all(map(_is_list_of_strings, lists))):
        raise _not_understood(directory, checkpoint)
    return checkpoint


def _is_list_of_strings(value) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _not_understood(directory: RunDirectory, checkpoint: Checkpoint) -> RunDirectoryError:
    return RunDirectoryError(
        f"{directory.path}: the state in its checkpoint of step {checkpoint.step} cannot be understood; remove "
        "that file to go on from the one before"
    )


def style_digests(settings: TrainSettings) -> list[str]:
    """A digest of each style image's file."""
    return [hashlib.blake2b(Path(path).read_bytes(), digest_size=12).hexdigest() for path in settings.style_images]


def check_pictures(directory: RunDirectory, settings: TrainSettings, *, content: str | None) -> None:
    """Finds that the pictures are those of the newest checkpoint, wherever they lie now.

    Photos that changed in their old place are none of its business: the run goes on with them and says so.

    Args:
        directory: of a run, or a new one.
        settings: of the run that shall go on.
        content: fingerprint of the photos that there are now; None for a data set, which has no place.

    Raises:
        RunDirectoryError: other pictures.
    """
    checkpoint = _newest(CheckpointStore(directory.checkpoints, report=lambda line: None), directory)
    if checkpoint is None:
        return
    state, before = checkpoint.state, directory.load_settings().content
    if settings.content != before and state.get("content") != content:
        raise RunDirectoryError(
            f"{directory.path}: its photos were {state.get('content', 'others')} in {before}, but {settings.content} "
            f"holds {content}; say where they lie now, or choose another --output"
        )
    now = style_digests(settings)
    noted = state.get("styles", now)
    if len(noted) != len(now):
        raise _not_understood(directory, checkpoint)
    for path, digest, kept in zip(settings.style_images, now, noted, strict=True):
        if digest != kept:
            raise RunDirectoryError(
                f"{directory.path}: {path} is another picture than its style image was; bring that one back, or "
                "choose another --output"
            )
