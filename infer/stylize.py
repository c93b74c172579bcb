"""Stylize photos with an exported model: one file or folders, each result as large as its photo."""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from infer.images import ImageError, check_writable_suffix, list_images, read_image, to_uint8, write_image
from infer.model_card import read_model_card

MINIMUM_SIZE_PX = 16


class StylizeError(ValueError):
    """Inputs, outputs or a mixture that make no sense together."""


class Stylizer:
    """An exported style model, ready to use. `styles` names what it holds.

    Args:
        model_dir: from `faststyle train` or `faststyle export`.
        style_mixture: style name to weight for a model of several styles; weights are scaled to sum 1. None is the
            first style.

    Raises:
        ModelCardError: no exported model there.
        StylizeError: a style that the model does not hold.
    """

    def __init__(self, model_dir: Path, *, style_mixture: dict[str, float] | None = None) -> None:
        self.styles: list[str] = read_model_card(model_dir)["styles"]
        self._mixture = mixture_row(self.styles, style_mixture)
        import tensorflow as tf  # seconds of import: only when an image is to be stylized

        self._tf = tf
        try:
            self._model = tf.saved_model.load(str(model_dir))  # keeps the signature's variables alive
        except (tf.errors.OpError, OSError) as error:
            raise StylizeError(f"{model_dir}: damaged model ({str(error).splitlines()[0]})") from None
        self._serve = self._model.signatures["serving_default"]

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Stylizes `[height, width, 3]` uint8 in RGB, sides at least 16 px; the result has the same shape and type."""
        if min(image.shape[:2]) < MINIMUM_SIZE_PX:
            raise StylizeError(
                f"photo of {image.shape[1]}x{image.shape[0]} px: sides must be at least {MINIMUM_SIZE_PX} px"
            )
        inputs = {"image": self._tf.constant(image[None], self._tf.float32)}
        if len(self.styles) > 1:
            inputs["style_mixture"] = self._tf.constant(self._mixture[None])
        try:
            return to_uint8(self._serve(**inputs)["stylized_image"].numpy()[0])
        except self._tf.errors.ResourceExhaustedError:
            raise MemoryError from None


def mixture_row(styles: Sequence[str], weights: dict[str, float] | None) -> np.ndarray:
    """Weights by style name as `[num_styles]` float32 of sum 1; None chooses the first style.

    Raises:
        StylizeError: an unknown name, a negative weight, or no positive weight.
    """
    weights = weights or {styles[0]: 1.0}
    unknown = [name for name in weights if name not in styles]
    if unknown:
        raise StylizeError(f"no style {unknown[0]!r} in this model; it holds {', '.join(styles)}")
    row = np.array([weights.get(name, 0.0) for name in styles], "float32")
    if not np.isfinite(row).all() or row.min() < 0 or row.sum() <= 0:
        raise StylizeError(f"a style mixture needs weights of 0 or more with a positive sum, got {weights}")
    return row / row.sum()


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
