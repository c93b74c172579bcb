"""An exported style model as a function: a photo in, the stylized photo of the same size out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from infer.images import to_uint8
from infer.model_card import read_model_card

MINIMUM_SIZE_PX = 16


class StylizeError(ValueError):
    """Inputs, outputs or a mixture that make no sense together."""


class Stylizer:
    """An exported style model, ready to use. `styles` names what it holds.

    Args:
        model_dir: from `faststyle train` or `faststyle export`.
        style_mixture: style name to weight for a model of several styles; weights are scaled to sum 1. None is the
            first style.

    Raises:
        ModelCardError: no exported model there.
        StylizeError: a style that the model does not hold.
    """

    def __init__(self, model_dir: Path, *, style_mixture: dict[str, float] | None = None) -> None:
        self.styles: list[str] = read_model_card(model_dir)["styles"]
        self._mixture = mixture_row(self.styles, style_mixture)
        import tensorflow as tf  # seconds of import: only when an image is to be stylized

        self._tf = tf
        try:
            self._model = tf.saved_model.load(str(model_dir))  # keeps the signature's variables alive
        except (tf.errors.OpError, OSError) as error:
            raise StylizeError(f"{model_dir}: damaged model ({str(error).splitlines()[0]})") from None
        self._serve = self._model.signatures["serving_default"]

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Stylizes `[height, width, 3]` uint8 in RGB, sides at least 16 px; the result has the same shape and type."""
        if min(image.shape[:2]) < MINIMUM_SIZE_PX:
            raise StylizeError(
                f"photo of {image.shape[1]}x{image.shape[0]} px: sides must be at least {MINIMUM_SIZE_PX} px"
            )
        inputs = {"image": self._tf.constant(image[None], self._tf.float32)}
        if len(self.styles) > 1:
            inputs["style_mixture"] = self._tf.constant(self._mixture[None])
        try:
            return to_uint8(self._serve(**inputs)["stylized_image"].numpy()[0])
        except self._tf.errors.ResourceExhaustedError:
            raise MemoryError from None


def mixture_row(styles: Sequence[str], weights: dict[str, float] | None) -> np.ndarray:
    """Weights by style name as `[num_styles]` float32 of sum 1; None chooses the first style.

    Raises:
        StylizeError: an unknown name, a negative weight, or no positive weight.
    """
    weights = weights or {styles[0]: 1.0}
    unknown = [name for name in weights if name not in styles]
    if unknown:
        raise StylizeError(f"no style {unknown[0]!r} in this model; it holds {', '.join(styles)}")
    row = np.array([weights.get(name, 0.0) for name in styles], "float32")
    if not np.isfinite(row).all() or row.min() < 0 or row.sum() <= 0:
        raise StylizeError(f"a style mixture needs weights of 0 or more with a positive sum, got {weights}")
    return row / row.sum()
