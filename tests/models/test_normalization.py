import keras
import numpy as np
import pytest
import tensorflow as tf

from faststyle.models.normalization import ConditionalInstanceNormalization
from tests.finite_differences import finite_differences

MIXTURE = np.array([[0.25, 0.75, 0.0], [0.1, 0.2, 0.7]], "float32")


def random_inputs(shape=(2, 5, 7, 4), seed=0):
    """Channels of different mean and spread, larger toward one corner."""
    random = np.random.default_rng(seed)
    slope = np.linspace(0.5, 2.0, shape[1])[:, None, None] + np.linspace(0.0, 1.0, shape[2])[:, None]
    return (random.normal(size=shape) * slope * np.arange(1, shape[3] + 1) + np.arange(shape[3])).astype("float32")


def random_layer(num_styles=3, channels=4, **kwargs):
    random = np.random.default_rng(1)
    layer = ConditionalInstanceNormalization(num_styles, **kwargs)
    layer.build((None, None, None, channels), (None, num_styles))
    layer.scale.assign(random.uniform(0.5, 2.0, (num_styles, channels)))
    layer.shift.assign(random.normal(size=(num_styles, channels)))
    return layer


def numpy_normalization(layer, inputs, style_mixture):
    inputs = np.asarray(inputs, "float64")
    scale, shift = (style_mixture @ np.asarray(table, "float64") for table in (layer.scale, layer.shift))
    mean, variance = (reduce(inputs, axis=(1, 2), keepdims=True) for reduce in (np.mean, np.var))
    normalized = (inputs - mean) / np.sqrt(variance + layer.epsilon)
    return scale[:, None, None] * normalized + shift[:, None, None]


def test_two_pixels_by_hand():
    layer = random_layer(num_styles=1, channels=2, epsilon=0.0)
    layer.scale.assign([[2.0, 3.0]])
    layer.shift.assign([[5.0, -1.0]])
    inputs = np.array([[[[1, 10], [3, 30]]]], "float32")
    outputs = layer(inputs, np.ones((1, 1), "float32"))
    np.testing.assert_allclose(outputs, [[[[3, -4], [7, 2]]]], rtol=1e-6)


def test_new_layer_makes_every_channel_mean_zero_and_variance_one():
    layer = ConditionalInstanceNormalization(3)
    outputs = np.asarray(layer(random_inputs(), MIXTURE))
    np.testing.assert_allclose(outputs.mean(axis=(1, 2)), np.zeros((2, 4)), atol=1e-5)
    np.testing.assert_allclose(outputs.var(axis=(1, 2)), np.ones((2, 4)), rtol=1e-3)


def test_outputs_follow_dumoulins_equation():
    layer = random_layer()
    expected = numpy_normalization(layer, random_inputs(), MIXTURE)
    np.testing.assert_allclose(layer(random_inputs(), MIXTURE), expected, rtol=1e-4, atol=1e-5)


def test_epsilon_is_added_to_the_variance():
    layer = random_layer(epsilon=0.5)
    expected = numpy_normalization(layer, random_inputs(), MIXTURE)
    np.testing.assert_allclose(layer(random_inputs(), MIXTURE), expected, rtol=1e-4, atol=1e-5)


def test_flat_image_becomes_the_shift():
    layer = random_layer()
    outputs = layer(np.full((1, 3, 5, 4), 7.0, "float32"), np.array([[0, 1, 0]], "float32"))
    np.testing.assert_allclose(outputs, np.broadcast_to(layer.shift[1], (1, 3, 5, 4)), atol=1e-3)


def test_brightness_and_contrast_of_a_channel_do_not_matter():
    layer, inputs = random_layer(epsilon=1e-9), random_inputs()
    stretched = inputs * np.array([1, 2, 5, 10], "float32") + np.array([0, 5, -3, 20], "float32")
    np.testing.assert_allclose(layer(stretched, MIXTURE), layer(inputs, MIXTURE), atol=1e-3)


def test_one_hot_mixture_picks_a_style_and_a_mixture_blends_the_rows():
    layer, inputs = random_layer(), random_inputs((1, 5, 7, 4))
    first, second, third = (np.asarray(layer(inputs, row[None])) for row in np.eye(3, dtype="float32"))
    for style, outputs in enumerate((first, second, third)):
        single = random_layer(num_styles=1)
        single.scale.assign(layer.scale[style : style + 1])
        single.shift.assign(layer.shift[style : style + 1])
        np.testing.assert_allclose(outputs, single(inputs, np.ones((1, 1), "float32")), rtol=1e-5, atol=1e-6)
    blended = layer(inputs, np.array([[0.25, 0.75, 0]], "float32"))
    np.testing.assert_allclose(blended, 0.25 * first + 0.75 * second, rtol=1e-4, atol=1e-5)
    assert np.abs(first - second).max() > 0.1


