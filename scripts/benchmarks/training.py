"""Tables of the training benchmark: a step by precision and size, against PyTorch, and the input pipeline's supply."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from faststyle.scripts.benchmarks.inference import matrix_multiply_rate
from faststyle.scripts.benchmarks.table import Number, Table
from faststyle.scripts.benchmarks.take_turns import take_turns
from faststyle.scripts.benchmarks.torch_training import FORMS
from faststyle.scripts.benchmarks.training_steps import TorchTrainer, our_step, step_operations
from faststyle.scripts.demo.sample_photos import write_sample_photos
from faststyle.train.content_batches import content_batches
from faststyle.train.content_sources import open_content_source

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
_WIDTHS = (1.0, 0.5)  # pytorch/examples' size, and our default
_TARGET_FIRST, _TARGET_BEST, _TARGET_INPUT = 5.0, 1.5, 5.0
_PHOTO_SIZE = (640, 480)  # of most of COCO's photos
_PIPELINE_BATCHES = 100
_TIME_AS = {"batch_size": 2, "side": 256}


def training_tables(rounds: int, *, torch_python: str | None) -> Iterator[Table]:
    """All tables, one after the other.

    Args:
        rounds: of each variant, in turn.
        torch_python: an interpreter that has PyTorch; None leaves the comparison out.
    """
    yield precision_table(rounds, **_TIME_AS)
    if torch_python:
        rates = {"float32": matrix_multiply_rate("f32"), "bfloat16": matrix_multiply_rate("bf16")}
        for width in _WIDTHS:
            yield torch_table(rounds, torch_python, width, rates=rates, **_TIME_AS)
    yield input_table(rounds, **_TIME_AS)


def precision_table(rounds: int, *, batch_size: int, side: int) -> Table:
    """Seconds of one training step by width and precision."""
    steps = {
        (f"{width:g}", precision): our_step(width, policy, batch_size=batch_size, side=side)
        for width in _WIDTHS
        for precision, policy in _POLICIES.items()
    }
    rows: list[list[str | Number]] = [
        [*names, Number(seconds), Number(batch_size / seconds, ".1f")]
        for names, seconds in take_turns(steps, rounds).items()
    ]
    title = f"Training step, batch {batch_size} at {side} px"
    return Table("training.precision", title, ["width", "precision", "s/step", "images/s"], rows)


def torch_table(
    rounds: int,
    torch_python: str,
    width: float,
    *,
    rates: dict[str, float],
    batch_size: int,
    side: int,
) -> Table:
    """Our step and PyTorch's in three forms, in turn, with their shares of the machine's matrix-multiply rates."""
    steps: dict[str, Callable[[], object]] = {
        f"ours, {precision}": our_step(width, policy, batch_size=batch_size, side=side)
        for precision, policy in _POLICIES.items()
    }
    with TorchTrainer(torch_python, width, batch_size=batch_size, side=side) as torch:
        failures = {form: torch.failure(form) for form in FORMS}
        steps |= {f"PyTorch, {form}": torch.step(form) for form, reason in failures.items() if not reason}
        medians = take_turns(steps, rounds)
    operations = batch_size * step_operations(width, side)
    targets = _targets(medians)
    ours = _ours(medians)
    rows: list[list[str | Number]] = []
    for name, seconds in medians.items():
        shares = [Number(operations / seconds / rate, ".0%") for rate in rates.values()]
        images = Number(batch_size / seconds, ".1f")
        rows.append([name, Number(seconds), images, Number(seconds / ours, ".1f"), *shares, targets.get(name, "")])
    for form, reason in failures.items():
        if reason:
            rows.append([f"PyTorch, {form}", *["-"] * 5, f"failed: {reason}"])
    speeds = " and ".join(f"{rate / 1e9:.0f} Gflop/s in {name}" for name, rate in rates.items())
    title = (
        f"The same step in PyTorch, in turn: width {width:g}, batch {batch_size} at {side} px. "
        f"A matrix product of 4096x4096 reaches {speeds} here"
    )
    columns = ["trainer", "s/step", "images/s", "times ours", *(f"of {name} rate" for name in rates), "target"]
    return Table(f"training.pytorch-{width:g}", title, columns, rows)


def input_table(rounds: int, *, batch_size: int, side: int) -> Table:
    """Images per second of the input pipeline alone, against what our default training consumes."""
    step = our_step(0.5, _POLICIES["bfloat16"], batch_size=batch_size, side=side)
    with tempfile.TemporaryDirectory() as folder:
        _write_photos(Path(folder))
        source = open_content_source(folder, held_out=0, seed=0)
        batches = content_batches(source, batch_size=batch_size, image_size=side, seed=0)

        def many_batches() -> None:
            for _ in range(_PIPELINE_BATCHES):
                next(batches)

        medians = take_turns({"input": many_batches, "step": step}, rounds)
        batches.close()  # type: ignore[attr-defined]  # a generator, whose threads end with it
    supply = _PIPELINE_BATCHES * batch_size / medians["input"]
    demand = batch_size / medians["step"]
    met = "met" if supply >= _TARGET_INPUT * demand else "not met"
    rows: list[list[str | Number]] = [
        ["input pipeline alone", Number(supply, ".0f"), Number(supply / demand, ".1f"), f"at least 5: {met}"],
        ["training, width 0.5, bfloat16", Number(demand, ".1f"), Number(1.0, ".1f"), ""],
    ]
    title = f"JPEG photos of {_PHOTO_SIZE[0]}x{_PHOTO_SIZE[1]} px to random crops of {side} px"
    return Table("training.input", title, ["what", "images/s", "times the training's", "target"], rows)


def _ours(medians: dict[str, float]) -> float:
    return min(seconds for name, seconds in medians.items() if name.startswith("ours"))


def _targets(medians: dict[str, float]) -> dict[str, str]:
    """Against the first form and against PyTorch's fastest one."""
    torch = {name: seconds for name, seconds in medians.items() if name.startswith("PyTorch")}
    wanted: dict[str, list[str]] = {name: [] for name in torch}
    for name, target in (
        (next(iter(torch), ""), _TARGET_FIRST),
        (min(torch, key=lambda name: torch[name], default=""), _TARGET_BEST),
    ):
        if name:
            met = "met" if torch[name] >= target * _ours(medians) else "not met"
            wanted[name].append(f"at least {target:g}: {met}")
    return {name: "; ".join(texts) for name, texts in wanted.items()}


def _write_photos(folder: Path) -> None:
    scenes, textures = write_sample_photos(folder)
    for path in (*scenes, *textures):
        photo = Image.open(path).convert("RGB").resize(_PHOTO_SIZE, Image.Resampling.LANCZOS)
        photo.save(path.with_suffix(".jpg"), quality=90)
        path.unlink()
