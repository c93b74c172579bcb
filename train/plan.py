"""The plan: what a run will do, how long it will take and where everything goes, said before the first step."""

import datetime
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras

from faststyle.machine import peak_memory_bytes
from faststyle.train.precision import has_gpu
from faststyle.train.settings import TrainSettings

_MEASURED_STEPS = 2
_LOGGED_BYTES_PER_STEP = 1024  # 0.2 KiB of metrics and 0.5 KiB of TensorBoard, rounded up
_GRAPHS_BYTES = 4 * 2**20


class Measurement(NamedTuple):
    """What trial steps showed: seconds per step, and peak memory in bytes."""

    seconds_per_step: float
    peak_bytes: int


def measure(step: Callable[[], object]) -> Measurement:
    """Times `step` after one warm-up call, which also compiles it."""
    step()
    start = time.perf_counter()
    for _ in range(_MEASURED_STEPS):
        step()
    return Measurement((time.perf_counter() - start) / _MEASURED_STEPS, _peak_bytes())


def disk_bytes(settings: TrainSettings, *, state_bytes: int, sheet_bytes: int) -> int:
    """What a whole run takes on the disk, rounded up.

    Args:
        settings: of the run.
        state_bytes: of network and optimizer.
        sheet_bytes: of a preview sheet's pixels.
    """
    states = 6  # three checkpoints, the next one before the oldest goes, and the weights, exported in three graphs
    sheets = 2 * -(-settings.steps // settings.preview_every)  # TensorBoard keeps them as well
    logs = settings.steps * _LOGGED_BYTES_PER_STEP
    return states * state_bytes + sheets * sheet_bytes + logs + _GRAPHS_BYTES


def describe_plan(
    settings: TrainSettings,
    output: Path,
    *,
    photos: str,
    network: str,
    loss_network_weights: str,
    policy: str,
    start_step: int,
    measured: Measurement,
    disk: int,
    devices: int = 1,
) -> str:
    """The plan as aligned lines of text."""
    batch = settings.batch_size * devices
    left = max(0, settings.steps - start_step)
    seconds = left * measured.seconds_per_step
    end = datetime.datetime.now() + datetime.timedelta(seconds=seconds)
    speed = batch / measured.seconds_per_step
    with_tensorflow = keras.backend.backend() == "tensorflow"
    resumed = f", resumed at step {start_step:,}" if start_step else ""
    rows = {
        "styles": ", ".join(settings.row_names())
        + (f" at {settings.style_sizes[0]} px" if len(settings.style_sizes) == 1 else ""),
        "content": photos,
        "network": network,
        "loss network": f"{loss_network_weights}; content {_layers(settings.content_layers)}; "
        f"style {_layers(settings.style_layers)} ({settings.statistic})",
        "weights": f"content {settings.content_weight:g}, style {settings.style_weight:g}, tv {settings.tv_weight:g}",
        "steps": f"{settings.steps:,} of batch {batch}"
        + (f" ({settings.batch_size} on each of {devices} devices)" if devices > 1 else "")
        + f" at {settings.image_size} px{resumed}",
        "precision": policy,
        "speed": f"{measured.seconds_per_step:.2f} s per step ({speed:.1f} images/s), measured",
        "memory": f"{measured.peak_bytes / 2**30:.1f} GiB peak on the {'GPU' if has_gpu() else 'processor'}, measured",
        "disk": f"up to {_size(disk)} by the end; {_size(_free_bytes(output))} are free",
        "expected end": f"{end:%Y-%m-%d %H:%M}, in {_duration(seconds)}",
        "output": f"{output}/ with checkpoints/ (every {settings.checkpoint_every} steps), "
        f"previews/ (every {settings.preview_every}), metrics.jsonl, weights.npz"
        + (", tensorboard/, export/" if with_tensorflow else "; tensorboard/ and export/ need TensorFlow"),
    }
    width = max(map(len, rows))
    return "\n".join(["Plan", *(f"  {name:<{width}}  {text}" for name, text in rows.items())])


def _layers(weights: dict[str, float]) -> str:
    return " ".join(name if weight == 1 else f"{name}={weight:g}" for name, weight in weights.items())


def _size(bytes_: int) -> str:
    return f"{bytes_ / 2**30:.1f} GiB" if bytes_ >= 2**30 else f"{bytes_ / 2**20:.0f} MiB"


def _free_bytes(folder: Path) -> int:
    """Where the folder lies or will lie."""
    return shutil.disk_usage(next(place for place in (folder, *folder.absolute().parents) if place.is_dir())).free


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def _peak_bytes() -> int:
    if has_gpu() and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    if has_gpu():
        import jax

        return (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)
    return peak_memory_bytes()
