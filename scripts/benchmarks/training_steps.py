"""Single training steps to time: our trainer's, PyTorch's in a process of its own, and what a step computes."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from faststyle.models.layer_names import is_network_layer, split_layer_name

_ROOT = Path(__file__).parents[2]
# PyTorch's interpreter does not have this project installed, whose parts are the folders at the root.
_TORCH_PROGRAM = """
import sys, types
package = types.ModuleType("faststyle")
package.__path__ = [sys.argv[1]]
sys.modules["faststyle"] = package
from faststyle.scripts.benchmarks.torch_training import main
sys.exit(main(*sys.argv[2:]))
"""


def our_step(width: float, policy: str, *, batch_size: int, side: int) -> Callable[[], object]:
    """One optimizer step of our trainer on a fixed random batch.

    Args:
        width: of the transform network.
        policy: a Keras dtype policy.
        batch_size: photos in a batch.
        side: of the photos, px.
    """
    import keras

    from faststyle.models.loss_network import LossNetwork
    from faststyle.models.objective import Objective
    from faststyle.models.transform_net import build_transform_network
    from faststyle.train.assembly import objective_settings
    from faststyle.train.settings import TrainSettings
    from faststyle.train.trainer import StyleTrainer

    network = build_transform_network(width=width, dtype=policy)
    settings = objective_settings(TrainSettings(style_images=("style",), content="photos"))
    objective = Objective(LossNetwork("vgg16", layers=settings.layers(), dtype=policy), settings)
    random = np.random.default_rng(0)
    targets = objective.style_targets(random.uniform(0, 255, (1, side, side, 3)).astype("float32"))
    trainer = StyleTrainer(network, objective, targets)
    trainer.compile(optimizer=keras.optimizers.Adam(1e-4), jit_compile=False)
    images = random.integers(0, 256, (batch_size, side, side, 3)).astype("uint8")
    batch = {"image": images, "style_mixture": np.ones((batch_size, 1), "float32")}
    return lambda: trainer.train_step_terms(batch)


def step_operations(width: float, side: int) -> float:
    """Multiplications and additions in the convolutions of one training step, for each image of `side` px.

    The transform network runs forward, and backward twice: to its features and to its weights. The loss network runs
    forward on the photo to the content layer, forward on the stylized image, and backward to that image.
    """
    from faststyle.models.loss_network import LossNetwork
    from faststyle.models.objective_settings import CONTENT_LAYERS, STYLE_LAYERS
    from faststyle.models.transform_net import build_transform_network

    transform = _model_operations(build_transform_network(width=width), side)
    measured = LossNetwork("vgg16", layers=(*CONTENT_LAYERS, *STYLE_LAYERS))
    content = _feature_operations(measured, tuple(CONTENT_LAYERS), side)
    return 3 * transform + content + 2 * _feature_operations(measured, tuple(STYLE_LAYERS), side)


class TorchTrainer:
    """PyTorch's training steps in a process of their own. A context manager.

    Args:
        python: an interpreter that has PyTorch.
        width: as in `our_step`, like the others.
    """

    def __init__(self, python: str, width: float, *, batch_size: int, side: int) -> None:
        arguments = [f"{width:g}", str(batch_size), str(side)]
        self._process = subprocess.Popen(
            [python, "-c", _TORCH_PROGRAM, str(_ROOT), *arguments],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> "TorchTrainer":
        return self

    def __exit__(self, *_) -> None:
        self._process.kill()
        self._process.communicate()

    def failure(self, form: str) -> str | None:
        """Takes a first step, which compiles; the reason why it failed, or None."""
        return self._answer(form).get("failed")

    def step(self, form: str) -> Callable[[], object]:
        """One optimizer step as a function."""
        return lambda: self._answer(form)

    def _answer(self, form: str) -> dict:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("no pipes to PyTorch's process")
        self._process.stdin.write(form + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"PyTorch's process ended at {form!r} with status {self._process.wait()}")
        return json.loads(line)


def _model_operations(network, side: int) -> float:
    """Of a transform network's forward pass, counted at the sizes that its convolutions give."""
    import keras

    convolutions = [layer for layer in network.layers if len(getattr(layer, "kernel", np.zeros(0)).shape) == 4]
    outputs = keras.Model(network.inputs, [layer.output for layer in convolutions])
    found = outputs([np.zeros((1, side, side, 3), "float32"), np.ones((1, 1), "float32")])
    pairs = zip(convolutions, found, strict=True)
    return float(sum(2 * np.prod(output.shape[1:3]) * np.prod(layer.kernel.shape) for layer, output in pairs))


def _feature_operations(loss_network, layer_names: tuple[str, ...], side: int) -> float:
    """Of a loss network's forward passes, at every scale to the deepest of these layers."""
    known, total = tuple(filter(is_network_layer, loss_network.layer_names)), 0.0
    deep = [split_layer_name(name) for name in layer_names if is_network_layer(name)]
    for reduction in {scale for _, scale in deep}:
        names = known[: 1 + max(known.index(layer) for layer, scale in deep if scale == reduction)]
        image = np.zeros((1, side // reduction, side // reduction, 3), "float32")
        features, inputs = loss_network.features(image, names), 3
        for name in names:
            _, height, width, channels = features[name].shape
            total += 2.0 * height * width * channels * inputs * 9
            inputs = channels
    return total
