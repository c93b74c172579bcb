import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from infer.images.files import (
    ImageError,
    check_writable_suffix,
    list_images,
    open_rgb,
    read_image,
    resize_shorter_side,
    to_uint8,
    write_image,
)

# The EXIF standard's definition: on which visual side the stored picture's 0th row and 0th column lie.
EXIF_SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def save(path: Path, image: Image.Image, **options) -> Path:
    image.save(path, **options)
    return path


def flat(mode: str, color, size=(20, 17)) -> Image.Image:
    return Image.new(mode, size, color)


def noise(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype="uint8")


def error_line(path: Path) -> str:
    """The message of the error that reading `path` raises, after checking that it is one line and names the file."""
    with pytest.raises(ImageError) as caught:
        read_image(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


class TestWhatPhotosBecome:
    def test_a_png_keeps_every_pixel(self, tmp_path):
        pixels = noise(7, 11)
        image = read_image(save(tmp_path / "a.png", Image.fromarray(pixels)))
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, pixels)

    def test_grey_becomes_three_equal_channels(self, tmp_path):
        grey = noise(9, 5)[..., 0]
        image = read_image(save(tmp_path / "grey.png", Image.fromarray(grey)))
        np.testing.assert_array_equal(image, np.stack([grey] * 3, axis=-1))

    def test_black_and_white_of_one_bit_becomes_0_and_255(self, tmp_path):
        picture = Image.new("1", (2, 1))
        picture.putpixel((1, 0), 1)
        np.testing.assert_array_equal(read_image(save(tmp_path / "bits.png", picture)), [[[0] * 3, [255] * 3]])

    def test_a_palette_gives_its_colors_and_its_transparent_color_is_white(self, tmp_path):
        picture = Image.new("P", (3, 1))
        picture.putpalette([200, 10, 20, 0, 0, 0, 5, 90, 250])
        for x in range(3):
            picture.putpixel((x, 0), x)
        image = read_image(save(tmp_path / "palette.png", picture, transparency=1))
        np.testing.assert_array_equal(image, [[[200, 10, 20], [255, 255, 255], [5, 90, 250]]])

    @pytest.mark.parametrize(
        ("alpha", "expected"),
        [(255, [100, 0, 200]), (0, [255, 255, 255]), (51, [224, 204, 244])],  # 0.2 of the color and 0.8 of white
    )
    def test_alpha_is_laid_over_white(self, tmp_path, alpha, expected):
        image = read_image(save(tmp_path / "a.png", flat("RGBA", (100, 0, 200, alpha))))
        assert image.shape == (17, 20, 3)
        np.testing.assert_allclose(image, np.broadcast_to(expected, image.shape), atol=1)

    def test_grey_with_alpha_is_laid_over_white(self, tmp_path):
        image = read_image(save(tmp_path / "a.png", flat("LA", (100, 51))))
        np.testing.assert_allclose(image, np.full((17, 20, 3), 224), atol=1)

    @pytest.mark.parametrize(
        ("ink", "expected"),
        [((0, 0, 0, 0), [255] * 3), ((255, 0, 0, 0), [0, 255, 255]), ((0, 0, 0, 255), [0] * 3)],
    )
    def test_cmyk_jpeg_becomes_the_light_that_its_ink_leaves(self, tmp_path, ink, expected):
        image = read_image(save(tmp_path / "print.jpg", flat("CMYK", ink), quality=95))
        np.testing.assert_allclose(image, np.broadcast_to(expected, image.shape), atol=3)

    def test_16_bits_are_scaled_so_that_65535_is_255(self, tmp_path):
        deep = np.array([[0, 255, 257, 25700, 65535]], "uint16")
        image = read_image(save(tmp_path / "deep.png", Image.fromarray(deep)))
        np.testing.assert_array_equal(image[0, :, 0], [0, 1, 1, 100, 255])

    def test_a_nearly_black_picture_of_16_bits_stays_nearly_black(self, tmp_path):
        image = read_image(save(tmp_path / "night.png", Image.fromarray(np.full((4, 4), 255, "uint16"))))
        assert image.max() == 1

    def test_a_single_pixel_is_an_image(self, tmp_path):
        image = read_image(save(tmp_path / "dot.png", flat("RGB", (1, 2, 3), (1, 1))))
        np.testing.assert_array_equal(image, [[[1, 2, 3]]])

    @pytest.mark.parametrize("suffix", ["png", "jpg"])
    @pytest.mark.parametrize("orientation", EXIF_SIDES)
    def test_exif_orientation_is_undone(self, tmp_path, orientation, suffix):
        blocks = np.array([[[250, 10, 10], [10, 250, 10], [10, 10, 250]], [[240] * 3, [120] * 3, [10] * 3]], "uint8")
        upright = blocks.repeat(16, axis=0).repeat(16, axis=1)
        row, column = EXIF_SIDES[orientation]
        stored = upright.swapaxes(0, 1) if row in ("left", "right") else upright
        stored = stored[::-1] if row in ("bottom", "right") else stored
        stored = stored[:, ::-1] if column in ("bottom", "right") else stored
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        options = {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
        path = save(tmp_path / f"a.{suffix}", Image.fromarray(np.ascontiguousarray(stored)), exif=exif, **options)
        np.testing.assert_allclose(read_image(path).astype(int), upright.astype(int), atol=4)

    def test_an_odd_exif_tag_beside_the_orientation_is_no_reason_to_refuse_a_photo(self):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation], exif[ExifTags.Base.ImageDescription] = 6, "hello"
        buffer = io.BytesIO()
        flat("RGB", (200, 100, 50), (32, 16)).save(buffer, "JPEG", exif=exif)
        description, number = b"\x01\x0e\x00\x02", b"\x01\x54\x00\x02"  # text where a number belongs
        assert buffer.getvalue().count(description) == 1
        image = open_rgb(buffer.getvalue().replace(description, number), name="a")
        assert image.size == (16, 32)

    def test_a_jpeg_may_be_decoded_smaller_but_no_side_falls_below_the_draft_size(self):
        buffer = io.BytesIO()
        flat("RGB", (200, 100, 50), (640, 400)).save(buffer, "JPEG")
        image = open_rgb(buffer.getvalue(), name="a", draft_size_px=100)
        assert image.size == (160, 100)
        np.testing.assert_allclose(np.asarray(image)[0, 0], [200, 100, 50], atol=3)


