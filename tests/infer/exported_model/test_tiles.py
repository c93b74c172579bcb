import numpy as np
import pytest

from faststyle.infer.exported_model.tiles import MARGIN_PX, cut_window, paste_core, plan_tiles, with_border


@pytest.mark.parametrize("size", [(16, 16), (20, 300), (404, 152)])
def test_cores_partition_the_image(size):
    covered = np.zeros(size, int)
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
    image = np.random.default_rng(0).integers(0, 256, (404, 152, 3)).astype("uint8")
    copy = np.zeros_like(image)
    for tile in plan_tiles(404, 152, core_px=64):
        paste_core(copy, tile, cut_window(image, tile)[0])
    np.testing.assert_array_equal(copy, image)


@pytest.mark.parametrize(("size", "border"), [((18, 17), 12), ((403, 150), 16)])
def test_border_mirrors_without_repeating_the_edge_and_goes_on_to_a_multiple_of_4(size, border):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype("uint8")
    bordered, measured = with_border(image)
    assert measured == border
    assert [side % 4 for side in bordered.shape[:2]] == [0, 0]
    np.testing.assert_array_equal(bordered[border : border + size[0], border : border + size[1]], image)
    np.testing.assert_array_equal(bordered[border - 1, border : border + 8], image[1, :8])
    np.testing.assert_array_equal(bordered[border + size[0], border : border + 8], image[-2, :8])
