import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faststyle.train.content_batches import center_crops, check_enough_readable, content_batches
from faststyle.train.content_sources import ContentSourceError, EncodedPhoto, open_content_source

SIZE = 24
READABLE = 9


def noise(height: int, width: int, *, seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype="uint8")
    return Image.fromarray(pixels)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Six color photos, a grey, a CMYK and a 16-bit one, and five files that no batch can use."""
    for index in range(6):
        noise(30 + 5 * index, 60 - 3 * index, seed=index).save(tmp_path / f"good{index}.jpg")
    noise(40, 50, seed=10).convert("L").save(tmp_path / "grey.png")
    noise(40, 50, seed=11).convert("CMYK").save(tmp_path / "cmyk.jpg")
    Image.fromarray(np.full((40, 50), 25700, "uint16")).save(tmp_path / "deep.png")
    whole = (tmp_path / "good0.jpg").read_bytes()
    (tmp_path / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "corrupt.jpg").write_bytes(whole[:200] + bytes(100) + b"\xff\xd9")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no photo")
    noise(1, 1, seed=12).save(tmp_path / "dot.png")
    return tmp_path


UNREADABLE = {
    "truncated.jpg": "damaged image",
    "corrupt.jpg": "damaged image",
    "empty.jpg": "not an image",
    "text.jpg": "not an image",
    "dot.png": "only 1x1 px",
}


def only(folder: Path, *names: str) -> Path:
    """Removes every other file from the folder."""
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()
    return folder


def open_folder(folder: Path, *, seed: int = 0):
    return open_content_source(str(folder), held_out=0, seed=seed)


def batches(
    source, count: int, *, batch_size: int = 2, seed: int = 0, start: int = 0, size: int = SIZE, **more
) -> list:
    endless = content_batches(source, batch_size=batch_size, image_size=size, seed=seed, start=start, **more)
    return list(islice(endless, count))


def crops(folder: Path, count: int, *, size: int = SIZE, seed: int = 0) -> np.ndarray:
    """Crops of position 0, 1, ... of a folder of readable photos, as `[count, size, size, 3]`."""
    return batches(open_folder(folder), 1, batch_size=count, size=size, seed=seed)[0].images


class TestConversion:
    def test_a_flat_photo_gives_flat_crops_of_its_color(self, tmp_path):
        Image.new("RGB", (50, 40), (200, 100, 50)).save(tmp_path / "a.png")
        images = crops(tmp_path, 5)
        assert images.shape == (5, SIZE, SIZE, 3)
        assert images.dtype == np.uint8
        np.testing.assert_array_equal(images, np.broadcast_to(np.array([200, 100, 50]), images.shape))

    @pytest.mark.parametrize(
        ("name", "mode", "stored", "expected"),
        [
            ("grey.png", "L", 90, [90, 90, 90]),
            ("cmyk.jpg", "CMYK", (255, 0, 0, 0), [0, 255, 255]),
            ("deep.png", "I;16", 25700, [100, 100, 100]),
            ("alpha.png", "RGBA", (0, 0, 0, 0), [255, 255, 255]),
        ],
    )
    def test_other_kinds_of_pixels_become_rgb(self, tmp_path, name, mode, stored, expected):
        Image.new(mode, (50, 40), stored).save(tmp_path / name)
        images = crops(tmp_path, 2)
        np.testing.assert_allclose(images, np.broadcast_to(expected, images.shape), atol=3)

    def test_a_photo_smaller_than_the_crop_is_enlarged(self, tmp_path):
        Image.new("RGB", (30, 16), (9, 99, 199)).save(tmp_path / "small.png")
        images = crops(tmp_path, 3, size=64)
        np.testing.assert_array_equal(images, np.broadcast_to(np.array([9, 99, 199]), (3, 64, 64, 3)))

    def test_a_jpeg_much_larger_than_the_crop_is_read(self, tmp_path):
        Image.new("RGB", (900, 700), (200, 100, 50)).save(tmp_path / "large.jpg")
        images = crops(tmp_path, 3)
        np.testing.assert_allclose(images, np.broadcast_to([200, 100, 50], images.shape), atol=3)


class TestRandomCrops:
    """On a photo whose red tells the column and whose green tells the row, two levels to a pixel."""

    @pytest.fixture
    def images(self, tmp_path):
        levels = 2 * np.arange(96, dtype="uint8")
        red, green = np.meshgrid(levels, levels)
        Image.fromarray(np.stack([red, green, 0 * red], axis=-1)).save(tmp_path / "ramp.png")
        return crops(tmp_path, 200, size=64).astype("float64")

    def test_a_crop_shows_a_square_of_a_side_to_two_thirds_of_it(self, images):
        for channel, axis in ((0, 2), (1, 1)):
            pixels_across = np.ptp(images[..., channel], axis=axis).mean(axis=1) / 2
            assert 62 <= pixels_across.min() < 66
            assert 92 < pixels_across.max() <= 96

    def test_half_of_the_crops_are_mirrored_and_none_is_upside_down(self, images):
        mirrored = images[:, 32, 0, 0] > images[:, 32, -1, 0]
        assert 0.4 < mirrored.mean() < 0.6
        assert (images[:, 0, 32, 1] < images[:, -1, 32, 1]).all()

    def test_crops_reach_every_border(self, images):
        assert images[..., :2].min(axis=(0, 1, 2)).max() <= 4
        assert images[..., :2].max(axis=(0, 1, 2)).min() >= 186

    def test_the_crop_depends_on_seed_and_position_only(self, folder):
        source = open_folder(only(folder, "good0.jpg", "good1.jpg", "good2.jpg"))
        in_twos, in_threes = batches(source, 6, batch_size=2), batches(source, 4, batch_size=3)
        one_by_one = np.concatenate([batch.images for batch in in_twos])
        np.testing.assert_array_equal(one_by_one, np.concatenate([batch.images for batch in in_threes]))
        np.testing.assert_array_equal(one_by_one[5:7], batches(source, 1, start=5)[0].images)
        assert not np.array_equal(one_by_one[:2], batches(source, 1, seed=1)[0].images)

    def test_one_photo_gives_another_crop_every_time(self, folder):
        images = crops(only(folder, "good0.jpg"), 20)
        assert len({image.tobytes() for image in images}) == 20


class TestUnreadablePhotos:
    def test_batches_go_on_and_every_unreadable_photo_is_reported_with_its_reason(self, folder):
        reported = {}
        source = open_folder(folder)
        run = batches(source, 12, on_unreadable=lambda name, reason: reported.setdefault(Path(name).name, reason))
        assert all(batch.images.shape == (2, SIZE, SIZE, 3) for batch in run)
        assert reported.keys() == UNREADABLE.keys()
        for name, reason in UNREADABLE.items():
            assert reported[name].startswith(f"{folder / name}: {reason}")

    def test_every_readable_photo_is_used_once_in_an_epoch(self, folder):
        run = batches(open_folder(folder), 2, batch_size=READABLE)
        assert run[0].next_position <= READABLE + len(UNREADABLE) < run[1].next_position
        grey = (run[0].images[..., :1] == run[0].images).all(axis=(1, 2, 3))
        assert grey.sum() == 2  # grey.png and deep.png

    def test_an_unreadable_photo_is_reported_every_time_it_comes_up(self, folder):
        reported = []
        source = open_folder(only(folder, "good0.jpg", "empty.jpg"))
        batches(source, 10, batch_size=1, on_unreadable=lambda name, _: reported.append(Path(name).name))
        assert reported.count("empty.jpg") == len(reported)
        assert 9 <= len(reported) <= 10

    def test_a_photo_that_vanishes_while_training_is_skipped(self, folder):
        reported = []
        source = open_folder(folder)
        (folder / "good0.jpg").unlink()
        batches(source, 12, on_unreadable=lambda _, reason: reported.append(reason))
        assert f"{folder / 'good0.jpg'}: No such file or directory" in reported

    @pytest.mark.parametrize("seed", range(8))
    def test_one_readable_photo_among_many_is_enough_whatever_the_order(self, folder, seed):
        source = open_folder(only(folder, "good0.jpg", *UNREADABLE), seed=seed)
        assert len(batches(source, 8, batch_size=1)) == 8

    def test_no_readable_photo_at_all_is_an_error_and_no_endless_loop(self, folder):
        source = open_folder(only(folder, *UNREADABLE))
        with pytest.raises(ContentSourceError) as caught:
            batches(source, 1)
        assert str(caught.value) == f"folder {folder}: none of its 5 images can be read"


class TestResume:
    def test_a_run_that_goes_on_gets_the_same_batches_to_the_last_bit(self, folder):
        source = open_folder(folder)
        whole = batches(source, 12, seed=3)
        for done in range(1, 12):
            rest = batches(open_folder(folder), 12 - done, seed=3, start=whole[done - 1].next_position)
            assert [batch.next_position for batch in rest] == [batch.next_position for batch in whole[done:]]
            for resumed, uninterrupted in zip(rest, whole[done:], strict=True):
                np.testing.assert_array_equal(resumed.images, uninterrupted.images)

    def test_the_next_position_counts_unreadable_photos(self, folder):
        source = open_folder(only(folder, "good0.jpg", "good1.jpg", "empty.jpg"))
        assert batches(source, 3)[-1].next_position in (8, 9)  # three epochs of two readable photos and another

    def test_a_dropped_run_leaves_no_threads_decoding(self, folder):
        endless = content_batches(open_folder(folder), batch_size=2, image_size=SIZE, seed=0)
        next(endless)
        decoding = [thread for thread in threading.enumerate() if thread.name.startswith("decode")]
        assert decoding
        endless.close()
        for thread in decoding:
            thread.join(timeout=10)
            assert not thread.is_alive()


class TestCheckEnoughReadable:
    def test_as_many_readable_photos_as_a_batch_needs_are_enough(self, folder):
        check_enough_readable(open_folder(folder), READABLE)

    def test_one_too_few_is_an_error_with_both_counts_and_a_reason(self, folder):
        with pytest.raises(ContentSourceError) as caught:
            check_enough_readable(open_folder(folder), READABLE + 1)
        message = str(caught.value)
        assert message.startswith(f"folder {folder}: 9 readable photos of 14, but a batch needs 10; ")
        assert "--batch-size" in message
        assert any(f"e.g. {folder / name}: {reason}" in message for name, reason in UNREADABLE.items())
        assert "\n" not in message

    def test_without_unreadable_photos_no_reason_is_made_up(self, folder):
        with pytest.raises(ContentSourceError) as caught:
            check_enough_readable(open_folder(only(folder, "good0.jpg")), 2)
        assert str(caught.value).endswith(
            "1 readable photos of 1, but a batch needs 2; add photos or lower --batch-size"
        )


class TestCenterCrops:
    @staticmethod
    def photo(image: Image.Image, tmp_path: Path, name: str = "a.png") -> EncodedPhoto:
        image.save(tmp_path / name)
        return EncodedPhoto(name, (tmp_path / name).read_bytes)

    def test_the_middle_third_of_a_wide_and_of_a_tall_photo(self, tmp_path):
        thirds = np.repeat(np.array([[250, 0, 0], [0, 250, 0], [0, 0, 250]], "uint8"), 16, axis=0)
        wide = np.broadcast_to(thirds[None], (16, 48, 3)).copy()
        photos = [
            self.photo(Image.fromarray(wide), tmp_path, "wide.png"),
            self.photo(Image.fromarray(wide.swapaxes(0, 1).copy()), tmp_path, "tall.png"),
        ]
        images = center_crops(photos, image_size=16)
        assert images.dtype == np.uint8
        np.testing.assert_array_equal(images, np.broadcast_to(np.array([0, 250, 0]), (2, 16, 16, 3)))

    def test_the_whole_shorter_side_is_shown(self, tmp_path):
        ramp = np.broadcast_to(2 * np.arange(96, dtype="uint8")[:, None, None], (96, 120, 3)).copy()
        image = center_crops([self.photo(Image.fromarray(ramp), tmp_path)], image_size=48)[0]
        np.testing.assert_allclose(image[:, 24, 0], np.arange(48) * 4 + 1, atol=2)

    def test_unreadable_photos_are_left_out(self, tmp_path):
        good = self.photo(Image.new("RGB", (20, 20), "red"), tmp_path)
        tiny = self.photo(Image.new("RGB", (15, 90), "red"), tmp_path, "tiny.png")
        images = center_crops([tiny, good, EncodedPhoto("text", lambda: b"text")], image_size=8)
        assert images.shape == (1, 8, 8, 3)

    def test_no_photos_give_no_crops(self):
        assert center_crops([], image_size=8).shape == (0, 8, 8, 3)


class TestPartsOfSeveralProcesses:
    def test_parts_of_readable_photos_are_those_of_the_whole_batches(self, folder):
        source = open_folder(only(folder, *(f"good{index}.jpg" for index in range(6))))
        whole = batches(source, 4, batch_size=6)
        parts = [batches(source, 4, batch_size=6, part=part, parts=3) for part in range(3)]
        for batch, *of_parts in zip(whole, *parts, strict=True):
            np.testing.assert_array_equal(np.concatenate([part.images for part in of_parts]), batch.images)
            assert {part.next_position for part in of_parts} == {batch.next_position}

    def test_no_process_reads_what_another_one_does(self, folder):
        read: list[list[str]] = [[], []]
        for part, names in enumerate(read):
            source = open_folder(folder)
            photos = source.photos

            def noted(start, names=names, photos=photos):
                for position, photo in enumerate(photos(start), start=start):

                    def reading(photo=photo, position=position):
                        names.append(position)
                        return photo.read()

                    yield EncodedPhoto(photo.name, reading)

            source.photos = noted
            batches(source, 3, batch_size=4, part=part, parts=2)
        assert not set(read[0]) & set(read[1])
        assert set(range(12)) <= {*read[0], *read[1]}

    def test_a_broken_photos_place_is_taken_and_the_next_batch_begins_where_it_would(self, folder):
        source = open_folder(only(folder, "good0.jpg", "good1.jpg", "good2.jpg", "truncated.jpg"))
        reported: list[str] = []
        found = batches(
            source, 3, batch_size=4, part=1, parts=2, on_unreadable=lambda name, _: reported.append(Path(name).name)
        )
        assert set(reported) == {"truncated.jpg"}
        assert [batch.next_position for batch in found] == [4, 8, 12]
        resumed = batches(source, 2, batch_size=4, start=4, part=1, parts=2)
        for batch, again in zip(found[1:], resumed, strict=True):
            np.testing.assert_array_equal(again.images, batch.images)

    def test_no_readable_photo_is_an_error(self, folder):
        source = open_folder(only(folder, "truncated.jpg", "empty.jpg"))
        with pytest.raises(ContentSourceError, match="none of its 2 images can be read"):
            batches(source, 1, batch_size=2, part=1, parts=2)
