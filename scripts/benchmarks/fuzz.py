"""Gives damaged files to what reads them, and counts what goes wrong: `python -m faststyle.scripts.benchmarks.fuzz`.

Photos of every format, model cards, exported graphs, run directories with settings and checkpoints, weights files and
reports. A reader may finish or raise what the command line says in one line; anything else is told with the input's
number, `--only NUMBER` gives that one again. A process of its own reads, so that hangs and crashes are seen as well.
"""

import argparse
import collections
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from faststyle.command_line import parse_number, run_command_line
from faststyle.scripts.benchmarks.damage import damaged_bytes, damaged_json, damaged_npz
from faststyle.scripts.benchmarks.fuzzed import SUBJECTS, Subject
from faststyle.user_error import UserError

HANG_SECONDS = 60
_DAMAGE = {".json": damaged_json, ".npz": damaged_npz}


def add_fuzz_command(subcommands) -> None:
    """Adds `fuzz` to an argparse subparsers object."""
    parser = subcommands.add_parser("fuzz", help="read damaged files", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=parse_number, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--subjects", nargs="+", choices=[s.name for s in SUBJECTS], default=[s.name for s in SUBJECTS])
    parser.add_argument("--only", type=int, metavar="NUMBER", help="one input, whose error is raised")
    parser.set_defaults(run=run_fuzz)


def run_fuzz(arguments: argparse.Namespace) -> int:
    """Prints faults as they come and a table at the end; status 1 if there were any."""
    if arguments.minutes <= 0:
        raise UserError(f"--minutes must be above 0, got {arguments.minutes:g}")
    subjects = [subject for subject in SUBJECTS if subject.name in arguments.subjects]
    with tempfile.TemporaryDirectory() as folder:
        if arguments.only is not None:
            scratch = _Scratch(Path(folder), subjects, arguments.seed)
            print(scratch.read(arguments.only, raises=True))
            return 0
        counts = collections.Counter(_outcomes(subjects, arguments, Path(folder)))
    outcomes = ("read", "refused", "fault", "partial file", "hang", "crash")
    print("| files | inputs | " + " | ".join(outcomes) + " |\n" + "|---" * 8 + "|")
    for subject in subjects:
        row = [counts[subject.name, outcome] for outcome in outcomes]
        print(f"| {subject.name} | {sum(row):,} | " + " | ".join(f"{count:,}" for count in row) + " |")
    return int(any(outcome not in ("read", "refused") for _, outcome in counts))


def _outcomes(subjects: list[Subject], arguments: argparse.Namespace, folder: Path):
    """A (subject, outcome) for every input; the process that reads is begun anew after a hang or a crash."""
    end, number = time.monotonic() + 60 * arguments.minutes, 0
    names = [subject.name for subject in subjects]
    while time.monotonic() < end:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        place = folder / str(number)
        work = (names, arguments.seed, number, end, place, theirs)
        process = multiprocessing.get_context("spawn").Process(target=_read_all, args=work)
        process.start()
        theirs.close()
        try:
            if ours.poll(10 * HANG_SECONDS):
                ours.recv()  # it has begun
            while ours.poll(HANG_SECONDS):
                number, outcome, told = ours.recv()
                if told:
                    print(f"{number} {_subject_of(number, subjects).name}: {told}", file=sys.stderr, flush=True)
                yield _subject_of(number, subjects).name, outcome
                number += 1
            failure: str | None = "hang"
        except EOFError:
            process.join()
            failure = "crash" if process.exitcode else None
        process.kill()
        process.join()
        shutil.rmtree(place, ignore_errors=True)
        if failure:
            print(f"{number} {_subject_of(number, subjects).name}: {failure} {process.exitcode}", file=sys.stderr)
            yield _subject_of(number, subjects).name, failure
            number += 1


def _read_all(names: list[str], seed: int, number: int, end: float, place: Path, results) -> None:
    subjects = [subject for subject in SUBJECTS if subject.name in names]
    null = os.open(os.devnull, os.O_WRONLY)  # readers say what they pass over
    os.dup2(null, 1)
    os.dup2(null, 2)
    scratch = _Scratch(place, subjects, seed)
    scratch.read(number)  # what is imported and compiled once
    results.send("begun")
    while time.monotonic() < end:
        results.send((number, *scratch.read(number)))
        number += 1


def _subject_of(number: int, subjects: list[Subject]) -> Subject:
    """Subjects as often as their shares say."""
    turns = [subject for subject in subjects for _ in range(subject.share)]
    return turns[number % len(turns)]


class _Scratch:
    """Undamaged files of every subject, and a folder for one damaged input at a time."""

    def __init__(self, place: Path, subjects: list[Subject], seed: int) -> None:
        os.environ["XDG_CACHE_HOME"] = str(place / "cache")  # compiled graphs of damaged models
        self._place, self._subjects, self._seed = place, subjects, seed
        for subject in subjects:
            subject.write(place / subject.name)

    def read(self, number: int, *, raises: bool = False) -> tuple[str, str]:
        """The outcome of one input, and of a fault its last line."""
        subject = _subject_of(number, self._subjects)
        random = np.random.default_rng([self._seed, number])
        with tempfile.TemporaryDirectory(dir=self._place) as folder:
            for path, content in self._damaged(subject, random).items():
                target = Path(folder) / "in" / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(content) if isinstance(content, Path) else target.write_bytes(content)
            try:
                outcome = "read" if subject.read(Path(folder)) else "refused"
            except Exception as error:
                if raises:
                    raise
                return "fault", f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            partial = [path.name for path in Path(folder).rglob(".*.*")]
            return ("partial file", str(partial)) if partial else (outcome, "")

    def _damaged(self, subject: Subject, random: np.random.Generator) -> dict[Path, bytes | Path]:
        """Every file of the subject, those that stay whole as their place."""
        root = self._place / subject.name
        files = {path.relative_to(root): path for path in sorted(root.rglob("*")) if path.is_file()}
        if subject.one_of_them:
            files = dict([list(files.items())[random.integers(len(files))]])
        damaged = {path for path in files if path.match(subject.damaged)}
        chosen = sorted(damaged)[random.integers(len(damaged))]
        content = _DAMAGE.get(chosen.suffix, damaged_bytes)(files[chosen].read_bytes(), random)
        return {**files, chosen: content}


if __name__ == "__main__":
    sys.exit(run_command_line("python -m faststyle.scripts.benchmarks.fuzz", [add_fuzz_command], only_command="fuzz"))
