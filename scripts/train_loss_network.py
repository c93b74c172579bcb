"""Trains the compact loss network: a half-width VGG-16 on labelled photographs, robust against small perturbations.

`python -m scripts.train_loss_network COLLECTION@SIZE... --output FOLDER` resumes when repeated and writes
`FOLDER/compact_vgg16_half.npz`. From random weights it trains plainly for `--plain-steps`, with batch normalization
that is folded into the convolutions in the end, then adversarially with growing epsilon. `--initial-weights FILE` goes
on from folded weights, without normalization.
"""

import argparse
import dataclasses
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from infer.command_line import run_command_line

WEIGHTS_FILE = "compact_vgg16_half.npz"
HEADS_FILE = "heads.npz"
_MOMENTUM = 0.98  # of the running loss and accuracy that are shown


@dataclasses.dataclass(frozen=True)
class Collection:
    """Labelled photos `spec` and the side of the crops that they are trained at."""

    spec: str
    size_px: int


@dataclasses.dataclass(frozen=True)
class ClassifierSettings:
    """How a loss network is trained. See the command's help for each."""

    collections: tuple[Collection, ...]
    width: float = 0.5
    steps: int = 6000
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    plain_steps: int = 0
    epsilon: tuple[float, float] = (1.0, 4.0)
    initial_weights: str | None = None
    precision: str = "auto"
    save_every: int = 250
    seed: int = 0

    def batch_size_at(self, size_px: int) -> int:
        """Images in a batch of this size: as many pixels as `batch_size` images of the smallest collection have."""
        smallest = min(collection.size_px for collection in self.collections)
        return max(8, round(self.batch_size * smallest**2 / size_px**2))

    def epsilon_at(self, step: int) -> float:
        """Largest adversarial change of a pixel at a step: none while training plainly, then growing linearly."""
        if step < self.plain_steps:
            return 0.0
        first, last = self.epsilon
        return first + (last - first) * (step - self.plain_steps) / max(1, self.steps - self.plain_steps)


def add_train_loss_network_command(subcommands) -> None:
    """Adds `train` to an argparse subparsers object."""
    default = ClassifierSettings(())
    parser = subcommands.add_parser("train", help="train the loss network", description=__doc__.splitlines()[0])
    parser.add_argument(
        "collections",
        nargs="+",
        type=parse_collection,
        metavar="COLLECTION@SIZE",
        help="folder of class folders, or tfds:NAME, and the side of its crops in px; steps take turns, "
        "one named several times has several of them",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="checkpoints, log and weights")
    parser.add_argument("--width", type=float, default=default.width, help="times VGG-16's channels")
    parser.add_argument("--steps", type=int, default=default.steps)
    parser.add_argument("--batch-size", type=int, default=default.batch_size, help="at the smallest size")
    parser.add_argument("--learning-rate", type=float, default=default.learning_rate, help="AdamW's, with cosine decay")
    parser.add_argument("--weight-decay", type=float, default=default.weight_decay)
    parser.add_argument(
        "--plain-steps", type=int, default=default.plain_steps, metavar="STEPS", help="before adversarial training"
    )
    parser.add_argument(
        "--epsilon",
        type=float,
        nargs=2,
        default=default.epsilon,
        metavar=("FIRST", "LAST"),
        help="largest adversarial change of a pixel in grey levels, growing after the plain steps",
    )
    parser.add_argument("--initial-weights", metavar="FILE", help="folded weights to go on from, without normalization")
    parser.add_argument("--precision", default=default.precision, choices=("auto", "bfloat16", "float32"))
    parser.add_argument("--save-every", type=int, default=default.save_every, metavar="STEPS")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.set_defaults(run=run_train_loss_network)


def run_train_loss_network(arguments: argparse.Namespace) -> int:
    """Trains, or goes on training, and writes the folded weights."""
    names = {field.name for field in dataclasses.fields(ClassifierSettings)}
    chosen = {name: value for name, value in vars(arguments).items() if name in names}
    chosen |= {"collections": tuple(arguments.collections), "epsilon": tuple(arguments.epsilon)}
    path = train_loss_network(ClassifierSettings(**chosen), arguments.output)
    print(f"Loss network: {path}")
    return 0


def parse_collection(text: str) -> Collection:
    """`photos/train@64` as a collection."""
    spec, _, size = text.rpartition("@")
    if not spec or not size.isdigit() or int(size) < 32:
        raise argparse.ArgumentTypeError(f"{text!r} is not COLLECTION@SIZE with a size of at least 32 px")
    return Collection(spec, int(size))


