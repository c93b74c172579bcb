"""Validation: the objective on photos that training never sees."""

import numpy as np

from faststyle.train.trainer import TERMS, StyleTrainer


def validate(
    trainer: StyleTrainer, photos: np.ndarray, *, num_styles: int, num_rows: int, batch_size: int
) -> list[dict[str, float]]:
    """Mean terms over held-out crops for each style; an empty list without photos.

    Args:
        trainer: evaluated as it is.
        photos: `[count, size, size, 3]` uint8.
        num_styles: the network's first rows, which have a style to be compared with.
        num_rows: all rows of the network.
        batch_size: crops at a time.
    """
    if not len(photos):
        return []
    return [_terms_of_row(trainer, photos, row, batch_size) for row in np.eye(num_rows, dtype="float32")[:num_styles]]


def mean_terms(per_style: list[dict[str, float]]) -> dict[str, float] | None:
    """The mean over styles of every term; None of no styles."""
    if not per_style:
        return None
    return {name: sum(terms[name] for terms in per_style) / len(per_style) for name in TERMS}


def validation_table(names: list[str], per_style: list[dict[str, float]]) -> str:
    """The terms of each style as aligned lines of text, for the terminal."""
    width = max(map(len, names))
    header = f"{'validation':<{width}}  " + "  ".join(f"{name:>7}" for name in TERMS)
    rows = [
        f"{name:<{width}}  " + "  ".join(f"{terms[term]:7.4f}" for term in TERMS)
        for name, terms in zip(names, per_style, strict=True)
    ]
    return "\n".join([header, *rows])


def _terms_of_row(trainer: StyleTrainer, photos: np.ndarray, row: np.ndarray, batch_size: int) -> dict[str, float]:
    sums = dict.fromkeys(TERMS, 0.0)
    for start in range(0, len(photos), batch_size):
        images = photos[start : start + batch_size]
        terms = trainer.validation_terms({"image": images, "style_mixture": np.tile(row, (len(images), 1))})
        sums = {name: sums[name] + terms[name] * len(images) for name in TERMS}
    return {name: value / len(photos) for name, value in sums.items()}
