"""One training run from start to export: plan, steps, checkpoints, previews, stops, resume."""

import itertools
import json
from pathlib import Path

import keras
import numpy as np

from infer.images import read_image, resize_shorter_side, write_atomically, write_image
from models.loss_network import LossNetwork
from models.objective import Objective, ObjectiveSettings
from models.transform_net import build_transform_network
from models.transform_net_weights import (
    BASE_WEIGHTS,
    TransformWeights,
    assign_weights,
    network_arrays,
    pack_transform_weights,
    read_transform_weights,
    start_from,
)
from train.checkpoints import Checkpoint, CheckpointStore
from train.content_batches import center_crops, check_enough_readable, content_batches
from train.content_sources import open_content_source
from train.export import export_model
from train.interruption import StopRequest
from train.plan import describe_plan, measure
from train.precision import dtype_policy, has_gpu
from train.previews import collapse_reason, preview_sheet, stylize_previews
from train.run_directory import RunDirectory, environment
from train.run_log import RunLog
from train.settings import TrainSettings
from train.trainer import TERMS, StyleTrainer, learning_rate_schedule

_PREVIEW_PHOTOS = 3


class TrainingStopped(RuntimeError):
    """A run that ended before its last step; the message says why, what was kept and what to do."""


def run_training(settings: TrainSettings, output: Path, *, dry_run: bool = False) -> None:
    """Trains a style as the settings say, resuming what `output` holds, and exports the model.

    Args:
        settings: what to train.
        output: the run directory, new or of a run with the same settings.
        dry_run: print the plan and stop; nothing is written.

    Raises:
        ValueError: settings, images, sources, weights or a run directory that cannot be used.
        TrainingStopped: interrupted, or stopped for a non-finite loss or a collapsed preview.
    """
    directory = RunDirectory(output)
    directory.check(settings)
    run = TrainingRun(settings, directory)
    if run.step < settings.steps:
        print(run.plan(), flush=True)
        if dry_run:
            return
        directory.open(settings)
        run.train()
    if dry_run:
        print(f"{output}: all {settings.steps:,} steps are done")
        return
    run.finish()


