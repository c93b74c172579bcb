"""Validation: the objective on photos that training never sees."""

import itertools

import numpy as np

from train.trainer import TERMS, StyleTrainer


def validate(trainer: StyleTrainer, photos: np.ndarray, *, num_styles: int, batch_size: int) -> dict[str, float] | None:
    """Mean terms over held-out crops, each in every style; None without photos.

    Args:
        trainer: evaluated as it is.
        photos: `[count, size, size, 3]` uint8.
        num_styles: styles of the network.
        batch_size: crops at a time.
    """
    if not len(photos):
        return None
    sums, seen = dict.fromkeys(TERMS, 0.0), 0
    for style, start in itertools.product(range(num_styles), range(0, len(photos), batch_size)):
        images = photos[start : start + batch_size]
        mixture = np.tile(np.eye(num_styles, dtype="float32")[style], (len(images), 1))
        terms = trainer.validation_terms({"image": images, "style_mixture": mixture})
        sums = {name: sums[name] + terms[name] * len(images) for name in TERMS}
        seen += len(images)
    return {name: value / seen for name, value in sums.items()}
