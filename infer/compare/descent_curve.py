"""The whole course of an optimization: the objective, its terms, seconds and evaluations after every iteration."""

import time
from collections.abc import Callable, Iterator

import numpy as np

from faststyle.infer.optimize.descent import Evaluate, Evaluation, Iterate, adam, lbfgs


class DescentCurve:
    """What an optimization recorded. Row 0 is the start, row k the image after k iterations.

    Attributes:
        best: the image of the lowest objective.
        equal: the first image at or below the level, or None.
        ended: "iterations", or "no further descent" where the optimizer found no way down.
    """

    def __init__(self, start: Iterate, level: float) -> None:
        self._level = level
        self._rows: list[dict[str, float]] = []
        self._seconds: list[float] = []
        self._evaluations: list[int] = []
        self.best: Iterate = start
        self.equal: Iterate | None = None
        self.ended = "no further descent"
        self.add(start, seconds=0.0, evaluations=0)

    @property
    def iterations(self) -> int:
        return len(self._rows) - 1

    def add(self, iterate: Iterate, *, seconds: float, evaluations: int) -> None:
        """Records an image; `seconds` and `evaluations` are those so far."""
        value = iterate.evaluation.value
        self._rows.append(iterate.evaluation.terms)
        self._seconds.append(seconds)
        self._evaluations.append(evaluations)
        if value < self.best.evaluation.value:
            self.best = iterate
        if self.equal is None and value <= self._level:
            self.equal = iterate

    def numbers(self) -> dict:
        """Everything as plain JSON values: `{"terms": {name: [...]}, "seconds": [...], "evaluations": [...], ...}`."""
        return {
            "terms": {name: [row[name] for row in self._rows] for name in self._rows[0]},
            "seconds": self._seconds,
            "evaluations": self._evaluations,
            "best_terms": self.best.evaluation.terms,
            "ended": self.ended,
        }


def descend(
    evaluate: Evaluate,
    start: np.ndarray,
    *,
    optimizer: str,
    iterations: int,
    rates: tuple[float, float],
    level: float,
    on_iteration: Callable[[Iterate], None] = lambda iterate: None,
) -> DescentCurve:
    """Optimizes from `start` and records the course.

    Seconds count from the beginning and so include the objective at the start.

    Args:
        evaluate: the objective and its gradient.
        start: flat float32 vector in 0..255.
        optimizer: "lbfgs" or "adam".
        iterations: most.
        rates: Adam's learning rate and the share of it left at the last iteration.
        level: an objective to compare with.
        on_iteration: called with the image and its objective after every iteration; what it raises ends the run.

    Raises:
        RuntimeError: the objective is no finite number.
    """
    counted = _Counted(evaluate)
    curve: DescentCurve | None = None
    began = time.perf_counter()
    for iteration, iterate in _iterates(counted, start, optimizer, iterations, rates):
        seconds, value = time.perf_counter() - began, iterate.evaluation.value
        curve = curve or DescentCurve(counted.start, level)
        if not np.isfinite(value):
            raise RuntimeError(f"the objective is not finite after {curve.iterations} iterations; lower the weights")
        if iteration == 0:
            continue
        curve.add(iterate, seconds=seconds, evaluations=counted.evaluations)
        on_iteration(iterate)
        if iteration == iterations:
            curve.ended = "iterations"
            break
    return curve or DescentCurve(counted.start, level)


class _Counted:
    """An objective that counts its evaluations and keeps the first one, which is at the start."""

    start: Iterate

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate, self.evaluations = evaluate, 0

    def __call__(self, image: np.ndarray) -> Evaluation:
        here = self._evaluate(image)
        if not self.evaluations:
            self.start = Iterate(image, here)
        self.evaluations += 1
        return here


def _iterates(
    evaluate: Evaluate, start: np.ndarray, optimizer: str, iterations: int, rates: tuple[float, float]
) -> Iterator[tuple[int, Iterate]]:
    """Images with the number of iterations that made them; Adam shows its start, too."""
    if optimizer == "lbfgs":
        return enumerate(lbfgs(evaluate, start), start=1)
    return enumerate(adam(evaluate, start, iterations=iterations + 1, learning_rate=rates[0], decay=rates[1]))
