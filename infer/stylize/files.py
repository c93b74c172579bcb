"""Stylize photo files with a stylizer: decode, network and encode overlapped, bad photos skipped and named."""

import contextlib
import dataclasses
import errno
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from faststyle.images.blending import MaskError
from faststyle.images.decoding import TooLargeError
from faststyle.images.files import ImageError, write_photo
from faststyle.images.formats import ImageFormat, encode
from faststyle.images.photos import MAX_MEGAPIXELS, Photo, read_photo
from faststyle.infer.exported_model.stylizer import StylizeError
from faststyle.infer.stylize.jobs import STREAM, StylizeJob
from faststyle.infer.stylize.pipeline import overlapped
from faststyle.infer.stylize.streams import read_standard_input, write_standard_output

PHOTO_FAILURES = (ImageError, StylizeError, MaskError, MemoryError)  # of one photo, which the others need not mind
_LOST_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def stylize_files(
    jobs: Sequence[StylizeJob],
    stylizer: Callable[[np.ndarray], np.ndarray],
    *,
    quality: int | None = None,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> list[str]:
    """Stylizes every job with a progress bar; a photo that fails is skipped, and what results have not is said.

    Args:
        jobs: what to do.
        stylizer: `[height, width, 3]` uint8 to the same shape and type.
        quality: 1 to 100 for formats that have one.
        max_megapixels: larger photos fail.

    Returns:
        One line for each failure.

    Raises:
        ImageError: the disk is full or became read-only, so that nothing further can be written.
        KeyboardInterrupt: with a word on what is done.
    """
    done: list[StylizeJob] = []
    changes: dict[tuple[str, ...], list[str]] = defaultdict(list)

    def read(job: StylizeJob) -> Photo:
        encoded = read_standard_input() if job.source == STREAM else job.source
        try:
            return read_photo(encoded, name=_name(job), max_megapixels=max_megapixels)
        except TooLargeError as error:
            raise TooLargeError(f"{error}; a higher --max-megapixels allows it") from None

    def work(photo: Photo) -> Photo:
        return dataclasses.replace(photo, pixels=stylizer(photo.pixels))

    def write(job: StylizeJob, photo: Photo) -> None:
        if job.target == STREAM:
            write_standard_output(encode_result(photo, job.format, name=_name(job), quality=quality))
        else:
            write_photo(job.target, photo, quality=quality)
        if lost := lost_in(photo, job.format):
            changes[lost].append(_name(job))
        done.append(job)

    failures: list[str] = []
    steps = overlapped(jobs, read=read, work=work, write=write, failures=PHOTO_FAILURES)
    try:
        with _progress_bar(len(jobs)) as bar, contextlib.closing(steps):
            for job, error in steps:
                if error and len(jobs) > 1 and _place_is_lost(error):
                    raise ImageError(f"{error}; {_progress(len(done), jobs)}")
                if error:
                    failures.append(_line(job, error))
                if bar:
                    bar.set_postfix({"skipped": len(failures)} if failures else {}, refresh=False)
                    bar.update()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"after {_progress(len(done), jobs)}" if len(jobs) > 1 else "") from None
    finally:
        _list_changes(changes)
    return failures


def lost_in(photo: Photo, image_format: ImageFormat) -> tuple[str, ...]:
    """What a photo's file has and its result in this format has not, in words."""
    flat = photo.alpha is not None and not image_format.has_alpha
    return photo.left_out + (("transparency is laid over white",) if flat else ())


def encode_result(photo: Photo, image_format: ImageFormat, *, name: str, quality: int | None) -> bytes:
    """As `encode`.

    Raises:
        ImageError: the format cannot hold this photo, called `name`.
    """
    try:
        return encode(photo, image_format, quality=quality)
    except (OSError, ValueError) as error:  # of formats that end at some size
        raise ImageError(f"{name}: cannot be written as {image_format.pillow_name} ({error})") from error


def _progress_bar(photos: int):
    """None for a single photo, which the import of a bar would delay."""
    if photos < 2:
        return contextlib.nullcontext()
    from faststyle.progress_bar import ProgressBar

    return ProgressBar(total=photos, unit="image")


def list_failures(failures: Sequence[str]) -> None:
    """Names the skipped photos on standard error, one line each."""
    for failure in failures:
        print(f"skipped {failure}", file=sys.stderr)


def _list_changes(changes: Mapping[tuple[str, ...], Sequence[str]]) -> None:
    """One line on standard error for all photos that lose the same."""
    for lost, names in changes.items():
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        print(f"{names[0]}{others}: {'; '.join(lost)}", file=sys.stderr)


def _name(job: StylizeJob) -> str:
    return "standard input" if job.source == STREAM else str(job.source)


def _place_is_lost(error: Exception) -> bool:
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in _LOST_PLACE


def _progress(done: int, jobs: Sequence[StylizeJob]) -> str:
    return f"{done} of {len(jobs)} stylized; --resume goes on"


def _line(job: StylizeJob, error: Exception) -> str:
    reason = " ".join(str(error).split()) or "not enough memory"
    known = (str(job.source), str(job.target), "standard ")
    return reason if reason.startswith(known) else f"{job.source}: {reason}"
