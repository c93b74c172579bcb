import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faststyle import load_stylizer
from faststyle.images.contact_sheet import fit_within
from faststyle.infer.exported_model.stylizer import StylizeError, Stylizer, mixture_row
from faststyle.infer.styles.model_card import CARD_FILE
from faststyle.scripts.demo.sample_photos import sample_scene

ROOT = Path(__file__).parent.parent.parent.parent


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
def test_stylized_image_has_the_photos_size(two_styles: Path, size):
    photo = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype("uint8")
    stylized = Stylizer(two_styles)(photo)
    assert stylized.shape == photo.shape
    assert stylized.dtype == np.uint8


def test_styles_of_one_model_give_different_pictures(two_styles: Path):
    photo = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype("uint8")
    first, second = (Stylizer(two_styles, style_mixture={name: 1.0})(photo) for name in ("style_0", "style_1"))
    assert np.abs(first.astype(int) - second).mean() > 1


def test_too_small_photo_is_named_with_its_size(two_styles: Path):
    with pytest.raises(StylizeError, match="20x9 px: sides must be at least 16 px"):
        Stylizer(two_styles)(np.zeros((9, 20, 3), "uint8"))


def test_both_runtimes_agree_and_bfloat16_is_close(two_styles: Path):
    photo = np.random.default_rng(0).integers(0, 256, (93, 121, 3)).astype("uint8")
    tensorflow = load_stylizer(two_styles, runtime="tensorflow")(photo).astype(int)
    float32 = load_stylizer(two_styles, runtime="openvino", precision="float32")(photo)
    assert (np.abs(float32 - tensorflow) <= 1).all(axis=2).mean() >= 0.999
    bfloat16 = load_stylizer(two_styles, runtime="openvino", precision="bfloat16")(photo)
    assert np.abs(bfloat16 - tensorflow).mean() <= 3


def test_the_gallery_in_bfloat16_is_the_gallery_in_float32():
    photo = fit_within(sample_scene("chelsea"), 256)
    bfloat16, float32 = (
        load_stylizer("starry_night", runtime="openvino", precision=precision)(photo).astype(int)
        for precision in ("bfloat16", "float32")
    )
    assert np.abs(bfloat16 - float32).mean() <= 1


def test_many_threads_get_what_one_gets(two_styles: Path):
    random = np.random.default_rng(0)
    photos = [random.integers(0, 256, (32 + 4 * index, 40, 3)).astype("uint8") for index in range(12)]
    stylizer = load_stylizer(two_styles, precision="float32")
    alone = [stylizer(photo) for photo in photos]
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(stylizer, photos))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_tensorflow_and_no_keras_in_a_process_that_stylizes(two_styles: Path, tmp_path):
    Image.new("RGB", (40, 30), "teal").save(tmp_path / "photo.png")
    arguments = ["stylize", str(two_styles), str(tmp_path / "photo.png"), "--output", str(tmp_path / "out.png")]
    code = (
        f"import sys; from faststyle.scripts.faststyle import main; status = main({arguments})\n"
        "print(status, sorted({'tensorflow', 'keras', 'openvino'} & set(sys.modules)))\n"
        # The stylizer is gone by now; a signal must still find its handler (OpenVINO gives threads a signal stack).
        "import os, signal; signal.signal(signal.SIGINT, lambda *_: print('handled'))\n"
        "os.kill(os.getpid(), signal.SIGINT)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[-2:] == ["0 ['openvino']", "handled"], done.stderr


@pytest.mark.parametrize(
    ("image", "message"),
    [(np.zeros((20, 20), "uint8"), r"got \[20, 20\] uint8"), (np.zeros((20, 20, 3)), r"got \[20, 20, 3\] float64")],
)
def test_other_arrays_than_photos_are_refused(two_styles: Path, image, message):
    with pytest.raises(StylizeError, match=message):
        load_stylizer(two_styles)(image)


def test_unknown_tiling_is_refused(two_styles: Path):
    with pytest.raises(StylizeError, match="unknown tiling 'huge'; choose one of auto, off, fast, exact"):
        load_stylizer(two_styles, tiling="huge")


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (32, 44, 3), dtype="uint8")


