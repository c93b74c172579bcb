"""Measures speed and writes the tables that the docs show, with command, date, processor, versions.

`python -m faststyle.scripts.benchmarks [training|starts|schedule|inference|formats|preview|optimize|long_runs|all]`
prints; `starts` and `schedule` train on a given style and photos; `all` leaves out `long_runs`, which is of memory.
`--docs FILE...` puts every table between its marks `<!-- benchmark:NAME -->` and `<!-- end -->` and leaves the prose;
`--json FILE` writes all numbers. Variants take turns within one run, and the median of their rounds is reported: single
timings on a shared machine mislead.
"""

import argparse
import datetime
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from faststyle.atomic_files import write_atomically
from faststyle.command_line import parse_whole_numbers, run_command_line
from faststyle.machine import machine
from faststyle.scripts.benchmarks.table import Table, marked_blocks, replace_block
from faststyle.user_error import UserError

_THAT_TRAIN = ("starts", "schedule")
_BENCHMARKS = ("training", *_THAT_TRAIN, "inference", "formats", "preview", "optimize")
_LONG = "long_runs"


def add_benchmark_command(subcommands) -> None:
    """Adds `measure` to an argparse subparsers object."""
    parser = subcommands.add_parser("measure", help="measure speed", description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=(*_BENCHMARKS, _LONG, "all"), default="all")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in turn (default: 5)")
    parser.add_argument("--torch-python", metavar="PATH", help="a Python that has PyTorch, to compare with")
    parser.add_argument(
        "--beside",
        metavar="NAME=COMMAND",
        nargs="+",
        default=[],
        help="other programs that stylize, with {photo} and {output} for the files",
    )
    parser.add_argument(
        "--sides", type=parse_whole_numbers, default=(256, 512, 1024, 2048, 4096), help="square photos, in px"
    )
    parser.add_argument("--megapixels", type=parse_whole_numbers, default=(12, 24, 50, 100), help="large photos")
    parser.add_argument("--style", metavar="IMAGE", help="a style to learn, for starts and schedule")
    parser.add_argument("--content", metavar="SOURCE", help="photos to learn it on")
    parser.add_argument("--steps", type=int, default=1000, help="of a run; ten times as many from scratch")
    parser.add_argument("--calls", type=int, default=2000, help="of a stylizer, for long_runs")
    parser.add_argument("--image-size", type=int, default=256, help="of their crops, px")
    parser.add_argument(
        "--docs", type=Path, nargs="+", default=[], help="Markdown files whose marked tables are replaced"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="all numbers (default: beside the first of --docs)")
    parser.set_defaults(run=run_benchmark)


def run_benchmark(arguments: argparse.Namespace) -> int:
    """Runs the chosen benchmarks; a table is written as soon as it is measured."""
    if arguments.what in _THAT_TRAIN and not (arguments.style and arguments.content):
        raise UserError(f"{arguments.what} trains: give it --style IMAGE and --content SOURCE")
    _beside(arguments)
    for path in arguments.docs:
        if not path.is_file():
            raise UserError(f"{path}: no such file")
    torch = _torch_version(arguments.torch_python) if arguments.torch_python else None
    if arguments.torch_python and not torch:
        raise UserError(f"{arguments.torch_python} cannot import PyTorch; pip install torch there")
    numbers_file = arguments.json or (arguments.docs[0].with_suffix(".json") if arguments.docs else None)
    record = {"command": _command(arguments), "date": str(datetime.date.today()), **machine(), "tables": []}
    record["versions"]["torch"] = torch
    heading = _heading(record)
    print(heading + "\n")
    for table in _tables(arguments):
        print(table.markdown(), flush=True)
        record["tables"].append(table.to_json())
        if numbers_file:
            write_atomically(numbers_file, (json.dumps(record, indent=1) + "\n").encode())
        if arguments.docs:
            _update(arguments.docs, table, heading)
    return 0


