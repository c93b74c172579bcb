import io
import struct

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, features
from PIL.PngImagePlugin import PngInfo

from faststyle.images.decoding import ImageError, TooLargeError
from faststyle.images.formats import FORMATS, encode, format_of
from faststyle.images.heif import heif_available, register_heif
from faststyle.images.photos import Photo, read_photo

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
WITH_ALPHA = [name for name in ("png", "webp", "tiff") if FORMATS[name].has_alpha]


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype="uint8")


def round_trip(photo: Photo, name: str) -> Photo:
    return read_photo(encode(photo, FORMATS[name]), name="result")


def test_texts_hidden_in_a_png_are_not_carried_on():
    texts = PngInfo()
    texts.add_text("Comment", "<script>alert(1)</script>")
    texts.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>secret</x:xmpmeta>")
    png = encoded(Image.fromarray(noise(18, 25)), "PNG", pnginfo=texts)
    assert {"Comment", "XML:com.adobe.xmp"} <= Image.open(io.BytesIO(png)).info.keys()
    result = encode(read_photo(png, name="a"), FORMATS["png"])
    assert Image.open(io.BytesIO(result)).info == {}


class TestAlpha:
    @pytest.mark.parametrize("name", WITH_ALPHA)
    def test_it_is_carried_where_the_format_has_it(self, name):
        pixels = noise(18, 25, 4)
        photo = read_photo(encoded(Image.fromarray(pixels), "PNG"), name="a")
        np.testing.assert_array_equal(photo.alpha, pixels[..., 3])
        np.testing.assert_array_equal(round_trip(photo, name).alpha, pixels[..., 3])

    def test_half_transparent_colors_stay_and_fully_transparent_ones_are_white(self):
        pixels = np.array([[[10, 20, 30, 128], [10, 20, 30, 0], [10, 20, 30, 255]]], "uint8")
        photo = read_photo(encoded(Image.fromarray(pixels), "PNG"), name="a")
        np.testing.assert_array_equal(photo.pixels, [[[10, 20, 30], [255, 255, 255], [10, 20, 30]]])

    def test_a_jpeg_is_laid_over_white(self):
        pixels = np.full((16, 16, 3), (100, 0, 200), "uint8")
        result = round_trip(Photo(pixels, alpha=np.full((16, 16), 51, "uint8")), "jpg")
        assert result.alpha is None
        np.testing.assert_allclose(result.pixels, np.broadcast_to([224, 204, 244], pixels.shape), atol=2)

    @pytest.mark.parametrize("mode", ["RGB", "RGBA"])
    def test_an_opaque_photo_has_none(self, mode):
        assert read_photo(encoded(Image.new(mode, (8, 8), "white"), "PNG"), name="a").alpha is None

    def test_a_palettes_transparent_color_is_transparent(self):
        picture = Image.new("P", (2, 1))
        picture.putpalette([200, 10, 20, 0, 0, 0])
        picture.putpixel((1, 0), 1)
        photo = read_photo(encoded(picture, "GIF", transparency=1), name="a")
        np.testing.assert_array_equal(photo.alpha, [[255, 0]])

    def test_it_turns_with_the_photo(self):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 6
        photo = read_photo(encoded(Image.fromarray(noise(6, 9, 4)), "PNG", exif=exif), name="a")
        assert photo.alpha.shape == photo.pixels.shape[:2] == (9, 6)


class TestColors:
    @pytest.mark.parametrize("name", ["png", "jpg", "webp", "tiff"])
    def test_an_rgb_profile_stays_with_its_pixels(self, name):
        photo = read_photo(encoded(Image.fromarray(noise(8, 9)), "PNG", icc_profile=SRGB), name="a")
        assert photo.icc_profile == SRGB
        np.testing.assert_array_equal(photo.pixels, noise(8, 9))
        assert round_trip(photo, name).icc_profile == SRGB

    def test_a_damaged_profile_is_left_out(self):
        photo = read_photo(encoded(Image.fromarray(noise(8, 9)), "PNG", icc_profile=b"no profile"), name="a")
        assert photo.icc_profile is None

    def test_lab_becomes_srgb(self):
        lab = ImageCms.profileToProfile(
            Image.new("RGB", (8, 8), (200, 100, 50)),
            ImageCms.createProfile("sRGB"),
            ImageCms.createProfile("LAB"),
            outputMode="LAB",
        )
        photo = read_photo(encoded(lab, "TIFF"), name="a")
        np.testing.assert_allclose(photo.pixels[0, 0], [200, 100, 50], atol=4)
        assert photo.icc_profile is None

    def test_gray_with_a_profile_is_converted_by_its_curve(self):
        photo = read_photo(encoded(Image.new("L", (8, 8), 128), "PNG", icc_profile=gray_profile(gamma=1.0)), name="a")
        linear = 128 / 255
        srgb = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
        np.testing.assert_allclose(photo.pixels[0, 0], [srgb] * 3, atol=2)
        assert photo.icc_profile is None

    @pytest.mark.parametrize("ink", [(0, 0, 0, 0), (255, 0, 0, 0), (30, 60, 90, 10)])
    def test_cmyk_without_profile_is_plain_ink(self, ink):
        photo = read_photo(encoded(Image.new("CMYK", (16, 16), ink), "JPEG", quality=95), name="a")
        c, m, y, k = (1 - value / 255 for value in ink)
        expected = np.broadcast_to([255 * c * k, 255 * m * k, 255 * y * k], photo.pixels.shape)
        np.testing.assert_allclose(photo.pixels, expected, atol=4)

    def test_cmyk_with_an_rgb_profile_takes_no_harm(self):
        photo = read_photo(encoded(Image.new("CMYK", (16, 16)), "TIFF", icc_profile=gray_profile(gamma=1)), name="a")
        np.testing.assert_array_equal(photo.pixels, np.full((16, 16, 3), 255))
        assert photo.icc_profile is None


