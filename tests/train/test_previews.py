import keras
import numpy as np

from faststyle.models.transform_net import build_transform_network, stylize_any_size
from faststyle.train.previews import collapse_reason, preview_sheet, stylize_previews
from faststyle.train.trainer import StyleTrainer


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype("uint8")


def test_lively_previews_give_no_reason_to_stop():
    assert collapse_reason(noise(2, 3, 16, 16, 3)) is None


def test_one_flat_style_among_lively_ones_is_a_collapse():
    stylized = noise(2, 3, 16, 16, 3)
    stylized[1] = 77
    assert "nearly one color" in collapse_reason(stylized)


def test_black_and_white_previews_are_a_collapse():
    stylized = np.where(noise(1, 3, 16, 16, 3) > 127, 255, 0).astype("uint8")
    assert "fully black or white" in collapse_reason(stylized)


def test_a_dark_photo_with_some_black_is_no_collapse():
    stylized = noise(1, 2, 16, 16, 3) // 8
    stylized[:, :, :8] = 0
    assert collapse_reason(stylized) is None


def test_previews_have_a_row_for_each_style_and_the_size_of_their_photos():
    keras.utils.set_random_seed(0)
    network = build_transform_network(num_styles=2, width=0.125)
    network.get_layer("output_conv").bias.assign([0.9, 0.0, 0.0])  # some reds beyond 255
    photos = noise(3, 32, 36, 3)
    trainer = StyleTrainer(network, objective=None, style_targets={})
    trainer.compile(jit_compile=False)
    stylized = stylize_previews(trainer, photos, num_rows=2)
    for row, mixture in zip(stylized, np.eye(2, dtype="float32"), strict=True):
        for picture, photo in zip(row, photos, strict=True):
            alone = stylize_any_size(network, photo[None].astype("float32"), mixture[None])[0]
            np.testing.assert_allclose(picture, np.asarray(alone), atol=0.51)
    assert stylized.shape == (2, 3, 32, 36, 3)
    assert (stylized == 255).any()
    assert stylized.dtype == np.uint8
    sheet = preview_sheet(photos, stylized)
    np.testing.assert_array_equal(sheet[8:40, 8:44], photos[0])
