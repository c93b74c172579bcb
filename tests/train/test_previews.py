import numpy as np

from models.transform_net import build_transform_network
from train.previews import collapse_reason, preview_sheet, stylize_previews


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
    network = build_transform_network(num_styles=2, width=0.125)
    photos = noise(3, 32, 36, 3)
    stylized = stylize_previews(network, photos, 2)
    assert stylized.shape == (2, 3, 32, 36, 3)
    assert stylized.dtype == np.uint8
    sheet = preview_sheet(photos, stylized)
    np.testing.assert_array_equal(sheet[8:40, 8:44], photos[0])
