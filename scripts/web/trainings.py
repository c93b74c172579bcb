"""Trainings that the page starts: each the real `faststyle train` in a process and a run directory of its own.

What a run is and where it stands is read from its files, so that a page that is closed, or a server that ends, loses
nothing: the same command goes on.
"""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from faststyle.atomic_files import write_atomically
from faststyle.train.run_directory import RunDirectory
from faststyle.train.sole_owner import owner_of

INPUTS = "page_inputs"  # in the folder of runs: the paintings, photos and commands of the page's own
_SAMPLES = "sample_photos"
_COMMAND, _LOG = "command.json", "log.txt"
_STOP_S = 60
_NAME = re.compile(r"[\w-]{1,60}")
_BATCH = re.compile(r"of batch (\d+)")  # in the plan: of all devices together
_SPEED_STEPS = 20
_MODEL_FILE = "saved_model.pb"


class TrainingError(ValueError):
    """What cannot be trained, stopped or kept now."""


class RunStatus(NamedTuple):
    """Where a run stands.

    Attributes:
        state: "training", "stopped" or "done".
        step: steps done.
        steps: of the whole run.
        plan: what the command said of it, as lines.
        totals: step and total loss of every step.
        validation: step and total loss on held-out photos.
        previews: sheets of the fixed photos, the newest last.
        problem: why it ended, where that was no wish.
        kept: whether its model stands among the styles.
        seconds_left: of a run that trains, by the speed of its last steps; None while that is unknown.
    """

    state: str
    step: int
    steps: int
    plan: str
    totals: list[tuple[int, float]]
    validation: list[tuple[int, float]]
    previews: list[Path]
    problem: str
    kept: bool
    seconds_left: float | None


