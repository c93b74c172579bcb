"""Which photos become which files: single photos, folders, patterns, standard input and output."""

import dataclasses
import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from faststyle.atomic_files import check_place
from faststyle.images.files import list_images
from faststyle.images.formats import FORMATS, READABLE_SUFFIXES, ImageFormat
from faststyle.infer.exported_model.stylizer import StylizeError
from faststyle.infer.stylize.naming import Naming, check_format

STREAM = Path("-")


@dataclasses.dataclass(frozen=True)
class StylizeJob:
    """One photo, where its result goes, and in which format; `STREAM` is standard input and output."""

    source: Path
    target: Path
    format: ImageFormat = FORMATS["png"]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to be done, and how many results of earlier runs are left as they are."""

    jobs: list[StylizeJob]
    existing: int = 0


def plan_jobs(
    inputs: Sequence[Path],
    output: Path,
    *,
    naming: Naming | None = None,
    format_name: str | None = None,
    existing: str = "refuse",
) -> Plan:
    """Pairs photos with results: one photo to a file, several photos or folders into a folder (tree mirrored).

    Args:
        inputs: photos, folders, patterns such as `photos/**/*.jpg`, or one `-`.
        output: a file for one photo, else a folder; or `-`.
        naming: of results in a folder.
        format_name: of the results; None is what a file's suffix says, else PNG.
        existing: results that exist: "refuse", "overwrite", or "resume" to leave them and do the others.

    Raises:
        StylizeError: missing input, no image in a folder, an impossible output, or a result that may not be replaced.
        PlaceError: an output folder that is a file or may not be written.
        ImageError: a result's suffix that no image can have.
    """
    if STREAM in inputs and len(inputs) > 1:
        raise StylizeError("- (standard input) is one photo; give it alone")
    naming = naming or Naming(format_name=format_name or "png")
    jobs = _pair(inputs, output, naming, format_name)
    _check_targets(jobs, existing)
    if existing == "resume":
        wanted = [job for job in jobs if job.target == STREAM or not job.target.exists()]
        jobs, found = wanted, len(jobs) - len(wanted)
        return Plan(jobs, found)
    return Plan(jobs)


def _pair(inputs: Sequence[Path], output: Path, naming: Naming, format_name: str | None) -> list[StylizeJob]:
    single = len(inputs) == 1 and (inputs[0] == STREAM or inputs[0].is_file())
    if output == STREAM:
        if not single:
            raise StylizeError("--output - (standard output) takes one photo; several need a folder")
        return [StylizeJob(inputs[0], output, FORMATS[format_name or "png"])]
    if single and output.suffix and not output.is_dir():
        check_place(output.parent)
        return [StylizeJob(inputs[0], output, check_format(output, format_name))]
    check_place(output)
    jobs: dict[tuple[Path, Path], StylizeJob] = {}
    for path in inputs:
        for source, place in _photos_of(path, output, naming):
            target = output / place.parent / naming.name(place.stem)
            jobs.setdefault((source, target), StylizeJob(source, target, FORMATS[naming.format_name]))
    results = {job.target.resolve() for job in jobs.values()} if naming.renames else set()
    return [job for job in jobs.values() if job.source == STREAM or job.source.resolve() not in results]


def _photos_of(path: Path, output: Path, naming: Naming) -> Iterator[tuple[Path, Path]]:
    """The photos that one input means, each with its place below the output folder."""
    if path == STREAM:
        yield path, Path("stdin")
        return
    if path.is_file():
        yield path, Path(path.name)
        return
    root, images = _matches(path)
    if output.resolve() == root.resolve():
        if not naming.renames:
            raise StylizeError(f"{output}: results would lie among the photos; choose another --output, or a --name")
    elif output.resolve().is_relative_to(root.resolve()):
        images = [image for image in images if output.resolve() not in image.resolve().parents]
    if not images:
        raise StylizeError(f"{path}: no image files ({', '.join(s[1:] for s in READABLE_SUFFIXES)}) in it")
    for image in images:
        yield image, image.relative_to(root)


def _matches(path: Path) -> tuple[Path, list[Path]]:
    """The folder that a folder or a pattern begins with, and its images."""
    if path.is_dir():
        return path, list_images(path)
    if not glob.has_magic(str(path)):
        raise StylizeError(f"{path}: no such file or folder")
    fixed = next(place for place in path.parents if not glob.has_magic(str(place)))
    found = (Path(match) for match in sorted(glob.glob(str(path), recursive=True)))
    images = [match for match in found if match.suffix.lower() in READABLE_SUFFIXES and match.is_file()]
    if not images:
        raise StylizeError(f"{path}: the pattern matches no image file")
    return fixed, images


def _check_targets(jobs: Sequence[StylizeJob], existing: str) -> None:
    seen: dict[Path, Path] = {}
    for job in jobs:
        if job.target == STREAM:
            continue
        if job.source != STREAM and job.target.resolve() == job.source.resolve():
            raise StylizeError(f"{job.target}: the result would replace the photo itself; choose another --output")
        if job.target in seen:
            raise StylizeError(f"{seen[job.target]} and {job.source} would both become {job.target}; rename one")
        if existing == "refuse" and job.target.exists():
            raise StylizeError(
                f"{job.target}: exists already; pass --overwrite or --resume, or choose another --output"
            )
        seen[job.target] = job.source
