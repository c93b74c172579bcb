"""Muon against its definition: orthogonal steps of hidden kernels, Adam's of everything else."""

import keras
import numpy as np
import pytest

from faststyle.train.muon import Muon, orthogonalized


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(6, 6), (40, 8), (8, 40)])
def test_singular_values_move_close_to_one(random, shape):
    matrix = random.normal(size=shape).astype("float32")
    values = np.linalg.svd(np.asarray(orthogonalized(matrix)), compute_uv=False)
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_singular_vectors_stay(random):
    left, _ = np.linalg.qr(random.normal(size=(8, 8)))
    right, _ = np.linalg.qr(random.normal(size=(8, 8)))
    matrix = left @ np.diag(np.linspace(0.5, 2.0, 8)) @ right
    rotated = left.T @ np.asarray(orthogonalized(matrix.astype("float32"))) @ right.T
    np.testing.assert_allclose(rotated, np.diag(np.diag(rotated)), atol=1e-4)


def test_no_gradient_is_no_step():
    assert not np.asarray(orthogonalized(np.zeros((4, 4), "float32"))).any()


def test_a_hidden_kernels_step_has_twice_the_learning_rate_as_root_mean_square(random):
    kernel = keras.Variable(np.zeros((3, 3, 16, 16), "float32"))
    optimizer = Muon(1e-3)
    optimizer.apply([random.normal(size=kernel.shape).astype("float32")], [kernel])
    assert np.sqrt(np.mean(np.square(kernel.numpy()))) == pytest.approx(2e-3, rel=0.25)


@pytest.mark.parametrize("shape", [(9, 9, 3, 16), (9, 9, 16, 3), (16,), (4, 16)])
def test_kernels_of_colors_scales_and_biases_take_adams_steps(random, shape):
    gradients = [random.normal(size=shape).astype("float32") for _ in range(3)]
    variables = []
    for optimizer in (Muon(1e-2), keras.optimizers.Adam(1e-2)):
        variable = keras.Variable(np.ones(shape, "float32"))
        for gradient in gradients:
            optimizer.apply([gradient], [variable])
        variables.append(variable.numpy())
    np.testing.assert_array_equal(*variables)


def test_momentum_is_nesterovs(random):
    first, second = (random.normal(size=(1, 1, 8, 8)).astype("float32") for _ in range(2))
    kernel = keras.Variable(np.zeros((1, 1, 8, 8), "float32"))
    optimizer = Muon(1.0, momentum=0.9)
    optimizer.apply([first], [kernel])
    before = kernel.numpy()
    optimizer.apply([second], [kernel])
    direction = np.asarray(orthogonalized((second + 0.9 * (0.9 * first + second))[0, 0]))
    np.testing.assert_allclose((before - kernel.numpy())[0, 0], 2.0 * 8**0.5 * direction, atol=1e-4)


def test_the_optimizer_comes_back_from_its_config():
    assert Muon.from_config(Muon(1e-2, momentum=0.8).get_config()).momentum == 0.8
