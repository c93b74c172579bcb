import keras
import numpy as np
import pytest
import tensorflow as tf

from faststyle.models.losses import grid_energy
from faststyle.models.transform_net import (
    GRID_WEIGHT,
    FromPixels,
    ReflectionPadding2D,
    ToPixels,
    build_transform_network,
    stylize_any_size,
)

ONE_STYLE = np.ones((1, 1), "float32")
ANY_SIZE = [tf.TensorSpec([None, None, None, 3]), tf.TensorSpec([None, None])]


@pytest.fixture(scope="module")
def network():
    return tiny_network()


def tiny_network(*, num_styles=1, **kwargs):
    """A random network whose styles differ, width 0.125."""
    keras.utils.set_random_seed(3)
    network = build_transform_network(num_styles=num_styles, width=0.125, **kwargs)
    random = np.random.default_rng(4)
    for variable in network.variables:
        if variable.name in ("scale", "shift", "gain"):
            variable.assign(variable + random.normal(0, 0.3, variable.shape))
    return network


def random_image(height, width, *, batch=1):
    return np.random.default_rng(height * width).uniform(0, 255, (batch, height, width, 3)).astype("float32")


def parameters(network):
    return sum(int(np.prod(variable.shape)) for variable in network.weights)


def test_network_of_one_style_has_the_papers_parameter_count_and_its_noise_and_colors():
    assert parameters(build_transform_network()) == 1_679_235 + 140


def test_every_further_style_costs_3340_parameters():
    assert parameters(build_transform_network(num_styles=3)) == 1_679_235 + 140 + 2 * 3_340


@pytest.mark.parametrize(
    ("width", "channels"),
    [(0.5, [16, 32, 64, 16]), (0.125, [4, 8, 16, 4]), (0.3, [10, 20, 40, 10]), (0.001, [1, 2, 4, 1])],
)
def test_width_scales_every_channel_count(width, channels):
    network = build_transform_network(width=width)
    names = ("encode1_conv", "encode2_conv", "residual5_2_conv", "decode2_conv")
    assert [network.get_layer(name).filters for name in names] == channels
    assert network.get_layer("output_conv").filters == 3


def test_output_has_the_size_of_the_input_and_is_not_clipped(network):
    image = random_image(24, 36, batch=2)
    stylized = np.asarray(network([image, np.ones((2, 1), "float32")]))
    assert stylized.shape == image.shape
    assert stylized.dtype == np.float32
    assert stylized.min() < 0
    assert stylized.max() > 255


@pytest.mark.parametrize(("height", "width", "border"), [(16, 16, 12), (17, 23, 12), (20, 21, 16), (61, 47, 16)])
def test_any_size_is_reflected_beyond_its_borders_then_cropped_and_clipped(network, height, width, border):
    image = random_image(height, width)
    padded = np.pad(
        image, [(0, 0), *((border, border + -side % 4) for side in (height, width)), (0, 0)], mode="reflect"
    )
    raw = np.asarray(network([padded, ONE_STYLE]))[:, border : border + height, border : border + width]
    stylized = np.asarray(stylize_any_size(network, image, ONE_STYLE))
    assert stylized.shape == image.shape
    assert raw.min() < 0
    assert raw.max() > 255
    np.testing.assert_allclose(stylized, np.clip(raw, 0, 255), atol=1e-2)


def test_output_stays_in_0_to_255_and_reaches_both_ends(network):
    stylized = np.asarray(stylize_any_size(network, random_image(61, 47), ONE_STYLE))
    assert stylized.min() == 0
    assert stylized.max() == 255


def test_eager_equals_tf_function_equals_reloaded_saved_model(one_residual_block, tmp_path):
    network = tiny_network()

    def stylize(image, style_mixture):
        return stylize_any_size(network, image, style_mixture)

    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint("serve", stylize, input_signature=ANY_SIZE)
    archive.write_out(str(tmp_path / "model"), verbose=False)
    reloaded = tf.saved_model.load(str(tmp_path / "model"))
    traced = tf.function(stylize, input_signature=ANY_SIZE)
    for height, width in [(16, 16), (17, 23), (30, 41)]:
        image = random_image(height, width)
        eager = stylize(image, ONE_STYLE)
        np.testing.assert_allclose(traced(image, ONE_STYLE), eager, atol=0.02)
        np.testing.assert_allclose(reloaded.serve(image, ONE_STYLE), eager, atol=0.02)


def test_style_mixture_chooses_the_style_of_each_image():
    network = tiny_network(num_styles=2)
    image = np.repeat(random_image(16, 20), 3, axis=0)
    first, second, half = np.asarray(network([image, np.array([[1, 0], [0, 1], [0.5, 0.5]], "float32")]))
    alone = network([image[:1], np.array([[0, 1]], "float32")])
    np.testing.assert_allclose(second, alone[0], atol=0.02)
    assert np.abs(first - second).mean() > 5
    assert np.abs(half - first).mean() > 1
    assert np.abs(half - second).mean() > 1