class TrainingRun:
    """A run's networks, data and progress. See `run_training`."""

    def __init__(self, settings: TrainSettings, directory: RunDirectory) -> None:
        _make_deterministic(settings.seed)
        self._settings, self._directory = settings, directory
        self._policy = dtype_policy(settings.precision)
        self._source = _open_source(settings)
        held_out = self._source.held_out()
        self._validation = center_crops(held_out, image_size=settings.image_size)
        fallback = [photo for _, photo in zip(range(_PREVIEW_PHOTOS), self._source.photos(0), strict=False)]
        self._preview_photos = center_crops((held_out or fallback)[:_PREVIEW_PHOTOS], image_size=settings.image_size)
        self._network = _initial_network(settings, self._policy)
        self._trainer = _compiled_trainer(settings, self._network, self._policy)
        self._store = CheckpointStore(directory.checkpoints)
        self.step, self._position = 0, 0
        self._unreadable: set[str] = set()
        self._resume()

    def plan(self) -> str:
        """Measures two steps on real photos, leaves no trace of them, and describes the run."""
        before = self._arrays()
        images = next(self._batches()).images
        measured = measure(lambda: self._trainer.train_step_terms(self._batch(images, step=1)))
        self._restore(before)
        settings = self._settings
        return describe_plan(
            settings,
            self._directory.path,
            photos=f"{self._source.description}: {len(self._source):,} photos, {len(self._validation)} held out",
            network=f"width {settings.width:g}, {self._network.count_params():,} parameters, "
            f"starting from {settings.initial_weights} weights",
            policy=self._policy,
            start_step=self.step,
            measured=measured,
        )

    def train(self) -> None:
        """Runs the steps that are left. See `run_training` for what it raises."""
        settings = self._settings
        log = RunLog(
            self._directory.metrics,
            self._directory.tensorboard,
            steps=settings.steps,
            resume_step=self.step,
            batch_size=settings.batch_size,
        )
        with log, StopRequest() as stop:
            for batch in self._batches(log):
                learning_rate = float(self._trainer.optimizer.learning_rate)
                self._trainer.fade_in.assign(settings.fade_in(self.step + 1))
                terms = self._trainer.train_step_terms(self._batch(batch.images, step=self.step + 1))
                self._stop_if_not_finite(terms)
                self.step, self._position = self.step + 1, batch.next_position
                log.step(self.step, terms, learning_rate=learning_rate)
                last = self.step == settings.steps
                if last or self.step % settings.preview_every == 0:
                    self._look(log)
                if last or stop.requested or self.step % settings.checkpoint_every == 0:
                    self._save_checkpoint()
                if last:
                    return
                if stop.requested:
                    raise TrainingStopped(f"stopped at step {self.step:,}; repeat the command to go on from there")

    def finish(self) -> None:
        """Writes the weights file and, with TensorFlow, the exported model."""
        weights = TransformWeights(network_arrays(self._network), self._card())
        weights_path = self._directory.path / "weights.npz"
        write_atomically(weights_path, pack_transform_weights(self._network, weights.card))
        if keras.backend.backend() != "tensorflow":
            print(f"Trained weights: {weights_path}. Where TensorFlow is installed, `faststyle export` makes a model of them.")
            return
        export_model(weights, self._directory.export, preview_photos=self._preview_photos, overwrite=True)
        print(f"Exported model: {self._directory.export}\nTry it: faststyle stylize {self._directory.export} PHOTO --output OUT.png")

    def _batches(self, log: RunLog | None = None):
        def on_unreadable(name: str, reason: str) -> None:
            if log and name not in self._unreadable:
                self._unreadable.add(name)
                log.event(self.step, "skipped unreadable photo", reason=reason, count=len(self._unreadable))

        settings = self._settings
        return content_batches(
            self._source,
            batch_size=settings.batch_size,
            image_size=settings.image_size,
            seed=settings.seed,
            start=self._position,
            on_unreadable=on_unreadable,
        )

    def _batch(self, images: np.ndarray, *, step: int) -> dict:
        """Each image of a batch draws its style, by seed and step."""
        count = len(self._settings.style_images)
        styles = np.random.default_rng([self._settings.seed, step]).integers(count, size=len(images))
        return {"image": images, "style_mixture": np.eye(count, dtype="float32")[styles]}

    def _look(self, log: RunLog) -> None:
        """Validation, previews, and a stop where the network has collapsed."""
        if len(self._validation):
            log.validation(self.step, self._validate())
        if not len(self._preview_photos):
            return
        stylized = stylize_previews(self._network, self._preview_photos, len(self._settings.style_images))
        sheet = preview_sheet(self._preview_photos, stylized)
        write_image(self._directory.previews / f"step_{self.step:08d}.png", sheet)
        log.preview(self.step, sheet)
        reason = collapse_reason(stylized)
        if reason:
            raise self._failure(f"the network collapsed at step {self.step:,}: {reason}")

    def _validate(self) -> dict[str, float]:
        """Mean terms over held-out photos, every photo in every style."""
        count, size = len(self._settings.style_images), self._settings.batch_size
        sums, images_seen = dict.fromkeys(TERMS, 0.0), 0
        for style, start in itertools.product(range(count), range(0, len(self._validation), size)):
            images = self._validation[start : start + size]
            mixture = np.repeat(np.eye(count, dtype="float32")[style : style + 1], len(images), axis=0)
            terms = self._trainer.validation_terms({"image": images, "style_mixture": mixture})
            sums = {name: sums[name] + terms[name] * len(images) for name in TERMS}
            images_seen += len(images)
        return {name: value / images_seen for name, value in sums.items()}

    def _stop_if_not_finite(self, terms: dict[str, float]) -> None:
        if not all(np.isfinite(value) for value in terms.values()):
            raise self._failure(f"the loss is not finite at step {self.step + 1:,} ({terms})")

    def _failure(self, reason: str) -> TrainingStopped:
        paths = self._store.paths()
        kept = f"last good checkpoint: {paths[-1]}" if paths else "no checkpoint was written yet"
        return TrainingStopped(
            f"{reason}; {kept}. Start a new run with a lower --learning-rate (now {self._settings.learning_rate:g}), "
            "with --clip-norm 1, or with --precision float32"
        )

    def _arrays(self) -> dict[str, np.ndarray]:
        variables = [*self._network.variables, *self._trainer.optimizer.variables]
        return {f"{index:04d}:{variable.path}": np.array(variable) for index, variable in enumerate(variables)}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        variables = [*self._network.variables, *self._trainer.optimizer.variables]
        for variable, array in zip(variables, arrays.values(), strict=True):
            variable.assign(array)

    def _save_checkpoint(self) -> None:
        arrays = self._arrays()
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise self._failure(f"weights are not finite after step {self.step:,}")
        state = {"position": self._position, "unreadable": sorted(self._unreadable)}
        self._store.save(Checkpoint(self.step, arrays, state))

    def _resume(self) -> None:
        checkpoint = self._store.load_newest()
        if checkpoint is None:
            return
        self._restore(checkpoint.arrays)
        self.step, self._position = checkpoint.step, checkpoint.state["position"]
        self._unreadable = set(checkpoint.state["unreadable"])

    def _card(self) -> dict:
        return model_card(self._settings, steps=self.step, validation=self._validate() if len(self._validation) else None)


