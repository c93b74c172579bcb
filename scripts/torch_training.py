"""Training steps in PyTorch, as a reference for speed; needs PyTorch and numpy, and nothing heavy of this project.

The transform network of `scripts.torch_reference` at any width, a VGG-16-shaped loss network and this project's terms
(content, style, total variation), all with random weights: the speed is the same. A server: each line of standard input
names a form, each line of standard output is JSON with the seconds of one step, or the reason why it cannot be taken.
`python -m scripts.torch_training WIDTH LOSS_NETWORK BATCH_SIZE IMAGE_SIZE`
"""

import json
import sys
import time

from scripts.torch_reference import build_network

FORMS = ("float32", "bfloat16, channels last", "bfloat16, channels last, compiled")
_CONVOLUTIONS, _CHANNELS = (2, 2, 3, 3), (64, 128, 256, 512)  # to relu4_3, the deepest style layer
_STYLE_LAYERS = {"rgb": 1.0, "relu1_2": 0.25, "relu2_2": 0.5, "relu3_3": 1.5, "relu4_3": 1.5}
_CONTENT_LAYER = "relu3_3"
_CONTENT_WEIGHT, _TV_WEIGHT = 0.3, 4.0
_LEARNING_RATE = 1e-4


def main(width: str, loss_network: str, batch_size: str, image_size: str) -> int:
    """Answers one line for each line read."""
    steps: dict = {}
    for line in sys.stdin:
        form = line.strip()
        try:
            if form not in steps:
                steps[form] = make_step(form, float(width), loss_network, (int(batch_size), int(image_size)))
            start = time.perf_counter()
            loss = steps[form]()
            answer = {"seconds": time.perf_counter() - start, "loss": loss}
        except Exception as error:  # a compiler that is missing must not end the others' turns
            answer = {"failed": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
        print(json.dumps(answer), flush=True)
    return 0


def make_step(form: str, width: float, loss_network: str, shape: tuple[int, int]):
    """One optimizer step on a fixed random batch, as a function that returns the loss."""
    import torch

    torch.manual_seed(0)
    faster = form != FORMS[0]
    layout = torch.channels_last if faster else torch.contiguous_format
    network = build_network(width).train().to(memory_format=layout)
    features = _loss_network(loss_network).to(memory_format=layout)
    optimizer = torch.optim.Adam(network.parameters(), lr=_LEARNING_RATE)
    batch_size, side = shape
    images = (255 * torch.rand(batch_size, 3, side, side)).to(memory_format=layout)
    with torch.no_grad():
        style = features(255 * torch.rand(1, 3, side, side))
        targets = {name: _statistics(style[name]) for name in _STYLE_LAYERS}

    def compute_loss(batch):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=faster):
            with torch.no_grad():
                content = features(batch)[_CONTENT_LAYER].float()
            stylized = network(batch)
            return _objective(stylized.float(), features(stylized), content, targets)

    if form == FORMS[2]:
        compute_loss = torch.compile(compute_loss)

    def step() -> float:
        optimizer.zero_grad()
        loss = compute_loss(images)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _loss_network(name: str):
    """VGG-16's convolutions, frozen; "compact" has half the channels and average pooling."""
    import torch
    from torch import nn

    half = name == "compact"

    class LossNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = (nn.AvgPool2d if half else nn.MaxPool2d)(2)
            self.layers = nn.ModuleDict()
            inputs = 3
            for block, (count, channels) in enumerate(zip(_CONVOLUTIONS, _CHANNELS, strict=True), start=1):
                for index in range(1, count + 1):
                    outputs = channels // 2 if half else channels
                    convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
                    # PyTorch's own start lets deep features fade to numbers so small that they cost time.
                    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
                    self.layers[f"relu{block}_{index}"] = convolution
                    inputs = outputs

        def forward(self, images):
            found = {"rgb": images / 255.0}
            x = images - 120.0
            for name, convolution in self.layers.items():
                if name.endswith("_1") and name != "relu1_1":
                    x = self.pool(x)
                x = found[name] = torch.relu(convolution(x))
            return found

    return LossNetwork().requires_grad_(False).eval()


def _objective(stylized, features, content, targets):
    """Relative content error, relative style errors and total variation, as `models.losses` defines them."""
    total = sum(_STYLE_LAYERS.values())
    style = sum(
        weight / total * sum(map(_relative_error, _statistics(features[name]), targets[name]))
        for name, weight in _STYLE_LAYERS.items()
    )
    unit = stylized / 255.0
    variation = (unit[:, :, 1:] - unit[:, :, :-1]).square().mean() + (unit[..., 1:] - unit[..., :-1]).square().mean()
    content_error = _relative_error(features[_CONTENT_LAYER].float(), content)
    return (style + _CONTENT_WEIGHT * content_error + _TV_WEIGHT * variation).mean()


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


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
