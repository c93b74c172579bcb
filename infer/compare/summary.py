"""From measurements to answers: what the network is worth on each photo, and as median with quartiles."""

from collections.abc import Sequence

import numpy as np

from faststyle.infer.compare.equal_iterations import AtLeast, Crossing, crossing, quartiles, ratio
from faststyle.infer.compare.settings import CompareSettings, Method


def photo_answers(result: dict) -> dict[str, dict]:
    """What each method says of one photo at one size: `{method: {"iterations", "seconds", "speed_up", "best"}}`.

    The first three are `AtLeast`, the speed-up is None for files without seconds; `best` is the lowest objective.
    """
    return {name: _answer(result["network"], method) for name, method in result["methods"].items()}


def size_summary(results: Sequence[dict], size: int, method: Method) -> dict:
    """Quartiles over the photos at one size: `{"size", "method", "photos", "reached", "iterations", ...}`."""
    answers = [photo_answers(result)[str(method)] for result in results if result["size"] == size]
    summary = {
        "size": size,
        "method": str(method),
        "photos": len(answers),
        "reached": sum(answer["iterations"].exact for answer in answers),
        "iterations": quartiles([answer["iterations"] for answer in answers]),
        "seconds": quartiles([answer["seconds"] for answer in answers]),
        "speed_up": None,
    }
    if answers[0]["speed_up"] is not None:
        summary["speed_up"] = quartiles([answer["speed_up"] for answer in answers])
    return summary


def network_summary(results: Sequence[dict], size: int) -> dict:
    """Medians at one size: the network's terms, the judge's numbers, the photo's own objective, and seconds."""
    here = [result for result in results if result["size"] == size]
    networks = [result["network"] for result in here]
    seconds = [second for network in networks for second in network["seconds"]]
    return {
        "size": size,
        "terms": medians([network["terms"] for network in networks]),
        "judged": medians([network["judged"] for network in networks]),
        "content_total": float(np.median([network["content_terms"]["total"] for network in networks])),
        "seconds": float(np.median(seconds)) if seconds else None,
    }


def medians(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of every number that all of the rows have."""
    return {name: float(np.median([row[name] for row in rows])) for name in rows[0]}


def sentences(results: Sequence[dict], settings: CompareSettings) -> list[str]:
    """The answer in plain words, one sentence for each size, by the first method."""
    return [_sentence(size_summary(results, size, settings.methods[0]), settings) for size in settings.sizes]


def spread(three: Sequence[AtLeast]) -> str:
    """`84 (60 to 120)`: the median and, between parentheses, the quartiles."""
    lower, median, upper = three
    return f"{median} ({lower} to {upper})"


def _answer(network: dict, method: dict) -> dict:
    totals = method["terms"]["total"]
    found: Crossing = crossing(totals, method["seconds"], network["terms"]["total"])
    beside = method["network_seconds"]
    return {
        "iterations": found.iterations,
        "seconds": found.seconds,
        "speed_up": ratio(found.seconds, beside) if beside else None,
        "best": min(totals),
    }


def _sentence(summary: dict, settings: CompareSettings) -> str:
    first = settings.methods[0]
    number = spread(summary["iterations"])
    photos = f"{summary['photos']} photo{'s' if summary['photos'] > 1 else ''}"
    text = f"At {summary['size']} px the network equals {number} iterations of {first.title}"
    if summary["speed_up"] is not None:
        text += f" and is {spread(summary['speed_up'])} times as fast"
    return f"{text}: median and quartiles of {photos}."