@pytest.fixture
def with_identity(two_styles: Path, tmp_path) -> Path:
    """A model of two styles whose card calls the second one its identity style."""
    shutil.copytree(two_styles, tmp_path / "model")
    card = json.loads((two_styles / CARD_FILE).read_text()) | {"identity_style": "style_1"}
    (tmp_path / "model" / CARD_FILE).write_text(json.dumps(card))
    return tmp_path / "model"


def test_strength_mixes_in_the_identity_style_that_a_model_has(with_identity: Path, photo):
    weak = load_stylizer(with_identity, strength=0.25, precision="float32")(photo)
    mixed = load_stylizer(with_identity, mix={"style_0": 0.25, "style_1": 0.75}, precision="float32")(photo)
    np.testing.assert_array_equal(weak, mixed)
    blend = load_stylizer(with_identity, mix={"style_0": 0.5, "style_1": 0.5}, strength=0.5, precision="float32")(photo)
    np.testing.assert_array_equal(blend, mixed)


def test_without_an_identity_style_strength_is_a_share_of_the_pixels(two_styles: Path, photo):
    full = load_stylizer(two_styles, precision="float32")(photo).astype(float)
    weak = load_stylizer(two_styles, strength=0.25, precision="float32")(photo)
    np.testing.assert_allclose(weak, photo + 0.25 * (full - photo), atol=0.51)


@pytest.mark.parametrize("model", ["two_styles", "with_identity"])
def test_strength_0_is_the_photo_and_1_the_style(request, model, photo):
    model = request.getfixturevalue(model)
    np.testing.assert_array_equal(load_stylizer(model, strength=0)(photo), photo)
    np.testing.assert_array_equal(load_stylizer(model, strength=1)(photo), load_stylizer(model)(photo))


@pytest.mark.parametrize("strength", [-0.1, 1.01, float("nan")])
def test_a_strength_out_of_range_is_refused(two_styles: Path, strength):
    with pytest.raises(StylizeError, match=r"strength must lie in 0\.\.1"):
        load_stylizer(two_styles, strength=strength)


def test_a_remixed_stylizer_paints_as_one_that_was_loaded_so(with_identity: Path, photo):
    loaded = load_stylizer(with_identity, precision="float32")
    remixed = loaded.remixed({"style_0": 0.5, "style_1": 0.5}, strength=0.5)
    wanted = load_stylizer(with_identity, mix={"style_0": 0.5, "style_1": 0.5}, strength=0.5, precision="float32")
    np.testing.assert_array_equal(remixed(photo), wanted(photo))
    np.testing.assert_array_equal(loaded(photo), load_stylizer(with_identity, precision="float32")(photo))


def test_a_remixed_stylizer_refuses_what_its_class_refuses(two_styles: Path):
    loaded = load_stylizer(two_styles)
    with pytest.raises(StylizeError, match="no style 'style_7'"):
        loaded.remixed({"style_7": 1.0})
    with pytest.raises(StylizeError, match=r"strength must lie in 0\.\.1, got 2"):
        loaded.remixed(strength=2)


def test_every_tile_is_told_and_a_listener_can_end_the_work(two_styles: Path):
    photo = np.random.default_rng(0).integers(0, 256, (100, 140, 3), dtype="uint8")
    loaded = Stylizer(two_styles, tiling="exact", core_px=64)
    told = []
    loaded.remixed(on_tile=lambda *word: told.append(word))(photo)
    assert told[0] == ("measuring, round 1", 0, told[0][2])
    assert [word for word in told if word[0] == "painting"] == [("painting", k, told[0][2]) for k in range(told[0][2])]

    def stop(what: str, done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        loaded.remixed(on_tile=stop)(photo)
