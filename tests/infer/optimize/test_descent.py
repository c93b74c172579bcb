import itertools

import numpy as np
import pytest
from scipy.optimize import Bounds, minimize

from faststyle.infer.optimize.descent import Evaluation, adam, lbfgs

SIZE = 60
_RANDOM = np.random.default_rng(0)
_MIXING = _RANDOM.normal(size=(SIZE, SIZE)) / SIZE**0.5
HESSIAN = (_MIXING @ _MIXING.T + 0.05 * np.eye(SIZE)).astype("float32")
# Its free minimum lies partly outside 0..255, so that the box matters.
CENTER = _RANDOM.uniform(-150, 400, SIZE).astype("float32")
START = np.full(SIZE, 127, "float32")


def quadratic(image: np.ndarray) -> Evaluation:
    gradient = HESSIAN @ (image - CENTER)
    value = 0.5 * float((image - CENTER) @ gradient)
    return Evaluation(value, gradient, {"total": value})


def boxed_minimum() -> np.ndarray:
    """SciPy's own solution, in float64."""
    hessian, center = HESSIAN.astype("float64"), CENTER.astype("float64")
    result = minimize(
        lambda x: (0.5 * (x - center) @ hessian @ (x - center), hessian @ (x - center)),
        START.astype("float64"),
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(0, 255),
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000},
    )
    return result.x


def test_lbfgs_finds_the_boxed_minimum_that_scipy_finds():
    *_, last = itertools.islice(lbfgs(quadratic, START), 300)
    expected = boxed_minimum()
    assert (expected == 0).any()
    assert (expected == 255).any()
    np.testing.assert_allclose(last.image, expected, atol=1.0)
    assert last.evaluation.value <= quadratic(expected.astype("float32")).value * 1.0001


def test_lbfgs_never_gets_worse_and_stays_in_the_box():
    iterates = list(itertools.islice(lbfgs(quadratic, START + 300), 50))
    values = [iterate.evaluation.value for iterate in iterates]
    assert values == sorted(values, reverse=True)
    assert all(iterate.image.min() >= 0 and iterate.image.max() <= 255 for iterate in iterates)


def test_lbfgs_ends_at_a_minimum():
    inside = np.full(SIZE, 100, "float32")
    assert list(lbfgs(lambda x: Evaluation(float((x - inside) @ (x - inside)), 2 * (x - inside), {}), inside)) == []


def test_lbfgs_is_exact_on_a_scaled_sphere_after_two_iterations():
    # One pair gives the curvature along the gradient, which is all there is on a sphere.
    center = np.linspace(20, 200, 30).astype("float32")
    iterates = lbfgs(
        lambda x: Evaluation(1e-6 * float((x - center) @ (x - center)), 2e-6 * (x - center), {}), center + 30
    )
    *_, last = itertools.islice(iterates, 2)
    np.testing.assert_allclose(last.image, center, atol=0.01)


def test_first_adam_step_is_the_learning_rate_against_the_sign_of_the_gradient():
    first, second = itertools.islice(adam(quadratic, START, iterations=5, learning_rate=3.0, decay=1.0), 2)
    np.testing.assert_array_equal(first.image, START)
    np.testing.assert_allclose(second.image - START, -3.0 * np.sign(first.evaluation.gradient), rtol=1e-4)


def test_adam_by_its_definition_with_decay():
    image, mean, square = START.astype("float64"), np.zeros(SIZE), np.zeros(SIZE)
    for step, iterate in enumerate(adam(quadratic, START, iterations=4, learning_rate=8.0, decay=0.125), start=1):
        np.testing.assert_allclose(iterate.image, image, rtol=1e-4)
        gradient = HESSIAN @ (image - CENTER)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        rate = 8.0 * 0.5 ** (step - 1)
        image = np.clip(image - rate * (mean / (1 - 0.9**step)) / np.sqrt(square / (1 - 0.999**step)), 0, 255)
    assert step == 4


@pytest.mark.parametrize("scale", [1e-9, 1e6])
def test_both_optimizers_do_not_care_about_the_scale_of_the_objective(scale):
    def scaled(image):
        plain = quadratic(image)
        return Evaluation(scale * plain.value, np.float32(scale) * plain.gradient, {})

    for run in (lbfgs, lambda f, x: adam(f, x, iterations=10, learning_rate=2.0, decay=1.0)):
        plain, other = (list(itertools.islice(run(f, START), 8))[-1].image for f in (quadratic, scaled))
        np.testing.assert_allclose(plain, other, atol=0.5)
