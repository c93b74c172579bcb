import numpy as np
import pytest
from PIL import Image

from scripts.decoded_photos import center_squares
from scripts.labelled_photos import LabelledPhotosError, open_labelled_photos


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
    assert [(photo.encoded.parts[-3], photo.label) for photo in photos] == [("apple", 0)] * 3 + [("sky", 1)] * 3


def test_tiny_imagenets_validation_folder_takes_classes_from_its_annotations(tmp_path):
    write_classes(tmp_path, {"ignored": (1, 2, 3)}, count=1)
    (tmp_path / "images").mkdir()
    for index in range(2):
        Image.new("RGB", (16, 16)).save(tmp_path / "images" / f"val_{index}.png")
    (tmp_path / "val_annotations.txt").write_text("val_0.png\tn2\t0\t0\t1\t1\nval_1.png\tn1\t0\t0\t1\t1\n")
    photos = open_labelled_photos(str(tmp_path))
    assert photos.class_names == ["n1", "n2"]
    assert {photo.encoded.name: photo.label for photo in photos} == {
        "val_0.png": 1,
        "val_1.png": 0,
    }


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
    assert len(photos) == 4
    squares = center_squares(photos, size_px=12)
    assert sorted((int(square[0, 0, 0]), label) for square, label in squares) == [
        (10, 0),
        (90, 0),
        (170, 1),
        (250, 1),
    ]


def test_a_missing_tfds_dataset_is_refused_in_one_line(tmp_path):
    with pytest.raises(LabelledPhotosError, match="tfds:no_such_thing"):
        open_labelled_photos("tfds:no_such_thing", data_dir=tmp_path)
