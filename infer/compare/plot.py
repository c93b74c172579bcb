"""The plot of a comparison as inline SVG: objective against iterations, log axis, the network a horizontal line."""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from faststyle.infer.compare.settings import Method

_WIDTH, _HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 14, 40
_LABEL_OFFSET = 4


class Curve(NamedTuple):
    """A method's objective at iteration 0, 1, 2, ... and where it equals the network, if it does."""

    method: Method
    totals: Sequence[float]
    equal_at: float | None


def plot(curves: Sequence[Curve], level: float, *, y_label: str) -> str:
    """An SVG that takes its colors from the page, so that it fits light and dark.

    Args:
        curves: one for each method.
        level: the network's objective.
        y_label: what the vertical axis shows.
    """
    axes = _Axes(curves, level)
    parts = [_grid(axes, y_label), *(_line(axes, curve) for curve in curves), _network(axes, level)]
    parts += [_dot(axes, curve, level) for curve in curves if curve.equal_at is not None]
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return (
        f'<svg class="plot" {box} role="img" aria-label="{escape(y_label)} against iterations">{"".join(parts)}</svg>'
    )


def median_curve(method: Method, runs: Sequence[Sequence[float]]) -> Curve:
    """The median over photos, iteration by iteration; a run that ended early stays at its last value."""
    longest = max(len(run) for run in runs)
    extended = [np.concatenate([run, np.full(longest - len(run), run[-1])]) for run in runs]
    return Curve(method, [float(value) for value in np.median(extended, axis=0)], None)


def css_class(method: Method) -> str:
    """The class that gives a method its color and dashes."""
    return f"{method.optimizer} from-{method.start}"


class _Axes:
    """Maps iterations (linear) and objective (logarithmic) to the drawing."""

    def __init__(self, curves: Sequence[Curve], level: float) -> None:
        values = [value for value in (level, *(value for curve in curves for value in curve.totals)) if value > 0] or [
            1.0
        ]
        self.last = max([1, *(len(curve.totals) - 1 for curve in curves)])
        self._low, self._high = math.log10(min(values) / 1.1), math.log10(max(values) * 1.1)

    def x(self, iteration: float) -> float:
        return _LEFT + iteration / self.last * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (math.log10(max(value, 1e-30)) - self._low) / (self._high - self._low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def y_ticks(self) -> list[float]:
        decades = range(math.floor(self._low), math.ceil(self._high) + 1)
        ticks = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
        return [tick for tick in ticks if self._low <= math.log10(tick) <= self._high]

    def x_ticks(self) -> list[int]:
        rough = self.last / 5
        step = next(s * 10**e for e in range(9) for s in (1, 2, 5) if s * 10**e >= rough)
        return list(range(0, self.last + 1, step))


def _grid(axes: _Axes, y_label: str) -> str:
    parts = []
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for tick in axes.y_ticks():
        y = axes.y(tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + _LABEL_OFFSET:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in axes.x_ticks():
        x = axes.x(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick}</text>')
    middle = (_TOP + bottom) / 2
    parts.append(f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 6}" text-anchor="middle">iterations</text>')
    parts.append(f'<text transform="translate(12 {middle}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>')
    return "".join(parts)


def _line(axes: _Axes, curve: Curve) -> str:
    points = " ".join(f"{axes.x(k):.1f},{axes.y(value):.1f}" for k, value in enumerate(curve.totals))
    title = f"<title>{escape(curve.method.title)}</title>"
    return f'<polyline class="curve {css_class(curve.method)}" fill="none" points="{points}">{title}</polyline>'


def _network(axes: _Axes, level: float) -> str:
    y, right = axes.y(level), _WIDTH - _RIGHT
    line = f'<line class="network" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{line}<text class="network-label" x="{right}" y="{y - 5:.1f}" text-anchor="end">network {level:.3g}</text>'


def _dot(axes: _Axes, curve: Curve, level: float) -> str:
    title = f"<title>{escape(curve.method.title)}: {curve.equal_at:.1f} iterations</title>"
    x, y = axes.x(curve.equal_at or 0.0), axes.y(level)
    return f'<circle class="{css_class(curve.method)}" cx="{x:.1f}" cy="{y:.1f}" r="4">{title}</circle>'
