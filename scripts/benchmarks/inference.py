"""Tables of the inference benchmark: whole processes, seconds and memory by size, share of the machine."""

import json
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from faststyle.scripts.benchmarks import process_probe, torch_reference
from faststyle.scripts.benchmarks.stylize_probe import noise_photo
from faststyle.scripts.benchmarks.table import Number, Table

_OURS = "openvino"
_LOOP_PX = 1024
_LOOP_TARGET = 1.2


def inference_tables(
    rounds: int,
    *,
    torch_python: str | None,
    beside: dict[str, str],
    sides: tuple[int, ...],
    megapixels: tuple[float, ...],
) -> Iterator[Table]:
    """All tables, one after the other, for the base network's first style.

    Args:
        rounds: of each variant, in turn.
        torch_python: an interpreter that has PyTorch; None leaves the comparison out.
        beside: other programs to compare with, see `process_table`.
        sides: sizes of square photos, in px.
        megapixels: sizes of large photos, 3:2.
    """
    with tempfile.TemporaryDirectory() as folder:
        model = export_base_model(Path(folder) / "model")
        yield process_table(model, Path(folder), rounds, torch_python=torch_python, beside=beside, sides=sides)
        yield size_table(model, rounds, sides)
        yield large_table(model, megapixels)
        yield machine_table(model, rounds)


def export_base_model(output: Path) -> Path:
    """The shipped base network's first style, width 0.5, as an exported model."""
    from faststyle.models.transform_net_weights import GALLERY_WEIGHTS, mix_styles, read_transform_weights
    from faststyle.train.export import export_model

    weights = read_transform_weights(GALLERY_WEIGHTS)
    first = np.eye(1, weights.num_styles, dtype="float32")
    export_model(weights._replace(arrays=mix_styles(weights.arrays, first), card={"styles": ["first"]}), output)
    return output


def process_table(
    model: Path, folder: Path, rounds: int, *, torch_python: str | None, beside: dict[str, str], sides: tuple[int, ...]
) -> Table:
    """Seconds and peak memory of whole processes that stylize one photo file, PNG to PNG.

    Args:
        model: exported model.
        folder: for photos and results.
        rounds: of each process, in turn.
        torch_python: an interpreter that has PyTorch, or None.
        beside: name to command of other programs, with `{photo}` and `{output}` where the files go.
        sides: sizes of square photos, in px.
    """
    rows: list[list[str | Number]] = []
    for side in sides:
        photo, output = folder / f"{side}.png", folder / "result.png"
        Image.fromarray(noise_photo(side, side)).save(photo)
        commands = _stylize_commands(model, photo, output, torch_python)
        for name, text in beside.items():
            commands[name] = [part.format(photo=photo, output=output) for part in shlex.split(text)]
        measured = _run_in_turn(commands, output, rounds)
        ours = measured[_OURS]["seconds"]
        for name, run in measured.items():
            numbers = [Number(run["seconds"]), Number(run["seconds"] / ours), Number(run["peak_mib"], ".0f")]
            rows.append([f"{side}x{side}", name, *numbers])
    title = f"Whole processes from one photo file to the next, PNG, median of {rounds} in turn"
    return Table("inference.process", title, ["photo", "process", "s", f"times {_OURS}'s", "peak MiB"], rows)


def _stylize_commands(model: Path, photo: Path, output: Path, torch_python: str | None) -> dict[str, list[str]]:
    stylize = [sys.executable, "-m", "faststyle", "stylize", str(model), str(photo)]
    stylize += ["--overwrite", "--output", str(output), "--runtime"]
    commands = {_OURS: [*stylize, "openvino"], "tensorflow": [*stylize, "tensorflow"]}
    if torch_python:
        commands["PyTorch, full width"] = [torch_python, torch_reference.__file__, str(photo), str(output)]
    return commands


