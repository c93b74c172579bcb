import keras
import numpy as np
import pytest
import tensorflow as tf

from faststyle.models.style_colors import StyleColors, fit_color_map

MIXTURE = np.array([[0.25, 0.75], [1.0, 0.0]], "float32")


def random_layer(num_styles=2):
    layer = StyleColors(num_styles)
    layer.build((None, None, None, 3), (None, num_styles))
    random = np.random.default_rng(0)
    layer.matrix.assign(random.normal(size=(num_styles, 3, 3)))
    layer.offset.assign(random.normal(size=(num_styles, 3)))
    return layer


def random_colors(*shape, seed=1):
    """Colors whose channels differ in mean and spread and depend on each other."""
    random = np.random.default_rng(seed)
    return np.tanh(random.normal(size=(*shape, 3)) @ random.normal(0.0, 0.3, (3, 3)) + random.normal(0.0, 0.2, 3))


def test_one_pixel_by_hand():
    layer = StyleColors(1)
    layer.build((None, None, None, 3), (None, 1))
    layer.matrix.assign([[[1, 2, 0], [0, 1, 0], [-1, 0, 3]]])
    layer.offset.assign([[0.5, 0, -1]])
    pixel = np.array([[[[1, 10, 100]]]], "float32")
    np.testing.assert_allclose(layer(pixel, np.ones((1, 1), "float32")), [[[[21.5, 10, 298]]]])


def test_new_layer_leaves_colors_as_they_are():
    image = random_colors(2, 4, 5).astype("float32")
    np.testing.assert_array_equal(StyleColors(2)(image, MIXTURE), image)


def test_each_image_gets_the_mixture_of_its_styles_maps():
    layer, image = random_layer(), random_colors(2, 4, 5).astype("float32")
    for index, share in enumerate(MIXTURE):
        matrix, offset = (np.tensordot(share, np.asarray(table), 1) for table in (layer.matrix, layer.offset))
        expected = np.einsum("ij,yxj->yxi", matrix, image[index]) + offset
        np.testing.assert_allclose(layer(image, MIXTURE)[index], expected, rtol=1e-5, atol=1e-5)


def test_training_leaves_the_maps_alone():
    assert random_layer().trainable_weights == []


def test_compiled_and_reloaded_layers_give_what_the_eager_one_gives(tmp_path):
    layer, image = random_layer(), random_colors(2, 4, 5).astype("float32")
    signature = [tf.TensorSpec((None, None, None, 3)), tf.TensorSpec((None, 2))]
    compiled = tf.function(lambda image, mixture: layer(image, mixture), input_signature=signature, autograph=False)
    module = tf.Module()
    module.layer, module.call = layer, compiled
    tf.saved_model.save(module, str(tmp_path / "layer"))
    reloaded = tf.saved_model.load(str(tmp_path / "layer"))
    for function in (compiled, reloaded.call):
        np.testing.assert_allclose(function(tf.constant(image), tf.constant(MIXTURE)), layer(image, MIXTURE), rtol=1e-6)


def test_config_makes_the_layer_again():
    again = keras.layers.deserialize(keras.layers.serialize(StyleColors(3, name="colors")))
    assert (again.num_styles, again.name) == (3, "colors")


def test_mapped_colors_have_the_wanted_mean_and_nearly_the_wanted_covariance():
    colors, wanted = random_colors(20_000), random_colors(20_000, seed=2)
    matrix, offset = fit_color_map(colors, wanted.mean(axis=0), np.cov(wanted, rowvar=False))
    mapped = colors @ matrix.T + offset
    np.testing.assert_allclose(mapped.mean(axis=0), wanted.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(np.cov(mapped, rowvar=False), np.cov(wanted, rowvar=False), atol=6e-3)


def test_colors_that_are_right_stay_as_they_are():
    colors = random_colors(500)
    matrix, offset = fit_color_map(colors, colors.mean(axis=0), np.cov(colors, rowvar=False))
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(offset, np.zeros(3), atol=1e-9)


def test_channel_of_twice_the_wanted_spread_is_halved():
    axes = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], "float64")
    covariance = np.cov(axes, rowvar=False) * np.array([0.25, 1.0, 1.0])
    matrix, _ = fit_color_map(axes, np.zeros(3), covariance)
    np.testing.assert_allclose(matrix, np.diag([0.5, 1.0, 1.0]), atol=0.01)


@pytest.mark.parametrize("spread", [0.0, 0.001])
def test_gray_pictures_are_not_made_colorful_by_their_noise(spread):
    random = np.random.default_rng(0)
    gray = random.uniform(-1, 1, (5000, 1)) + spread * random.normal(size=(5000, 3))
    matrix, _ = fit_color_map(gray, np.zeros(3), np.diag([0.3, 0.3, 0.3]) ** 2)
    assert np.linalg.eigvalsh(matrix).max() < 6.0
