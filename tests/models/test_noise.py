import keras
import numpy as np
import pytest
import tensorflow as tf

from faststyle.models.noise import StyleNoise, noise_plane

ORIGIN = np.zeros((2, 2), "int32")


def layer_with_gain(rows):
    layer = StyleNoise(len(rows))
    layer.build((None, None, None, len(rows[0])), (None, len(rows)))
    layer.gain.assign(np.array(rows, "float32"))
    return layer


def test_noise_has_mean_0_and_deviation_1():
    plane = np.asarray(noise_plane(896, 896, ORIGIN))
    assert abs(plane.mean()) < 1e-3
    np.testing.assert_allclose(plane.std(), 1.0, rtol=0.01)


def test_noise_is_about_as_strong_at_every_scale():
    plane = np.asarray(noise_plane(896, 896, ORIGIN))
    power = np.abs(np.fft.fft2(plane)) ** 2 / plane.size**2
    frequency = np.hypot(np.fft.fftfreq(896)[:, None], np.fft.fftfreq(896)[None, :])
    octaves = [power[(frequency >= 2.0**-n) & (frequency < 2.0 ** (1 - n))].sum() for n in (2, 3, 4)]
    np.testing.assert_allclose(octaves, octaves[0], rtol=0.3)
    assert power[frequency < 1 / 33].sum() < 1e-3


def test_noise_repeats_after_896_positions_and_not_after_its_patterns_lengths():
    plane = np.asarray(noise_plane(1, 2 * 896, ORIGIN))[0]
    np.testing.assert_allclose(plane[:896], plane[896:])
    for period in (112, 128):
        assert np.abs(plane[:-period] - plane[period:]).mean() > 0.3


def test_part_of_the_plane_is_the_plane_there():
    plane = np.asarray(noise_plane(300, 200, ORIGIN))
    part = noise_plane(40, 50, np.array([[200, 120]] * 2, "int32"))
    np.testing.assert_array_equal(part, plane[200:240, 120:170])


def test_each_style_adds_as_much_noise_as_its_gain():
    layer = layer_with_gain([[0.0, 1.0], [2.0, -1.0]])
    image = np.random.default_rng(0).normal(size=(3, 6, 7, 2)).astype("float32")
    noisy = layer(image, np.array([[1, 0], [0, 1], [0.5, 0.5]], "float32"))
    gain = np.array([[0, 1], [2, -1], [1, 0]])[:, None, None, :]
    plane = np.asarray(noise_plane(6, 7, ORIGIN))[None, :, :, None]
    np.testing.assert_allclose(noisy, image + gain * plane, atol=1e-5)


def test_tile_gets_the_noise_of_its_place():
    layer = layer_with_gain([[1.0]])
    mixture = np.ones((1, 1), "float32")
    whole = np.asarray(layer(np.zeros((1, 30, 40, 1), "float32"), mixture))
    tile = layer(np.zeros((1, 10, 12, 1), "float32"), mixture, np.array([16, 20], "int32"))
    np.testing.assert_allclose(tile, whole[:, 16:26, 20:32], atol=1e-6)


def test_training_takes_noise_from_another_place_at_every_step_and_inference_always_the_same():
    layer = layer_with_gain([[1.0]])
    zeros, mixture = np.zeros((1, 16, 16, 1), "float32"), np.ones((1, 1), "float32")
    first, second = (np.asarray(layer(zeros, mixture, training=True)) for _ in range(2))
    assert np.abs(first - second).mean() > 0.1
    np.testing.assert_allclose([first.std(), second.std()], 1.0, atol=0.5)
    np.testing.assert_array_equal(layer(zeros, mixture), layer(zeros, mixture))


def test_training_takes_the_same_places_again_from_the_same_state():
    def places():
        layer = layer_with_gain([[1.0]])
        zeros, mixture = np.zeros((1, 16, 16, 1), "float32"), np.ones((1, 1), "float32")
        return np.stack([layer(zeros, mixture, training=True) for _ in range(2)])

    np.testing.assert_array_equal(places(), places())


@pytest.mark.parametrize("shape", [(1, 17, 23, 2), (2, 130, 115, 2)])
def test_traced_for_any_size_it_is_the_same(shape):
    layer = layer_with_gain([[0.5, 1.0]])
    image, mixture = np.ones(shape, "float32"), np.ones((shape[0], 1), "float32")
    specs = [tf.TensorSpec([None, None, None, 2]), tf.TensorSpec([None, 1])]
    traced = tf.function(lambda *arguments: layer(*arguments), input_signature=specs)
    np.testing.assert_allclose(traced(image, mixture), layer(image, mixture), atol=1e-6)


def test_noise_starts_small_and_stays_in_the_compute_type():
    keras.utils.set_random_seed(0)
    layer = StyleNoise(2, dtype="mixed_bfloat16")
    noisy = layer(np.zeros((1, 32, 32, 64), "float32"), np.array([[1, 0]], "float32"))
    assert noisy.dtype == "bfloat16"
    assert layer.gain.dtype == "float32"
    assert 0.08 < np.asarray(layer.gain).std() < 0.12
