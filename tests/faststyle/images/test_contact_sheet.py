import numpy as np

from faststyle.images.contact_sheet import fit_within, grid

GAP = 8


def flat(height: int, width: int, value: int) -> np.ndarray:
    return np.full((height, width, 3), value, "uint8")


def test_two_pictures_side_by_side_by_hand():
    sheet = grid([[flat(2, 4, 10), flat(2, 6, 20)]])
    assert sheet.dtype == np.uint8
    expected = np.full((2 + 2 * GAP, 4 + 6 + 3 * GAP, 3), 255)
    expected[GAP : GAP + 2, GAP : GAP + 4] = 10
    expected[GAP : GAP + 2, 2 * GAP + 4 : 2 * GAP + 10] = 20
    np.testing.assert_array_equal(sheet, expected)


def test_a_smaller_picture_is_centered_in_its_cell():
    sheet = grid([[flat(6, 10, 10)], [flat(2, 4, 20)]])
    rows, columns = np.nonzero(sheet[..., 0] == 20)
    assert (rows.min(), rows.max()) == (2 * GAP + 6, 2 * GAP + 7)
    assert (columns.min(), columns.max()) == (GAP + 3, GAP + 6)


def test_rows_may_differ_in_length():
    sheet = grid([[flat(3, 5, 10)], [flat(3, 5, 20), flat(4, 7, 30)]])
    assert sheet.shape == (3 + 4 + 3 * GAP, 5 + 7 + 3 * GAP, 3)
    assert (sheet[: GAP + 3, GAP + 5 :] == 255).all()


def test_the_second_column_begins_where_the_widest_picture_of_the_first_ends():
    sheet = grid([[flat(2, 4, 10), flat(2, 6, 20)], [flat(2, 10, 30), flat(2, 6, 40)]])[..., 0]
    for value in (20, 40):
        assert np.nonzero(sheet == value)[1].min() == 2 * GAP + 10


def test_every_picture_appears_whole_and_the_rest_is_white():
    random = np.random.default_rng(0)
    sizes = [[(3, 9), (7, 2)], [(5, 5), (1, 1), (4, 6)]]
    rows = [[random.integers(0, 255, (*size, 3), dtype="uint8") for size in row] for row in sizes]
    sheet = grid(rows).astype(int)
    pictures = [picture for row in rows for picture in row]
    assert (255 - sheet).sum() == sum((255 - picture.astype(int)).sum() for picture in pictures)
    for picture in pictures:
        windows = np.lib.stride_tricks.sliding_window_view(sheet, picture.shape)
        assert (windows == picture).all(axis=(-3, -2, -1)).any()


def test_a_picture_is_scaled_down_to_the_longer_side():
    assert fit_within(flat(40, 100, 7), 50).shape == (20, 50, 3)
    assert fit_within(flat(100, 40, 7), 50).shape == (50, 20, 3)
    assert (fit_within(flat(40, 100, 7), 50) == 7).all()


def test_a_picture_that_fits_is_left_as_it_is():
    picture = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype="uint8")
    np.testing.assert_array_equal(fit_within(picture, 50), picture)
