"""Whether hours of work leave memory and pictures as they were: a day in small, and what a run's records take."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from faststyle.images.files import read_image, resize_shorter_side, write_image
from faststyle.scripts.benchmarks.long_probe import memory_bytes
from faststyle.scripts.benchmarks.table import Number, Table
from faststyle.scripts.demo.sample_photos import write_sample_photos
from faststyle.train.run_directory import RunDirectory
from faststyle.user_error import UserError

_TOY = (
    *("--base", "random", "--width", "0.125", "--image-size", "32", "--batch-size", "1", "--style-sizes", "64"),
    *("--style-layers", "relu1_1,relu2_1", "--content-layers", "relu2_2", "--held-out", "2"),
)
_LOOK_EVERY_SECONDS = 0.2
_WARM = 0.25  # share of the work after which memory should stay as it is
_ALLOWED = 0.05

Samples = Sequence[tuple[float, int]]  # share of the work done, bytes in memory


def long_run_tables(steps: int, calls: int) -> Iterator[Table]:
    """Memory of a training and of stylizers, and what the training's records take.

    Args:
        steps: of the training, tiny ones.
        calls: of each stylizer, each on a photo of another size, 16 to 200 px.
    """
    memory: list[list[str | Number]] = []
    with tempfile.TemporaryDirectory() as folder:
        run = RunDirectory(Path(folder) / "run")
        memory.append(memory_row(f"`faststyle train`, {steps:,} steps", _train(Path(folder), run, steps)))
        records = _records_table(run, steps)
    for runtime in ("openvino", "tensorflow"):
        done = _stylize(runtime, calls)
        differ = (
            "" if runtime == "tensorflow" else f"; eight threads: {done['differ']} of {done['shared']} pictures differ"
        )
        memory.append(memory_row(f"`load_stylizer`, {runtime}, {calls:,} sizes{differ}", done["samples"]))
    columns = ["work", "MiB after a quarter", "most after that", "at the end", "growth", "target"]
    yield Table("long_runs.memory", "Memory over many steps and calls", columns, memory)
    yield records


def memory_row(name: str, samples: Samples) -> list[str | Number]:
    """What a process held after its first quarter, at most from then on, and at its end."""
    warm = [held for share, held in samples if share >= _WARM]
    growth = max(warm) / warm[0] - 1
    met = "met" if growth <= _ALLOWED else "not met"
    numbers = [Number(held / 2**20, ".0f") for held in (warm[0], max(warm), warm[-1])]
    return [name, *numbers, Number(growth, ".1%"), f"at most {_ALLOWED:.0%}: {met}"]


def _train(folder: Path, run: RunDirectory, steps: int) -> Samples:
    """The command itself, watched from outside until its last step; what exports it afterwards takes more."""
    scenes, textures = write_sample_photos(folder / "photos")
    style = folder / "style.png"
    scenes.pop(0).rename(style)
    for path in (*scenes, *textures):
        write_image(path, resize_shorter_side(read_image(path), 48))
    command = [sys.executable, "-m", "faststyle", "train", str(style), "--content", str(folder / "photos"), *_TOY]
    samples = []
    with (folder / "said").open("w+") as said:
        options = ["--steps", str(steps), "--preview-every", "500", "--output", str(run.path)]
        process = subprocess.Popen([*command, *options], stdout=said, stderr=said)
        while process.poll() is None:
            done = run.metrics.read_bytes().count(b"train") if run.metrics.is_file() else 0
            if 0 < done < steps:
                samples.append((done / steps, memory_bytes(process.pid)))
            time.sleep(_LOOK_EVERY_SECONDS)
        if process.returncode:
            said.seek(0)
            raise UserError(f"the training failed: {said.read()[-300:]}")
    return samples


def _stylize(runtime: str, calls: int) -> dict:
    probe = [
        sys.executable,
        "-m",
        "faststyle.scripts.benchmarks.long_probe",
        "--runtime",
        runtime,
        "--calls",
        str(calls),
    ]
    return json.loads(subprocess.run(probe, stdout=subprocess.PIPE, check=True).stdout)


def _records_table(run: RunDirectory, steps: int) -> Table:
    """KiB for a thousand steps of what grows, and the checkpoints, whose number does not."""
    images = sum(path.stat().st_size for path in run.previews.iterdir())
    sizes = {
        "metrics.jsonl": run.metrics.stat().st_size,
        "tensorboard/, without its previews": sum(path.stat().st_size for path in run.tensorboard.iterdir()) - images,
    }
    rows: list[list[str | Number]] = [[name, Number(size / 1024 / steps * 1000, ".0f")] for name, size in sizes.items()]
    kept = len(list(run.checkpoints.iterdir()))
    title = f"Records of the training, KiB per 1,000 steps; {kept} checkpoints are kept"
    return Table("long_runs.records", title, ["file", "KiB"], rows)
