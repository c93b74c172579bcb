import keras
import numpy as np
import pytest

from models.loss_network_weights import COMPACT_WEIGHTS
from models.objective import ObjectiveSettings
from scripts.loss_network_variants import objective_variants

STYLE_LAYERS = {"rgb": 1.0, "relu1_2": 1.0, "relu2_2": 2.0, "relu2_2/2": 1.0}
SETTINGS = ObjectiveSettings({"relu2_2": 1.0, "luminance/8": 1.0}, STYLE_LAYERS, content_weight=0.3)


@pytest.fixture(scope="module")
def photo():
    return np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype="uint8")


@pytest.fixture(scope="module")
def variants(photo):
    return objective_variants(COMPACT_WEIGHTS, SETTINGS, [photo])


def test_every_variant_is_zero_for_the_style_itself_and_above_zero_for_another_picture(variants, photo):
    image = photo[None].astype("float32")
    for name, objective in variants.items():
        targets = objective.content_targets(image), objective.style_targets(image)
        assert float(objective.terms(image, *targets)["style"]) == pytest.approx(0, abs=1e-6), name
        assert float(objective.terms(255 - image, *targets)["style"]) > 1e-4, name


def test_mean_activations_are_one_on_the_measured_photos_but_for_channels_that_hardly_fire(variants, photo):
    network = variants["mean activation 1"].loss_network
    features = network.features(photo[None].astype("float32"), ("relu2_2",))["relu2_2"]
    means = np.asarray(features).mean(axis=(0, 1, 2))
    assert np.median(means) == pytest.approx(1, abs=1e-4)
    assert means.max() <= 1 + 1e-4


def test_smoothed_activations_are_softmax_over_channels(variants, photo):
    plain = variants["default"].loss_network.features(photo[None].astype("float32"), ("relu2_2",))["relu2_2"]
    smoothed = variants["smoothed"].loss_network.features(photo[None].astype("float32"), ("relu2_2",))["relu2_2"]
    np.testing.assert_allclose(np.asarray(smoothed).sum(axis=-1), 1, atol=1e-5)
    expected = keras.ops.softmax(plain / (np.asarray(plain).std() + 1e-6), axis=-1)
    np.testing.assert_allclose(smoothed, expected, atol=1e-5)


def test_scales_are_left_out_or_added(variants):
    layers = {name: set(objective.settings.style_layers) for name, objective in variants.items()}
    assert layers["one scale"] == {"rgb", "relu1_2", "relu2_2"}
    assert layers["coarse colors"] == layers["default"] | {"rgb/4", "rgb/16"}
    assert layers["no pixel colors"] == {"relu1_2", "relu2_2", "relu2_2/2"}


def test_unknown_layers_are_still_refused(variants):
    for objective in variants.values():
        with pytest.raises(ValueError, match="no layer 'relu9_9'"):
            objective.loss_network.check_layers(("rgb", "relu9_9"))