class Trainings:
    """The runs in one folder, of which one trains at a time.

    Args:
        runs: the folder.
        options: further ones of `faststyle train`, for every run that is begun.
    """

    def __init__(self, runs: Path, options: Sequence[str] = ()) -> None:
        self.runs, self._options = runs.absolute(), options
        self._process: subprocess.Popen | None = None
        self._name = ""
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Runs that the page began, the newest first."""
        commands = (self.runs / INPUTS).glob(f"*/{_COMMAND}")
        return [path.parent.name for path in sorted(commands, key=lambda path: -path.stat().st_mtime)]

    def training(self) -> str | None:
        """Name of the run that trains now, begun by this server or by one that was killed."""
        if self._process is not None and self._process.poll() is None:
            return self._name
        return next((name for name in self.names() if owner_of(self.runs / name) is not None), None)

    def begin(self, name: str, painting: Path, *, photos: Path | None, steps: int, learned_strength: bool) -> None:
        """Starts a run.

        Args:
            name: of the style and the run directory.
            painting: the style image; a copy is kept, since resuming needs it.
            photos: folder to train on; None is the sample photos.
            steps: how many.
            learned_strength: see `TrainSettings`.

        Raises:
            TrainingError: a name that is taken or none, no such folder, or another run is training.
        """
        if not _NAME.fullmatch(name):
            raise TrainingError(f"a style's name is up to 60 letters, digits, - and _; got {name!r}")
        self._check_free()
        if name in (INPUTS, *self.names()) or (self.runs / name).exists():
            raise TrainingError(f"there is a training named {name} already; {self._way_out(name)}")
        if photos is not None and not photos.is_dir():
            raise TrainingError(f"{photos}: no such folder on this machine")
        inputs = self.runs / INPUTS / name
        style = inputs / f"{name}{painting.suffix.lower()}"
        options = ["--steps", str(steps), *(["--learned-strength"] if learned_strength else [])]
        source = self._sample_photos() if photos is None else photos.absolute()
        command = [
            "train",
            str(style),
            "--content",
            str(source),
            "--output",
            str(self.runs / name),
            *options,
            *self._options,
        ]
        with self._lock:
            self._check_free()
            write_atomically(style, painting.read_bytes())
            write_atomically(inputs / _COMMAND, json.dumps(command).encode())
            self._start(name, command)

    def go_on(self, name: str) -> None:
        """Resumes a stopped run exactly where it was.

        Raises:
            TrainingError: no such run, or another one is training.
        """
        with self._lock:
            self._check_free()
            self._start(name, self._command(name))

    def stop(self) -> None:
        """Asks the run that trains to stop after its step; it leaves a checkpoint."""
        name = self.training()
        if name is None:
            raise TrainingError("nothing is training now")
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
        elif owner := owner_of(self.runs / name):
            os.kill(owner, signal.SIGINT)

    def keep(self, name: str) -> None:
        """Exports a stopped run's newest checkpoint, so that its model stands among the styles.

        Raises:
            TrainingError: it trains, or has no checkpoint.
        """
        if self.training() == name:
            raise TrainingError(f"{name} is training; stop it first")
        run = self.runs / name
        command = _faststyle("export", str(run), "--output", str(run / "export"), "--overwrite")
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise TrainingError(_last_line(done.stderr) or f"{name}: could not be kept")

    def status(self, name: str) -> RunStatus:
        """Where a run stands, from its files."""
        run = RunDirectory(self.runs / name)
        command = self._command(name)
        steps = int(command[command.index("--steps") + 1])
        records = _records(run.metrics)
        trained = [record for record in records if record.get("split") == "train"]
        totals = [(record["step"], record["total"]) for record in trained]
        step = totals[-1][0] if totals else 0
        kept = (run.export / _MODEL_FILE).is_file()
        log = _read(self.runs / INPUTS / name / _LOG)
        plan = _last_plan(log)
        training = self.training() == name
        done = step >= steps and kept
        return RunStatus(
            state="training" if training else "done" if done else "stopped",
            step=step,
            steps=steps,
            plan=plan,
            totals=totals,
            validation=[(record["step"], record["total"]) for record in records if record.get("split") == "validation"],
            previews=sorted(run.previews.glob("step_*.png")),
            problem="" if training or done else _problem(log),
            kept=kept,
            seconds_left=_seconds_left(trained, plan, steps - step) if training else None,
        )

    def close(self) -> None:
        """At the server's end: lets the run that this server began write a checkpoint, and waits for it."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()

    def _way_out(self, name: str) -> str:
        stopped = name in self.names() and self.status(name).state == "stopped"
        return "choose another name" + (', or choose it among your trainings and press "Go on"' if stopped else "")

    def _check_free(self) -> None:
        name = self.training()
        if name is not None:
            raise TrainingError(f"{name} is training now, and only one can at a time; let it end, or stop it first")

    def _start(self, name: str, command: list[str]) -> None:
        with (self.runs / INPUTS / name / _LOG).open("ab") as log:
            self._process = subprocess.Popen(
                _faststyle(*command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the server's terminal is the server's; `close` tells the run
            )
        self._name = name

    def _command(self, name: str) -> list[str]:
        try:
            return json.loads((self.runs / INPUTS / name / _COMMAND).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise TrainingError(f"no run named {name!r} was begun here") from None

    def _sample_photos(self) -> Path:
        from faststyle.scripts.demo.sample_photos import write_sample_photos

        folder = self.runs / INPUTS / _SAMPLES
        if not folder.is_dir():
            write_sample_photos(folder)
        return folder


def _faststyle(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "faststyle", *arguments]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _records(metrics: Path) -> list[dict]:
    """The lines of a file that another process is writing."""
    records = []
    for line in _read(metrics).splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "step" in record:
            records.append(record)
    return records


def _last_plan(log: str) -> str:
    """The plan that the command printed last: the line "Plan" and those indented below it."""
    lines = log.splitlines()
    begins = [number for number, line in enumerate(lines) if line == "Plan"]
    if not begins:
        return ""
    plan = []
    for line in lines[begins[-1] + 1 :]:
        if not line.startswith("  "):
            break
        plan.append(line.strip())
    return "\n".join(plan)


def _seconds_left(trained: list[dict], plan: str, steps_left: int) -> float | None:
    batch = _BATCH.search(plan)
    speeds = [record["images_per_second"] for record in trained[-_SPEED_STEPS:] if record.get("images_per_second")]
    return steps_left * int(batch[1]) / statistics.median(speeds) if batch and speeds else None


def _problem(log: str) -> str:
    last = _last_line(log)
    return last if last.startswith(("error:", "stopped:")) or "Error" in last else ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
