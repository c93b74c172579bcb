import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from faststyle.infer.compare.plot import Curve, median_curve, plot
from faststyle.infer.compare.settings import Method

LBFGS, ADAM = Method("lbfgs", "content"), Method("adam", "noise")


def drawn(*curves: Curve, level: float = 1.0):
    return ElementTree.fromstring(plot(curves, level, y_label="objective <relative>"))


def points(line) -> np.ndarray:
    return np.array([[float(number) for number in point.split(",")] for point in line.get("points").split()])


def test_equal_ratios_of_the_objective_are_equal_heights():
    (line,) = drawn(Curve(LBFGS, [8.0, 4.0, 2.0, 1.0], None)).iter("polyline")
    steps = np.diff(points(line), axis=0)
    np.testing.assert_allclose(steps - steps[0], 0, atol=0.11)
    assert (steps > 0).all()  # rightward, and downward on the screen


def test_the_network_is_a_horizontal_line_and_the_dot_lies_on_it_and_on_the_curve():
    svg = drawn(Curve(LBFGS, [4.0, 2.0, 1.0], 1.0), level=2.0)
    network = next(line for line in svg.iter("line") if line.get("class") == "network")
    (dot,) = svg.iter("circle")
    (line,) = svg.iter("polyline")
    assert network.get("y1") == network.get("y2") == dot.get("cy")
    np.testing.assert_allclose(points(line)[1], [float(dot.get("cx")), float(dot.get("cy"))], atol=0.06)


def test_a_level_that_is_not_reached_has_no_dot():
    assert not list(drawn(Curve(ADAM, [4.0, 3.0], None)).iter("circle"))


def test_methods_differ_in_color_by_optimizer_and_in_dashes_by_start():
    classes = [
        line.get("class") for line in drawn(Curve(LBFGS, [2, 1], None), Curve(ADAM, [2, 1], None)).iter("polyline")
    ]
    assert classes == ["curve lbfgs from-content", "curve adam from-noise"]


def test_ticks_are_round_numbers_inside():
    svg = drawn(Curve(LBFGS, np.geomspace(30, 0.3, 101), None))
    texts = {text.text for text in svg.iter("text")}
    assert {"0.5", "1", "2", "5", "10", "20", "0", "100"} <= texts
    assert not any(re.fullmatch(r"50|0\.2", text) for text in texts)


@pytest.mark.parametrize("totals", [[0.0], [1.0], [0.0, 0.0]])
def test_flat_and_empty_courses_can_be_drawn(totals):
    assert len(list(drawn(Curve(LBFGS, totals, None), level=totals[0]).iter("polyline"))) == 1


def test_the_median_course_keeps_the_last_value_of_runs_that_ended():
    curve = median_curve(LBFGS, [[9.0, 6.0], [9.0, 3.0, 1.0], [12.0, 12.0, 12.0]])
    assert curve.totals == [9.0, 6.0, 6.0]
