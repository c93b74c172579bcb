"""One image to be found: content, styles, masks and objective as one compiled value-and-gradient function."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from faststyle.infer.optimize.descent import Evaluation
from faststyle.models.objective import Objective, mix_style_targets, stack_style_targets


class ImageProblem:
    """The objective of an image of fixed size, with its gradient.

    Several styles without masks blend: their statistics are mixed by the weights, so that an error of 0 can be reached
    and means the same as with one style. A weighted sum of errors has the same gradient direction for equal energies.

    Args:
        objective: layers and weights.
        content: `[height, width, 3]` float32 in 0..255.
        styles: images `[height_s, width_s, 3]` float32 in 0..255.
        style_weights: one per style; scaled to sum 1. Masks have no use for them.
        masks: one per style, `[height, width]` in 0..1, or None. Where all are 0, the image is the content's own.
    """

    def __init__(
        self,
        objective: Objective,
        content: np.ndarray,
        styles: Sequence[np.ndarray],
        *,
        style_weights: Sequence[float],
        masks: Sequence[np.ndarray] | None = None,
    ) -> None:
        self.shape = content.shape
        self._objective = objective
        self._content = tf.constant(content[None])
        self._content_targets = objective.content_targets(self._content)
        targets = [objective.style_targets(tf.constant(style[None])) for style in styles]
        self._style_targets = stack_style_targets(targets)
        self._masks = self._inside = None
        if masks is None:
            mixture = np.array([style_weights], "float32") / sum(style_weights)
            self._style_targets = mix_style_targets(self._style_targets, mixture)
        else:
            self._masks = tf.constant(np.stack(masks)[..., None].astype("float32"))
            self._inside = tf.constant(np.clip(np.sum(masks, axis=0), 0, 1)[None, ..., None].astype("float32"))
        # XLA is slower than the plain kernels on CPUs.
        self._compiled = tf.function(self._value_and_gradient, jit_compile=False, autograph=False)

    def __call__(self, image: np.ndarray) -> Evaluation:
        """The objective at a flat float32 vector in 0..255."""
        terms, gradient = self._compiled(tf.constant(image.reshape((1, *self.shape)), tf.float32))
        values = {name: float(value) for name, value in terms.items()}
        return Evaluation(values["total"], gradient.numpy().ravel(), values)

    def picture(self, image: np.ndarray) -> np.ndarray:
        """What a vector shows: `[height, width, 3]` float32, with the content outside the masks."""
        return np.asarray(self._masked(image.reshape((1, *self.shape))))[0]

    def _value_and_gradient(self, image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            shown = self._masked(image)
            terms = self._objective.terms(shown, self._content_targets, self._style_targets, masks=self._masks)
        return terms, tape.gradient(terms["total"], image)

    def _masked(self, image):
        return image if self._inside is None else self._inside * image + (1.0 - self._inside) * self._content
