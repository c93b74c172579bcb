"""Timing that a shared machine does not mislead: variants take turns, and the median of the rounds counts."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

Name = TypeVar("Name")


def take_turns(variants: Mapping[Name, Callable[[], object]], rounds: int) -> dict[Name, float]:
    """Median seconds of each variant's call, after one warm-up each, variants taking turns in every round."""
    for call in variants.values():
        call()
    times: dict[Name, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, call in variants.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}
