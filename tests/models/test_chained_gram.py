import numpy as np
import tensorflow as tf

from faststyle.models.chained_gram import chained_gram, in_depth_order
from tests.finite_differences import finite_differences

SHALLOW = np.random.default_rng(0).normal(size=(1, 4, 6, 3)).astype("float32")
DEEP = np.random.default_rng(1).normal(size=(1, 2, 3, 5)).astype("float32")


def test_chained_gram_is_its_definition_in_numpy():
    repeated = DEEP.repeat(2, axis=1).repeat(2, axis=2)
    expected = np.einsum("byxi,byxj->bij", SHALLOW, repeated) / 24
    np.testing.assert_allclose(chained_gram(SHALLOW, DEEP), expected, rtol=1e-4, atol=1e-6)


def test_positions_count_by_the_mask():
    mask = np.random.default_rng(2).uniform(0, 1, (2, 4, 6, 1)).astype("float32")
    repeated = DEEP.repeat(2, axis=1).repeat(2, axis=2)
    actual = chained_gram(SHALLOW, DEEP, mask)
    for region in range(2):
        expected = np.einsum("yx,yxi,yxj->ij", mask[region, ..., 0], SHALLOW[0], repeated[0]) / mask[region].sum()
        np.testing.assert_allclose(actual[region], expected, rtol=1e-4, atol=1e-6)


def test_layers_are_chained_from_the_pixels_down():
    assert in_depth_order(["relu3_1", "rgb", "relu1_2", "relu1_1"]) == ["rgb", "relu1_1", "relu1_2", "relu3_1"]


def test_gradients_of_both_maps_are_those_of_finite_differences():
    shallow, deep = tf.constant(SHALLOW), tf.constant(DEEP)
    with tf.GradientTape() as tape:
        tape.watch([shallow, deep])
        value = tf.reduce_sum(tf.square(chained_gram(shallow, deep)))
    by_shallow, by_deep = tape.gradient(value, [shallow, deep])

    def norm(first, second):
        return tf.reduce_sum(tf.square(chained_gram(first.astype("float32"), second.astype("float32"))))

    expected = finite_differences(lambda at: norm(at, DEEP), SHALLOW, 1e-2)
    np.testing.assert_allclose(by_shallow, expected, rtol=0.02, atol=2e-3)
    expected = finite_differences(lambda at: norm(SHALLOW, at), DEEP, 1e-2)
    np.testing.assert_allclose(by_deep, expected, rtol=0.02, atol=2e-3)