def train_loss_network(settings: ClassifierSettings, output: Path) -> Path:
    """Trains to `settings.steps` from the newest checkpoint in `output`, or from the start.

    Returns:
        The folded float16 weights.

    Raises:
        ValueError: unusable photos or weights, or a folder of another run.
        RuntimeError: the loss became infinite or not a number.
    """
    import keras
    import numpy as np
    from tqdm import tqdm

    from infer.atomic_files import write_atomically
    from scripts.labelled_photos import open_labelled_photos
    from scripts.robust_classifier import folded_weights
    from train.checkpoints import Checkpoint, CheckpointStore

    _check_same_run(settings, output)
    keras.utils.set_random_seed(settings.seed)
    specs = dict.fromkeys(collection.spec for collection in settings.collections)  # each once, in order
    photos = {spec: open_labelled_photos(spec) for spec in specs}
    counts = [len(collection.class_names) for collection in photos.values()]
    model = _compiled_model(settings, counts)
    store = CheckpointStore(output / "checkpoints")
    step = 0
    if newest := store.load_newest():
        step = newest.step
        _restore(model, newest.arrays)

    batches = _batches(settings, photos, counts, start=step)
    shown = {"loss": 0.0, "accuracy": 0.0}
    with tqdm(total=settings.steps, initial=step, unit="step") as bar:
        while step < settings.steps:
            inputs, labels = next(batches)
            loss, accuracy = (float(value) for value in model.train_on_batch(inputs, labels))
            model.reset_metrics()
            if not np.isfinite(loss):
                raise RuntimeError(f"the loss is {loss} at step {step}; lower --learning-rate and repeat")
            step += 1
            share = min(_MOMENTUM, 1 - 1 / step)
            shown = {
                "loss": share * shown["loss"] + (1 - share) * loss,
                "accuracy": share * shown["accuracy"] + (1 - share) * accuracy,
            }
            bar.update()
            bar.set_postfix({name: f"{value:.3f}" for name, value in shown.items()}, refresh=False)
            if step % settings.save_every == 0 or step == settings.steps:
                store.save(Checkpoint(step, _state_arrays(model), {}))
                with (output / "metrics.jsonl").open("a", encoding="utf-8") as log:
                    log.write(json.dumps({"step": step, **shown}) + "\n")

    weights = {name: array.astype("float16") for name, array in folded_weights(model.trunk).items()}
    write_atomically(output / HEADS_FILE, _npz(_heads(model, list(photos.values()))))
    write_atomically(output / WEIGHTS_FILE, _npz(weights))
    return output / WEIGHTS_FILE


def _check_same_run(settings: ClassifierSettings, output: Path) -> None:
    config_path = output / "config.json"
    config = json.loads(json.dumps(dataclasses.asdict(settings)))
    if not config_path.exists():
        output.mkdir(parents=True, exist_ok=True)
        config_path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    elif json.loads(config_path.read_text(encoding="utf-8")) != config:
        raise ValueError(f"{output}: a run with other settings is there (config.json); choose another --output")


def _compiled_model(settings: ClassifierSettings, class_counts: list[int]):
    import keras
    import numpy as np

    from scripts.robust_classifier import RobustClassifier, assign_folded_weights, build_trunk
    from train.precision import dtype_policy, has_gpu

    trunk = build_trunk(
        width=settings.width, normalize=settings.initial_weights is None, dtype=dtype_policy(settings.precision)
    )
    if settings.initial_weights is not None:
        with np.load(settings.initial_weights) as arrays:
            assign_folded_weights(trunk, dict(arrays))
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
    inputs, _ = _model_inputs(np.zeros((1, 32, 32, 3), "float32"), np.zeros(1, "int32"), 0.0, 0, class_counts)
    model(inputs)  # makes its variables, so that a checkpoint can fill them
    model.optimizer.build(model.trainable_variables)
    return model


def _batches(settings: ClassifierSettings, photos: dict, class_counts: list[int], *, start: int) -> Iterator[tuple]:
    """Model inputs for step `start` on; the collections take turns."""
    from scripts.labelled_photos import training_batches

    turns = len(settings.collections)
    heads = [list(photos).index(chosen.spec) for chosen in settings.collections]
    streams = [
        training_batches(
            photos[chosen.spec],
            batch_size=settings.batch_size_at(chosen.size_px),
            size_px=chosen.size_px,
            seed=settings.seed + index,
            start=(start - index + turns - 1) // turns,
        )
        for index, chosen in enumerate(settings.collections)
    ]
    step = start
    while True:
        turn = step % turns
        images, labels = next(streams[turn])
        yield _model_inputs(images, labels, settings.epsilon_at(step), heads[turn], class_counts)
        step += 1


def _model_inputs(images, labels, epsilon: float, collection: int, class_counts: list[int]) -> tuple[dict, object]:
    import numpy as np

    first = sum(class_counts[:collection])
    labels = labels + first
    allowed = np.zeros((len(images), sum(class_counts)), "float32")
    allowed[:, first : first + class_counts[collection]] = 1.0
    inputs = {
        "image": images,
        "label": labels,
        "epsilon": np.full(len(images), epsilon, "float32"),
        "allowed": allowed,
    }
    return inputs, labels


def _heads(model, photos: list) -> dict:
    """Each collection's classifier, `{index}/kernel [features, classes]`, `{index}/bias`, `{index}/classes` names."""
    import numpy as np

    kernel, bias = (np.asarray(array) for array in model.heads.get_weights())
    arrays, first = {}, 0
    for index, collection in enumerate(photos):
        last = first + len(collection.class_names)
        arrays[f"{index}/kernel"], arrays[f"{index}/bias"] = kernel[:, first:last], bias[first:last]
        arrays[f"{index}/classes"] = np.asarray(collection.class_names)
        first = last
    return arrays


def _npz(arrays: dict) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _state_arrays(model) -> dict:
    import numpy as np

    variables = [*model.variables, *model.optimizer.variables]
    return {f"{index:04d}": np.asarray(variable) for index, variable in enumerate(variables)}


def _restore(model, arrays: dict) -> None:
    variables = [*model.variables, *model.optimizer.variables]
    for index, variable in enumerate(variables):
        variable.assign(arrays[f"{index:04d}"])


if __name__ == "__main__":
    sys.exit(
        run_command_line("python -m scripts.train_loss_network", [add_train_loss_network_command], only_command="train")
    )