def _tables(arguments: argparse.Namespace) -> Iterator[Table]:
    chosen = _BENCHMARKS if arguments.what == "all" else (arguments.what,)
    if "training" in chosen:
        from faststyle.scripts.benchmarks.training import training_tables

        yield from training_tables(arguments.rounds, torch_python=arguments.torch_python)
    if arguments.style and arguments.content:
        yield from _quality_tables(arguments, chosen)
    if "inference" in chosen:
        from faststyle.scripts.benchmarks.inference import inference_tables

        yield from inference_tables(
            arguments.rounds,
            torch_python=arguments.torch_python,
            beside=_beside(arguments),
            sides=arguments.sides,
            megapixels=arguments.megapixels,
        )
    if "formats" in chosen:
        from faststyle.scripts.benchmarks.formats import formats_tables

        yield from formats_tables(arguments.rounds)
    if "preview" in chosen:
        from faststyle.scripts.benchmarks.preview import preview_table

        yield preview_table(arguments.rounds)
    if "optimize" in chosen:
        from faststyle.scripts.benchmarks.optimize import optimize_tables

        yield from optimize_tables()
    if arguments.what == _LONG:
        from faststyle.scripts.benchmarks.long_runs import long_run_tables

        yield from long_run_tables(arguments.steps, arguments.calls)


def _beside(arguments: argparse.Namespace) -> dict[str, str]:
    for text in arguments.beside:
        if not all(part in text for part in ("=", "{photo}", "{output}")):
            raise UserError(f"--beside is NAME=COMMAND with {{photo}} and {{output}} in it, got {text!r}")
    return dict(text.split("=", 1) for text in arguments.beside)


def _quality_tables(arguments: argparse.Namespace, chosen: Sequence[str]) -> Iterator[Table]:
    from faststyle.scripts.benchmarks.quality import schedule_table, starts_table
    from faststyle.train.settings import TrainSettings

    settings = TrainSettings(
        style_images=(arguments.style,),
        content=arguments.content,
        steps=arguments.steps,
        image_size=arguments.image_size,
        style_sizes=(2 * arguments.image_size,),
        held_out=32,
    )
    tables = {"starts": starts_table, "schedule": schedule_table}
    for name in (name for name in tables if name in chosen):
        with tempfile.TemporaryDirectory() as folder:
            yield tables[name](settings, Path(folder))


def _update(documents: Sequence[Path], table: Table, heading: str) -> None:
    holding = [path for path in documents if table.name in marked_blocks(path.read_text(encoding="utf-8"))]
    if not holding:
        print(f"no block <!-- benchmark:{table.name} --> in {', '.join(map(str, documents))}", file=sys.stderr)
    for path in holding:
        content = f"Printed by {heading}\n\n{table.markdown()}"
        document = replace_block(path.read_text(encoding="utf-8"), table.name, content)
        write_atomically(path, document.encode())


def _heading(record: dict) -> str:
    versions = record["versions"]
    named = {
        "tensorflow": "TensorFlow",
        "keras": "Keras",
        "openvino": "OpenVINO",
        "torch": "PyTorch",
        "python": "Python",
    }
    shown = ", ".join(f"{title} {versions[name]}" for name, title in named.items() if versions[name])
    return f"`{record['command']}`, {record['date']}, {record['processor']}, {record['cores']} cores, {shown}"


def _torch_version(python: str) -> str | None:
    """The version of PyTorch that another interpreter has, such as 2.13.0+cpu."""
    try:
        found = subprocess.run([python, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True)
    except OSError:
        return None
    return found.stdout.strip() if found.returncode == 0 else None


def _command(arguments: argparse.Namespace) -> str:
    """The command without places of this machine."""
    words = ["python", "-m", "faststyle.scripts.benchmarks", arguments.what]
    if arguments.what == _LONG:
        return shlex.join([*words, "--steps", str(arguments.steps), "--calls", str(arguments.calls)])
    words += ["--rounds", str(arguments.rounds)]
    if arguments.torch_python:
        words += ["--torch-python", "PYTHON"]
    for name, command in _beside(arguments).items():
        program, *options = shlex.split(command)
        words += ["--beside", " ".join([f"{name}={Path(program).name}", *options])]
    if arguments.what in (*_THAT_TRAIN, "all") and arguments.style:
        words += ["--style", Path(arguments.style).name, "--content", "PHOTOS", "--steps", str(arguments.steps)]
        words += ["--image-size", str(arguments.image_size)]
    if arguments.what in ("inference", "all"):
        words += [
            "--sides",
            ",".join(map(str, arguments.sides)),
            "--megapixels",
            ",".join(map(str, arguments.megapixels)),
        ]
    return shlex.join(words)


if __name__ == "__main__":
    name = "python -m faststyle.scripts.benchmarks"
    sys.exit(run_command_line(name, [add_benchmark_command], only_command="measure"))
