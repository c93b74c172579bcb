import itertools

import numpy as np
import pytest
from PIL import Image

from scripts.decoded_photos import center_squares, decoded_photos
from scripts.labelled_photos import LabelledPhotosError, open_labelled_photos
from tests.scripts.test_labelled_photos import COLORS, write_classes


def test_center_squares_show_the_middle_and_carry_the_label(tmp_path):
    folder = write_classes(tmp_path, COLORS, count=1)
    wide = np.full((20, 60, 3), 90, "uint8")
    wide[:, 20:40] = 180
    Image.fromarray(wide).save(folder / "sky" / "images" / "0.png")
    (_, label), (square, other) = center_squares(open_labelled_photos(str(folder)), size_px=20)
    assert (label, other) == (0, 1)
    np.testing.assert_array_equal(square, np.full((20, 20, 3), 180))


def test_photos_are_decoded_once_and_then_read_without_the_originals(tmp_path):
    folder = write_classes(tmp_path / "photos", COLORS)
    first = decoded_photos(str(folder), size_px=24, folder=tmp_path / "decoded")
    (tmp_path / "photos").rename(tmp_path / "gone")
    again = decoded_photos(str(folder), size_px=24, folder=tmp_path / "decoded")
    assert again.class_names == first.class_names == ["apple", "sky"]
    assert again.images.shape == (6, 24, 24, 3)
    np.testing.assert_array_equal(again.images[:, 12, 12], [COLORS["apple"]] * 3 + [COLORS["sky"]] * 3)
    np.testing.assert_array_equal(again.labels, [0, 0, 0, 1, 1, 1])


@pytest.fixture
def numbered(tmp_path):
    """Ten photos, each of its own gray level."""
    for level in range(0, 100, 10):
        write_classes(tmp_path / "photos", {f"class{level}": (level, level, level)}, count=1)
    return decoded_photos(str(tmp_path / "photos"), size_px=8, folder=tmp_path / "decoded")


def levels(batch):
    return batch[0][:, 4, 4, 0].tolist()


def test_every_epoch_holds_each_photo_in_another_order_and_fills_its_last_batch(numbered):
    batches = list(itertools.islice(numbered.batches(batch_size=4, seed=0), 6))
    first, second = np.split(np.concatenate([levels(batch) for batch in batches]), 2)
    assert sorted(first[:10]) == sorted(second[:10]) == list(range(0, 100, 10))
    assert list(first[:10]) != list(second[:10])
    assert list(first[10:]) == list(first[:2])
    for images, labels in batches:
        np.testing.assert_array_equal(images[:, 0, 0, 0] // 10, labels)


def test_batches_are_the_same_when_resumed_from_any_batch(numbered):
    whole = list(itertools.islice(numbered.batches(batch_size=4, seed=5), 8))
    for start in (1, 3, 7):
        resumed = next(numbered.batches(batch_size=4, seed=5, start=start))
        assert levels(resumed) == levels(whole[start])


def test_unreadable_photos_are_left_out(tmp_path):
    folder = write_classes(tmp_path / "photos", COLORS)
    (folder / "sky" / "images" / "1.png").write_bytes(b"no image")
    photos = decoded_photos(str(folder), size_px=24, folder=tmp_path / "decoded")
    epoch = itertools.islice(photos.batches(batch_size=1, seed=0), 10)
    assert sum(int(labels[0]) for _, labels in epoch) == 4  # two of five, twice


def test_a_collection_without_a_readable_photo_is_refused(tmp_path):
    for name in COLORS:
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "0.png").write_bytes(b"no image")
    photos = decoded_photos(str(tmp_path / "photos"), size_px=24, folder=tmp_path / "decoded")
    with pytest.raises(LabelledPhotosError, match="none of the photos can be read"):
        next(photos.batches(batch_size=1, seed=0))
