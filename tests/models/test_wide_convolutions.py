import keras
import numpy as np
import pytest

from faststyle.models.wide_convolutions import DoublingConv2D, FourPixelConv2D


def doubling(*, channels=3, filters=2, dtype="float32"):
    return with_random_weights(DoublingConv2D(filters, dtype=dtype), channels)


def with_random_weights(layer, channels):
    layer.build((None, None, None, channels))
    random = np.random.default_rng(0)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return layer


def random_features(shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


@pytest.mark.parametrize("shape", [(2, 5, 7, 3), (1, 1, 2, 3)])
def test_doubling_is_bilinear_upsampling_with_repeated_borders_then_convolution(shape):
    layer, features = doubling(), random_features(shape)
    repeated = np.pad(features, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="edge")
    doubled = np.asarray(keras.layers.UpSampling2D(2, interpolation="bilinear")(repeated))[:, 1:-1, 1:-1]
    kernel, bias = layer.get_weights()
    expected = keras.ops.conv(doubled, kernel, padding="valid") + bias
    output = layer(features)
    assert output.shape == (shape[0], 2 * shape[1], 2 * shape[2], 2)
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_weights_of_doubling_are_those_of_a_convolution_of_the_doubled_size():
    weights = {weight.name: tuple(weight.shape) for weight in doubling(channels=6, filters=4).weights}
    assert weights == {"kernel": (3, 3, 6, 4), "bias": (4,)}


def test_doubling_in_bfloat16_has_kernels_blended_in_float32():
    exact, half = doubling(), doubling(dtype="mixed_bfloat16")
    features = random_features((1, 4, 6, 3))
    output = half(features)
    assert output.dtype == "bfloat16"
    assert half.kernel.dtype == "float32"
    np.testing.assert_allclose(keras.ops.cast(output, "float32"), exact(features), atol=0.15)


def test_sizes_that_are_not_known_yet_stay_so():
    layer = DoublingConv2D(4)
    assert layer.compute_output_shape((None, None, 5, 3)) == (None, None, 10, 4)


@pytest.mark.parametrize(("kernel_size", "height", "width"), [(9, 12, 16), (5, 5, 8)])
def test_four_pixels_at_a_time_are_a_plain_convolution(kernel_size, height, width):
    layer, features = with_random_weights(FourPixelConv2D(3, kernel_size), 5), random_features((2, height, width, 5))
    kernel, bias = layer.get_weights()
    assert kernel.shape == (kernel_size, kernel_size, 5, 3)
    output = layer(features)
    assert output.shape == layer.compute_output_shape(features.shape)
    np.testing.assert_allclose(output, keras.ops.conv(features, kernel, padding="valid") + bias, atol=1e-4)


def test_a_kernel_that_does_not_fit_four_pixels_is_refused():
    with pytest.raises(ValueError, match="multiple of 4, such as 9, got 3"):
        FourPixelConv2D(3, kernel_size=3)
