"""How many iterations is a network worth? Johnson et al. 2016 (arXiv 1603.08155, figure 5), with what was not reached.

An optimization that never gets as low as the network tells only that more iterations would be needed. Such a run counts
as "more than N": it is neither left out nor taken for N.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

QUARTILES = (0.25, 0.5, 0.75)


class AtLeast(NamedTuple):
    """A number, or, where it is not exact, what the number exceeds."""

    value: float
    exact: bool = True

    def __str__(self) -> str:
        digits = 0 if self.value >= 9.95 or self.value == 0 else 1
        return f"{'' if self.exact else '> '}{self.value:.{digits}f}"


class Crossing(NamedTuple):
    """Where an optimization first gets as low as a level: iterations, and the seconds that it took to there."""

    iterations: AtLeast
    seconds: AtLeast


def crossing(totals: Sequence[float], seconds: Sequence[float], level: float) -> Crossing:
    """The first iteration whose best objective so far is at or below a level, interpolated linearly.

    Args:
        totals: the objective at the start (iteration 0) and after every iteration.
        seconds: passed until then, rising.
        level: the network's objective.
    """
    best = np.minimum.accumulate(np.asarray(totals, "float64"))
    below = np.flatnonzero(best <= level)
    if not below.size:
        return Crossing(AtLeast(float(len(best) - 1), False), AtLeast(float(seconds[-1]), False))
    after = int(below[0])
    if after == 0:
        return Crossing(AtLeast(0.0), AtLeast(0.0))
    share = float((best[after - 1] - level) / (best[after - 1] - best[after]))
    between = seconds[after - 1] + share * (seconds[after] - seconds[after - 1])
    return Crossing(AtLeast(after - 1 + share), AtLeast(float(between)))


def quartiles(values: Sequence[AtLeast]) -> tuple[AtLeast, AtLeast, AtLeast]:
    """Lower quartile, median and upper quartile, interpolated linearly between ranks.

    A quartile is exact where no number above any bound could change it; else it is the least that it can be.
    """
    least = sorted(value.value for value in values)
    most = sorted(value.value if value.exact else math.inf for value in values)
    pairs = [(_quantile(least, share), _quantile(most, share)) for share in QUARTILES]
    lower, median, upper = (AtLeast(low, math.isclose(low, high, rel_tol=1e-9)) for low, high in pairs)
    return lower, median, upper


def ratio(numerator: AtLeast, denominator: float) -> AtLeast:
    """A quotient that is as exact as its numerator."""
    return AtLeast(numerator.value / denominator, numerator.exact)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = (len(ordered) - 1) * share
    below, rest = int(place), place - int(place)
    if not rest:
        return ordered[below]
    return ordered[below] * (1 - rest) + ordered[below + 1] * rest
