"""Stylizes photos of ever other sizes in a process of its own, and by eight threads, and prints what came as JSON."""

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from faststyle.command_line import run_command_line

_SMALLEST_PX, _LARGEST_PX = 16, 200
_THREADS, _SHARED = 8, 160
_LOOKS = 100
_PAGE_BYTES = 4096


def memory_bytes(process: int | str = "self") -> int:
    """What a process holds in memory now; Linux tells."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE_BYTES


def add_probe_command(subcommands) -> None:
    """Adds `probe` to an argparse subparsers object."""
    parser = subcommands.add_parser("probe", help="stylize and measure", description=__doc__)
    parser.add_argument("--runtime", default="openvino")
    parser.add_argument("--calls", type=int, default=2000)
    parser.set_defaults(run=run_probe)


def run_probe(arguments: argparse.Namespace) -> int:
    """Prints samples of memory, and how many pictures differ when eight threads share the stylizer."""
    from faststyle import load_stylizer

    stylizer, random = load_stylizer("starry_night", runtime=arguments.runtime), np.random.default_rng(0)
    samples = []
    for done in range(1, arguments.calls + 1):
        stylizer(_photo(random))
        if done % max(1, arguments.calls // _LOOKS) == 0:
            samples.append((done / arguments.calls, memory_bytes()))
    photos = [_photo(random) for _ in range(_SHARED)]
    alone = [stylizer(photo) for photo in photos]
    with ThreadPoolExecutor(_THREADS) as threads:
        shared = list(threads.map(stylizer, photos))
    differ = sum(not np.array_equal(one, other) for one, other in zip(alone, shared, strict=True))
    print(json.dumps({"samples": samples, "differ": differ, "shared": _SHARED}))
    return 0


def _photo(random: np.random.Generator) -> np.ndarray:
    size = random.integers(_SMALLEST_PX, _LARGEST_PX + 1, 2)
    return random.integers(0, 256, (*size, 3), dtype="uint8")


if __name__ == "__main__":
    sys.exit(run_command_line("long_probe", [add_probe_command], only_command="probe"))
