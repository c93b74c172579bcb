"""Time to quality: how soon a style from the gallery is as good as one from scratch, and what speeds training up.

Every variant is a real training run, whose held-out photos are measured on the way; seconds are those of its steps.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from faststyle.scripts.benchmarks.table import Number, Table
from faststyle.train.run_directory import RunDirectory
from faststyle.train.settings import TrainSettings
from faststyle.train.start import run_training

_STARTS: Mapping[str, dict] = {
    "scratch": {"base": "random"},
    "gallery, rows only": {"base": "gallery", "tuned": "rows"},
    "gallery, all weights": {"base": "gallery"},
}
_SCRATCH_STEPS = 10  # times the steps of a run from the gallery
_CLOSE = 1.10
# Johnson et al. 2016, section 4.1: full width, batches of 4, Adam at a constant rate of 1e-3; from random weights.
_PLAIN = {
    "base": "random",
    "width": 1.0,
    "batch_size": 4,
    "optimizer": "adam",
    "learning_rate_decay": "constant",
    "precision": "float32",
}
_OURS = {"width": 0.5, "batch_size": 2, "optimizer": "muon", "learning_rate_decay": "cosine", "precision": "bfloat16"}
_CHANGES: Mapping[str, dict] = {
    "plain": {},
    **{f"{name} {value}": {name: value} for name, value in _OURS.items()},
    "batch_size 8": {"batch_size": 8},
    "all of ours": _OURS,
    "all of ours, from the gallery": _OURS | {"base": "gallery"},
}
_TARGET_FASTER = 3.0
_LOOKS = 8


class Point(NamedTuple):
    """A run after some steps: seconds spent in steps, and the objective on held-out photos."""

    step: int
    seconds: float
    total: float
    style: float


def curve(settings: TrainSettings, run_dir: Path) -> list[Point]:
    """Trains and reads the run's own record."""
    run_training(dataclasses.replace(settings, preview_every=max(1, settings.steps // _LOOKS)), run_dir)
    return _points(RunDirectory(run_dir).metrics, settings.batch_size)


def seconds_to(points: Sequence[Point], total: float) -> float | None:
    """Seconds until the objective is at or below `total`, between two looks by a straight line; None if never."""
    before = None
    for point in points:
        if point.total <= total:
            if before is None:
                return point.seconds
            share = (before.total - total) / (before.total - point.total)
            return before.seconds + share * (point.seconds - before.seconds)
        before = point
    return None


def starts_table(settings: TrainSettings, folder: Path) -> Table:
    """A style from the gallery, `settings.steps` long, against ten times as many steps from random weights."""
    curves = {}
    for name, start in _STARTS.items():
        steps = settings.steps * (_SCRATCH_STEPS if name == "scratch" else 1)
        curves[name] = curve(dataclasses.replace(settings, **start, steps=steps), folder / _as_file_name(name))
    goal = _CLOSE * curves["scratch"][-1].total
    rows: list[list[str | Number]] = []
    for name, points in curves.items():
        for point in points:
            last = point is points[-1]
            close = ("yes" if point.total <= goal else "no") if last and name != "scratch" else ""
            numbers = [Number(point.step, "d"), Number(point.seconds, ".0f"), Number(point.total, ".3f")]
            rows.append([name, *numbers, Number(point.style, ".3f"), close])
    title = f"A new style ({_described(settings)}), from scratch with {_SCRATCH_STEPS} times as many steps"
    columns = ["start", "step", "s", "objective", "style", f"within {_CLOSE - 1:.0%} of scratch's last"]
    return Table("quality.starts", title, columns, rows)


def schedule_table(settings: TrainSettings, folder: Path) -> Table:
    """Each change to Johnson's schedule, and all together: the time to the objective that the plain one ends with."""
    curves = {}
    for name, change in _CHANGES.items():
        curves[name] = curve(dataclasses.replace(settings, **_PLAIN | change), folder / _as_file_name(name))
    plain = curves["plain"][-1]
    rows: list[list[str | Number]] = []
    for name, points in curves.items():
        needed = seconds_to(points, plain.total)
        last = points[-1]
        faster = Number(plain.seconds / needed, ".1f") if needed else "not reached"
        rows.append([name, Number(last.seconds / last.step), Number(last.total, ".3f"), faster])
    title = (
        f"Changes to Johnson's schedule ({_described(settings)}, {settings.steps} steps each): how many times sooner "
        f"they reach the objective that it ends with (target of all together: {_TARGET_FASTER:g})"
    )
    return Table("quality.schedule", title, ["schedule", "s/step", "last objective", "times sooner"], rows)


def _points(metrics: Path, batch_size: int) -> list[Point]:
    points, seconds = [], 0.0
    for line in metrics.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record.get("split") == "train":
            seconds += batch_size / record["images_per_second"]
        elif record.get("split") == "validation":
            points.append(Point(record["step"], seconds, record["total"], record["style"]))
    return points


def _described(settings: TrainSettings) -> str:
    (name, _, size), *_ = settings.style_rows()
    return f"{name} at {size} px, crops of {settings.image_size} px, {settings.loss_network}"


def _as_file_name(name: str) -> str:
    return name.replace(",", "").replace(" ", "_")
