import numpy as np
import pytest

from models.loss_network import LossNetwork
from models.objective import Objective, ObjectiveSettings
from scripts.loss_network_evaluation import (
    content_retrieval,
    optimized_picture,
    random_weights,
    style_retrieval,
    top1_accuracy,
)
from scripts.robust_classifier import assign_folded_weights, build_trunk


@pytest.fixture(scope="module")
def network():
    return LossNetwork("compact")


def striped(size, period, color):
    """A picture with stripes of its own period and color."""
    rows = (np.arange(size) // period % 2)[:, None, None]
    return (rows * np.float32(color) * np.ones((size, size, 1))).astype("uint8")


def test_random_weights_have_the_shapes_of_the_compact_network_and_hes_deviation():
    arrays = random_weights()
    trunk = build_trunk(width=0.5, normalize=False)
    assert [arrays[name].shape for name in arrays] == [weight.shape for weight in trunk.get_weights()]
    kernel = arrays["block4_conv2/kernel"]
    assert kernel.std() == pytest.approx(np.sqrt(2 / (9 * 256)), rel=0.01)


def test_clearly_different_styles_are_always_found_and_equal_ones_only_by_chance(network):
    layers = {"relu1_2": 1.0, "relu2_2": 1.0}
    different = [striped(160, 2, (255, 80, 0)), striped(160, 24, (0, 200, 90))]
    assert style_retrieval(network, different, layers=layers, statistic="covariance") == 1.0
    noise = [np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype="uint8")] * 4
    assert style_retrieval(network, noise, layers=layers, statistic="covariance") < 0.7


def test_changed_photos_are_found_among_different_photos_but_not_among_equal_ones(network):
    photos = [striped(128, period, (250, 250, 250)) for period in (8, 16, 32)]
    assert content_retrieval(network, photos, layers={"relu2_2": 1.0}) == 1.0
    assert content_retrieval(network, [photos[0]] * 4, layers={"relu2_2": 1.0}) == 0.25


def test_accuracy_is_that_of_the_heads_guesses_and_falls_under_attack():
    random = np.random.default_rng(0)
    images = random.integers(90, 160, (12, 32, 32, 3)).astype("uint8")
    weights = {name: array.astype("float32") for name, array in random_weights().items()}
    trunk = build_trunk(width=0.5, normalize=False)
    assign_folded_weights(trunk, weights)
    features = np.asarray(trunk(images.astype("float32"))).mean(axis=(1, 2))
    features = (features - features.mean(axis=1, keepdims=True)) / features.std(axis=1, keepdims=True)
    kernel = random.normal(size=(256, 2)).astype("float32")
    scores = features @ kernel
    head = (kernel, -np.median(scores, axis=0))  # so that both classes are guessed
    guesses = np.argmax(scores + head[1], axis=1)
    assert top1_accuracy(weights, head, images, guesses, epsilon=0.0) == 1.0
    assert top1_accuracy(weights, head, images, 1 - guesses, epsilon=0.0) == 0.0
    assert top1_accuracy(weights, head, images, guesses, epsilon=8.0) < 1.0


def test_an_optimized_picture_lowers_the_objective_within_pixels(network):
    settings = ObjectiveSettings({"relu2_2": 1.0}, {"relu1_2": 1.0, "relu2_2": 1.0}, content_weight=0.1)
    objective = Objective(network, settings)
    photo, style = striped(48, 12, (200, 200, 200)), striped(48, 3, (255, 120, 0))
    picture = optimized_picture(objective, photo, style, steps=60)
    start = photo[None].astype("float32")
    targets = (objective.content_targets(start), objective.style_targets(style[None].astype("float32")))
    before = float(objective.terms(start, *targets)["total"])
    assert float(objective.terms(picture[None], *targets)["total"]) < 0.8 * before
    assert picture.shape == photo.shape
    assert picture.min() >= 0
    assert picture.max() <= 255
