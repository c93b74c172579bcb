import re

from faststyle.scripts.web.curves import loss_curves


def test_curves_run_from_the_first_step_to_the_last():
    svg = loss_curves([(step, 10.0 / step) for step in range(1, 101)], [(50, 0.3), (100, 0.2)], steps=100)
    lines = re.findall(r'points="([^"]*)"', svg)
    assert len(lines) == 2
    places = [float(pair.split(",")[0]) for pair in lines[1].split()]
    assert places == sorted(places)
    assert places[-1] == 628.0
    assert svg.count("<circle") == 2


def test_many_steps_are_thinned_and_none_is_nothing():
    svg = loss_curves([(step, 1.0) for step in range(1, 4001)], [], steps=4000)
    assert len(re.findall(r'points="([^"]*)"', svg)[0].split()) <= 400
    assert loss_curves([], [], steps=10) == ""
