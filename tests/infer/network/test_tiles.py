import numpy as np
import pytest

from faststyle.infer.network.tiles import MARGIN_PX, cut_window, paste_core, plan_tiles


@pytest.mark.parametrize("size", [(16, 16), (17, 300), (403, 150)])
def test_cores_partition_the_padded_image(size):
    height, width = (side + -side % 4 for side in size)
    covered = np.zeros((height, width), int)
    for tile in plan_tiles(*size, core_px=64):
        top, left, bottom, right = tile.core
        covered[top:bottom, left:right] += 1
        assert max(bottom - top, right - left) <= 64
        assert not any(side % 4 for side in (*tile.core, *tile.window))
        assert tile.pixels == (bottom - top) * (right - left)
    assert (covered == 1).all()


def test_windows_reach_a_margin_beyond_the_core_or_to_the_border():
    for tile in plan_tiles(400, 300, core_px=64):
        for core, window, border in zip(tile.core, tile.window, (0, 0, 400, 300), strict=True):
            assert window == border or abs(window - core) == MARGIN_PX


def test_uncut_image_comes_together_again_from_its_windows():
    image = np.random.default_rng(0).integers(0, 256, (403, 150, 3)).astype("uint8")
    copy = np.zeros_like(image)
    for tile in plan_tiles(403, 150, core_px=64):
        paste_core(copy, tile, cut_window(image, tile)[0])
    np.testing.assert_array_equal(copy, image)


def test_window_beyond_the_image_is_mirrored_without_repeating_the_border():
    image = np.arange(18 * 16 * 3, dtype="uint8").reshape(18, 16, 3)
    (tile,) = plan_tiles(18, 16, core_px=64)
    window = cut_window(image, tile)[0]
    assert window.shape == (20, 16, 3)
    np.testing.assert_array_equal(window[18], image[16])
    np.testing.assert_array_equal(window[19], image[15])