def _run_in_turn(commands: dict[str, list[str]], output: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Median seconds and largest peak of each process after a first round, which fills disk and compile caches."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            runs[name].append(_run_process(command, output))
    return {
        name: {
            "seconds": statistics.median(run["seconds"] for run in done[1:]),
            "peak_mib": max(run["peak_mib"] for run in done[1:]),
        }
        for name, done in runs.items()
    }


def _run_process(command: list[str], output: Path) -> dict[str, float]:
    """Seconds and peak MiB of a command that has to write `output`."""
    output.unlink(missing_ok=True)
    done = subprocess.run([sys.executable, process_probe.__file__, *command], capture_output=True, text=True)
    if done.returncode or not output.is_file():
        raise RuntimeError(f"{shlex.join(command)} wrote no result: {done.stderr[-300:]}")
    return json.loads(done.stdout)


def size_table(model: Path, rounds: int, sides: tuple[int, ...]) -> Table:
    """Seconds and peak memory by size of photo and runtime, photos at once or in exact tiles as `auto` does."""
    variants = (("openvino", "auto"), ("openvino", "float32"), ("tensorflow", "float32"))
    rows: list[list[str | Number]] = []
    for side in sides:
        for runtime, precision in variants:
            done = probe(model, side, side, rounds, runtime=runtime, precision=precision)
            speed = side * side / done["seconds"] / 1e6
            numbers = [Number(value) for value in (done["seconds"], speed, done["peak_gib"])]
            rows.append([f"{side}x{side}", runtime, precision, *numbers])
    columns = ["photo", "runtime", "precision", "s", "megapixels/s", "peak GiB"]
    return Table("inference.size", "Within the process", columns, rows)


def large_table(model: Path, megapixels: tuple[float, ...]) -> Table:
    """Seconds and peak memory of large photos, at once where that is the default, and in tiles."""
    rows: list[list[str | Number]] = []
    for size in megapixels:
        height = round((size * 1e6 * 2 / 3) ** 0.5)
        width = round(size * 1e6 / height)
        for tiling in ("auto", "fast", "exact"):
            done = probe(model, height, width, 1, tiling=tiling)
            met = "met" if done["peak_gib"] < 4 else "not met"
            numbers = [Number(done["seconds"], ".0f"), Number(size / done["seconds"]), Number(done["peak_gib"])]
            rows.append([f"{size:g}", tiling, *numbers, f"under 4 GiB: {met}"])
    columns = ["megapixels", "tiling", "s", "megapixels/s", "peak GiB", "target"]
    return Table("inference.large", "Large photos, one process each", columns, rows)


def machine_table(model: Path, rounds: int) -> Table:
    """Our time against OpenVINO's own loop, and against the machine's rate of bfloat16 matrix products."""
    ours = probe(model, _LOOP_PX, _LOOP_PX, max(2, rounds))["seconds"]
    loop = benchmark_app_seconds(model)
    rate = matrix_multiply_rate()
    share = operations_per_pixel(model) * _LOOP_PX**2 / ours / rate
    met = "met" if ours / loop <= _LOOP_TARGET else "not met"
    rows: list[list[str | Number]] = [
        ["our stylizer", Number(ours, ".3f", " s"), ""],
        ["OpenVINO's benchmark_app", Number(loop, ".3f", " s"), ""],
        ["ratio", Number(ours / loop), f"at most {_LOOP_TARGET:g}: {met}"],
        ["bfloat16 matrix product, 4096x4096", Number(rate / 1e9, ".0f", " Gflop/s"), ""],
        ["our share of that rate", Number(share, ".0%"), ""],
    ]
    return Table("inference.machine", f"At {_LOOP_PX}x{_LOOP_PX}", ["what", "value", "target"], rows)


def probe(model: Path, height: int, width: int, rounds: int, **options: str) -> dict[str, float]:
    """Seconds and peak GiB of stylizing in a process of its own."""
    command = [sys.executable, "-m", "faststyle.scripts.benchmarks.stylize_probe", str(model), str(height), str(width)]
    command += ["--rounds", str(rounds), *(text for name, value in options.items() for text in (f"--{name}", value))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def benchmark_app_seconds(model: Path) -> float:
    """Median latency in seconds as OpenVINO's own `benchmark_app` measures it."""
    app = shutil.which("benchmark_app") or str(Path(sys.executable).with_name("benchmark_app"))
    shape = f"[1,{_LOOP_PX},{_LOOP_PX},3]"
    command = [app, "-m", str(model), "-d", "CPU", "-hint", "latency", "-t", "10", "-data_shape", shape]
    done = subprocess.run([*command, "-infer_precision", "bf16"], check=True, capture_output=True, text=True)
    found = re.search(r"Median:\s+([\d.]+) ms", done.stdout)
    if not found:
        raise RuntimeError(f"benchmark_app printed no median latency: {done.stdout[-300:]}")
    return float(found[1]) / 1000


def matrix_multiply_rate(precision: str = "bf16", *, side: int = 4096, rounds: int = 5) -> float:
    """Operations per second of a matrix product through OpenVINO in "bf16" or "f32", best of some rounds."""
    import openvino
    from openvino import opset13

    left, right = (opset13.parameter([side, side], np.float32) for _ in range(2))
    product = openvino.Model([opset13.matmul(left, right, False, False)], [left, right], "product")
    options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(product, "CPU", options).create_infer_request()
    inputs = [np.random.default_rng(0).normal(size=(side, side)).astype("float32") for _ in range(2)]
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        request.infer(inputs, share_inputs=True, share_outputs=True)
        seconds.append(time.perf_counter() - start)
    return 2 * side**3 / min(seconds)


def operations_per_pixel(model: Path) -> float:
    """Multiplications and additions of all convolutions for each image pixel, counted in the exported graph."""
    import openvino

    graph = openvino.Core().read_model(str(model))
    graph.reshape([1, _LOOP_PX, _LOOP_PX, 3])
    total = 0
    for node in graph.get_ops():
        if node.get_type_name() == "Convolution":
            outputs, (_, inputs, height, width) = node.output(0).shape, node.input(1).get_shape()
            total += 2 * int(np.prod(outputs)) * inputs * height * width
    return total / _LOOP_PX**2