def gray_profile(gamma: float) -> bytes:
    """The smallest gray display profile: a white point and one curve (ICC.1:2010)."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * v) for v in (0.9642, 1.0, 0.8249)))
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * gamma)) + b"\0\0"
    offset = 128 + 4 + 2 * 12
    table = struct.pack(">I", 2) + struct.pack(">4sII4sII", b"wtpt", offset, 20, b"kTRC", offset + 20, 14)
    header = struct.pack(">I4sI4s4s4s", offset + 36, b"\0" * 4, 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + white[8:] + b"\0" * 48
    return header + table + white + curve


class TestExif:
    def photo(self, kind: str = "JPEG", **tags) -> Photo:
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 6
        exif[ExifTags.Base.Make] = "Camera"
        exif[ExifTags.IFD.Exif] = {
            ExifTags.Base.ExposureTime: 0.01,
            ExifTags.Base.MakerNote: b"secret preview",
            ExifTags.Base.ExifImageWidth: 20,
        }
        exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (48.0, 51.0, 29.5)}
        return read_photo(encoded(Image.new("RGB", (20, 10)), kind, exif=exif.tobytes(), **tags), name="a")

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
    @pytest.mark.parametrize("name", ["jpg", "png", "webp", "tiff"])
    def test_who_when_and_where_are_carried_and_the_orientation_is_not(self, kind, name):
        result = Image.open(io.BytesIO(encode(self.photo(kind), FORMATS[name])))
        exif = result.getexif()
        assert result.size == (10, 20)
        assert exif.get(ExifTags.Base.Orientation, 1) == 1
        assert exif[ExifTags.Base.Make] == "Camera"
        details = exif.get_ifd(ExifTags.IFD.Exif)
        assert float(details[ExifTags.Base.ExposureTime]) == pytest.approx(0.01)
        assert ExifTags.Base.MakerNote not in details
        assert ExifTags.Base.ExifImageWidth not in details
        assert [float(v) for v in exif.get_ifd(ExifTags.IFD.GPSInfo)[2]] == [48, 51, 29.5]

    @pytest.mark.parametrize("name", ["jpg", "png", "webp"])
    def test_adobe_rgb_as_cameras_tell_it_without_a_profile_is_carried(self, name):
        exif = Image.Exif()
        exif[ExifTags.IFD.Exif] = {ExifTags.Base.ColorSpace: 65535, ExifTags.IFD.Interop: {1: "R03", 2: b"0100"}}
        photo = read_photo(encoded(Image.new("RGB", (8, 8)), "JPEG", exif=exif.tobytes()), name="a")
        result = Image.open(io.BytesIO(encode(photo, FORMATS[name]))).getexif()
        assert result.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] == 65535
        assert result.get_ifd(ExifTags.IFD.Interop)[1] == "R03"

    def test_no_thumbnail_of_the_old_picture_is_kept(self):
        exif = Image.Exif()
        exif[ExifTags.Base.Make] = "Camera"
        block = exif.tobytes() + struct.pack("<HHHII", 1, ExifTags.Base.Compression, 3, 1, 6)
        photo = read_photo(encoded(Image.new("RGB", (8, 8)), "JPEG", exif=block), name="a")
        result = Image.open(io.BytesIO(encode(photo, FORMATS["jpg"])))
        assert not result.getexif().get_ifd(ExifTags.IFD.IFD1)

    def test_a_tag_that_cannot_be_written_is_dropped_alone(self):
        exif = Image.Exif()
        exif[ExifTags.Base.Artist], exif[ExifTags.Base.ImageDescription] = "Ada", "hello"
        exif[ExifTags.Base.Copyright] = 100 * "c"  # room for the bytes that six fractions take
        content = encoded(Image.new("RGB", (8, 8)), "JPEG", exif=exif)
        description, odd = b"\x01\x0e\x00\x02", b"\x01\x0e\x00\x05"  # text where fractions are announced
        assert content.count(description) == 1
        photo = read_photo(content.replace(description, odd), name="a")
        result = Image.open(io.BytesIO(encode(photo, FORMATS["png"])))
        assert result.getexif()[ExifTags.Base.Artist] == "Ada"
        assert ExifTags.Base.ImageDescription not in result.getexif()

    def test_a_photo_without_exif_gets_none(self):
        assert read_photo(encoded(Image.new("RGB", (8, 8)), "PNG"), name="a").exif is None

    def test_too_much_for_a_jpeg_is_left_out(self):
        photo = self.photo("PNG")
        exif = Image.Exif()
        exif[ExifTags.Base.ImageDescription] = "x" * 70_000
        photo = read_photo(encoded(Image.new("RGB", (8, 8)), "PNG", exif=exif), name="a")
        assert photo.exif is None


class TestResolution:
    @pytest.mark.parametrize("name", ["jpg", "png", "tiff", "webp"])
    def test_it_is_carried(self, name):
        photo = read_photo(encoded(Image.new("RGB", (8, 8)), "TIFF", dpi=(300, 150)), name="a")
        assert photo.dpi == pytest.approx((300, 150))
        assert round_trip(photo, name).dpi == pytest.approx((300, 150), abs=0.5)

    def test_it_turns_with_the_photo(self):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 8
        content = encoded(Image.new("RGB", (8, 8)), "JPEG", dpi=(300, 150), exif=exif)
        assert read_photo(content, name="a").dpi == (150, 300)

    def test_per_centimeter_is_understood(self):
        exif = Image.Exif()
        exif[ExifTags.Base.XResolution] = exif[ExifTags.Base.YResolution] = 100.0
        exif[ExifTags.Base.ResolutionUnit] = 3
        photo = read_photo(encoded(Image.new("RGB", (8, 8)), "WEBP", exif=exif), name="a")
        assert photo.dpi == pytest.approx((254, 254))


class TestFormats:
    @pytest.mark.parametrize("kind", ["avif", "heic"])
    def test_modern_formats_are_read_and_written(self, kind, tmp_path):
        if (kind == "heic" and not heif_available()) or (kind == "avif" and not features.check("avif")):
            pytest.skip(f"{kind} is not installed")
        pixels = np.full((32, 48, 3), (200, 100, 50), "uint8")
        content = encode(Photo(pixels, alpha=np.full((32, 48), 100, "uint8")), FORMATS[kind])
        (tmp_path / "a").write_bytes(content)
        for photo in (read_photo(content, name="a"), read_photo(tmp_path / "a", name="a")):
            np.testing.assert_allclose(photo.pixels, pixels, atol=6)
            np.testing.assert_allclose(photo.alpha, 100, atol=3)

    def test_a_turned_heic_is_turned_once(self):
        if not heif_available():
            pytest.skip("heic is not installed")
        register_heif()
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 6
        assert read_photo(encoded(Image.new("RGB", (64, 32)), "HEIF", exif=exif.tobytes()), name="a").pixels.shape == (
            64,
            32,
            3,
        )

    def test_heic_without_its_package_says_what_to_install(self, monkeypatch, tmp_path):
        def missing():
            raise ModuleNotFoundError

        monkeypatch.setattr("faststyle.images.decoding.register_heif", missing)
        with pytest.raises(ImageError, match="a: HEIC needs `pip install pillow-heif`"):
            read_photo(b"\0\0\0\x1cftypheic" + b"\0" * 20, name="a")
        monkeypatch.setattr("faststyle.images.formats.heif_available", lambda: False)
        with pytest.raises(ImageError, match=r"cannot write \.heic; HEIC needs"):
            format_of(tmp_path / "a.heic")

    def test_quality_makes_files_smaller(self):
        photo = Photo(noise(64, 64))
        for name in ("jpg", "webp"):
            sizes = [len(encode(photo, FORMATS[name], quality=quality)) for quality in (20, 60, None)]
            assert sizes == sorted(sizes)
            assert sizes[0] < 0.7 * sizes[2]


class TestSize:
    def test_more_megapixels_than_allowed_are_refused(self):
        content = encoded(Image.new("L", (2000, 1000)), "PNG")
        with pytest.raises(ImageError, match="a: 2000x1000 px is more than 1.5 megapixels"):
            read_photo(content, name="a", max_megapixels=1.5)
        assert read_photo(content, name="a", max_megapixels=2).pixels.shape == (1000, 2000, 3)

    def test_the_limit_may_be_above_pillows_own(self, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
        content = encoded(Image.new("L", (200, 100)), "PNG")
        assert read_photo(content, name="a", max_megapixels=0.02).pixels.shape == (100, 200, 3)

    def test_far_more_than_pillow_allows_are_refused_in_our_words(self, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
        content = encoded(Image.new("L", (2000, 1000)), "PNG")
        with pytest.raises(TooLargeError, match="^a: more than 0.5 megapixels$"):
            read_photo(content, name="a", max_megapixels=0.5)

    def test_16_bits_are_scaled(self):
        deep = np.array([[0, 255, 257, 25700, 65535]], "uint16")
        photo = read_photo(encoded(Image.fromarray(deep), "PNG"), name="a")
        np.testing.assert_array_equal(photo.pixels[0, :, 0], [0, 1, 1, 100, 255])

    def test_floats_of_0_to_1_are_scaled(self):
        photo = read_photo(encoded(Image.fromarray(np.array([[0, 0.5, 1]], "float32")), "TIFF"), name="a")
        np.testing.assert_array_equal(photo.pixels[0, :, 0], [0, 128, 255])
