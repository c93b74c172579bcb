import numpy as np

from faststyle.images.masks import masks_at


def test_overlapping_masks_share_and_others_stay():
    first, second = np.zeros((2, 4), "uint8"), np.zeros((2, 4), "uint8")
    first[:, :3] = 255
    second[:, 2:] = 255
    actual = masks_at([first, second], height=2, width=4)
    np.testing.assert_allclose(actual[0][0], [1, 1, 0.5, 0])
    np.testing.assert_allclose(actual[1][0], [0, 0, 0.5, 1])
