import numpy as np

from faststyle.images.labels import captioned, text_cell


def test_a_caption_lies_below_its_picture_which_stays_as_it_is():
    picture = np.random.default_rng(0).integers(0, 256, (40, 300, 3), dtype="uint8")
    cell = captioned(picture, ["starry_night", "1889"])
    np.testing.assert_array_equal(cell[:40], picture)
    below = cell[40:]
    assert below.shape == (42, 300, 3)
    for line in (below[4:21], below[21:38]):
        assert line.min() < 64


def test_a_caption_wider_than_its_picture_widens_the_cell_evenly():
    picture = np.zeros((10, 6, 3), "uint8")
    cell = captioned(picture, ["a caption that is wider"])
    left = (cell.shape[1] - 6) // 2
    assert (cell[:10, left : left + 6] == 0).all()
    assert (cell[:10, :left] == 255).all()


def test_more_text_takes_more_room():
    assert text_cell(["long words"]).shape[1] > text_cell(["short"]).shape[1]
    assert text_cell(["a", "b", "c"]).shape[0] - text_cell(["a", "b"]).shape[0] == 17


def test_an_accent_is_left_out_and_its_letter_stays():
    np.testing.assert_array_equal(text_cell(["Fernand Léger"]), text_cell(["Fernand Leger"]))
