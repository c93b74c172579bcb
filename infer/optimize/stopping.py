"""When an optimization is over: iterations, time, or too little improvement over a window."""

import time
from collections.abc import Callable


class StopRules:
    """Says after every iteration whether to stop, and why.

    Args:
        iterations: most iterations.
        time_limit: seconds from `started`, or None.
        min_improvement: percent that the total must fall by over `window` iterations; 0 is off.
        window: iterations.
        started: of the whole run, on `clock`.
        clock: seconds; tests give their own.
    """

    def __init__(
        self,
        *,
        iterations: int,
        time_limit: float | None = None,
        min_improvement: float = 0.0,
        window: int = 20,
        started: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._iterations, self._time_limit = iterations, time_limit
        self._min_improvement, self._window = min_improvement, window
        self._clock = clock
        self._started = clock() if started is None else started
        self._best: list[float] = []

    def reason(self, total: float) -> str | None:
        """Records the total after an iteration; the reason to stop, or None."""
        self._best.append(min(total, self._best[-1]) if self._best else total)
        if len(self._best) >= self._iterations:
            return "iterations"
        if self._time_limit is not None and self._clock() - self._started >= self._time_limit:
            return "time limit"
        if self._min_improvement and len(self._best) > self._window:
            before, now = self._best[-1 - self._window], self._best[-1]
            if before - now < abs(before) * self._min_improvement / 100:
                return "too little improvement"
        return None
