"""Stylizes a photo with PyTorch, as a reference for speed; needs nothing of this project, only PyTorch, numpy, Pillow.

The network is the one of pytorch/examples' fast_neural_style, built from its published description: Johnson et al. 2016
(arXiv 1603.08155) with instance normalization and nearest upsampling, channels 32-64-128. Its weights are random: the
time is the same. `python torch_reference.py PHOTO RESULT [ROUNDS]` prints the seconds of the fastest round as JSON.
"""

import json
import sys
import time


def build_network(width: float = 1.0):
    """The transform network, float32, in evaluation mode; `width` scales its channels as this project's does."""
    from torch import nn

    small, middle, large = (channels // 32 * max(1, round(32 * width)) for channels in (32, 64, 128))

    def conv(inputs, outputs, kernel, stride=1):
        return [nn.ReflectionPad2d(kernel // 2), nn.Conv2d(inputs, outputs, kernel, stride)]

    def normalized(inputs, outputs, kernel, stride=1):
        return [*conv(inputs, outputs, kernel, stride), nn.InstanceNorm2d(outputs, affine=True)]

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(*normalized(large, large, 3), nn.ReLU(), *normalized(large, large, 3))

        def forward(self, x):
            return x + self.layers(x)

    encoder = [normalized(3, small, 9), normalized(small, middle, 3, 2), normalized(middle, large, 3, 2)]
    decoder = [
        [nn.Upsample(scale_factor=2), *normalized(*channels, 3)] for channels in ((large, middle), (middle, small))
    ]
    steps = [layer for group in encoder for layer in (*group, nn.ReLU())]
    steps += [Residual() for _ in range(5)]
    steps += [layer for group in decoder for layer in (*group, nn.ReLU())]
    return nn.Sequential(*steps, *conv(small, 3, 9)).eval()


def main(photo: str, result: str, rounds: int = 1) -> int:
    """Stylizes one photo `rounds` times and writes the last result."""
    import numpy as np
    import torch
    from PIL import Image

    network = build_network()
    seconds = []
    with torch.no_grad():
        for _ in range(rounds):
            start = time.perf_counter()
            pixels = np.asarray(Image.open(photo).convert("RGB"), "float32").transpose(2, 0, 1)[None]
            stylized = network(torch.from_numpy(pixels)).clamp(0, 255)[0].permute(1, 2, 0).numpy().astype("uint8")
            seconds.append(time.perf_counter() - start)
    Image.fromarray(stylized).save(result)
    print(json.dumps({"seconds": min(seconds)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
