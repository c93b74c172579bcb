"""Optimizes the pixels of one image until its features show the content in the style (Gatys et al. 2016, CVPR).

The slow reference beside the feed-forward network, on the same objective.
"""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from faststyle.images.color_transfer import keep_luminance_only, match_mean_covariance
from faststyle.images.contact_sheet import fit_within
from faststyle.images.files import ImageError, read_image, resize_shorter_side, resize_to, to_uint8
from faststyle.images.masks import masks_at, read_masks
from faststyle.infer.optimize.descent import Iterate, adam, lbfgs
from faststyle.infer.optimize.image_problem import ImageProblem
from faststyle.infer.optimize.initial_image import initial_image
from faststyle.infer.optimize.log import OptimizeLog
from faststyle.infer.optimize.published_units import in_published_units
from faststyle.infer.optimize.settings import LARGEST_PX, OptimizeSettings
from faststyle.infer.optimize.stopping import StopRules
from faststyle.infer.styles.style_image import read_style_image
from faststyle.models.feature_scale import rescaled
from faststyle.models.loss_network import LossNetwork
from faststyle.models.loss_network_weights import load_vgg_weights
from faststyle.models.objective import Objective
from faststyle.user_error import UserError

_SMALLEST_PX = 16


class OptimizedImage(NamedTuple):
    """The best image found, `[height, width, 3]` uint8, its terms, why the run ended, and which weights measured."""

    image: np.ndarray
    terms: dict[str, float]
    stopped_by: str
    loss_network_weights: str | None = None


class _Pictures(NamedTuple):
    """What the settings name, read: photo, styles and masks, all `[height, width, 3]` uint8."""

    photo: np.ndarray
    styles: list[np.ndarray]
    masks: list[np.ndarray]


def optimize_image(settings: OptimizeSettings, log: OptimizeLog) -> OptimizedImage:
    """Runs through the scales, each from the upscaled result of the one before.

    Ctrl-C ends the run with the best image so far.

    Raises:
        UserError: images, masks or layers that cannot be used.
        KeyboardInterrupt: before there was any image.
    """
    pictures = _read_pictures(settings)
    chosen = settings.objective_settings()
    weights = load_vgg_weights(settings.loss_network, settings.vgg_weights)
    weights = rescaled(weights, settings.feature_scale, [pictures.photo, *pictures.styles], pooling=settings.pooling)
    loss_network = LossNetwork(settings.loss_network, layers=chosen.layers(), pooling=settings.pooling, weights=weights)
    objective = Objective(loss_network, chosen)
    result: OptimizedImage | None = None
    sizes = scale_sizes(settings, pictures.photo)
    try:
        for size in sizes:
            previous = result
            for best in _run_scale(objective, settings, pictures, size, previous, log):
                result = best
            if result is not None and result.stopped_by == "time limit":
                break
    except KeyboardInterrupt:
        if result is None:
            raise
        result = result._replace(stopped_by="Ctrl-C")
    if result is None:
        raise RuntimeError("no image was made")
    finished = _finished(result, settings, fit_within(pictures.photo, sizes[-1]))
    return finished._replace(loss_network_weights=loss_network.weights_source)


def scale_sizes(settings: OptimizeSettings, photo: np.ndarray) -> list[int]:
    """Longer sides of the runs, px, none beyond the photo's own."""
    own = max(photo.shape[:2])
    wanted = settings.scales or (settings.size or own,)
    return sorted({min(size, own) for size in wanted})


def _run_scale(
    objective: Objective,
    settings: OptimizeSettings,
    pictures: _Pictures,
    size: int,
    previous: OptimizedImage | None,
    log: OptimizeLog,
) -> Iterator[OptimizedImage]:
    """Yields the best image so far after every iteration at one scale."""
    content = fit_within(pictures.photo, size)
    height, width = content.shape[:2]
    scales = settings.style_scales or (1.0,) * len(pictures.styles)
    styles = [_scaled_style(style, scale, content) for style, scale in zip(pictures.styles, scales, strict=True)]
    problem = ImageProblem(
        in_published_units(objective, settings.units, content, styles),
        content.astype("float32"),
        [style.astype("float32") for style in styles],
        style_weights=settings.style_weights or (1.0,) * len(styles),
        masks=masks_at(pictures.masks, height=height, width=width) if pictures.masks else None,
    )
    if previous is None:
        noise = settings.initial_noise
        start = initial_image(settings.initial, content, pictures.styles[0], noise_share=noise, seed=settings.seed)
    else:
        start = resize_to(previous.image, height=height, width=width).astype("float32")
    rules = StopRules(
        iterations=settings.iterations,
        time_limit=settings.time_limit,
        min_improvement=settings.min_improvement,
        window=settings.window,
        started=log.started,
    )
    best: Iterate | None = None
    stopped_by: str | None = None
    for iterate in _descend(settings, problem, start.ravel()):
        terms = iterate.evaluation.terms
        if not np.isfinite(iterate.evaluation.value):
            raise RuntimeError(f"the loss is not finite after {len(log.history)} iterations; lower the weights")
        if best is None or iterate.evaluation.value < best.evaluation.value:
            best = iterate
        log.iteration(size, terms, functools.partial(problem.picture, iterate.image))
        stopped_by = rules.reason(iterate.evaluation.value)
        yield OptimizedImage(to_uint8(problem.picture(best.image)), best.evaluation.terms, stopped_by or "running")
        if stopped_by:
            return
    if best is None:  # the start is a minimum already
        here = problem(start.ravel())
        log.iteration(size, here.terms, lambda: start)
        best = Iterate(start.ravel(), here)
    yield OptimizedImage(to_uint8(problem.picture(best.image)), best.evaluation.terms, "no further descent")


def _descend(settings: OptimizeSettings, problem: ImageProblem, start: np.ndarray) -> Iterator[Iterate]:
    if settings.optimizer == "lbfgs":
        return lbfgs(problem, start)
    return adam(
        problem,
        start,
        iterations=settings.iterations,
        learning_rate=settings.learning_rate,
        decay=settings.learning_rate_decay,
    )


def _read_pictures(settings: OptimizeSettings) -> _Pictures:
    photo = read_image(Path(settings.content))
    if min(photo.shape[:2]) < _SMALLEST_PX:
        raise ImageError(f"{settings.content}: smaller than {_SMALLEST_PX} px on a side; choose a larger photo")
    styles = []
    for path in settings.styles:
        style = read_style_image(Path(path), tell=True)
        recolor = settings.preserve_colors == "covariance"
        styles.append(to_uint8(match_mean_covariance(style, photo)) if recolor else style)
    return _Pictures(photo, styles, read_masks(settings.masks, photo))


def _scaled_style(style: np.ndarray, scale: float, content: np.ndarray) -> np.ndarray:
    size = scale * min(content.shape[:2])
    if size > LARGEST_PX:
        raise UserError(f"--style-scales {scale:g} makes the style image {size:.0f} px; at most {LARGEST_PX} px fit")
    return resize_shorter_side(style, max(_SMALLEST_PX, round(size)))


def _finished(result: OptimizedImage, settings: OptimizeSettings, photo: np.ndarray) -> OptimizedImage:
    """At the last scale's size, and with the photo's colors where asked for."""
    height, width = photo.shape[:2]
    image = resize_to(result.image, height=height, width=width)
    if settings.preserve_colors == "luminance":
        image = to_uint8(keep_luminance_only(image, photo))
    return result._replace(image=image)
