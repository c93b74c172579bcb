import errno
import os

import numpy as np
import pytest
from PIL import Image

from faststyle.images.files import (
    ImageError,
    check_writable_suffix,
    list_images,
    read_image,
    resize_shorter_side,
    to_uint8,
    write_image,
)


def noise(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype="uint8")


class TestListImages:
    def test_lists_all_levels_by_path_and_leaves_out_hidden_ones_and_other_files(self, tmp_path):
        for name in ("b.JPG", "a/z.png", "a/c/d.webp", "notes.txt", ".hidden.png", ".git/e.png", "a/.f/g.png"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        (tmp_path / "folder.jpg").mkdir()
        assert list_images(tmp_path) == [tmp_path / name for name in ("a/c/d.webp", "a/z.png", "b.JPG")]

    def test_a_hidden_folder_above_the_searched_one_hides_nothing(self, tmp_path):
        folder = tmp_path / ".cache" / "photos"
        folder.mkdir(parents=True)
        (folder / "a.png").touch()
        assert list_images(folder) == [folder / "a.png"]


class TestResizeAndRounding:
    def test_the_shorter_side_gets_the_size_and_the_aspect_ratio_stays(self):
        assert resize_shorter_side(np.zeros((30, 60, 3), "uint8"), 20).shape == (20, 40, 3)
        assert resize_shorter_side(np.zeros((60, 30, 3), "uint8"), 45).shape == (90, 45, 3)

    def test_a_flat_image_keeps_its_color(self):
        image = resize_shorter_side(np.full((31, 47, 3), (9, 99, 199), "uint8"), 64)
        np.testing.assert_array_equal(image, np.broadcast_to(np.array([9, 99, 199]), image.shape))

    def test_floats_are_rounded_and_clipped(self):
        np.testing.assert_array_equal(to_uint8([-3.0, 0.4, 0.6, 254.7, 300.0]), [0, 0, 1, 255, 255])
        assert to_uint8([1.0]).dtype == np.uint8


class TestWriting:
    @pytest.mark.parametrize("suffix", ["png", "tif", "tiff", "PNG"])
    def test_lossless_formats_read_back_equal(self, tmp_path, suffix):
        image = noise(18, 25)
        write_image(tmp_path / f"a.{suffix}", image)
        np.testing.assert_array_equal(read_image(tmp_path / f"a.{suffix}"), image)

    @pytest.mark.parametrize(("suffix", "kind"), [("jpg", "JPEG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
    def test_lossy_formats_read_back_close_and_are_what_the_suffix_says(self, tmp_path, suffix, kind):
        image = np.full((32, 48, 3), (200, 100, 50), "uint8")
        write_image(tmp_path / f"a.{suffix}", image)
        np.testing.assert_allclose(read_image(tmp_path / f"a.{suffix}"), image, atol=4)
        with Image.open(tmp_path / f"a.{suffix}") as written:
            assert written.format == kind

    def test_a_full_disk_is_an_image_error_of_one_line(self, tmp_path, monkeypatch):
        def fail(_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(ImageError) as caught:
            write_image(tmp_path / "a.png", noise(4, 4))
        assert str(caught.value) == f"{tmp_path / 'a.png'}: cannot write (No space left on device)"

    def test_an_image_too_large_for_its_format_is_an_image_error_and_leaves_the_old_file(self, tmp_path):
        path = tmp_path / "a.webp"  # WebP ends at 16383 px
        path.write_bytes(b"old")
        with pytest.raises(ImageError, match="cannot write") as caught:
            write_image(path, np.zeros((1, 16384, 3), "uint8"))
        assert str(caught.value).startswith(f"{path}: ")
        assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]

    def test_a_folder_in_the_way_is_an_image_error_and_leaves_no_temporary_file(self, tmp_path):
        (tmp_path / "a.png").mkdir()
        with pytest.raises(ImageError, match=r"a\.png: cannot write"):
            write_image(tmp_path / "a.png", noise(4, 4))
        assert [path.name for path in tmp_path.iterdir()] == ["a.png"]

    def test_a_file_as_parent_folder_is_an_image_error(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(ImageError, match=r"a\.png: cannot write"):
            write_image(tmp_path / "file" / "a.png", noise(4, 4))

    @pytest.mark.parametrize(("name", "said"), [("a.txt", ".txt"), ("a", "a name without suffix"), ("a.gif", ".gif")])
    def test_other_suffixes_are_refused_with_a_hint(self, tmp_path, name, said):
        for refuse in (check_writable_suffix, lambda path: write_image(path, noise(4, 4))):
            with pytest.raises(ImageError) as caught:
                refuse(tmp_path / name)
            assert str(caught.value) == f"{tmp_path / name}: cannot write {said}; use .png or .jpg"
        assert not list(tmp_path.iterdir())
