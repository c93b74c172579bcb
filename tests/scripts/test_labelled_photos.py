import itertools

import numpy as np
import pytest
from PIL import Image

from scripts.labelled_photos import LabelledPhotosError, center_crops, open_labelled_photos, training_batches


def write_classes(folder, colors, *, count=3, size=(40, 52)):
    for name, color in colors.items():
        for index in range(count):
            path = folder / name / "images" / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size, color).save(path)
    return folder


COLORS = {"apple": (200, 10, 10), "sky": (20, 40, 220)}


def test_class_folders_give_each_image_the_class_of_its_top_folder(tmp_path):
    photos = open_labelled_photos(str(write_classes(tmp_path, COLORS)))
    assert photos.class_names == ["apple", "sky"]
    assert len(photos) == 6
    epoch = list(itertools.islice(photos.photos(0, seed=0), 6))
    assert sorted((photo.encoded.parts[-3], photo.label) for photo in epoch) == [("apple", 0)] * 3 + [("sky", 1)] * 3


def test_tiny_imagenets_validation_folder_takes_classes_from_its_annotations(tmp_path):
    write_classes(tmp_path, {"ignored": (1, 2, 3)}, count=1)
    (tmp_path / "images").mkdir()
    for index in range(2):
        Image.new("RGB", (16, 16)).save(tmp_path / "images" / f"val_{index}.png")
    (tmp_path / "val_annotations.txt").write_text("val_0.png\tn2\t0\t0\t1\t1\nval_1.png\tn1\t0\t0\t1\t1\n")
    photos = open_labelled_photos(str(tmp_path))
    assert photos.class_names == ["n1", "n2"]
    assert {photo.encoded.name: photo.label for photo in itertools.islice(photos.photos(0, seed=0), 2)} == {
        "val_0.png": 1,
        "val_1.png": 0,
    }


def test_every_epoch_holds_each_photo_once_in_another_order(tmp_path):
    photos = open_labelled_photos(str(write_classes(tmp_path, COLORS, count=8)))
    names = [photo.name for photo in itertools.islice(photos.photos(0, seed=3), 32)]
    assert sorted(names[:16]) == sorted(names[16:])
    assert names[:16] != names[16:]


def test_batches_are_the_same_when_resumed_from_any_batch(tmp_path):
    photos = open_labelled_photos(str(write_classes(tmp_path, COLORS)))
    whole = list(itertools.islice(training_batches(photos, batch_size=4, size_px=24, seed=5), 5))
    resumed = next(training_batches(photos, batch_size=4, size_px=24, seed=5, start=3))
    np.testing.assert_array_equal(whole[3][0], resumed[0])
    np.testing.assert_array_equal(whole[3][1], resumed[1])


def test_crops_keep_their_class_and_stay_within_the_color_jitter(tmp_path):
    photos = open_labelled_photos(str(write_classes(tmp_path, {"grey": (100,) * 3, "white": (200,) * 3})))
    images, labels = next(training_batches(photos, batch_size=16, size_px=20, seed=0))
    assert images.shape == (16, 20, 20, 3)
    assert images.dtype == np.float32
    means = images.mean(axis=(1, 2, 3))
    assert np.all((means > np.where(labels == 0, 69, 139)) & (means < np.where(labels == 0, 131, 256)))
    assert len(set(np.round(means, 2))) > 4


def test_an_unreadable_photo_does_not_end_the_batches(tmp_path):
    photos = open_labelled_photos(str(write_classes(tmp_path, COLORS)))
    (tmp_path / "sky" / "images" / "1.png").write_bytes(b"no image")
    images, _ = next(training_batches(photos, batch_size=6, size_px=24, seed=0))
    assert images.shape == (6, 24, 24, 3)


def test_center_crops_are_square_and_labelled(tmp_path):
    photos = open_labelled_photos(str(write_classes(tmp_path, COLORS)))
    crops, labels = center_crops(photos, size_px=16, limit=100)
    assert crops.shape == (6, 16, 16, 3)
    for crop, label in zip(crops, labels, strict=True):
        np.testing.assert_array_equal(crop[8, 8], list(COLORS.values())[label])


@pytest.mark.parametrize(("make", "message"), [(False, "no such folder"), (True, "two class folders")])
def test_a_folder_without_classes_is_refused_in_one_line(tmp_path, make, message):
    folder = tmp_path / "photos"
    if make:
        (folder / "only").mkdir(parents=True)
    with pytest.raises(LabelledPhotosError, match=message):
        open_labelled_photos(str(folder))


def test_tfds_collections_give_encoded_images_and_labels(tmp_path):
    tfds = pytest.importorskip("tensorflow_datasets")
    images = [np.full((12, 12, 3), value, "uint8") for value in (10, 90, 170, 250)]

    class TinyLabelled(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(12, 12, 3)),
                "label": tfds.features.ClassLabel(names=["dark", "light"]),
            }
            return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for index, image in enumerate(images):
                yield index, {"image": image, "label": int(index > 1)}

    TinyLabelled(data_dir=tmp_path).download_and_prepare()
    photos = open_labelled_photos("tfds:tiny_labelled", data_dir=tmp_path)
    assert photos.class_names == ["dark", "light"]
    crops, labels = center_crops(photos, size_px=12, limit=4)
    assert sorted(zip(crops[:, 0, 0, 0].tolist(), labels.tolist(), strict=True)) == [
        (10, 0),
        (90, 0),
        (170, 1),
        (250, 1),
    ]


def test_a_missing_tfds_dataset_is_refused_in_one_line(tmp_path):
    with pytest.raises(LabelledPhotosError, match="tfds:no_such_thing"):
        open_labelled_photos("tfds:no_such_thing", data_dir=tmp_path)