class TestWhatCannotBeRead:
    def test_a_truncated_jpeg_is_damaged(self, tmp_path):
        path = save(tmp_path / "half.jpg", Image.fromarray(noise(64, 64)))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert error_line(path).startswith("damaged image (")

    def test_an_empty_file_is_not_an_image(self, tmp_path):
        (tmp_path / "empty.jpg").touch()
        assert error_line(tmp_path / "empty.jpg") == "not an image, or of an unknown format"

    def test_text_named_jpg_is_not_an_image(self, tmp_path):
        (tmp_path / "text.jpg").write_text("not\na\nphoto\n")
        assert error_line(tmp_path / "text.jpg") == "not an image, or of an unknown format"

    def test_a_directory_named_jpg_is_said_to_be_a_directory(self, tmp_path):
        (tmp_path / "folder.jpg").mkdir()
        assert "directory" in error_line(tmp_path / "folder.jpg")

    def test_a_missing_file_is_said_to_be_missing(self, tmp_path):
        assert error_line(tmp_path / "nowhere.jpg") == "no such file"

    def test_a_file_that_the_system_refuses_to_open_is_an_image_error(self, tmp_path):
        assert "too long" in error_line(tmp_path / ("x" * 300 + ".jpg"))

    def test_an_absurdly_large_picture_is_refused(self, tmp_path, monkeypatch):
        path = save(tmp_path / "bomb.png", flat("L", 0, (64, 64)))
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
        assert "4096 pixels" in error_line(path)

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "GIF", "WEBP", "BMP"])
    def test_damage_at_any_place_gives_an_image_or_an_image_error_of_one_line(self, kind):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 6
        buffer = io.BytesIO()
        Image.fromarray(noise(24, 20)).save(buffer, kind, **({} if kind in ("GIF", "BMP") else {"exif": exif}))
        whole, random, refused = buffer.getvalue(), np.random.default_rng(0), 0
        for trial in range(150):
            damaged = bytearray(whole)
            for position in random.integers(0, min(len(whole), 200 if trial % 2 else len(whole)), 6):
                damaged[position] = random.integers(256)
            try:
                open_rgb(bytes(damaged[: random.integers(len(whole) // 2, len(whole))]), name="photo")
            except ImageError as error:
                refused += 1
                assert str(error).startswith("photo: ")
                assert "\n" not in str(error)
        assert refused > 20


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
