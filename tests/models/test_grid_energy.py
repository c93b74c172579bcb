import numpy as np
import pytest
import tensorflow as tf

from faststyle.models.losses import grid_energy
from tests.loss_checks import assert_gradient_matches, assert_same_inside_tf_function

NOISE = np.random.default_rng(4).uniform(0, 255, (1, 129, 129, 3)).astype("float32")


def numpy_grid_energy(image):
    """Of a single window: squares of 8 px, their differences averaged place by place."""
    total = 0.0
    for axis in (0, 1):
        steps = np.diff(image[0].astype("float64") / 255, axis=axis)
        height, width = (side // 8 for side in steps.shape[:2])
        squares = steps[: height * 8, : width * 8].reshape(height, 8, width, 8, 3).mean(axis=(0, 2))
        total += squares.reshape(64, 3).var(axis=0).mean()
    return total


def test_a_small_image_is_one_window_by_the_definition():
    image = NOISE[:, :50, :43]
    np.testing.assert_allclose(grid_energy(image), [numpy_grid_energy(image)], rtol=1e-4)


def test_windows_are_of_8_by_8_squares():
    windows = [NOISE[:, y : y + 65, x : x + 65] for y in (0, 64) for x in (0, 64)]
    np.testing.assert_allclose(grid_energy(NOISE), [np.mean([numpy_grid_energy(w) for w in windows])], rtol=1e-4)


@pytest.mark.parametrize("period", [2, 4, 8])
def test_stripes_on_the_grid_cost_their_whole_variance(period):
    row = np.where(np.arange(129) % period < period // 2, 90.0, 110.0)
    stripes = np.broadcast_to(row[None, None, :, None], (1, 129, 129, 3)).astype("float32")
    expected = np.mean(np.diff(np.append(row[:period], row[0]) / 255) ** 2)
    np.testing.assert_allclose(grid_energy(stripes), [expected], rtol=1e-3)


def test_what_is_not_on_the_grid_costs_little_or_nothing():
    ramp = np.broadcast_to(np.linspace(0, 255, 129)[None, :, None, None], (1, 129, 129, 3)).astype("float32")
    np.testing.assert_allclose(grid_energy(ramp), [0], atol=1e-9)
    row = 100 + 10 * np.sin(2 * np.pi * np.arange(129) / 6.1)
    strokes = np.broadcast_to(row[None, None, :, None], (1, 129, 129, 3)).astype("float32")
    variance = np.mean(np.diff(row / 255) ** 2)
    assert float(grid_energy(strokes)[0]) < 0.05 * variance


def test_every_image_of_a_batch_is_judged_by_itself():
    batch = np.concatenate([NOISE, np.full_like(NOISE, 9.0)])
    np.testing.assert_allclose(grid_energy(batch), [float(grid_energy(NOISE)[0]), 0], atol=1e-9)


def test_eager_is_tf_function():
    assert_same_inside_tf_function(
        lambda image: grid_energy(tf.ensure_shape(image, (1, 32, 40, 3))), NOISE[:, :32, :40]
    )


def test_gradient_is_that_of_finite_differences():
    assert_gradient_matches(lambda image: 1e5 * grid_energy(image)[0], NOISE[:, :17, :17], step=1.0)
