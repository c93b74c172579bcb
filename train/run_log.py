"""What a run tells: a progress bar, `metrics.jsonl` and TensorBoard, all from the same numbers."""

import contextlib
import json
import time
from pathlib import Path

import keras
import numpy as np

from faststyle.atomic_files import write_atomically
from faststyle.progress_bar import ProgressBar
from faststyle.train.trainer import TERMS


class RunLog:
    """Writes one run's progress. A context manager; `resume_step` is where this process begins.

    Args:
        metrics_path: JSON lines; lines beyond `resume_step` are dropped, so that a resumed run has each step once.
        tensorboard_folder: event files, where TensorFlow is the backend.
        steps: of the whole run.
        resume_step: steps already done.
        batch_size: for images per second.
    """

    def __init__(self, metrics_path: Path, tensorboard_folder: Path, *, steps: int, resume_step: int, batch_size: int):
        self._metrics_path = metrics_path
        self._steps, self._resume_step, self._batch_size = steps, resume_step, batch_size
        self._writer = _summary_writer(tensorboard_folder)
        self._last = time.monotonic()

    def __enter__(self) -> "RunLog":
        _drop_lines_after(self._metrics_path, self._resume_step)
        self._file = self._metrics_path.open("a", encoding="utf-8", buffering=1)
        self._bar = ProgressBar(total=self._steps, initial=self._resume_step, unit="step", smoothing=0.05)
        self._last = time.monotonic()
        return self

    def __exit__(self, *_) -> None:
        self._bar.close()
        with contextlib.suppress(OSError):  # a line that found no room is tried once more, and was named already
            self._file.close()
        if self._writer:
            self._writer.close()

    def step(self, step: int, terms: dict[str, float], *, learning_rate: float) -> None:
        """Records one training step."""
        now = time.monotonic()
        images_per_second = self._batch_size / max(1e-9, now - self._last)
        self._last = now
        self._bar.update()
        shown = {"img/s": f"{images_per_second:.1f}"} | {name: f"{terms[name]:.4f}" for name in TERMS}
        self._bar.set_postfix(shown, refresh=False)
        record = {"learning_rate": learning_rate, "images_per_second": round(images_per_second, 3)}
        self._record(step, "train", terms | record)

    def validation(self, step: int, terms: dict[str, float], per_style: dict[str, dict[str, float]]) -> None:
        """Records the terms on held-out photos: their mean, and those of each style."""
        totals = {f"total/{name}": of_style["total"] for name, of_style in per_style.items()}
        self._record(step, "validation", terms | (totals if len(totals) > 1 else {}))
        self.say(f"step {step}: validation " + " ".join(f"{name} {terms[name]:.4f}" for name in TERMS))

    def preview(self, step: int, sheet: np.ndarray) -> None:
        """Shows a preview sheet `[height, width, 3]` uint8 in TensorBoard."""
        if self._writer:
            import tensorflow as tf

            with self._writer.as_default():
                tf.summary.image("preview", sheet[None], step=step)
        self._last = time.monotonic()

    def event(self, step: int, name: str, **details) -> None:
        """Records something that happened, e.g. an unreadable photo, and says it above the bar."""
        self.note(step, name, **details)
        self.say(f"{name}: " + ", ".join(str(value) for value in details.values()))

    def note(self, step: int, name: str, **details) -> None:
        """Records something that happened and was said elsewhere."""
        self._write({"step": step, "event": name, **details})

    def say(self, line: str) -> None:
        """Prints a line without tearing the progress bar."""
        self._bar.write(line)

    def _record(self, step: int, split: str, values: dict[str, float]) -> None:
        self._write({"step": step, "split": split, **values})
        if self._writer:
            import tensorflow as tf

            with self._writer.as_default():
                for name, value in values.items():
                    tf.summary.scalar(f"{split}/{name}", value, step=step)

    def _write(self, record: dict) -> None:
        try:
            self._file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._metrics_path)) from error


def _summary_writer(folder: Path):
    """TensorBoard's event writer; None on other backends, whose machines need not have TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    return tf.summary.create_file_writer(str(folder))


def _drop_lines_after(path: Path, step: int) -> None:
    """Keeps the whole lines of steps up to `step`; a killed process may have left half of one, a disk none."""
    if not path.is_file():
        path.touch()
        return
    kept = []
    for line in path.read_bytes().splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + b"\n")
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    write_atomically(path, b"".join(kept))
