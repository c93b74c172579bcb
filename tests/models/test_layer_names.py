"""Layer names at coarser scales, and how far apart their positions lie."""

import pytest

from models.layer_names import layer_stride, split_layer_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [("relu3_3", ("relu3_3", 1)), ("relu3_3/4", ("relu3_3", 4)), ("rgb/16", ("rgb", 16)), ("rgb/x", ("rgb", 0))],
)
def test_a_name_is_a_layer_and_a_reduction(name, parts):
    assert split_layer_name(name) == parts


@pytest.mark.parametrize(
    ("name", "stride"),
    [
        ("rgb", 1),
        ("rgb/4", 4),
        ("luminance/8", 8),
        ("color_map/8", 8),
        ("relu1_2", 1),
        ("relu3_1", 4),
        ("relu4_3/2", 16),
    ],
)
def test_stride_multiplies_poolings_and_reduction(name, stride):
    assert layer_stride(name) == stride
