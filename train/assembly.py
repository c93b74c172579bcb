"""Puts a run's parts together from its settings: transform network, loss network, objective, optimizer."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import keras

from faststyle.images.files import resize_shorter_side
from faststyle.infer.styles.style_image import read_style_image
from faststyle.models.loss_network import LossNetwork
from faststyle.models.loss_network_weights import load_vgg_weights
from faststyle.models.noise import StyleNoise
from faststyle.models.normalization import ConditionalInstanceNormalization
from faststyle.models.objective import Objective, ObjectiveSettings, stack_style_targets
from faststyle.models.transform_net import build_transform_network
from faststyle.models.transform_net_weights import GALLERY_WEIGHTS, read_transform_weights, start_from
from faststyle.train.muon import Muon
from faststyle.train.precision import has_gpu
from faststyle.train.settings import TrainSettings
from faststyle.train.trainer import StyleTrainer, learning_rate_schedule


def make_deterministic(seed: int) -> None:
    """Seeds every random source and makes TensorFlow choose reproducible kernels: exact resume needs both."""
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def initial_network(settings: TrainSettings, policy: str) -> keras.Model:
    """The transform network with the weights that the run starts from.

    Raises:
        TransformWeightsError: a weights file that is missing or of another width.
    """
    styles = settings.row_names()
    network = build_transform_network(num_styles=len(styles), width=settings.width, dtype=policy)
    if settings.base != "random":
        weights = read_transform_weights(GALLERY_WEIGHTS if settings.base == "gallery" else Path(settings.base))
        start_from(network, weights, styles)
    if settings.tuned == "rows":
        for layer in network.layers:
            layer.trainable = isinstance(layer, ConditionalInstanceNormalization | StyleNoise)
    return network


def compiled_trainer(
    settings: TrainSettings,
    network: keras.Model,
    policy: str,
    *,
    copies: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext,
) -> StyleTrainer:
    """The trainer of `network` with objective, style targets and optimizer, ready for its first step.

    Args:
        settings: of the run.
        network: from `initial_network`, made in `copies` as well.
        policy: a Keras dtype policy.
        copies: see `faststyle.train.devices.OneDevice.copies`.

    Raises:
        UserError: settings, style images or loss network weights that cannot be used.
    """
    chosen = objective_settings(settings)
    weights = load_vgg_weights(settings.loss_network, settings.vgg_weights)
    with copies():
        loss_network = LossNetwork(
            settings.loss_network, layers=chosen.layers(), pooling=settings.pooling, dtype=policy, weights=weights
        )
    loss_network.check_size(chosen.layers(), settings.image_size, settings.image_size)
    objective = Objective(loss_network, chosen)
    targets = stacked_style_targets(objective, settings)
    trainer = StyleTrainer(network, objective, targets)
    rate = learning_rate_schedule(
        peak=settings.peak_learning_rate(),
        steps=settings.steps,
        warmup_steps=settings.warmup_steps,
        decay=settings.learning_rate_decay,
    )
    kind = Muon if settings.optimizer == "muon" else keras.optimizers.Adam
    with copies():
        optimizer = kind(rate, global_clipnorm=settings.clip_norm or None)
        optimizer.build(network.trainable_variables)
    # On CPUs oneDNN's kernels beat XLA's threefold on this network; on GPUs Keras decides.
    xla = "auto" if has_gpu() or keras.backend.backend() == "jax" else False
    trainer.compile(optimizer=optimizer, jit_compile=xla)
    return trainer


def objective_settings(settings: TrainSettings) -> ObjectiveSettings:
    """The part of a run's settings that defines its objective."""
    return ObjectiveSettings(
        settings.content_layers,
        settings.style_layers,
        statistic=settings.statistic,
        content_weight=settings.content_weight,
        style_weight=settings.style_weight,
        tv_weight=settings.tv_weight,
    )


def stacked_style_targets(objective: Objective, settings: TrainSettings) -> dict:
    """Style targets, one row for each of the network's: `{layer: {part: [num_styles, ...]}}`.

    The photo's own row has none that training reads; the first style's fill its place.
    """
    targets_of = _compiled(objective.style_targets)
    per_style = []
    for _, path, size in settings.style_rows():
        image = resize_shorter_side(read_style_image(Path(path)), size)
        per_style.append(targets_of(image[None].astype("float32")))
    if settings.learned_strength:
        per_style.append(per_style[0])
    return stack_style_targets(per_style)


def _compiled(function: Callable) -> Callable:
    """On JAX compiled whole: operation by operation, each style image's size would cost a hundred compilations."""
    if keras.backend.backend() != "jax":
        return function
    import jax

    return jax.jit(function)
