"""One training run from start to export: plan, steps, checkpoints, previews, stops, resume."""

import contextlib
import hashlib
import itertools
import json
from collections.abc import Callable

import keras
import numpy as np

from faststyle.atomic_files import write_atomically
from faststyle.images.files import write_image
from faststyle.machine import machine
from faststyle.models.transform_net_weights import pack_transform_weights
from faststyle.train.assembly import compiled_trainer, initial_network, make_deterministic
from faststyle.train.cluster import ALONE, VARIABLE, Cluster
from faststyle.train.color_fit import fit_colors
from faststyle.train.content_batches import center_crops, content_batches, open_enough_content
from faststyle.train.content_sources import ContentSource
from faststyle.train.devices import open_devices
from faststyle.train.export import export_model
from faststyle.train.held_out import (
    collapse_reason,
    mean_terms,
    preview_sheet,
    stylize_previews,
    validate,
    validation_table,
)
from faststyle.train.interruption import StopRequest
from faststyle.train.plan import describe_plan, disk_bytes, measure
from faststyle.train.precision import dtype_policy
from faststyle.train.run_directory import RunDirectory, changes
from faststyle.train.run_log import RunLog
from faststyle.train.run_state import RunState, style_digests
from faststyle.train.settings import TrainSettings
from faststyle.train.trained_weights import trained_weights
from faststyle.user_error import UserError

_PREVIEW_PHOTOS = 3
_COLOR_PHOTOS = 24
_PHOTO_SHARE = 0.15  # of the steps; the photo is farther from the styles than they are from each other


class TrainingInterruptedError(KeyboardInterrupt):
    """A run that its user stopped; the message says where it goes on."""


class TrainingStoppedError(RuntimeError):
    """A run that ended before its last step; the message says why, what was kept and what to do."""


