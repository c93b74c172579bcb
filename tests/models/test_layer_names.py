"""Layer names at coarser scales, and how far apart their positions lie."""

import pytest

from faststyle.models.layer_names import is_network_layer, layer_stride, split_layer_name


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
        ("relu1_2", 1),
        ("relu3_1", 4),
        ("relu4_3/2", 16),
    ],
)
def test_stride_multiplies_poolings_and_reduction(name, stride):
    assert layer_stride(name) == stride


@pytest.mark.parametrize(("name", "is_one"), [("relu1_1", True), ("relu4_1/2", True), ("rgb", False), ("rgb/4", False)])
def test_pixels_are_no_layer_of_the_network(name, is_one):
    assert is_network_layer(name) == is_one
