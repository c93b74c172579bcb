import io
import shutil
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image
from tensorflow_datasets.core import registered

from faststyle.train.content_sources import ContentSourceError, open_content_source

PHOTOS = 12


def names(source, *, start: int, count: int) -> list[str]:
    return [photo.name for photo in islice(source.photos(start), count)]


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path):
        """30 files on two levels; sources do not look into them."""
        (tmp_path / "trip").mkdir()
        for index in range(30):
            (tmp_path / ("trip" if index % 3 else "") / f"{index:02d}.jpg").write_bytes(bytes([index]))
        return tmp_path

    def test_a_tenth_is_held_out_at_most(self, folder):
        source = open_content_source(str(folder), held_out=8, seed=0)
        assert (len(source), len(source.held_out())) == (27, 3)
        source = open_content_source(str(folder), held_out=2, seed=0)
        assert (len(source), len(source.held_out())) == (28, 2)
        source = open_content_source(str(folder), held_out=0, seed=0)
        assert (len(source), len(source.held_out())) == (30, 0)

    def test_a_photos_bytes_are_the_files_bytes(self, folder):
        source = open_content_source(str(folder), held_out=2, seed=0)
        for photo in [*islice(source.photos(0), len(source)), *source.held_out()]:
            assert photo.read() == Path(photo.name).read_bytes()

    def test_every_photo_comes_once_in_every_epoch_and_held_out_ones_never(self, folder):
        source = open_content_source(str(folder), held_out=3, seed=0)
        held_out = {photo.name for photo in source.held_out()}
        everything = {str(path) for path in folder.rglob("*.jpg")}
        for epoch in range(3):
            epoch_names = names(source, start=27 * epoch, count=27)
            assert len(set(epoch_names)) == 27
            assert set(epoch_names) == everything - held_out

    def test_every_epoch_has_another_order(self, folder):
        source = open_content_source(str(folder), held_out=3, seed=0)
        orders = {tuple(names(source, start=27 * epoch, count=27)) for epoch in range(4)}
        assert len(orders) == 4

    def test_the_seed_alone_decides_order_and_held_out_photos(self, folder):
        first, same, other = (open_content_source(str(folder), held_out=3, seed=seed) for seed in (5, 5, 6))
        assert names(first, start=0, count=60) == names(same, start=0, count=60)
        assert names(first, start=0, count=60) != names(other, start=0, count=60)
        held_out = [{photo.name for photo in source.held_out()} for source in (first, same, other)]
        assert held_out[0] == held_out[1] != held_out[2]

    def test_a_folder_at_a_url_gives_the_same_photos_in_the_same_order(self, folder):
        memory = pytest.importorskip("fsspec", reason="fsspec is not installed").filesystem("memory")
        (folder / ".hidden.jpg").touch()
        (folder / "trip" / "notes.txt").touch()
        memory.put(str(folder), "/photos", recursive=True)
        try:
            here, there = (open_content_source(place, held_out=3, seed=5) for place in (str(folder), "memory://photos"))
            assert there.fingerprint() == here.fingerprint()
            for one, other in ((here.held_out(), there.held_out()), (here.photos(20), there.photos(20))):
                assert [photo.read() for photo in islice(other, 40)] == [photo.read() for photo in islice(one, 40)]
        finally:
            memory.rm("/photos", recursive=True)

    def test_another_seed_gives_another_order_of_the_same_photos(self, folder):
        one, other = (names(open_content_source(str(folder), held_out=0, seed=s), start=0, count=30) for s in (5, 6))
        assert one != other
        assert sorted(one) == sorted(other)

    @pytest.mark.parametrize("start", [0, 1, 26, 27, 28, 53, 54, 70])
    def test_a_source_goes_on_at_any_position_across_epochs(self, folder, start):
        source = open_content_source(str(folder), held_out=3, seed=0)
        assert names(source, start=start, count=40) == names(source, start=0, count=start + 40)[start:]

    def test_the_fingerprint_is_of_the_photos_whatever_the_seed_and_the_place_of_the_folder(self, folder, tmp_path):
        fingerprint = open_content_source(str(folder), held_out=3, seed=0).fingerprint()
        assert fingerprint.startswith("30 photos (")
        moved = shutil.copytree(folder, tmp_path.parent / f"{tmp_path.name}_moved")
        assert open_content_source(str(moved), held_out=8, seed=5).fingerprint() == fingerprint

    @pytest.mark.parametrize("change", ["added", "removed", "renamed", "of another size"])
    def test_another_set_of_photos_has_another_fingerprint(self, folder, change):
        before = open_content_source(str(folder), held_out=3, seed=0).fingerprint()
        photo = folder / "00.jpg"
        if change == "removed":
            photo.unlink()
        elif change == "renamed":
            photo.rename(folder / "99.jpg")
        else:
            (photo if change == "of another size" else folder / "30.jpg").write_bytes(b"two")
        assert open_content_source(str(folder), held_out=3, seed=0).fingerprint() != before

    @pytest.mark.parametrize("kind", ["missing", "file", "empty", "no images"])
    def test_a_folder_without_images_is_named_in_one_line(self, tmp_path, kind):
        path = tmp_path / "photos"
        if kind == "file":
            path.touch()
        elif kind != "missing":
            path.mkdir()
        if kind == "no images":
            (path / "notes.txt").touch()
        with pytest.raises(ContentSourceError) as caught:
            open_content_source(str(path), held_out=0, seed=0)
        reason = "no such folder" if kind in ("missing", "file") else "no image files"
        assert str(caught.value).startswith(f"{path}: {reason}")
        assert "\n" not in str(caught.value)


