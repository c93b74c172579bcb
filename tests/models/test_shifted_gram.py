import numpy as np
import pytest
import tensorflow as tf

from faststyle.models.shifted_gram import shifted_gram_statistics, shifts_in_features
from tests.finite_differences import finite_differences

FEATURES = np.random.default_rng(0).normal(size=(2, 5, 7, 3)).astype("float32")


def test_statistics_are_their_definition_in_numpy():
    actual = shifted_gram_statistics(FEATURES, (1, 3))
    assert set(actual) == {"across_1", "down_1", "across_3", "down_3"}
    for shift in (1, 3):
        left, right = FEATURES[:, :, :-shift], FEATURES[:, :, shift:]
        across = np.einsum("byxi,byxj->bij", left, right) / (5 * (7 - shift))
        down = np.einsum("byxi,byxj->bij", FEATURES[:, :-shift], FEATURES[:, shift:]) / ((5 - shift) * 7)
        np.testing.assert_allclose(actual[f"across_{shift}"], across, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(actual[f"down_{shift}"], down, rtol=1e-4, atol=1e-5)


def test_stripes_and_their_shuffle_differ_only_when_shifted():
    stripes = np.tile([1.0, 0.0], 8).reshape(1, 1, 16, 1).repeat(16, axis=1)
    pairs = np.tile([1.0, 1.0, 0.0, 0.0], 4).reshape(1, 1, 16, 1).repeat(16, axis=1)
    one, two = (np.ravel(shifted_gram_statistics(image, (1,))["across_1"])[0] for image in (stripes, pairs))
    np.testing.assert_allclose([one, two], [0, 4 / 15], atol=1e-6)


def test_pairs_count_by_the_product_of_their_masks():
    mask = np.random.default_rng(1).uniform(0, 1, (2, 5, 7, 1)).astype("float32")
    actual = shifted_gram_statistics(FEATURES[:1], (2,), mask)["across_2"]
    for region in range(2):
        share = mask[region, :, :-2, 0] * mask[region, :, 2:, 0]
        expected = np.einsum("yx,yxi,yxj->ij", share, FEATURES[0, :, :-2], FEATURES[0, :, 2:]) / share.sum()
        np.testing.assert_allclose(actual[region], expected, rtol=1e-4, atol=1e-5)


def test_shifts_that_do_not_fit_are_left_out():
    assert set(shifted_gram_statistics(FEATURES, (2, 5))) == {"across_2", "down_2"}


@pytest.mark.parametrize(
    ("layer", "expected"), [("rgb", (16, 40, 3)), ("relu1_2", (16, 40, 3)), ("relu4_3", (2, 5, 1))]
)
def test_shifts_shrink_with_the_pooling(layer, expected):
    assert shifts_in_features((16, 40, 3), layer) == expected


def test_gradient_is_that_of_finite_differences():
    start = FEATURES[:1, :4, :4]

    def norm(features):
        return sum(tf.reduce_sum(tf.square(part)) for part in shifted_gram_statistics(features, (1, 2)).values())

    image = tf.constant(start)
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = norm(image)
    expected = finite_differences(lambda at: norm(tf.constant(at, tf.float32)), start, 1e-2)
    np.testing.assert_allclose(tape.gradient(value, image), expected, rtol=0.02, atol=2e-3)