class TrainingRun:
    """A run's networks, photos and progress, resumed from its newest checkpoint. See `faststyle.train.start`.

    Args:
        settings: what to train.
        directory: of the run.
        cluster: the processes that train together. Those that are not the chief write nothing.
        check_place: called before anything is written there; raises where the directory is no longer this run's.
    """

    def __init__(
        self,
        settings: TrainSettings,
        directory: RunDirectory,
        *,
        cluster: Cluster = ALONE,
        check_place: Callable[[], None] = lambda: None,
    ) -> None:
        self._devices = open_devices(cluster)  # first: TensorFlow joins processes only before it does anything else
        make_deterministic(settings.seed)
        self._settings, self._directory, self._check_place = settings, directory, check_place
        self._batch = settings.batch_size * self._devices.count
        styles = style_digests(settings)
        self._check_agreement("options", settings.of_all_processes())
        self._check_agreement("style images", styles)
        self._num_rows = len(settings.row_names())
        self._num_styles = len(settings.style_rows())
        self._policy = dtype_policy(settings.precision)
        with self._devices.building():
            with self._devices.copies():
                self._network = initial_network(settings, self._policy)
            self._trainer = compiled_trainer(settings, self._network, self._policy, copies=self._devices.copies)
        self._source = open_enough_content(settings, devices=self._devices.count)  # last: it may download a data set
        self._check_agreement("photos", self._source.fingerprint())
        self._held_out = center_crops(self._source.held_out(), image_size=settings.image_size)
        self._preview_photos = _preview_photos(self._held_out, self._source, settings.image_size)
        variables = [*self._network.variables, *self._trainer.optimizer.variables]
        self._state = RunState(directory, variables, self._source.fingerprint(), styles)
        self._validated: tuple[int, list[dict[str, float]]] = -1, []  # at which step, and what was found
        if cluster.workers > 1:
            self._state.share(self._devices.from_chief)
        if cluster.is_chief:
            self._warn_of_other_photos()
            self._warn_of_other_environment()
            self._warn_of_other_loss_network()

    @property
    def step(self) -> int:
        """Steps done."""
        return self._state.step

    @property
    def loss_network_weights(self) -> str:
        """Which weights measure, for people."""
        return self._trainer.loss_network_weights

    def environment(self) -> dict:
        """What the run goes on with here and now, for the record."""
        return {
            **machine(),
            "backend": keras.backend.backend(),
            "precision": self._policy,
            "devices": self._devices.count,
            "global_batch": self._batch,
            "loss_network_weights": self.loss_network_weights,
        }

    def kept(self) -> str:
        """What a stop leaves, for people."""
        path = self._state.last_checkpoint()
        return f"last good checkpoint: {path}" if path else "no checkpoint was written yet"

    def plan(self) -> str:
        """Measures a few steps on real photos, leaves no trace of them, and describes the run."""
        settings, before = self._settings, self._state.arrays()
        images = next(self._batches()).images
        measured = measure(lambda: self._train_on(images))
        self._state.restore(before)
        return describe_plan(
            settings,
            self._directory.path,
            photos=f"{self._source.description}: {len(self._source):,} photos, {len(self._held_out)} held out",
            network=f"width {settings.width:g}, {self._network.count_params():,} parameters, "
            f"starting from {settings.base} weights" + (", rows only" if settings.tuned == "rows" else ""),
            loss_network_weights=self.loss_network_weights,
            policy=self._policy,
            start_step=self.step,
            measured=measured,
            disk=disk_bytes(
                settings,
                state_bytes=sum(array.nbytes for array in before.values()),
                sheet_bytes=(1 + self._num_rows) * self._preview_photos.nbytes,
            ),
            devices=self._devices.count,
        )

    def train(self) -> None:
        """Runs the steps that are left. See `faststyle.train.start` for what it raises."""
        state = self._state
        with self._open_log() as log, StopRequest() as stop:
            if log and state.content != state.content_before:  # of the next step, so that a resume notes it once
                log.note(self.step + 1, "photos changed", was=state.content_before, now=state.content)
            for batch in self._batches(log):
                self._step(batch.images, log)
                state.position = batch.next_position
                stopping = b"\1" in self._devices.from_all(bytes([stop.requested]))  # all stop after the same step
                if log:
                    self._keep(log, stopping)
                if self.step == self._settings.steps:
                    return
                if stopping:
                    raise TrainingInterruptedError(f"after step {self.step:,}; the same command goes on there")

    def finish(self) -> None:
        """Writes the weights file and, with TensorFlow, the exported model."""
        settings, export = self._settings, self._directory.export
        self._check_place()
        per_style = self._validate()
        validation = mean_terms(per_style)
        if len(per_style) > 1:
            print(validation_table(self._style_names(), per_style))
        weights = trained_weights(
            self._network,
            settings,
            steps=self.step,
            loss_network_weights=self.loss_network_weights,
            validation=validation,
            per_style=per_style,
        )
        weights_path = self._directory.weights
        write_atomically(weights_path, pack_transform_weights(self._network, weights.card))
        if keras.backend.backend() != "tensorflow":
            export_command = f"faststyle export {self._directory.path} --output {export}"
            print(f"Trained weights: {weights_path}\nExport it where TensorFlow is installed: {export_command}")
            return
        export_model(weights, export, preview_photos=self._preview_photos, overwrite=True)
        print(f"Exported model: {export}\nTry it: faststyle stylize {export} PHOTO --output stylized.png")

    def _keep(self, log: RunLog, stopping: bool) -> None:
        """What a step leaves for later, where it is due: colors, previews, a checkpoint."""
        if self.step == self._settings.steps:
            self._fit_colors()
        if self._due(self._settings.preview_every):
            self._look(log)
        if stopping or self._due(self._settings.checkpoint_every):
            self._save_checkpoint()

    def _step(self, images: np.ndarray, log: RunLog | None) -> None:
        learning_rate = float(self._trainer.optimizer.learning_rate)
        terms = self._train_on(images)
        if not np.isfinite(list(terms.values())).all():
            raise self._failure(f"the loss is not finite at step {self.step + 1:,}: {terms}")
        self._state.step += 1
        if log:
            log.step(self.step, terms, learning_rate=learning_rate)

    def _train_on(self, images: np.ndarray) -> dict[str, float]:
        try:
            batch, objective_share = self._with_styles(images)
            self._trainer.fade_in.assign(objective_share)
            return self._devices.train_step_terms(self._trainer, batch)
        except Exception as error:  # each backend has its own kind
            if "RESOURCE_EXHAUSTED" in str(error) or type(error).__name__ == "ResourceExhaustedError":
                raise TrainingStoppedError(
                    f"out of memory at step {self.step + 1:,}; start a new run with lower --batch-size or --image-size"
                ) from error
            raise

    def _with_styles(self, images: np.ndarray) -> tuple[dict, float]:
        """This process's part of the batch, with styles and the loss's window, and the objective's share in the loss.

        They are drawn by seed and step, the styles for the whole batch.

        Where the photo's own row is learned, some steps are about reproducing the photo.
        """
        random = np.random.default_rng([self._settings.seed, self.step])
        styles = random.integers(self._num_styles, size=self._batch)
        share = self._settings.fade_in(self.step + 1)
        if self._num_rows > self._num_styles and random.random() < _PHOTO_SHARE:
            styles, share = np.full(self._batch, self._num_rows - 1), 0.0
        first = self._devices.cluster.index * len(images)
        mixtures = np.eye(self._num_rows, dtype="float32")[styles[first : first + len(images)]]
        window = np.tile(random.random(2, dtype="float32"), (len(images), 1))
        return {"image": images, "style_mixture": mixtures, "window": window}, share

    def _fit_colors(self) -> None:
        targets = self._trainer.color_targets
        if targets is None:
            return
        photos = _first_photos(self._source, self._settings.image_size, count=_COLOR_PHOTOS)
        fit_colors(self._network, photos, {part: rows[: self._num_styles] for part, rows in targets.items()})

    def _look(self, log: RunLog) -> None:
        """Validation and previews, and a stop where the network has collapsed."""
        self._check_place()
        per_style = self._validate()
        validation = mean_terms(per_style)
        if validation:
            log.validation(self.step, validation, dict(zip(self._style_names(), per_style, strict=True)))
        stylized = stylize_previews(self._trainer, self._preview_photos, num_rows=self._num_rows)
        sheet = preview_sheet(self._preview_photos, stylized)
        write_image(self._directory.previews / f"step_{self.step:08d}.png", sheet)
        log.preview(self.step, sheet)
        reason = collapse_reason(stylized)
        if reason:
            raise self._failure(f"the network collapsed at step {self.step:,}: {reason}")

    def _validate(self) -> list[dict[str, float]]:
        """Terms of each style; those of the last look, which a run ends with, are not measured again."""
        if self._validated[0] != self.step:
            per_style = validate(
                self._trainer,
                self._held_out,
                num_styles=self._num_styles,
                num_rows=self._num_rows,
                batch_size=self._settings.batch_size,
            )
            self._validated = self.step, per_style
        return self._validated[1]

    def _style_names(self) -> list[str]:
        return [name for name, _, _ in self._settings.style_rows()]

    def _due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self._settings.steps

    def _failure(self, reason: str) -> TrainingStoppedError:
        return TrainingStoppedError(
            f"{reason}; {self.kept()} (`faststyle export` makes a model of it). "
            f"Start a new run with a lower --learning-rate (now {self._settings.peak_learning_rate():g}), "
            "with --clip-norm 1, or with --precision float32"
        )

    def _batches(self, log: RunLog | None = None):
        def on_unreadable(name: str, reason: str) -> None:
            unreadable = self._state.unreadable
            if name in unreadable or (cluster.is_chief and not log):
                return
            unreadable.add(name)
            if log:
                log.event(self.step + 1, "skipped unreadable photo", reason=reason, count=len(unreadable))
            else:
                print(f"skipped unreadable photo: {reason}", flush=True)

        settings, cluster = self._settings, self._devices.cluster
        return content_batches(
            self._source,
            batch_size=self._batch,
            image_size=settings.image_size,
            seed=settings.seed,
            start=self._state.position,
            on_unreadable=on_unreadable,
            part=cluster.index,
            parts=cluster.workers,
        )

    def _open_log(self) -> contextlib.AbstractContextManager[RunLog | None]:
        if not self._devices.cluster.is_chief:
            return contextlib.nullcontext()
        return RunLog(
            self._directory.metrics,
            self._directory.tensorboard,
            steps=self._settings.steps,
            resume_step=self.step,
            batch_size=self._batch,
        )

    def _save_checkpoint(self) -> None:
        self._check_place()
        if not self._state.save():
            raise self._failure(f"weights are not finite after step {self.step:,}")

    def _check_agreement(self, what: str, values) -> None:
        """Raises `UserError` where the processes that train together have not the same."""
        digest = hashlib.blake2b(json.dumps(values).encode(), digest_size=16).digest()
        own = self._devices.cluster.index
        for index, other in enumerate(self._devices.from_all(digest)):
            if other != digest:
                raise UserError(f"process {index} of {VARIABLE} has other {what} than process {own}, which is this one")

    def _warn_of_other_photos(self) -> None:
        state = self._state
        if state.content != state.content_before:
            print(
                f"warning: {self._source.description} has changed since step {self.step:,}: "
                f"was {state.content_before}, now {state.content}; "
                "validation is not comparable with that of before"
            )

    def _warn_of_other_environment(self) -> None:
        before = {"devices": 1, "global_batch": self._settings.batch_size}  # of versions that did not note it
        changed = changes({**before, **self._directory.last_environment()}, self.environment())
        if changed and 0 < self.step < self._settings.steps:
            print(
                f"warning: since step {self.step:,} {'; '.join(changed)}; "
                "the run goes on, but not bit for bit as an uninterrupted one would"
            )

    def _warn_of_other_loss_network(self) -> None:
        before = self._directory.loss_network_weights()
        if before not in (None, self.loss_network_weights):
            print(
                f"warning: the loss network has changed: was {before}, now {self.loss_network_weights}; "
                "losses are not comparable with those of before"
            )


def _preview_photos(held_out: np.ndarray, source: ContentSource, image_size: int) -> np.ndarray:
    """Held-out photos, or the first to train on where the source is too small to hold any out."""
    if len(held_out):
        return held_out[:_PREVIEW_PHOTOS]
    return _first_photos(source, image_size, count=_PREVIEW_PHOTOS)


def _first_photos(source: ContentSource, image_size: int, *, count: int) -> np.ndarray:
    one_epoch = itertools.islice(source.photos(0), len(source))
    return center_crops(one_epoch, image_size=image_size, limit=count)
