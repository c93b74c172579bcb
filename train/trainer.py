"""The trainer: a Keras model whose loss is the perceptual objective (Johnson et al. 2016, arXiv 1603.08155).

Overriding `compute_loss` is all that training on one device needs, so TensorFlow and JAX run the same code;
`faststyle.train.devices` has the rest.
"""

import math

import keras
import numpy as np
from keras import ops

from faststyle.models.layer_names import PIXEL_LAYER
from faststyle.models.losses import content_error
from faststyle.models.objective import Objective, mix_style_targets

TERMS = ("total", "content", "style", "tv")
_FINAL_RATE = 0.05
_WINDOW_MARGIN = 8  # the share of a side that the loss network's window leaves out


class StyleTrainer(keras.Model):
    """Trains a transform network on `{"image": ..., "style_mixture": ...}` batches.

    Args:
        transform_network: from `faststyle.models.transform_net.build_transform_network`; only its weights are trained.
        objective: the loss.
        style_targets: from `Objective.style_targets`, one row per style.

    Batches: image `[batch, size, size, 3]` uint8 or float32 in 0..255; style_mixture `[batch, num_styles]` float32;
    and for training window `[batch, 2]` float32 in 0..1, one place of `loss_window` for the whole batch, without which
    it is the whole image.

    Attributes:
        fade_in: 0..1, the share of the objective in what is minimized; the rest is reproducing the photo. A network
            that has not yet learned to show the photo finds poor solutions of the full objective: it never learns to.
    """

    def __init__(self, transform_network: keras.Model, objective: Objective, style_targets: dict) -> None:
        super().__init__(name="style_trainer")
        self.transform_network = transform_network
        self._objective = objective
        self._style_targets = style_targets
        self.fade_in = self.add_weight(name="fade_in", shape=(), initializer="ones", trainable=False)
        self._term_trackers = [keras.metrics.Mean(name=name) for name in TERMS]

    def call(self, inputs, training=None):
        image = ops.cast(inputs["image"], "float32")
        return self.transform_network([image, inputs["style_mixture"]], training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        minimized, terms = self.minimized(x, y_pred)
        for tracker in self._term_trackers:
            tracker.update_state(terms[tracker.name])
        return minimized

    def minimized(self, batch: dict, stylized):
        """What training minimizes, and the objective's terms; all of them means over the images of the batch.

        Args:
            batch: see above.
            stylized: the network's output for it, `[batch, size, size, 3]`.
        """
        image = ops.cast(batch["image"], "float32")
        if "window" in batch:
            image, stylized = (loss_window(images, batch["window"][0]) for images in (image, stylized))
        content_targets = self._objective.content_targets(image)
        style_targets = mix_style_targets(self._style_targets, batch["style_mixture"])
        terms = self._objective.terms(stylized, content_targets, style_targets)
        reproduction = terms["content"] + ops.mean(content_error(stylized, image))
        minimized = self.fade_in * terms["total"] + (1.0 - self.fade_in) * reproduction
        return minimized + sum(self.losses), terms  # the network's own penalties, see `ToPixels`

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return {tracker.name: tracker.result() for tracker in self._term_trackers}

    @property
    def loss_network_weights(self) -> str:
        """Which weights measure, for people."""
        return self._objective.loss_network.weights_source

    @property
    def color_targets(self) -> dict[str, np.ndarray] | None:
        """Mean `[num_styles, 3]` and covariance `[num_styles, 3, 3]` of the styles' colors in 0..1.

        None where the objective compares no colors, or their Gram matrices.
        """
        targets = self._style_targets.get(PIXEL_LAYER, {})
        return {part: np.asarray(rows) for part, rows in targets.items()} if "covariance" in targets else None

    @property
    def metrics(self):
        return self._term_trackers

    def train_step_terms(self, batch: dict) -> dict[str, float]:
        """One optimizer step; the terms of this batch before the step."""
        self.reset_metrics()
        return _as_floats(self.train_on_batch(batch, return_dict=True))

    def validation_terms(self, batch: dict) -> dict[str, float]:
        """The terms of a batch, with no step taken."""
        self.reset_metrics()
        return _as_floats(self.test_on_batch(batch, return_dict=True))


def loss_window(images, place):
    """The part of a batch of images that the loss network sees in one step.

    At its own border a loss network pads with zeros and sees less of the photo. A transform network whose border always
    lies there learns that a straight line along it brings style at little cost in content, and frames every picture.
    With a window at another place in each step, no place of the picture is a border of the loss network's.

    Args:
        images: `[batch, height, width, channels]`.
        place: `[2]` float32 in 0..1, from top to bottom and from left to right.

    Returns:
        `[batch, 7/8 height, 7/8 width, channels]`.
    """
    batch, *sides, channels = ops.shape(images)
    margins = [side // _WINDOW_MARGIN for side in sides]
    top, left = (ops.cast(ops.floor(place[axis] * (margin + 0.999)), "int32") for axis, margin in enumerate(margins))
    height, width = (side - margin for side, margin in zip(sides, margins, strict=True))
    return ops.slice(images, (0, top, left, 0), (batch, height, width, channels))


def learning_rate_schedule(*, peak: float, steps: int, warmup_steps: int, decay: str):
    """Linear warm-up to `peak`, then a cosine down to 1/20 of it at the last step, or constant.

    A constant rate circles the solution; the decay lets it settle.

    Raises:
        ValueError: unknown decay.
    """
    if decay not in ("cosine", "constant"):
        raise ValueError(f"unknown learning rate decay {decay!r}; choose cosine or constant")
    return _WarmupThenDecay(peak, max(1, steps), max(0, min(warmup_steps, steps // 2)), decay)


@keras.saving.register_keras_serializable(package="faststyle")
class _WarmupThenDecay(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak: float, steps: int, warmup_steps: int, decay: str) -> None:
        self.peak, self.steps, self.warmup_steps, self.decay = peak, steps, warmup_steps, decay

    def __call__(self, step):
        step = ops.cast(step, "float32")
        warmup = ops.minimum(1.0, (step + 1.0) / (self.warmup_steps + 1.0))
        if self.decay == "constant":
            return self.peak * warmup
        progress = ops.clip((step - self.warmup_steps) / max(1, self.steps - self.warmup_steps), 0.0, 1.0)
        cosine = 0.5 * (1.0 + ops.cos(math.pi * progress))
        return self.peak * warmup * (_FINAL_RATE + (1.0 - _FINAL_RATE) * cosine)

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps, "warmup_steps": self.warmup_steps, "decay": self.decay}


def _as_floats(logs: dict) -> dict[str, float]:
    return {name: float(logs[name]) for name in TERMS}
