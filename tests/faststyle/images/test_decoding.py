import io
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from faststyle.images.files import ImageError, open_rgb, read_image


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


def with_text(path: Path, megabytes: int) -> Path:
    """A small PNG with so much compressed text before its picture."""
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", "a" * (megabytes << 20), zip=True)
    return save(path, flat("RGB", (10, 20, 30)), pnginfo=text)


class TestWhatPhotosBecome:
    def test_a_png_with_megabytes_of_text_is_read(self, tmp_path):
        image = read_image(with_text(tmp_path / "a.png", 3))
        assert (image == (10, 20, 30)).all()

    def test_a_png_with_more_text_than_memory_should_take_is_not_called_damaged(self, tmp_path):
        assert error_line(with_text(tmp_path / "a.png", 65)) == "more than 64 MB of text beside its picture"

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
        assert error_line(path) == "more than 0.002 megapixels"

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
