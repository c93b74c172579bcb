from pathlib import Path

import numpy as np
import pytest

from infer.stylizer import StylizeError, Stylizer, mixture_row
from tests.toy_run import toy_weights
from train.export import export_model


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "two"
    export_model(toy_weights(2), folder)
    return folder


def test_mixture_is_scaled_to_sum_one_in_the_models_order():
    np.testing.assert_allclose(mixture_row(["a", "b", "c"], {"c": 3, "a": 1}), [0.25, 0, 0.75])


def test_without_a_mixture_the_first_style_is_taken():
    np.testing.assert_allclose(mixture_row(["a", "b"], None), [1, 0])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"x": 1.0}, "no style 'x' in this model; it holds a, b"),
        ({"a": -1.0, "b": 3.0}, "0 or more"),
        ({"a": 0.0}, "0 or more"),
    ],
)
def test_impossible_mixtures_are_refused(weights, message):
    with pytest.raises(StylizeError, match=message):
        mixture_row(["a", "b"], weights)


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (61, 47)])
def test_stylized_image_has_the_photos_size(model, size):
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype("uint8")
    stylized = Stylizer(model)(photo)
    assert stylized.shape == photo.shape
    assert stylized.dtype == np.uint8


def test_styles_of_one_model_give_different_pictures(model):
    photo = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype("uint8")
    first, second = (Stylizer(model, style_mixture={name: 1.0})(photo) for name in ("style_0", "style_1"))
    assert np.abs(first.astype(int) - second).mean() > 1


def test_too_small_photo_is_named_with_its_size(model):
    with pytest.raises(StylizeError, match="20x9 px: sides must be at least 16 px"):
        Stylizer(model)(np.zeros((9, 20, 3), "uint8"))
