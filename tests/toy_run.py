"""A toy training run: a few tiny photos and a style image, small enough to train in seconds."""

import shlex
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from faststyle.models.transform_net import build_transform_network
from faststyle.models.transform_net_weights import TransformWeights, network_arrays

TOY_OPTIONS = shlex.split(
    "--base random --width 0.125 --image-size 32 --batch-size 2 --style-sizes 32 "
    "--steps 8 --checkpoint-every 2 --preview-every 4 --fade-in-steps 2 --warmup-steps 2 "
    "--style-layers rgb,relu1_2,relu2_2 --content-layers relu2_2"
)

QUICKLY_TRACED = ["--style-layers", "rgb", "--content-layers", "relu1_1"]  # for runs whose objective does not matter


def write_photos(folder: Path, *, count: int = 12, size_px: int = 48, seed: int = 0) -> Path:
    """Writes `count` smooth random photos and returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        coarse = np.random.default_rng([seed, index]).integers(0, 256, (6, 8, 3)).astype("uint8")
        picture = Image.fromarray(coarse).resize((size_px * 4 // 3, size_px), Image.Resampling.BICUBIC)
        picture.save(folder / f"photo_{index:02d}.jpg")
    return folder


def toy_command(folder: Path) -> list[str]:
    """Writes photos and a style image below `folder`; returns the arguments of `faststyle train` but `--output`."""
    photos = write_photos(folder / "photos")
    style = write_photos(folder / "style", count=1, seed=1) / "photo_00.jpg"
    return ["train", str(style), "--content", str(photos), *TOY_OPTIONS]


def toy_weights(num_styles: int) -> TransformWeights:
    """Slightly random weights of a toy network, as after a training; the same at every call."""
    keras.utils.set_random_seed(3)
    network = build_transform_network(num_styles=num_styles, width=0.125)
    random = np.random.default_rng(3)
    arrays = {path: array + 0.1 * random.normal(size=array.shape) for path, array in network_arrays(network).items()}
    return TransformWeights(arrays, {"styles": [f"style_{index}" for index in range(num_styles)]})