def test_bfloat16_network_has_float32_variables_and_output():
    exact, half = tiny_network(), tiny_network(dtype="mixed_bfloat16")
    image = random_image(32, 32)
    stylized = half([image, ONE_STYLE])
    assert stylized.dtype == "float32"
    assert {variable.dtype for variable in half.weights} == {"float32"}
    difference = np.abs(np.asarray(stylized) - np.asarray(exact([image, ONE_STYLE])))
    assert 0 < difference.mean() < 5


@pytest.mark.parametrize("num_styles", [0, -1])
def test_network_without_a_style_is_an_error(num_styles):
    with pytest.raises(ValueError, match=f"needs at least 1 style, got {num_styles}; pass num_styles=1 or more"):
        build_transform_network(num_styles=num_styles)


@pytest.mark.parametrize("width", [0, -0.5, 4.5, float("nan")])
def test_width_out_of_range_is_an_error(width):
    with pytest.raises(ValueError, match=rf"width must lie in \(0, 4\], got {width}; 1.0 is the paper's network"):
        build_transform_network(width=width)


def test_reflection_padding_by_hand():
    row = np.array([1, 2, 3], "float32")
    padded = np.asarray(ReflectionPadding2D(1)(np.stack([row, row + 10])[None, :, :, None]))
    np.testing.assert_array_equal(
        padded[0, :, :, 0], [[12, 11, 12, 13, 12], [2, 1, 2, 3, 2], [12, 11, 12, 13, 12], [2, 1, 2, 3, 2]]
    )


@pytest.mark.parametrize("padding", [1, 4])
def test_reflection_padding_is_numpys(padding):
    image = random_image(5, 7, batch=2)
    sides = (padding, padding)
    layer = ReflectionPadding2D(padding)
    expected = np.pad(image, [(0, 0), sides, sides, (0, 0)], mode="reflect")
    np.testing.assert_array_equal(layer(image), expected)
    np.testing.assert_array_equal(tf.function(layer, input_signature=ANY_SIZE[:1])(image), expected)
    assert layer.compute_output_shape(image.shape) == expected.shape
    assert layer.compute_output_shape((None, None, 7, 3)) == (None, None, 7 + 2 * padding, 3)


def test_pixels_of_0_to_255_become_minus_1_to_1():
    np.testing.assert_allclose(FromPixels()(np.array([0, 51, 127.5, 255], "float32")), [-1, -0.6, 0, 1], atol=1e-6)
    assert FromPixels(dtype="mixed_bfloat16")(np.zeros(2, "float32")).dtype == "bfloat16"


def test_output_pixels_are_float32_and_not_bounded():
    pixels = ToPixels(dtype="float32")(tf.constant([-1, 0, 1, 3], "bfloat16"))
    assert pixels.dtype == "float32"
    np.testing.assert_array_equal(pixels, [0, 127.5, 255, 510])


def test_training_penalizes_what_lies_outside_0_to_255_by_hand():
    layer, unit = ToPixels(dtype="float32"), np.zeros((1, 9, 9, 1), "float32")
    unit[0, 0, :5, 0] = -1.5, -1, 0.5, 1, 3
    pixels = layer(unit, training=True)
    np.testing.assert_allclose(pixels[0, 0, :5, 0], [-63.75, 0, 191.25, 255, 510])
    np.testing.assert_allclose(layer.losses[0], (0.5**2 + 2**2) / 81)
    layer(np.clip(unit, -1, 1), training=True)
    np.testing.assert_array_equal(layer.losses[0], 0)
    layer(unit)
    assert layer.losses == []


def test_training_penalizes_texture_on_the_networks_own_grid():
    layer, unit = ToPixels(dtype="float32"), np.random.default_rng(8).uniform(-1, 1, (2, 33, 33, 3)).astype("float32")
    pixels = layer(unit, training=True)
    np.testing.assert_allclose(layer.losses[1], GRID_WEIGHT * np.mean(grid_energy(pixels)), rtol=1e-5)


def test_network_carries_the_penalties_of_its_layers_in_training_only(network):
    image = random_image(16, 20)
    unit = np.asarray(network([image, ONE_STYLE], training=True), "float64") / 127.5 - 1
    expected = np.mean(np.maximum(np.abs(unit) - 1, 0) ** 2)
    assert expected > 0.01
    assert any(np.isclose(float(loss), expected, rtol=1e-3) for loss in network.losses)
    network([image, ONE_STYLE])
    assert network.losses == []


def test_network_is_rebuilt_from_its_config(network):
    rebuilt = keras.Model.from_config(network.get_config())
    rebuilt.set_weights(network.get_weights())
    image = random_image(16, 24)
    np.testing.assert_allclose(rebuilt([image, ONE_STYLE]), network([image, ONE_STYLE]), atol=1e-3)
