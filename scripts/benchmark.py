"""Measures speed and prints the tables that the docs show, with command, processor, versions.

`python -m scripts.benchmark [training|inference|optimize|all]`. Variants take turns within one run,
and the median of their rounds is reported: single timings on a shared machine mislead.
"""

import argparse
import datetime
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from infer.native_logs import filter_native_logs


def main(argv: list[str] | None = None) -> int:
    """Runs the chosen benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m scripts.benchmark", description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("training", "inference", "optimize", "all"), default="all")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in turn (default: 5)")
    parser.add_argument("--torch-python", metavar="PATH", help="a Python that has PyTorch, to compare with")
    parser.add_argument("--sides", type=_numbers, default=(256, 512, 1024, 2048, 4096), help="square photos, in px")
    parser.add_argument("--megapixels", type=_numbers, default=(12, 24, 50, 100), help="large photos")
    arguments = parser.parse_args(argv)
    filter_native_logs()
    print(_heading(arguments))
    if arguments.what in ("training", "all"):
        print(training_table(arguments.rounds))
    if arguments.what in ("inference", "all"):
        from scripts.inference_benchmark import inference_tables

        sizes = {"sides": arguments.sides, "megapixels": arguments.megapixels}
        for table in inference_tables(arguments.rounds, torch_python=arguments.torch_python, **sizes):
            print(table, flush=True)
    if arguments.what in ("optimize", "all"):
        from scripts.optimize_benchmark import optimize_tables

        print(optimize_tables())
    return 0


def training_table(rounds: int, *, batch_size: int = 2, image_size: int = 256) -> str:
    """Seconds of one training step by precision, width and loss network, as a Markdown table."""
    steps = {}
    for width, loss_network in ((0.5, "compact"), (1.0, "compact"), (1.0, "vgg16")):
        for policy in ("float32", "mixed_bfloat16"):
            steps[width, loss_network, policy] = _training_step(width, loss_network, policy, batch_size, image_size)
    seconds = take_turns(steps, rounds)
    rows = [
        f"| {width:g} | {loss_network} | {policy} | {median:.2f} | {batch_size / median:.1f} |"
        for (width, loss_network, policy), median in seconds.items()
    ]
    head = f"Training step, batch {batch_size} at {image_size} px (vgg16 with random weights: the speed is the same)"
    return "\n".join(
        [head, "", "| width | loss network | precision | s/step | images/s |", "|---|---|---|---|---|", *rows, ""]
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def take_turns(variants: dict, rounds: int) -> dict:
    """Median seconds of each variant's call, after one warm-up each, variants taking turns in every round."""
    for call in variants.values():
        call()
    times: dict = {name: [] for name in variants}
    for _ in range(rounds):
        for name, call in variants.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def _training_step(
    width: float, loss_network: str, policy: str, batch_size: int, image_size: int
) -> Callable[[], object]:
    import keras

    from models.loss_network import LossNetwork
    from models.objective import Objective
    from models.transform_net import build_transform_network
    from train.assembly import objective_settings
    from train.settings import TrainSettings
    from train.trainer import StyleTrainer

    network = build_transform_network(width=width, dtype=policy)
    with tempfile.TemporaryDirectory() as folder:
        path = _random_vgg16(Path(folder)) if loss_network == "vgg16" else None
        loss = LossNetwork(loss_network, dtype=policy, weights_path=path)
    objective = Objective(loss, objective_settings(TrainSettings(style_images=("style",), content="photos")))
    random = np.random.default_rng(0)
    targets = objective.style_targets(random.uniform(0, 255, (1, image_size, image_size, 3)).astype("float32"))
    trainer = StyleTrainer(network, objective, targets)
    trainer.compile(optimizer=keras.optimizers.Adam(1e-4), jit_compile=False)
    images = random.integers(0, 256, (batch_size, image_size, image_size, 3)).astype("uint8")
    batch = {"image": images, "style_mixture": np.ones((batch_size, 1), "float32")}
    return lambda: trainer.train_step_terms(batch)


def _random_vgg16(folder: Path) -> Path:
    """A file of random weights in Keras's no-top form; ImageNet's cannot be shipped, and speed does not need them."""
    import keras

    path = folder / "vgg16_random.weights.h5"
    keras.applications.VGG16(include_top=False, weights=None).save_weights(path)
    return path


def _heading(arguments: argparse.Namespace) -> str:
    import keras
    import tensorflow as tf

    command = f"python -m scripts.benchmark {arguments.what} --rounds {arguments.rounds}"
    versions = f"TensorFlow {tf.__version__}, Keras {keras.__version__}, Python {platform.python_version()}"
    return f"`{command}`, {datetime.date.today()}, {_processor()}, {os.cpu_count()} cores, {versions}\n"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    sys.exit(main())
