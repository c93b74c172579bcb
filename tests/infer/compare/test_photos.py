import numpy as np
import pytest

from faststyle.images.files import ImageError, write_image
from faststyle.infer.compare.photos import center_square, choose_photos
from tests.toy_run import write_photos


def test_the_same_seed_chooses_the_same_photos_and_another_seed_others(tmp_path):
    folder = write_photos(tmp_path / "photos", count=12)
    first, again, other = (choose_photos(folder, count=4, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert len(set(first)) == 4


def test_more_photos_begin_with_the_same_ones(tmp_path):
    folder = write_photos(tmp_path / "photos", count=6)
    assert choose_photos(folder, count=5, seed=3)[:2] == choose_photos(folder, count=2, seed=3)


def test_broken_and_tiny_images_are_passed_over(tmp_path):
    folder = write_photos(tmp_path / "photos", count=2)
    (folder / "broken.jpg").write_bytes(b"no image")
    write_image(folder / "tiny.png", np.zeros((8, 40, 3), "uint8"))
    assert {path.name for path in choose_photos(folder, count=9, seed=0)} == {"photo_00.jpg", "photo_01.jpg"}


def test_a_pattern_or_one_photo_can_be_given(tmp_path):
    folder = write_photos(tmp_path / "photos", count=3)
    assert choose_photos(folder / "photo_01.jpg", count=5, seed=0) == [folder / "photo_01.jpg"]
    assert len(choose_photos(folder / "*_0[12].jpg", count=5, seed=0)) == 2


def test_only_photos_of_given_names_are_taken(tmp_path):
    folder = write_photos(tmp_path / "photos", count=4)
    assert choose_photos(folder, count=9, seed=0, stems={"photo_02", "other"}) == [folder / "photo_02.jpg"]
    with pytest.raises(ImageError, match="no photo is named as one of the stylized images"):
        choose_photos(folder, count=9, seed=0, stems={"other"})


def test_the_square_is_the_middle_of_the_photo():
    image = np.zeros((10, 30, 3), "uint8")
    image[:, 10:20] = np.arange(100).reshape(10, 10, 1)
    np.testing.assert_array_equal(center_square(image, 10), image[:, 10:20])
    np.testing.assert_array_equal(center_square(image.transpose(1, 0, 2), 10), image.transpose(1, 0, 2)[10:20])


@pytest.mark.parametrize("size", [4, 40])
def test_the_square_is_scaled_down_and_up(size):
    square = center_square(np.full((10, 30, 3), 77, "uint8"), size)
    assert square.shape == (size, size, 3)
    assert (square == 77).all()
