import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layer_names import PIXEL_LAYERS
from models.loss_network import LOSS_NETWORKS, MEAN_PIXEL, POOLINGS, LossNetwork
from models.loss_network_weights import COMPACT_WEIGHTS, LossNetworkWeightsError
from models.losses import content_error
from tests.models.test_loss_network_weights import random_imagenet_model, write_imagenet_file

IMAGE = np.random.default_rng(7).uniform(0, 255, (2, 40, 33, 3)).astype("float32")


def layer_names(convolutions_of_blocks):
    blocks = enumerate(convolutions_of_blocks, start=1)
    return [
        "rgb",
        "luminance",
        "color_map",
        *(f"relu{block}_{conv}" for block, count in blocks for conv in range(1, count + 1)),
    ]


VGG16_LAYERS = layer_names([2, 2, 3, 3, 3])
VGG19_LAYERS = layer_names([2, 2, 4, 4, 4])


@pytest.fixture(scope="module")
def compact():
    return LossNetwork("compact")


@pytest.fixture(scope="module", params=["vgg16", "vgg19"])
def imagenet_pair(request, tmp_path_factory):
    """A loss network read from a file, and `keras.applications`' own model with the same random weights."""
    model = random_imagenet_model(request.param)
    path = write_imagenet_file(tmp_path_factory.mktemp("weights") / f"{request.param}_notop.h5", model)
    network = LossNetwork(request.param, weights_path=path)
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


def compact_convolution(name):
    with np.load(COMPACT_WEIGHTS) as arrays:
        return arrays[f"{name}/kernel"], arrays[f"{name}/bias"]


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


def test_layer_names_are_those_of_the_papers(imagenet_pair, compact):
    network, _ = imagenet_pair
    assert list(network.layer_names) == (VGG16_LAYERS if network.name == "vgg16" else VGG19_LAYERS)
    assert list(compact.layer_names) == VGG16_LAYERS


def test_vgg_without_its_file_is_an_error_and_never_another_network(tmp_path):
    with pytest.raises(
        LossNetworkWeightsError, match=r"vgg16 weights: no file .*absent\.h5; .* --loss-network compact"
    ):
        LossNetwork("vgg16", weights_path=tmp_path / "absent.h5")


def test_first_features_of_the_compact_network_are_a_convolution_of_the_centered_image(compact):
    expected = numpy_relu_convolution(IMAGE - np.array(MEAN_PIXEL), *compact_convolution("block1_conv1"))
    actual = compact.features(IMAGE, ["relu1_1"])["relu1_1"]
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4 * expected.max())


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_between_blocks_is_numpys_over_2_by_2_pixels(pooling):
    image = IMAGE[:1, :9, :6]
    features = LossNetwork("compact", pooling=pooling).features(image, ["relu1_2", "relu2_1"])
    pooled = numpy_pool(np.asarray(features["relu1_2"], "float64"), pooling)
    expected = numpy_relu_convolution(pooled, *compact_convolution("block2_conv1"))
    assert expected.shape == (1, 4, 3, 64)
    np.testing.assert_allclose(features["relu2_1"], expected, rtol=1e-4, atol=1e-4 * expected.max())


def test_max_and_average_pooling_agree_before_the_first_pool_and_differ_behind_it():
    layers = ["relu1_2", "relu4_1"]
    by_max, by_average = (LossNetwork("compact", pooling=pooling).features(IMAGE, layers) for pooling in POOLINGS)
    np.testing.assert_array_equal(by_max["relu1_2"], by_average["relu1_2"])
    difference = np.abs(by_max["relu4_1"] - by_average["relu4_1"]).mean()
    assert difference > 0.1 * np.abs(by_average["relu4_1"]).mean()


def test_pooling_is_the_networks_own_unless_chosen(compact):
    chosen = LossNetwork("compact", pooling="average")
    assert compact.pooling == chosen.pooling == "average"
    features = (network.features(IMAGE, ["relu3_3"])["relu3_3"] for network in (compact, chosen))
    np.testing.assert_array_equal(*features)


def test_vgg_pools_by_maximum_unless_chosen(imagenet_pair):
    assert imagenet_pair[0].pooling == "max"


def test_compact_features_double_their_channels_and_halve_their_size(compact):
    layers = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    features = compact.features(IMAGE, layers)
    shapes = [tuple(features[name].shape) for name in layers]
    assert shapes == [(2, 40, 33, 32), (2, 20, 16, 64), (2, 10, 8, 128), (2, 5, 4, 256), (2, 2, 2, 256)]


def test_features_are_exactly_those_asked_for_and_not_negative(compact):
    features = compact.features(IMAGE, ["relu2_2", "rgb", "relu1_1"])
    assert set(features) == {"relu2_2", "rgb", "relu1_1"}
    assert set(compact.features(IMAGE, ["relu2_2"])) == {"relu2_2"}
    for name in ("relu1_1", "relu2_2"):
        assert float(tf.reduce_min(features[name])) == 0
        assert float(tf.reduce_max(features[name])) > 0


def test_rgb_layer_is_the_image_divided_by_255(compact):
    features = compact.features(IMAGE, ["rgb"])
    assert set(features) == {"rgb"}
    np.testing.assert_allclose(features["rgb"], IMAGE / 255, rtol=1e-6)


def means(image, window, step):
    """Means `[batch, rows, columns, 3]` over squares of `window` px that begin every `step` px."""
    squares = np.lib.stride_tricks.sliding_window_view(image, (window, window), axis=(1, 2))
    return squares[:, ::step, ::step].mean(axis=(-2, -1))