def jpeg(index: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(index).integers(0, 256, (16 + index, 24, 3), dtype="uint8")
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


JPEGS = [jpeg(index) for index in range(PHOTOS)]
IMAGE_FEATURES = {"image": tfds.features.Image(encoding_format="jpeg")}
ANNOTATION_FEATURES = {
    "image/filename": tfds.features.Text(),
    "image/id": np.int64,
    "objects": tfds.features.Sequence(
        {
            "area": np.int64,
            "bbox": tfds.features.BBoxFeature(),
            "id": np.int64,
            "is_crowd": np.bool_,
            "label": tfds.features.ClassLabel(num_classes=80),
        }
    ),
}


def annotations(index: int) -> dict:
    """What COCO says of a photo; `index` objects, so that some photos have none."""
    one = {"area": 4, "bbox": tfds.features.BBox(0.0, 0.0, 0.5, 1.0), "id": index, "is_crowd": False, "label": 7}
    return {"image/filename": f"{index:012d}.jpg", "image/id": index, "objects": [one] * index}


with registered.skip_registration():  # TFDS has its own Coco, and that one is to read what this one writes

    class Coco(tfds.core.GeneratorBasedBuilder):
        """Writes a dataset with the structure of TFDS's `coco/2017`, of a few tiny photos."""

        VERSION = tfds.core.Version("1.1.0")
        BUILDER_CONFIGS = (tfds.core.BuilderConfig(name="2017", version=VERSION),)
        pkg_dir_path = Path(__file__).parent
        annotated = True

        def _info(self):
            features = IMAGE_FEATURES | (ANNOTATION_FEATURES if self.annotated else {})
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, _):
            others = [jpeg(100 + index) for index in range(3)]
            return {"validation": self._generate_examples(others), "train": self._generate_examples(JPEGS)}

        def _generate_examples(self, jpegs):
            for index, encoded in enumerate(jpegs):
                yield index, {"image": io.BytesIO(encoded)} | (annotations(index) if self.annotated else {})

    class CocoWithoutAnnotations(Coco):
        """The same photos, and nothing else in the records."""

        name = "coco"
        annotated = False

    class HolidayPhotos(Coco):
        """A dataset that TFDS has no code for."""


def prepare(builder_class, data_dir: Path) -> Path:
    builder = builder_class(config="2017", data_dir=data_dir)
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(num_shards=3))
    return data_dir


def indices(photos) -> list[int]:
    """Which of `JPEGS` the photos are; the bytes must be the same to the last one."""
    return [JPEGS.index(photo.read()) for photo in photos]


