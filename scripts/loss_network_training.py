"""Trains a loss network to its last step, from its newest checkpoint or from the start; the same run either way."""

import dataclasses
import io
import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from infer.atomic_files import write_atomically
from scripts.decoded_photos import DecodedPhotos, decoded_photos
from scripts.loss_network_settings import ClassifierSettings, Collection
from scripts.robust_classifier import RobustClassifier, build_trunk, folded_weights
from train.checkpoints import Checkpoint, CheckpointStore
from train.precision import dtype_policy, has_gpu

WEIGHTS_FILE = "compact_vgg16_half.npz"
HEADS_FILE = "heads.npz"
_MOMENTUM = 0.98  # of the running loss and accuracy that are shown


def train_loss_network(settings: ClassifierSettings, output: Path) -> Path:
    """Trains to `settings.steps` from the newest checkpoint in `output`, or from the start.

    Returns:
        The folded float16 weights.

    Raises:
        ValueError: unusable photos, or a folder of another run.
        RuntimeError: the loss became infinite or not a number.
    """
    _check_same_run(settings, output)
    keras.utils.set_random_seed(settings.seed)
    photos = _decoded(settings, output / "photos")
    class_names = {chosen.spec: decoded.class_names for chosen, decoded in photos.items()}  # one head each
    counts = {spec: len(names) for spec, names in class_names.items()}
    model = _compiled_model(settings, list(counts.values()))
    store = CheckpointStore(output / "checkpoints")
    step = 0
    if newest := store.load_newest():
        step = newest.step
        _restore(model, newest.arrays)

    batches = _made_ahead(_batches(settings, photos, counts, start=step))
    shown: dict[str, float] = {}
    with tqdm(total=settings.steps, initial=step, unit="step") as bar:
        while step < settings.steps:
            shown = _running_means(shown, _training_step(model, *next(batches)), step)
            if not np.isfinite(shown["loss"]):
                raise RuntimeError(f"the loss is {shown['loss']} at step {step}; lower --learning-rate and repeat")
            step += 1
            bar.update()
            bar.set_postfix({name: f"{value:.3f}" for name, value in shown.items()}, refresh=False)
            if step % settings.save_every == 0 or step == settings.steps:
                store.save(Checkpoint(step, _state_arrays(model), {}))
                with (output / "metrics.jsonl").open("a", encoding="utf-8") as log:
                    log.write(json.dumps({"step": step, **shown}) + "\n")

    weights = {name: array.astype("float16") for name, array in folded_weights(model.trunk).items()}
    write_atomically(output / HEADS_FILE, _npz(_heads(model, list(class_names.values()))))
    write_atomically(output / WEIGHTS_FILE, _npz(weights))
    return output / WEIGHTS_FILE


def _training_step(model, inputs: dict, labels) -> dict[str, float]:
    loss, accuracy = model.train_on_batch(inputs, labels)
    model.reset_metrics()
    return {"loss": float(loss), "accuracy": float(accuracy)}


def _running_means(means: dict[str, float], values: dict[str, float], count: int) -> dict[str, float]:
    share = min(_MOMENTUM, count / (count + 1)) if means else 0.0
    return {name: share * means.get(name, 0.0) + (1 - share) * value for name, value in values.items()}


def _check_same_run(settings: ClassifierSettings, output: Path) -> None:
    config_path = output / "config.json"
    config = json.loads(json.dumps(dataclasses.asdict(settings)))
    if not config_path.exists():
        output.mkdir(parents=True, exist_ok=True)
        config_path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    elif json.loads(config_path.read_text(encoding="utf-8")) != config:
        raise ValueError(f"{output}: a run with other settings is there (config.json); choose another --output")


def _compiled_model(settings: ClassifierSettings, class_counts: list[int]):
    trunk = build_trunk(width=settings.width, normalize=True, dtype=dtype_policy(settings.precision))
    model = RobustClassifier(trunk, class_counts)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        settings.steps,
        warmup_target=settings.learning_rate,
        warmup_steps=max(1, settings.steps // 20),
    )
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=settings.weight_decay, global_clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile="auto" if has_gpu() or keras.backend.backend() == "jax" else False,  # XLA is slow on CPUs
    )
    nothing = np.zeros((1, 32, 32, 3), "uint8"), np.zeros(1, "int32")
    inputs, _ = _model_inputs(*nothing, epsilon=0.0, first=0, allowed=np.ones(sum(class_counts)))
    model(inputs)  # makes its variables, so that a checkpoint can fill them
    model.optimizer.build(model.trainable_variables)
    return model


def _decoded(settings: ClassifierSettings, folder: Path) -> dict[Collection, DecodedPhotos]:
    """Each collection once, in order, decoded below `folder`."""
    return {
        chosen: decoded_photos(chosen.spec, size_px=chosen.size_px, folder=folder / f"{index}_{chosen.size_px}")
        for index, chosen in enumerate(dict.fromkeys(settings.collections))
    }


def _batches(
    settings: ClassifierSettings, photos: dict[Collection, DecodedPhotos], class_counts: dict[str, int], *, start: int
) -> Iterator[tuple]:
    """Model inputs for step `start` on; the collections take turns."""
    turns = len(settings.collections)
    first_class = dict(zip(class_counts, np.cumsum([0, *class_counts.values()]), strict=False))
    streams = [
        photos[chosen].batches(
            batch_size=settings.batch_size_at(chosen.size_px),
            seed=settings.seed + index,
            start=(start - index + turns - 1) // turns,
        )
        for index, chosen in enumerate(settings.collections)
    ]
    for step in itertools.count(start):
        chosen = settings.collections[step % turns]
        first = first_class[chosen.spec]
        allowed = np.zeros(sum(class_counts.values()))
        allowed[first : first + class_counts[chosen.spec]] = 1.0
        images, labels = next(streams[step % turns])
        yield _model_inputs(images, labels, epsilon=settings.epsilon_at(step), first=first, allowed=allowed)


def _model_inputs(images, labels, *, epsilon: float, first: int, allowed: np.ndarray) -> tuple[dict, np.ndarray]:
    labels = (labels + first).astype("int32")
    inputs = {
        "image": images,
        "label": labels,
        "epsilon": np.full(len(images), epsilon, "float32"),
        "allowed": np.tile(allowed.astype("float32"), (len(images), 1)),
    }
    return inputs, labels


def _made_ahead(batches: Iterator[tuple]) -> Iterator[tuple]:
    """The same batches, read from disk while the step before is computed."""
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
        ahead = pool.submit(next, batches)
        while True:
            batch = ahead.result()
            ahead = pool.submit(next, batches)
            yield batch


def _heads(model, class_names: list[list[str]]) -> dict:
    """Each collection's classifier, `{index}/kernel [features, classes]`, `{index}/bias`, `{index}/classes` names."""
    kernel, bias = (np.asarray(array) for array in model.heads.get_weights())
    arrays, first = {}, 0
    for index, names in enumerate(class_names):
        last = first + len(names)
        arrays[f"{index}/kernel"], arrays[f"{index}/bias"] = kernel[:, first:last], bias[first:last]
        arrays[f"{index}/classes"] = np.asarray(names)
        first = last
    return arrays


def _npz(arrays: dict) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _state_arrays(model) -> dict:
    variables = [*model.variables, *model.optimizer.variables]
    return {f"{index:04d}": np.asarray(variable) for index, variable in enumerate(variables)}


def _restore(model, arrays: dict) -> None:
    variables = [*model.variables, *model.optimizer.variables]
    for index, variable in enumerate(variables):
        variable.assign(arrays[f"{index:04d}"])
