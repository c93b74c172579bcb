import numpy as np
import pytest

from faststyle.infer.compare.descent_curve import descend
from faststyle.infer.optimize.descent import Evaluation

CENTER = np.linspace(60, 200, 12).astype("float32")
SCALES = np.linspace(1, 5, 12).astype("float32")
START = np.full(12, 20, "float32")


def bowl(image: np.ndarray) -> Evaluation:
    gradient = SCALES * (image - CENTER)
    value = 0.5 * float((image - CENTER) @ gradient)
    return Evaluation(value, gradient, {"total": value, "twice": 2 * value})


def run(optimizer: str, **changes):
    options = {"iterations": 6, "rates": (4.0, 0.5), "level": 0.0, **changes}
    return descend(bowl, START, optimizer=optimizer, **options)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_row_0_is_the_start_and_every_iteration_follows(optimizer):
    values: list[float] = []
    curve = run(optimizer, on_iteration=lambda iterate: values.append(iterate.evaluation.value))
    numbers = curve.numbers()
    assert curve.iterations == 6
    assert numbers["terms"]["total"][0] == bowl(START).value
    assert numbers["terms"]["total"][1:] == values
    assert numbers["terms"]["twice"] == [2 * value for value in numbers["terms"]["total"]]
    assert numbers["ended"] == "iterations"
    assert numbers["best_terms"]["total"] == min(numbers["terms"]["total"])


def test_adams_rows_are_the_images_after_as_many_steps():
    # Its first step is the learning rate against the gradient's sign.
    numbers = run("adam").numbers()
    assert numbers["terms"]["total"][1] == pytest.approx(bowl(START + 4.0).value, rel=1e-5)
    assert numbers["evaluations"] == [0, 2, 3, 4, 5, 6, 7]


def test_the_best_image_and_the_first_that_is_as_low_are_kept():
    totals = run("lbfgs").numbers()["terms"]["total"]
    curve = run("lbfgs", level=totals[2])
    assert bowl(curve.equal.image).value == totals[2]
    assert bowl(curve.best.image).value == min(totals)
    assert run("lbfgs", level=-1.0).equal is None


def test_a_start_at_the_minimum_ends_at_once():
    curve = descend(bowl, CENTER, optimizer="lbfgs", iterations=6, rates=(4.0, 0.5), level=1.0)
    assert curve.iterations == 0
    assert curve.ended == "no further descent"
    np.testing.assert_array_equal(curve.equal.image, CENTER)


def test_an_objective_that_is_no_number_stops():
    with pytest.raises(RuntimeError, match="not finite after 0 iterations"):
        descend(
            lambda image: Evaluation(float("nan"), image, {"total": float("nan")}),
            START,
            optimizer="adam",
            iterations=2,
            rates=(1.0, 1.0),
            level=0.0,
        )
