"""Stylize photo files with a stylizer: one file or folders, each result as large as its photo."""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from infer.images import ImageError, check_writable_suffix, list_images, read_image, write_image
from infer.stylizer import StylizeError


@dataclasses.dataclass(frozen=True)
class StylizeJob:
    """One photo and where its result goes."""

    source: Path
    target: Path


def plan_jobs(inputs: Sequence[Path], output: Path, *, overwrite: bool) -> list[StylizeJob]:
    """Pairs photos with results: one photo to a file, several photos or folders into a folder (tree mirrored).

    Raises:
        StylizeError: missing input, no image in a folder, or a result that exists and may not be overwritten.
        ImageError: a result's suffix that no image can have.
    """
    missing = [path for path in inputs if not path.exists()]
    if missing:
        raise StylizeError(f"{missing[0]}: no such file or folder")
    if len(inputs) == 1 and inputs[0].is_file() and output.suffix and not output.is_dir():
        check_writable_suffix(output)
        jobs = [StylizeJob(inputs[0], output)]
    else:
        if output.is_file():
            raise StylizeError(f"{output}: is a file, but several photos need a folder; choose another --output")
        jobs = [job for path in inputs for job in _jobs_of(path, output)]
    _check_targets(jobs, overwrite=overwrite)
    return jobs


def stylize_files(jobs: Sequence[StylizeJob], stylizer: Callable[[np.ndarray], np.ndarray]) -> list[str]:
    """Stylizes every job with a progress bar; a photo that fails is skipped. Returns one line for each failure."""
    failures = []
    with tqdm(jobs, unit="image", disable=len(jobs) < 2) as bar:
        for job in bar:
            try:
                write_image(job.target, stylizer(read_image(job.source)))
            except (ImageError, StylizeError, MemoryError) as error:
                reason = str(error) or "not enough memory"
                failures.append(reason if str(job.source) in reason else f"{job.source}: {reason}")
                if len(jobs) > 1:
                    bar.write(f"skipped {failures[-1]}", file=sys.stderr)
    return failures


def _jobs_of(path: Path, output: Path) -> Iterator[StylizeJob]:
    if path.is_file():
        yield StylizeJob(path, output / f"{path.stem}.png")
        return
    inside = output.resolve() != path.resolve() and output.resolve().is_relative_to(path.resolve())
    results = output.resolve() if inside else None
    images = [image for image in list_images(path) if not results or results not in image.resolve().parents]
    if not images:
        raise StylizeError(f"{path}: no image files (jpg, png, webp, tiff, bmp, gif) in it")
    for image in images:
        yield StylizeJob(image, (output / image.relative_to(path)).with_suffix(".png"))


def _check_targets(jobs: Sequence[StylizeJob], *, overwrite: bool) -> None:
    seen: dict[Path, Path] = {}
    for job in jobs:
        if job.target.resolve() == job.source.resolve():
            raise StylizeError(f"{job.target}: the result would replace the photo itself; choose another --output")
        if job.target in seen:
            raise StylizeError(f"{seen[job.target]} and {job.source} would both become {job.target}; rename one")
        if job.target.exists() and not overwrite:
            raise StylizeError(f"{job.target}: exists already; pass --overwrite, or choose another --output")
        seen[job.target] = job.source
