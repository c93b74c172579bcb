"""The run directory: where everything of one training run lies, and the promise that it stays one run."""

import dataclasses
import json
from pathlib import Path

from faststyle.atomic_files import write_atomically
from faststyle.train.content_sources import TFDS_PREFIX
from faststyle.train.settings import TrainSettings
from faststyle.train.sole_owner import LOCK_NAME
from faststyle.user_error import UserError

# Settings that say how often to look and where files lie, not what is trained; a resumed run may change them.
_FREE_TO_CHANGE = {"checkpoint_every", "preview_every", "data_dir", "vgg_weights"}
# Of an environment, what does not compute.
_NOT_COMPUTING = {"platform", "versions", "loss_network_weights"}


class RunDirectoryError(UserError):
    """A folder that cannot serve as this run's directory."""


class RunDirectory:
    """Paths of everything that a run keeps."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.environment = path / "environment.json"
        self.metrics = path / "metrics.jsonl"
        self.weights = path / "weights.npz"
        self.previews = path / "previews"
        self.checkpoints = path / "checkpoints"
        self.tensorboard = path / "tensorboard"
        self.export = path / "export"

    def check(self, settings: TrainSettings) -> None:
        """Raises `RunDirectoryError` when the folder holds something else, or a run damaged or with other settings."""
        if self.path.exists() and not self.path.is_dir():
            raise RunDirectoryError(f"{self.path}: is a file; --output takes a folder")
        if not self.config.is_file():
            if self.path.is_dir() and not all(_is_left_over(path.name) for path in self.path.iterdir()):
                raise RunDirectoryError(f"{self.path}: not empty and not a training run; choose another --output")
            return
        differences = _differences(self.load_settings(), settings)
        if differences:
            raise RunDirectoryError(
                f"{self.path}: holds a run with other settings ({'; '.join(differences)}); "
                "repeat its command to resume it, or choose another --output"
            )
        self._load_environments()

    def open(self, settings: TrainSettings, environment: dict) -> None:
        """Makes the folder and writes the settings and what they run on.

        Args:
            settings: of the run.
            environment: machine, versions and the like, as plain JSON values.
        """
        self.check(settings)
        write_atomically(self.config, settings.to_json().encode())
        self._keep_environment(environment)

    def last_environment(self) -> dict:
        """What the run went on with last; {} where it does not tell."""
        return (self._load_environments() or [{}])[-1]

    def loss_network_weights(self) -> str | None:
        """Which weights measured last, for people; None where the run does not tell."""
        return self.last_environment().get("loss_network_weights")

    def _keep_environment(self, environment: dict) -> None:
        """Appends what the run goes on with now, where it differs from the last."""
        kept = self._load_environments()
        if kept[-1:] != [environment]:
            kept.append(environment)
            write_atomically(self.environment, (json.dumps(kept, indent=2) + "\n").encode())

    def _load_environments(self) -> list[dict]:
        if not self.environment.is_file():
            return []
        try:
            kept = json.loads(self.environment.read_text(encoding="utf-8"))
            kept = kept if isinstance(kept, list) else [kept]  # earlier versions kept only the last
            if not all(isinstance(environment, dict) for environment in kept):
                raise ValueError("no list of JSON objects")
            if not all(isinstance(environment.get("versions", {}), dict) for environment in kept):
                raise ValueError("versions is no JSON object")
        except (ValueError, RecursionError) as error:
            raise RunDirectoryError(
                f"{self.environment}: cannot be understood ({error}); delete it to go on, "
                "it only records what the run ran on"
            ) from None
        return kept

    def load_settings(self) -> TrainSettings:
        """The settings of the run in this folder.

        Raises:
            RunDirectoryError: no run there, or its config.json cannot be understood.
        """
        if not self.config.is_file():
            raise RunDirectoryError(
                f"{self.path}: no config.json in it; a run directory is what `faststyle train` made"
            )
        try:
            return TrainSettings.from_json(self.config.read_text())
        except (ValueError, TypeError, AttributeError, RecursionError) as error:  # values of another kind, too deep
            raise RunDirectoryError(f"{self.config}: cannot be understood ({error})") from None


def changes(before: dict, now: dict) -> list[str]:
    """What computes otherwise in one environment than in another, for people; only what both of them tell."""
    before, now = ({**one, **one.get("versions", {})} for one in (before, now))
    names = [name for name in now if name in before and before[name] != now[name] and name not in _NOT_COMPUTING]
    return [f"{name} was {before[name]}, now {now[name]}" for name in names]


def _is_left_over(name: str) -> bool:
    """Whether a run that was killed before it began leaves a file of this name."""
    return name == LOCK_NAME or name.startswith(".config.json.")


def _differences(old: TrainSettings, new: TrainSettings) -> list[str]:
    before, now = dataclasses.asdict(old), dataclasses.asdict(new)
    names = [name for name in before if name not in _FREE_TO_CHANGE and not _same(name, before[name], now[name])]
    return [f"{name} was {before[name]!r}, now {now[name]!r}" for name in names]


def _same(name: str, before, now) -> bool:
    """Whether a setting is as it was. Pictures may have moved: `run_state.check_pictures` compares what they hold."""
    if name == "style_images":
        return [Path(path).name for path in before] == [Path(path).name for path in now]
    moved = name == "content" and not before.startswith(TFDS_PREFIX) and not now.startswith(TFDS_PREFIX)
    return moved or before == now