def test_a_layer_at_a_coarser_scale_is_that_of_the_averaged_image(compact):
    image = IMAGE[:, :40, :32]
    coarse = compact.features(image, ["relu2_1/2", "relu2_1"])
    assert list(coarse) == ["relu2_1/2", "relu2_1"]
    expected = compact.features(means(image, 2, 2), ["relu2_1"])["relu2_1"]
    np.testing.assert_allclose(coarse["relu2_1/2"], expected, atol=1e-3)
    np.testing.assert_array_equal(coarse["relu2_1"], compact.features(image, ["relu2_1"])["relu2_1"])


def test_pixels_at_a_coarser_scale_are_averaged_over_overlapping_windows(compact):
    image = IMAGE[:, :40, :32]
    coarse = compact.features(image, ["relu2_1/4", "rgb/4"])["rgb/4"]
    np.testing.assert_allclose(coarse, means(means(image, 4, 1), 4, 2) / 255, atol=1e-6)


def luminance_error(compact, image, photo):
    stylized, target = (compact.features(pixels[None], ["luminance/8"])["luminance/8"] for pixels in (image, photo))
    return float(content_error(stylized, target)[0])


def test_relative_error_of_luminance_is_one_minus_its_correlation(compact):
    random = np.random.default_rng(3)
    photo, other = (np.kron(random.uniform(0, 255, (5, 7, 3)), np.ones((16, 16, 1))).astype("float32") for _ in "ab")
    light = [means(means(image[None], 8, 1), 8, 4) @ (0.299, 0.587, 0.114) for image in (photo, other)]
    expected = 1 - np.corrcoef(light[0].ravel(), light[1].ravel())[0, 1]
    assert luminance_error(compact, other, photo) == pytest.approx(expected, abs=0.05)
    assert luminance_error(compact, 0.5 * photo + 40, photo) == pytest.approx(0, abs=0.02)
    assert luminance_error(compact, 255 - photo, photo) == pytest.approx(2, abs=0.1)


def test_a_checkerboard_of_8_px_costs_the_same_wherever_it_begins(compact):
    photo = np.random.default_rng(0).uniform(60, 190, (128, 128, 3)).astype("float32")
    rows, columns = np.indices((132, 132)) // 8
    board = (20.0 - 40.0 * ((rows + columns) % 2))[..., None]
    aligned, between = (luminance_error(compact, photo + board[i : i + 128, i : i + 128], photo) for i in (0, 4))
    assert aligned > 0.2
    assert between == pytest.approx(aligned, rel=0.2)


def test_luminance_of_a_photo_without_contrast_asks_for_little(compact):
    grey = np.full((32, 32, 3), 120, "float32")
    assert luminance_error(compact, IMAGE[0, :32, :32], grey) <= 1


def test_bfloat16_network_gives_bfloat16_features_close_to_float32_and_exact_rgb(compact):
    half = LossNetwork("compact", dtype="mixed_bfloat16").features(IMAGE, ["rgb", "relu2_2"])
    exact = compact.features(IMAGE, ["relu2_2"])["relu2_2"]
    assert half["relu2_2"].dtype == "bfloat16"
    assert half["rgb"].dtype == "float32"
    np.testing.assert_allclose(half["rgb"], IMAGE / 255, rtol=1e-6)
    difference = np.abs(tf.cast(half["relu2_2"], "float32") - exact)
    assert 0 < difference.mean() < 0.02 * np.mean(exact)


def test_features_are_the_same_inside_tf_function(compact):
    layers = ["rgb", "relu1_2", "relu3_3"]
    traced = tf.function(
        lambda image: compact.features(image, layers), input_signature=[tf.TensorSpec([None] * 3 + [3])]
    )
    eager, graph = compact.features(IMAGE, layers), traced(IMAGE)
    for name in layers:
        scale = np.abs(eager[name]).max()
        np.testing.assert_allclose(graph[name] / scale, eager[name] / scale, atol=1e-5, err_msg=name)


def test_loss_network_is_frozen(compact, imagenet_pair):
    # Only the model itself knows its trainable variables.
    for network in (compact, imagenet_pair[0]):
        assert network._model.trainable_variables == []
        assert len(network._model.variables) == 2 * (len(network.layer_names) - len(PIXEL_LAYERS))


def test_gradient_reaches_the_image_as_finite_differences_say(compact):
    image = tf.constant(IMAGE[:1, :8, :12])
    weights = np.random.default_rng(9).normal(size=(1, 4, 6, 64)).astype("float32")

    def value(at):
        return tf.reduce_sum(weights * compact.features(at, ["relu2_2"])["relu2_2"])

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
    assert LOSS_NETWORKS == ("vgg16", "vgg19", "compact")
    with pytest.raises(ValueError, match="unknown loss network 'resnet'; choose one of vgg16, vgg19, compact"):
        LossNetwork("resnet")


def test_unknown_pooling_is_named_with_the_choices():
    with pytest.raises(ValueError, match="unknown pooling 'median'; choose one of max, average"):
        LossNetwork("compact", pooling="median")


@pytest.mark.parametrize("layers", [["relu3_4"], ["relu1_1", "relu3_4"]])
def test_unknown_layer_is_named_with_the_choices(compact, layers):
    message = f"loss network 'compact' has no layer 'relu3_4'; choose from {', '.join(VGG16_LAYERS)}"
    with pytest.raises(ValueError, match=message):
        compact.features(IMAGE, layers)
    with pytest.raises(ValueError, match=message):
        compact.check_layers(layers)