def test_every_image_of_a_batch_has_its_own_statistics_and_mixture():
    layer, inputs = random_layer(), random_inputs()
    together = layer(inputs, MIXTURE)
    apart = [layer(inputs[i : i + 1], MIXTURE[i : i + 1])[0] for i in range(2)]
    np.testing.assert_allclose(together, apart, rtol=1e-5, atol=1e-5)


def test_eager_equals_tf_function_equals_reloaded_saved_model(tmp_path):
    image, style_mixture = keras.Input((None, None, 4)), keras.Input((3,))
    layer = random_layer()
    model = keras.Model([image, style_mixture], layer(image, style_mixture))
    eager = np.asarray(model([random_inputs(), MIXTURE]))
    signature = [tf.TensorSpec([None, None, None, 4]), tf.TensorSpec([None, 3])]
    traced = tf.function(lambda *inputs: model(list(inputs)), input_signature=signature)
    np.testing.assert_allclose(traced(random_inputs(), MIXTURE), eager, rtol=1e-5, atol=1e-5)

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", lambda *inputs: model(list(inputs)), input_signature=signature)
    archive.write_out(str(tmp_path / "model"), verbose=False)
    reloaded = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose(reloaded.serve(random_inputs(), MIXTURE), eager, rtol=1e-5, atol=1e-5)


def test_layer_is_rebuilt_from_its_config():
    layer = random_layer(epsilon=0.5)
    config = keras.saving.serialize_keras_object(layer)
    rebuilt = keras.saving.deserialize_keras_object(config)
    rebuilt.set_weights(layer.get_weights())
    np.testing.assert_array_equal(rebuilt(random_inputs(), MIXTURE), layer(random_inputs(), MIXTURE))


def test_bfloat16_inputs_with_a_large_mean_are_normalized_in_float32():
    # Near 1000 bfloat16 numbers lie 4 apart; a mean rounded to one of them would shift every output.
    steps = np.random.default_rng(2).integers(-4, 5, (2, 9, 13, 4)) * 4.0
    inputs = tf.constant(900 + steps, "bfloat16")
    np.testing.assert_array_equal(tf.cast(inputs, "float64"), 900 + steps)
    layer = random_layer(dtype="mixed_bfloat16")
    outputs = layer(inputs, MIXTURE)
    assert outputs.dtype == "bfloat16"
    expected = numpy_normalization(layer, 900 + steps, MIXTURE)
    np.testing.assert_allclose(tf.cast(outputs, "float32"), expected, rtol=2**-8, atol=1e-3)


def test_scale_shift_and_mixture_keep_their_float32_digits_in_bfloat16():
    # 1.003 is 1 in bfloat16, and 0.3 is 0.3008: with either rounded the sums below would not be 0.003 and 0.
    layer = random_layer(num_styles=2, channels=1, epsilon=0.0, dtype="mixed_bfloat16")
    inputs = tf.constant([-1.0, 1.0], "bfloat16")[None, :, None, None]
    layer.scale.assign([[1.003], [-1.0]])
    layer.shift.assign([[-1.0], [0.0]])
    one = layer(inputs, np.array([[1, 0]], "float32"))
    np.testing.assert_allclose(float(one[0, 1, 0, 0]), 0.003, rtol=0.01)
    layer.scale.assign([[7.0], [-3.0]])
    layer.shift.assign([[0.0], [0.0]])
    cancelled = layer(inputs, np.array([[0.3, 0.7]], "float32"))
    np.testing.assert_allclose(tf.cast(cancelled, "float32"), np.zeros((1, 2, 1, 1)), atol=1e-5)


def test_training_does_not_change_the_outputs():
    layer = random_layer()
    trained = layer(random_inputs(), MIXTURE, training=True)  # by another kernel
    np.testing.assert_allclose(trained, layer(random_inputs(), MIXTURE), rtol=1e-4, atol=1e-5)


def weighted_sum(outputs):
    weights = np.random.default_rng(3).normal(size=outputs.shape).astype("float32")
    return tf.reduce_sum(weights * outputs)


@pytest.mark.parametrize("training", [True, False])
def test_gradient_of_the_inputs_is_that_of_finite_differences(training):
    layer, inputs = random_layer(channels=2), tf.constant(random_inputs((1, 3, 4, 2)))

    def value_of(array):
        return weighted_sum(layer(array, MIXTURE[1:], training=training))

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = value_of(inputs)
    expected = finite_differences(value_of, inputs.numpy(), step=1e-2)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(tape.gradient(value, inputs), expected, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("table", ["scale", "shift"])
def test_gradient_of_scale_and_shift_is_that_of_finite_differences(table, training):
    layer, inputs = random_layer(channels=2), random_inputs((2, 3, 4, 2))
    variable = getattr(layer, table)
    with tf.GradientTape() as tape:
        value = weighted_sum(layer(inputs, MIXTURE, training=training))

    def moved(array):
        variable.assign(array)
        return weighted_sum(layer(inputs, MIXTURE, training=training))

    expected = finite_differences(moved, np.array(variable), step=0.5)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(tape.gradient(value, variable.value), expected, rtol=1e-3, atol=1e-3)
