"""The loss of a run as inline SVG: every step faint, the mean of its neighbors and the validation above it."""

import math
from collections.abc import Sequence

_WIDTH, _HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 34
_MOST_POINTS = 400
_SMOOTHED_STEPS = 20

Points = Sequence[tuple[int, float]]


def loss_curves(totals: Points, validation: Points, *, steps: int) -> str:
    """An SVG that takes its colors from the page.

    Args:
        totals: step and total loss of the training steps.
        validation: the same on held-out photos.
        steps: of the whole run, the end of the axis.
    """
    if not totals:
        return ""
    values = sorted(value for _, value in [*totals, *validation])
    low, high = values[0], values[min(len(values) - 1, math.ceil(0.98 * len(values)))]
    high = high if high > low else low + 1.0

    def x(step: float) -> float:
        return _LEFT + step / steps * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        share = min(1.0, (value - low) / (high - low))
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def line(points: Points, css: str) -> str:
        placed = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in points)
        return f'<polyline class="{css}" fill="none" points="{placed}"/>'

    ticks = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>'
        for value in (low, (low + high) / 2, high)
    )
    ends = "".join(
        f'<text x="{x(step):.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{step}</text>'
        for step in (0, steps // 2, steps)
    )
    dots = "".join(f'<circle cx="{x(step):.1f}" cy="{y(value):.1f}" r="3.5"/>' for step, value in validation)
    key = f'<text x="{_WIDTH - _RIGHT}" y="{_TOP + 10}" text-anchor="end">line: training, dots: held-out photos</text>'
    lines = line(_thinned(totals), "raw") + line(_smoothed(totals), "curve")
    label = "total loss against steps"
    return (
        f'<div class="plot-box"><svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"{ticks}{ends}{lines}{dots}{key}</svg></div>"
    )


def _thinned(points: Points) -> Points:
    return points[:: max(1, math.ceil(len(points) / _MOST_POINTS))]


def _smoothed(points: Points) -> Points:
    """The running mean over the last steps."""
    means, total = [], 0.0
    for index, (step, value) in enumerate(points):
        total += value - (points[index - _SMOOTHED_STEPS][1] if index >= _SMOOTHED_STEPS else 0.0)
        means.append((step, total / min(index + 1, _SMOOTHED_STEPS)))
    return _thinned(means)