def model_card(settings: TrainSettings, *, steps: int, validation: dict[str, float] | None) -> dict:
    """What a trained network is and how it was made, for `style.json`."""
    return {
        "format": 1,
        "styles": settings.style_names(),
        "steps": steps,
        "settings": json.loads(settings.to_json()),
        "validation": validation,
        "environment": environment(),
        "licence": "Apache-2.0 for the network; the style image's own rights are not touched by it",
    }


def weights_of_run(directory: RunDirectory) -> TransformWeights:
    """The weights of a run's newest good checkpoint, for an export of a run that has not ended.

    Raises:
        ValueError: no run there, or no checkpoint in it.
    """
    settings = directory.load_settings()
    checkpoint = CheckpointStore(directory.checkpoints).load_newest()
    if checkpoint is None:
        raise ValueError(f"{directory.path}: no checkpoint to export yet")
    network = build_transform_network(num_styles=len(settings.style_images), width=settings.width)
    paths = list(network_arrays(network))
    arrays = dict(zip(paths, checkpoint.arrays.values(), strict=False))  # the network's variables come first
    return TransformWeights(arrays, model_card(settings, steps=checkpoint.step, validation=None))


def _make_deterministic(seed: int) -> None:
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _open_source(settings: TrainSettings):
    source = open_content_source(
        settings.content,
        held_out=settings.held_out,
        seed=settings.seed,
        data_dir=Path(settings.data_dir) if settings.data_dir else None,
    )
    check_enough_readable(source, settings.batch_size)
    return source


def _initial_network(settings: TrainSettings, policy: str) -> keras.Model:
    num_styles = len(settings.style_images)
    network = build_transform_network(num_styles=num_styles, width=settings.width, dtype=policy)
    if settings.initial_weights != "random":
        base = settings.initial_weights == "base"
        start_from(network, read_transform_weights(BASE_WEIGHTS if base else Path(settings.initial_weights)), num_styles)
    return network


def _compiled_trainer(settings: TrainSettings, network: keras.Model, policy: str) -> StyleTrainer:
    objective_settings = ObjectiveSettings(
        settings.content_layers,
        settings.style_layers,
        statistic=settings.statistic,
        content_weight=settings.content_weight,
        style_weight=settings.style_weight,
        tv_weight=settings.tv_weight,
    )
    weights_path = Path(settings.vgg_weights) if settings.vgg_weights else None
    loss_network = LossNetwork(
        settings.loss_network, pooling=settings.pooling, dtype=policy, weights_path=weights_path
    )
    objective = Objective(loss_network, objective_settings)
    targets = stacked_style_targets(objective, settings.style_images, settings.style_size)
    trainer = StyleTrainer(network, objective, targets)
    rate = learning_rate_schedule(
        peak=settings.learning_rate,
        steps=settings.steps,
        warmup_steps=settings.warmup_steps,
        decay=settings.learning_rate_decay,
    )
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=settings.clip_norm or None)
    optimizer.build(network.trainable_variables)
    # XLA was slower than oneDNN's kernels on CPUs (docs/training.md); on GPUs Keras decides.
    trainer.compile(optimizer=optimizer, jit_compile="auto" if has_gpu() or keras.backend.backend() == "jax" else False)
    return trainer


def stacked_style_targets(objective: Objective, style_images, style_size: int) -> dict:
    """Style targets of several image files, one row per style: `{layer: {part: [num_styles, ...]}}`."""
    per_style = []
    for path in style_images:
        image = resize_shorter_side(read_image(Path(path)), style_size)
        per_style.append(objective.style_targets(image[None].astype("float32")))
    return {
        layer: {part: keras.ops.concatenate([targets[layer][part] for targets in per_style]) for part in parts}
        for layer, parts in per_style[0].items()
    }
