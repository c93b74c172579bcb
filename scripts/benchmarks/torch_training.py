"""Training steps in PyTorch, as a reference for speed; needs PyTorch and numpy, and nothing heavy of this project.

The transform network of `torch_reference.py` at any width, a VGG-16 and this project's default objective, all with
random weights: the speed is the same. What our network adds of its own, noise and the penalties of its output, is left
out, so that PyTorch computes a little less. A server: each line of standard input names a form, each line of standard
output is JSON with the seconds of one step, or the reason why it cannot be taken.
"""

import json
import sys
import time

from faststyle.models.layer_names import split_layer_name
from faststyle.models.objective_settings import CONTENT_LAYERS, STYLE_LAYERS, ObjectiveSettings
from faststyle.scripts.benchmarks.torch_reference import build_network

FORMS = ("float32", "bfloat16, channels last", "bfloat16, channels last, compiled")
_CONVOLUTIONS, _CHANNELS = (2, 2, 3, 3), (64, 128, 256, 512)  # to relu4_3, the deepest style layer
(_CONTENT_LAYER,) = CONTENT_LAYERS
_LEARNING_RATE = 1e-4


def main(width: str, batch_size: str, image_size: str) -> int:
    """Answers one line for each line read."""
    steps: dict = {}
    for line in sys.stdin:
        form = line.strip()
        try:
            if form not in steps:
                steps[form] = make_step(form, float(width), (int(batch_size), int(image_size)))
            start = time.perf_counter()
            loss = steps[form]()
            answer = {"seconds": time.perf_counter() - start, "loss": loss}
        except Exception as error:  # a compiler that is missing must not end the others' turns
            answer = {"failed": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
        print(json.dumps(answer), flush=True)
    return 0


def make_step(form: str, width: float, shape: tuple[int, int]):
    """One optimizer step on a fixed random batch, as a function that returns the loss."""
    import torch

    torch.manual_seed(0)
    faster = form != FORMS[0]
    layout = torch.channels_last if faster else torch.contiguous_format
    network = build_network(width).train().to(memory_format=layout)
    features = _vgg16().to(memory_format=layout)
    optimizer = torch.optim.Adam(network.parameters(), lr=_LEARNING_RATE)
    batch_size, side = shape
    images = (255 * torch.rand(batch_size, 3, side, side)).to(memory_format=layout)
    with torch.no_grad():
        style = features(255 * torch.rand(1, 3, side, side), STYLE_LAYERS)
        targets = {name: _statistics(style[name]) for name in STYLE_LAYERS}

    def compute_loss(batch):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=faster):
            with torch.no_grad():
                content = features(batch, [_CONTENT_LAYER])[_CONTENT_LAYER].float()
            stylized = network(batch)
            found = features(stylized, [*STYLE_LAYERS, _CONTENT_LAYER])
            return _objective(stylized.float(), found, content, targets)

    if form == FORMS[2]:
        compute_loss = torch.compile(compute_loss)

    def step() -> float:
        optimizer.zero_grad()
        loss = compute_loss(images)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _vgg16():
    """VGG-16's convolutions as deep as the objective needs, frozen."""
    import torch
    from torch import nn

    class LossNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.MaxPool2d(2)
            self.layers = nn.ModuleDict()
            inputs = 3
            for block, (count, channels) in enumerate(zip(_CONVOLUTIONS, _CHANNELS, strict=True), start=1):
                for index in range(1, count + 1):
                    convolution = nn.Conv2d(inputs, channels, 3, padding=1)
                    # PyTorch's own start lets deep features fade to numbers so small that they cost time.
                    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
                    self.layers[f"relu{block}_{index}"] = convolution
                    inputs = channels

        def forward(self, images, names):
            """Features by name, each scale only as deep as it is asked for."""
            found = {}
            for reduction in sorted({split_layer_name(name)[1] for name in names}):
                wanted = {split_layer_name(name)[0]: name for name in names if split_layer_name(name)[1] == reduction}
                reduced = nn.functional.avg_pool2d(images, reduction) if reduction > 1 else images
                found |= {wanted[layer]: value for layer, value in self._up_to(reduced, wanted)}
            return found

        def _up_to(self, images, wanted):
            if "rgb" in wanted:
                yield "rgb", images / 255.0
            deepest = max((layer for layer in wanted if layer != "rgb"), default="")
            x = images - 120.0
            for layer, convolution in self.layers.items():
                if layer > deepest:
                    return
                if layer.endswith("_1") and layer != "relu1_1":
                    x = self.pool(x)
                x = torch.relu(convolution(x))
                if layer in wanted:
                    yield layer, x

    return LossNetwork().requires_grad_(False).eval()


def _objective(stylized, features, content, targets):
    """Relative content error, relative style errors and total variation, as `faststyle.models.losses` defines them."""
    total = sum(STYLE_LAYERS.values())
    style = sum(
        weight / total * sum(map(_relative_error, _statistics(features[name]), targets[name]))
        for name, weight in STYLE_LAYERS.items()
    )
    content_error = _relative_error(features[_CONTENT_LAYER].float(), content)
    unit = stylized / 255.0
    down, across = (unit[:, :, 1:] - unit[:, :, :-1]).square(), (unit[..., 1:] - unit[..., :-1]).square()
    variation = down.mean((1, 2, 3)) + across.mean((1, 2, 3))
    weights = ObjectiveSettings()
    terms = weights.style_weight * style + weights.content_weight * content_error + weights.tv_weight * variation
    return terms.mean()


def _statistics(features):
    """Mean and covariance of the channels over positions, in float32."""
    import torch

    with torch.autocast("cpu", enabled=False):
        flat = features.float().flatten(2)
        mean = flat.mean(2, keepdim=True)
        centered = flat - mean
        return mean, centered @ centered.transpose(1, 2) / flat.shape[2]


def _relative_error(values, targets):
    axes = tuple(range(1, values.ndim))
    return (values - targets).square().sum(axes) / (targets.square().sum(axes) + 1e-8)
