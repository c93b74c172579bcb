"""Stylizes a photo made of smoothed noise in a process of its own and prints seconds and peak memory as JSON."""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from faststyle.command_line import run_command_line
from faststyle.machine import peak_memory_bytes


def add_probe_command(subcommands) -> None:
    """Adds `probe` to an argparse subparsers object."""
    parser = subcommands.add_parser("probe", help="stylize and measure", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("height", type=int)
    parser.add_argument("width", type=int)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--tiling", default="auto")
    parser.set_defaults(run=run_probe)


def run_probe(arguments: argparse.Namespace) -> int:
    """Runs `rounds` times after a warm-up (none for one round), and reports the median."""
    from faststyle import load_stylizer

    choice = {name: getattr(arguments, name) for name in ("runtime", "precision", "tiling")}
    stylizer = load_stylizer(arguments.model, **choice)
    photo = noise_photo(arguments.height, arguments.width)
    if arguments.rounds > 1:
        stylizer(photo)
    seconds = []
    for _ in range(arguments.rounds):
        start = time.perf_counter()
        stylizer(photo)
        seconds.append(time.perf_counter() - start)
    peak = peak_memory_bytes() / 2**30
    print(json.dumps({"seconds": float(np.median(seconds)), "peak_gib": peak}))
    return 0


def noise_photo(height: int, width: int) -> np.ndarray:
    """`[height, width, 3]` uint8: blots of many sizes, with hard edges and fine grain, the same every time."""
    random = np.random.default_rng(0)
    photo = random.integers(0, 24, (height, width, 3), dtype="uint8")
    for side in (8, 64, 512):
        blots = random.integers(0, 77, (-(-height // side), -(-width // side), 3), dtype="uint8")
        for row in range(len(blots)):  # row by row: a large photo's copies would count as memory
            rows = photo[row * side : (row + 1) * side]
            rows += blots[row].repeat(side, axis=0)[:width]
    return photo


if __name__ == "__main__":
    name = "python -m faststyle.scripts.benchmarks.stylize_probe"
    sys.exit(run_command_line(name, [add_probe_command], only_command="probe"))
