"""What a run looks at on photos that training never sees: the objective, previews, and whether the network lives."""

import numpy as np

from faststyle.images.contact_sheet import grid
from faststyle.images.files import to_uint8
from faststyle.train.trainer import TERMS, StyleTrainer

# A healthy stylized photo varies by tens of grey levels and has few pixels at the very ends of the range.
_FLAT_DEVIATION = 2.0
_SATURATED_SHARE = 0.9


def stylize_previews(trainer: StyleTrainer, photos: np.ndarray, *, num_rows: int) -> np.ndarray:
    """Stylizes photos in every row of the network, compiled as the training step is.

    Args:
        trainer: of the network.
        photos: `[count, height, width, 3]` uint8, sides multiples of 4.
        num_rows: all rows of the network.

    Returns:
        `[num_rows, count, height, width, 3]` uint8.
    """
    rows = np.eye(num_rows, dtype="float32")
    batches = ({"image": photos, "style_mixture": np.tile(row, (len(photos), 1))} for row in rows)
    return np.stack([to_uint8(trainer.predict_on_batch(batch)) for batch in batches])


def preview_sheet(photos: np.ndarray, stylized: np.ndarray) -> np.ndarray:
    """One picture: the photos above, a row for each style below."""
    return grid([list(photos), *(list(row) for row in stylized)])


def collapse_reason(stylized: np.ndarray) -> str | None:
    """Why these previews show a collapsed network, or None where they are alive.

    Args:
        stylized: `[num_styles, count, height, width, 3]` uint8.
    """
    for row in stylized:
        deviation = float(np.median([image.std(axis=(0, 1)).mean() for image in row.astype("float32")]))
        if deviation < _FLAT_DEVIATION:
            return f"the previews are nearly one color (standard deviation {deviation:.1f} of 255)"
        saturated = float(np.mean((row == 0) | (row == 255)))
        if saturated > _SATURATED_SHARE:
            return f"{saturated:.0%} of the previews' values are fully black or white"
    return None


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
