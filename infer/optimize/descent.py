"""Optimizers over the pixels of one image, in the box 0..255: L-BFGS and Adam, as generators of ever better images.

L-BFGS is our own because SciPy's L-BFGS-B, in float64 and with exact Cauchy points over a million bounds, takes a
large share of the network's own time (docs/optimize.md has the figures). Two-loop recursion: Nocedal 1980; the box as
in projected quasi-Newton methods (Bertsekas 1982): pixels at a bound that want to leave it rest.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

LOWEST, HIGHEST = 0.0, 255.0
MEMORY = 10
_FIRST_STEP_PX = 2.0
_SUFFICIENT_DECREASE = 1e-4
_LINE_SEARCH_TRIALS = 12


class Evaluation(NamedTuple):
    """The objective at an image: its value, its gradient (a flat float32 vector), and every term for the log."""

    value: float
    gradient: np.ndarray
    terms: dict[str, float]


class Iterate(NamedTuple):
    """An image (a flat float32 vector in 0..255) and the objective there."""

    image: np.ndarray
    evaluation: Evaluation


Evaluate = Callable[[np.ndarray], Evaluation]


def lbfgs(evaluate: Evaluate, start: np.ndarray, *, memory: int = MEMORY) -> Iterator[Iterate]:
    """Yields an image after every iteration, never a worse one; ends where float32 finds no way down.

    Args:
        evaluate: the objective and its gradient.
        start: flat float32 vector; clipped to the box.
        memory: pairs of steps and gradient changes that make up the curvature.
    """
    image = np.clip(start, LOWEST, HIGHEST)
    here = evaluate(image)
    pairs: deque = deque(maxlen=memory)
    while True:
        found = _line_search(evaluate, Iterate(image, here), _direction(image, here.gradient, pairs))
        if found is None:
            if not pairs:
                return
            pairs.clear()  # the curvature misled: once more along the plain gradient
            continue
        step, change = found.image - image, found.evaluation.gradient - here.gradient
        if step @ change > 1e-8 * (change @ change):
            pairs.append((step, change, 1.0 / (step @ change)))
        image, here = found
        yield found


def adam(
    evaluate: Evaluate, start: np.ndarray, *, iterations: int, learning_rate: float, decay: float
) -> Iterator[Iterate]:
    """Yields the image before every step (Kingma & Ba 2014, arXiv 1412.6980, algorithm 1), clipped to the box.

    Args:
        evaluate: the objective and its gradient.
        start: flat float32 vector; clipped to the box.
        iterations: over which the learning rate falls.
        learning_rate: about the change of a pixel per step, in 0..255.
        decay: share of the learning rate left at the last iteration; it falls exponentially. 1 is constant.
    """
    image = np.clip(start, LOWEST, HIGHEST)
    mean, square = np.zeros_like(image), np.zeros_like(image)
    for iteration in range(1, iterations + 1):
        here = evaluate(image)
        yield Iterate(image, here)
        mean += 0.1 * (here.gradient - mean)
        square += 0.001 * (np.square(here.gradient) - square)
        rate = learning_rate * decay ** ((iteration - 1) / max(1, iterations - 1))
        # Epsilon far below 1e-8: relative errors have tiny gradients per pixel.
        step = (mean / (1 - 0.9**iteration)) / (np.sqrt(square / (1 - 0.999**iteration)) + 1e-16)
        image = np.clip(image - np.float32(rate) * step, LOWEST, HIGHEST)


def _direction(image: np.ndarray, gradient: np.ndarray, pairs: deque) -> np.ndarray:
    """The quasi-Newton direction over the pixels that are free to move."""
    free = ~(((image <= LOWEST) & (gradient > 0)) | ((image >= HIGHEST) & (gradient < 0)))
    direction = np.where(free, -gradient, 0)
    if not pairs:
        size = np.sqrt(np.mean(np.square(direction)))
        return direction * (_FIRST_STEP_PX / size) if size > 0 else direction
    shares = []
    for step, change, inverse in reversed(pairs):
        shares.append(inverse * (step @ direction))
        direction -= shares[-1] * change
    step, change, inverse = pairs[-1]
    direction *= 1.0 / (inverse * (change @ change))
    for (step, change, inverse), share in zip(pairs, reversed(shares), strict=True):
        direction += (share - inverse * (change @ direction)) * step
    return np.where(free, direction, 0)


def _line_search(evaluate: Evaluate, here: Iterate, direction: np.ndarray) -> Iterate | None:
    """The first of ever shorter steps along the projected direction that lowers the value enough, or None."""
    length = np.float32(1.0)
    for _ in range(_LINE_SEARCH_TRIALS):
        image = np.clip(here.image + length * direction, LOWEST, HIGHEST)
        slope = float(here.evaluation.gradient @ (image - here.image))
        if slope >= 0:
            return None
        there = evaluate(image)
        if there.value < here.evaluation.value and there.value <= here.evaluation.value + _SUFFICIENT_DECREASE * slope:
            return Iterate(image, there)
        length *= np.float32(0.4)
    return None
