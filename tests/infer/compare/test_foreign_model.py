import numpy as np
import pytest
import tensorflow as tf

from faststyle.infer.compare.foreign_model import ForeignModel
from faststyle.infer.exported_model.stylizer import StylizeError

PHOTO = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype("uint8")
PLAIN = (0.0, 255.0)


def save(folder, compute, *specs):
    """A SavedModel made by TensorFlow alone."""
    module = tf.Module()
    module.serve = tf.function(compute, input_signature=specs)
    tf.saved_model.save(module, str(folder), signatures=module.serve)
    return folder


def image_spec(*shape, dtype=tf.float32, name="picture"):
    return tf.TensorSpec(shape or (None, None, None, 3), dtype, name=name)


def load(folder, **ranges):
    return ForeignModel(folder, **{"input_range": PLAIN, "output_range": PLAIN, **ranges})


def test_a_model_of_plain_pixels(tmp_path):
    model = load(save(tmp_path / "m", lambda picture: 255 - picture, image_spec()))
    stylized, note = model(PHOTO)
    np.testing.assert_allclose(stylized, 255 - PHOTO.astype("float32"))
    assert note == ""


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0)])
def test_a_model_of_another_range(tmp_path, low, high):
    folder = save(tmp_path / "m", lambda picture: low + high - picture, image_spec())
    stylized, _ = load(folder, input_range=(low, high), output_range=(low, high))(PHOTO)
    np.testing.assert_allclose(stylized, 255 - PHOTO.astype("float32"), atol=1e-3)


def test_a_result_of_another_size_is_resized_and_named(tmp_path):
    stylized, note = load(save(tmp_path / "m", lambda picture: picture[:, :28, :30], image_spec()))(PHOTO)
    assert stylized.shape == PHOTO.shape
    assert note == "resized from the model's 30x28 px"


def test_a_range_that_cannot_be_meant_is_refused(tmp_path):
    model = load(save(tmp_path / "m", lambda picture: picture / 255, image_spec()))
    with pytest.raises(StylizeError, match=r"output lies in 0\.\.1, which does not fit 0\.\.255; pass --input-range"):
        model(PHOTO)


def test_a_model_of_one_size_says_which(tmp_path):
    model = load(save(tmp_path / "m", lambda picture: picture, image_spec(1, 48, 48, 3)))
    model.check_size(48)
    with pytest.raises(StylizeError, match="takes images of 48 px only; pass --sizes 48"):
        model.check_size(64)


@pytest.mark.parametrize(
    ("compute", "specs", "found"),
    [
        (lambda a, b: a + b, [image_spec(name="a"), image_spec(name="b")], "its inputs are . .* float32, . .* float32"),
        (lambda picture: picture, [image_spec(dtype=tf.uint8)], "its inputs are picture .* uint8"),
        (lambda picture: picture, [image_spec(None, 3, None, None)], r"its inputs are picture \(None, 3, None, None\)"),
        (lambda picture: tf.reduce_mean(picture, (1, 2)), [image_spec()], r"its outputs are .*\(None, 3\)"),
        (lambda picture: {"x": picture, "y": picture}, [image_spec()], "its outputs are x .*, y "),
    ],
)
def test_other_signatures_are_named(tmp_path, compute, specs, found):
    folder = save(tmp_path / "m", compute, *specs)
    with pytest.raises(StylizeError, match=rf"takes one image \[batch, height, width, 3\].*, but {found}"):
        load(folder)


def test_a_damaged_model_is_one_line(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(StylizeError, match="TensorFlow cannot load this model") as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)
