"""Training steps in PyTorch, as a reference for speed; needs PyTorch and numpy, and nothing heavy of this project.

The transform network of `scripts.torch_reference` at any width, a VGG-16-shaped loss network and this project's default
objective, all with random weights: the speed is the same. A server: each line of standard input names a form, each line
of standard output is JSON with the seconds of one step, or the reason why it cannot be taken.
`python -m scripts.torch_training WIDTH LOSS_NETWORK BATCH_SIZE IMAGE_SIZE`
"""

import json
import sys
import time

from models.layer_names import split_layer_name
from models.objective_settings import STYLE_LAYERS, ObjectiveSettings
from scripts.torch_reference import build_network

FORMS = ("float32", "bfloat16, channels last", "bfloat16, channels last, compiled")
_CONVOLUTIONS, _CHANNELS = (2, 2, 3, 3), (64, 128, 256, 512)  # to relu4_3, the deepest style layer
_CONTENT_LAYER, _SQUARE_PX = "relu3_3", 8
_CONTENT_SHARES = (0.125, 0.375, 0.5)  # of the features, the luminance and the color map
_LUMINANCE_WEIGHTS, _LEAST_CONTRAST = (0.299, 0.587, 0.114), 2.0 / 255.0
_FLATNESS_WINDOW_PX, _FLAT_ENERGY = 15, 2 * (4.0 / 255.0) ** 2
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
        style = features(255 * torch.rand(1, 3, side, side), STYLE_LAYERS)
        targets = {name: _statistics(style[name]) for name in STYLE_LAYERS}

    def compute_loss(batch):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=faster):
            with torch.no_grad():
                content = features(batch, [_CONTENT_LAYER])[_CONTENT_LAYER].float()
                light, basis, flatness = _light_and_dark(batch), _color_basis(batch), _flatness(batch)
            stylized = network(batch)
            found = features(stylized, [*STYLE_LAYERS, _CONTENT_LAYER])
            return _objective(stylized.float(), found, (content, light), basis, flatness, targets)

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


def _objective(stylized, features, content, basis, flatness, targets):
    """Relative content error, relative style errors and both variations, as `models.losses` defines them."""
    total = sum(STYLE_LAYERS.values())
    style = sum(
        weight / total * sum(map(_relative_error, _statistics(features[name]), targets[name]))
        for name, weight in STYLE_LAYERS.items()
    )
    unit = stylized / 255.0
    down, across = (unit[:, :, 1:] - unit[:, :, :-1]).square(), (unit[..., 1:] - unit[..., :-1]).square()
    flat = (_padded(down, across) * flatness).mean()
    measured = (features[_CONTENT_LAYER].float(), _light_and_dark(stylized))
    errors = [*map(_relative_error, measured, content), _color_map_error(stylized, basis)]
    content_error = sum(share * error for share, error in zip(_CONTENT_SHARES, errors, strict=True))
    variation = down.mean() + across.mean()
    weights = ObjectiveSettings()
    variations = weights.tv_weight * variation + weights.flat_weight * flat
    return (weights.style_weight * style + weights.content_weight * content_error + variations).mean()


def _light_and_dark(images):
    """Luminance of mean 0 and deviation 1 at a coarser scale, beside a plane of ones."""
    import torch

    reduced = _smoothed(images) / 255.0
    luminance = (reduced * torch.tensor(_LUMINANCE_WEIGHTS)[:, None, None]).sum(1, keepdim=True)
    centered = luminance - luminance.mean((2, 3), keepdim=True)
    deviation = (centered.square().mean((2, 3), keepdim=True) + _LEAST_CONTRAST**2).sqrt()
    return torch.cat([centered / deviation, torch.ones_like(centered)], dim=1)


def _color_basis(images):
    """Orthonormal quadratic polynomials of the colors, as `models.color_map` defines them: `[batch, 9, positions]`."""
    import torch

    colors = _centered_colors(images)
    products = colors[:, [0, 1, 2, 0, 0, 1]] * colors[:, [0, 1, 2, 1, 2, 2]]
    terms = torch.cat([colors, products - products.mean(2, keepdim=True)], dim=1)
    covariance = terms @ terms.transpose(1, 2) / terms.shape[2]
    root = torch.linalg.cholesky(covariance + 1e-4 * torch.eye(terms.shape[1]))
    return torch.linalg.solve_triangular(root, terms, upper=False) / terms.shape[2] ** 0.5


def _color_map_error(stylized, basis):
    colors = _centered_colors(stylized)
    variance = colors.square().sum((1, 2))
    explained = (basis @ colors.transpose(1, 2)).square().sum((1, 2))
    return (variance - explained) / (variance + 9e-4 * basis.shape[2])


def _centered_colors(images):
    """`[batch, 3, positions]` of mean 0, at the coarser scale."""
    reduced = _smoothed(images) / 255.0
    return reduced.flatten(2) - reduced.flatten(2).mean(2, keepdim=True)


def _smoothed(images):
    """Overlapping averages, as `models.loss_network` takes them of pixels."""
    from torch.nn.functional import avg_pool2d

    return avg_pool2d(avg_pool2d(images.float(), _SQUARE_PX, stride=1), _SQUARE_PX, stride=_SQUARE_PX // 2)


def _flatness(images):
    from torch.nn.functional import avg_pool2d

    unit = images / 255.0
    down, across = (unit[:, :, 1:] - unit[:, :, :-1]).square(), (unit[..., 1:] - unit[..., :-1]).square()
    energy = _padded(down, across).mean(1, keepdim=True)
    window = _FLATNESS_WINDOW_PX
    around = avg_pool2d(energy, window, stride=1, padding=window // 2, count_include_pad=False)
    return 1.0 / (1.0 + around / _FLAT_ENERGY)


def _padded(down, across):
    """Differences to the neighbors below and on the right, summed; 0 beyond the border."""
    from torch.nn.functional import pad

    return pad(down, (0, 0, 0, 1)) + pad(across, (0, 1))


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
