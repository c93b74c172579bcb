"""How good a loss network is as a loss: does it find the same painting, and the same photo, among others?"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops
from PIL import Image, ImageFilter

from infer.optimize.descent import lbfgs
from infer.optimize.image_problem import ImageProblem
from models.loss_network import ARCHITECTURES, LossNetwork
from models.losses import content_error, style_error, style_statistics
from models.objective import Objective
from scripts.robust_classifier import RobustClassifier, assign_folded_weights, attack_step, build_trunk

_BATCH = 100
_BLUR_RADIUS_PX = 2.0
_NOISE_LEVELS = 20.0


def random_weights(seed: int = 0) -> dict[str, Any]:
    """Folded weights of a compact network that has learned nothing (He et al. 2015), to compare with."""
    random = np.random.default_rng(seed)
    architecture = ARCHITECTURES["compact"]
    arrays, before = {}, 3
    for block, (count, channels) in enumerate(zip(architecture.convolutions, architecture.channels, strict=True), 1):
        for conv in range(1, count + 1):
            deviation = np.sqrt(2 / (9 * before))
            arrays[f"block{block}_conv{conv}/kernel"] = random.normal(0, deviation, (3, 3, before, channels))
            arrays[f"block{block}_conv{conv}/bias"] = np.zeros(channels)
            before = channels
    return arrays


def top1_accuracy(
    trunk_weights: Mapping[str, np.ndarray], head: tuple, images: np.ndarray, labels: np.ndarray, *, epsilon: float
) -> float:
    """Share of images that are classified right after one adversarial step of `epsilon` grey levels (0: clean).

    Args:
        trunk_weights: folded, of the compact network.
        head: kernel `[features, classes]` and bias `[classes]`.
        images: `[count, size, size, 3]` uint8.
        labels: `[count]`, of the head's classes.
        epsilon: largest change of a pixel; the step begins at the image itself and has this length.
    """
    trunk = build_trunk(width=0.5, normalize=False)
    assign_folded_weights(trunk, dict(trunk_weights))
    classifier = RobustClassifier(trunk, [head[0].shape[1]])
    classifier.pool(trunk(ops.zeros((1, 32, 32, 3))))
    classifier.heads.build((None, head[0].shape[0]))
    classifier.heads.set_weights(list(head))
    right = 0
    for first in range(0, len(images), _BATCH):
        batch = ops.convert_to_tensor(images[first : first + _BATCH].astype("float32"))
        wanted = labels[first : first + _BATCH]
        inputs = {"label": ops.convert_to_tensor(wanted), "allowed": ops.ones((len(wanted), head[0].shape[1]))}
        if epsilon:
            loss = classifier.classification_loss(inputs)
            batch = batch + attack_step(loss, batch, ops.zeros_like(batch), epsilon)
        guesses = np.argmax(np.asarray(classifier.logits(batch, inputs["allowed"])), axis=-1)
        right += int(np.sum(guesses == wanted))
    return right / len(images)


def style_retrieval(
    network: LossNetwork, paintings: Sequence[np.ndarray], *, layers: Mapping[str, float], statistic: str, seed: int = 0
) -> float:
    """Share of random crops whose nearest neighbor by our style loss is another crop of the same painting.

    Args:
        network: gives the features.
        paintings: `[height, width, 3]` uint8 each, sides at least 128 px.
        layers: style layer to weight.
        statistic: see `models.losses.style_statistics`.
        seed: of the crops, eight of 128 px from each painting.
    """
    random = np.random.default_rng(seed)
    crops = np.stack([_random_crop(painting, 128, random) for painting in paintings for _ in range(8)])
    owners = np.repeat(np.arange(len(paintings)), 8)
    features = network.features(crops.astype("float32"), tuple(layers))
    statistics = {name: style_statistics(value, statistic) for name, value in features.items()}
    total = sum(layers.values())

    def errors_of(index: int):
        target = {
            name: {part: value[index : index + 1] for part, value in parts.items()}
            for name, parts in statistics.items()
        }
        return sum(weight / total * style_error(statistics[name], target[name]) for name, weight in layers.items())

    return _same_owner_share(errors_of, owners)


def content_retrieval(network: LossNetwork, photos: Sequence[np.ndarray], *, layers: Mapping[str, float]) -> float:
    """Share of changed photos whose nearest original by our content loss is their own.

    A photo is changed in three ways at once: its channels swapped, blurred by 2 px, noise of 20 grey levels.

    Args:
        network: gives the features.
        photos: `[height, width, 3]` uint8 each, sides at least 128 px.
        layers: content layer to weight.
    """
    random = np.random.default_rng(0)
    originals = np.stack([_center_square(photo, 128) for photo in photos])
    changed = np.stack([_changed(photo, random) for photo in originals])
    features = network.features(originals.astype("float32"), tuple(layers))
    found = network.features(changed.astype("float32"), tuple(layers))
    total = sum(layers.values())
    hits = 0
    for index in range(len(photos)):
        query = {name: value[index : index + 1] for name, value in found.items()}
        errors = sum(w / total * content_error(query[name], features[name]) for name, w in layers.items())
        hits += int(np.argmin(np.asarray(errors)) == index)
    return hits / len(photos)


def optimized_picture(objective: Objective, photo: np.ndarray, style: np.ndarray, *, steps: int) -> np.ndarray:
    """The photo after `steps` iterations of L-BFGS on its pixels, `[height, width, 3]` float32 in 0..255."""
    content = photo.astype("float32")
    problem = ImageProblem(objective, content, [style.astype("float32")], style_weights=(1.0,))
    picture = content
    for iterate in itertools.islice(lbfgs(problem, content.ravel()), steps):
        picture = problem.picture(iterate.image)
    return picture


def _same_owner_share(errors_of: Callable, owners: np.ndarray) -> float:
    hits = 0
    for index in range(len(owners)):
        errors = np.array(errors_of(index))
        errors[index] = np.inf
        hits += int(owners[np.argmin(errors)] == owners[index])
    return hits / len(owners)


def _random_crop(image: np.ndarray, size_px: int, random: np.random.Generator) -> np.ndarray:
    top, left = (random.integers(0, side - size_px + 1) for side in image.shape[:2])
    return image[top : top + size_px, left : left + size_px]


def _center_square(photo: np.ndarray, size_px: int) -> np.ndarray:
    side = min(photo.shape[:2])
    top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
    square = Image.fromarray(photo[top : top + side, left : left + side])
    return np.asarray(square.resize((size_px, size_px), Image.Resampling.LANCZOS))


def _changed(photo: np.ndarray, random: np.random.Generator) -> np.ndarray:
    blurred = Image.fromarray(photo[..., ::-1].copy()).filter(ImageFilter.GaussianBlur(_BLUR_RADIUS_PX))
    noisy = np.asarray(blurred, "float32") + random.normal(0, _NOISE_LEVELS, photo.shape)
    return np.clip(noisy, 0, 255).astype("uint8")