class TestTfds:
    @pytest.fixture(scope="class")
    def data_dir(self, tmp_path_factory):
        return prepare(Coco, tmp_path_factory.mktemp("tfds"))

    @pytest.fixture(scope="class")
    def source(self, data_dir):
        return open_content_source("tfds:coco/2017", held_out=4, seed=0, data_dir=data_dir)

    def test_the_train_split_less_a_tenth(self, source):
        assert len(source) == 11
        assert len(source.held_out()) == 1
        assert source.description == "tfds:coco/2017, split train"

    def test_the_fingerprint_has_the_number_of_photos_and_the_version(self, source, data_dir, monkeypatch):
        fingerprint = source.fingerprint()
        again = open_content_source("tfds:coco/2017", held_out=2, seed=5, data_dir=data_dir)
        assert fingerprint.startswith("12 photos (")
        assert again.fingerprint() == fingerprint
        monkeypatch.setattr(type(again._builder.info), "full_name", "coco/2017/9.0.0")
        assert again.fingerprint() != fingerprint

    def test_every_jpeg_comes_once_in_every_epoch_byte_for_byte_and_held_out_ones_never(self, source):
        held_out = indices(source.held_out())
        for epoch in range(2):
            epoch_indices = indices(islice(source.photos(11 * epoch), 11))
            assert sorted(epoch_indices + held_out) == list(range(PHOTOS))

    def test_every_epoch_has_another_order(self, source):
        photos = indices(islice(source.photos(0), 33))
        assert len({tuple(photos[epoch : epoch + 11]) for epoch in (0, 11, 22)}) == 3

    def test_the_seed_alone_decides_the_order(self, source, data_dir):
        same, other = (open_content_source("tfds:coco/2017", held_out=4, seed=s, data_dir=data_dir) for s in (0, 9))
        order = indices(islice(source.photos(0), 22))
        assert indices(islice(same.photos(0), 22)) == order
        assert indices(islice(other.photos(0), 22)) != order

    @pytest.mark.parametrize("start", [1, 10, 11, 15])
    def test_a_source_goes_on_at_any_position_across_epochs(self, source, start):
        everything = indices(islice(source.photos(0), 25))
        assert indices(islice(source.photos(start), 25 - start)) == everything[start:]

    def test_a_source_may_hold_out_nothing(self, data_dir):
        source = open_content_source("tfds:coco/2017", held_out=0, seed=0, data_dir=data_dir)
        assert len(source) == PHOTOS
        assert source.held_out() == []
        assert sorted(indices(islice(source.photos(0), PHOTOS))) == list(range(PHOTOS))

    def test_photo_names_are_all_different_in_one_epoch(self, source):
        photos = [*islice(source.photos(0), 11), *source.held_out()]
        assert len({photo.name for photo in photos}) == PHOTOS

    def test_annotations_are_not_decoded(self, tmp_path):
        data_dir = prepare(CocoWithoutAnnotations, tmp_path)
        with pytest.raises(tf.errors.InvalidArgumentError, match="image/filename"):
            next(iter(tfds.builder("coco/2017", data_dir=data_dir).as_dataset(split="train")))
        source = open_content_source("tfds:coco/2017", held_out=1, seed=0, data_dir=data_dir)
        assert sorted(indices(islice(source.photos(0), 11)) + indices(source.held_out())) == list(range(PHOTOS))

    def test_a_prepared_dataset_needs_no_code_of_its_own(self, tmp_path):
        data_dir = prepare(HolidayPhotos, tmp_path)
        source = open_content_source("tfds:holiday_photos/2017", held_out=1, seed=0, data_dir=data_dir)
        assert sorted(indices(islice(source.photos(0), 11)) + indices(source.held_out())) == list(range(PHOTOS))

    def test_tfds_finds_the_code_that_downloads_coco(self, tmp_path):
        # TFDS imports importlib_resources for it without requiring it.
        assert Path(tfds.builder("coco/2017", data_dir=tmp_path).code_path).name == "coco.py"

    @pytest.mark.parametrize("name", ["no_such_dataset", "no_such_dataset/2017:1.0.0", "coco/no_such_config", ""])
    def test_an_unknown_dataset_is_named_in_one_line_with_the_way_out(self, data_dir, name):
        with pytest.raises(ContentSourceError) as caught:
            open_content_source(f"tfds:{name}", held_out=1, seed=0, data_dir=data_dir)
        assert str(caught.value).startswith(f"tfds:{name}: cannot be read or downloaded (")
        assert "--data-dir" in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_dataset_without_images_is_refused_with_what_it_holds(self, tmp_path):
        with registered.skip_registration():

            class Words(tfds.core.GeneratorBasedBuilder):
                VERSION = tfds.core.Version("1.0.0")
                pkg_dir_path = Path(__file__).parent

                def _info(self):
                    return tfds.core.DatasetInfo(
                        builder=self, features=tfds.features.FeaturesDict({"word": tfds.features.Text()})
                    )

                def _split_generators(self, _):
                    return {"train": self._generate_examples()}

                def _generate_examples(self):
                    yield 0, {"word": "hello"}

        Words(data_dir=tmp_path).download_and_prepare()
        with pytest.raises(ContentSourceError, match="^tfds:words: no image feature among word$"):
            open_content_source("tfds:words", held_out=0, seed=0, data_dir=tmp_path)
