import math

import numpy as np

from faststyle.infer.stylize.flicker import FlickerMeter


def test_change_is_averaged_where_the_source_stood_still():
    meter = FlickerMeter()
    source = np.zeros((2, 2, 3), "uint8")
    moved = source.copy()
    moved[0, 0] = 200
    first, second = np.full((2, 2, 3), 100, "uint8"), np.full((2, 2, 3), 100, "uint8")
    second[0, 0] = 0  # moved: does not count
    second[1] = 94  # two of three pixels that stood still change by 6
    meter.add(source, first)
    meter.add(moved, second)
    assert meter.levels == 4.0


def test_a_single_frame_has_no_flicker_figure():
    meter = FlickerMeter()
    meter.add(np.zeros((2, 2, 3), "uint8"), np.zeros((2, 2, 3), "uint8"))
    assert math.isnan(meter.levels)
