import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, features

from faststyle.images.formats import FORMATS, encode
from faststyle.images.heif import heif_available, register_heif
from faststyle.images.photos import Photo, read_photo

MOTION = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{rdf}"><rdf:Description {tag}/></rdf:RDF></x:xmpmeta>'
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def left_out(content: bytes) -> tuple[str, ...]:
    return read_photo(content, name="a").left_out


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pictures(mode: str = "RGB") -> list[Image.Image]:
    return [Image.new(mode, (32, 32), color) for color in ("red", "green", "blue")]


def deep_png(color_type: int, channels: int) -> bytes:
    """16 bits per channel, which Pillow cannot write: a red, or a half-transparent gray."""
    rows = b"".join(b"\0" + struct.pack(f">{channels}H", 65535, *[0x8000] * (channels - 1)) * 16 for _ in range(16))
    header = struct.pack(">IIBBBBB", 16, 16, 16, color_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(("color_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_16_bits_of_a_png_become_8_with_a_word(color_type, channels):
    photo = read_photo(deep_png(color_type, channels), name="a")
    assert photo.left_out == ("16 bits per color became 8",)
    assert photo.pixels[0, 0].tolist() == {1: [255] * 3, 2: [255] * 3}.get(channels, [255, 128, 128])
    assert (photo.alpha is None) == (channels in (1, 3))


def test_16_bits_of_a_tiff_become_8_with_a_word():
    tifffile = pytest.importorskip("tifffile")
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.full((16, 16, 3), 25700, "uint16"), photometric="rgb")
    photo = read_photo(buffer.getvalue(), name="a")
    assert photo.left_out == ("16 bits per color became 8",)
    np.testing.assert_array_equal(photo.pixels, np.full((16, 16, 3), 100))
    assert left_out(encoded(Image.fromarray(np.zeros((8, 8), "uint16")), "TIFF")) == ("16 bits per color became 8",)
    assert left_out(encoded(Image.fromarray(np.zeros((8, 8), "float32")), "TIFF")) == ("32 bits per color became 8",)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "AVIF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "LA"])
def test_an_ordinary_photo_loses_nothing(kind, mode):
    if (kind == "AVIF" and not features.check("avif")) or (kind == "JPEG" and mode == "LA"):
        pytest.skip(f"{kind} is not installed, or has no {mode}")
    assert left_out(encoded(Image.new(mode, (16, 16), "white"), kind)) == ()


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("CMYK", "TIFF"), ("LAB", "TIFF")])
def test_other_color_spaces_become_rgb_with_a_word(mode, kind):
    assert left_out(encoded(Image.new(mode, (16, 16)), kind)) == (f"{mode} became RGB",)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("TIFF", "only its first page"),
        ("MPO", "only its first picture"),
        ("PNG", "only its first frame"),
        ("WEBP", "only its first frame"),
        ("GIF", "only its first frame"),
        ("AVIF", "only its first frame"),
    ],
)
def test_of_several_pictures_the_first_is_taken_with_a_word(kind, words):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("avif is not installed")
    first, *others = pictures()
    photo = read_photo(encoded(first, kind, save_all=True, append_images=others), name="a")
    assert photo.left_out == (words,)
    np.testing.assert_allclose(photo.pixels[0, 0].astype(int), [255, 0, 0], atol=4)


def test_a_cameras_preview_is_no_picture_of_its_own():
    first, second, _ = pictures()
    content = encoded(first, "MPO", save_all=True, append_images=[second])
    entries = content.index(struct.pack("<HH", 0xB002, 7))
    second_entry = content.index(b"MPF\0") + 4 + struct.unpack_from("<I", content, entries + 8)[0] + 16
    preview = bytearray(content)
    preview[second_entry : second_entry + 4] = struct.pack("<I", 0x010002)  # Large Thumbnail (Full HD Equivalent)
    assert left_out(bytes(preview)) == ()
    assert left_out(content) == ("only its first picture",)


def test_a_damaged_second_frame_does_no_harm():
    first, *others = pictures()
    content = encoded(first, "GIF", save_all=True, append_images=others)
    assert read_photo(content[:-40], name="a").pixels.shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ('xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"', "without its HDR gain map"),
        ('xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1"', "without its motion clip"),
        ('xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MicroVideo="1"', "without its motion clip"),
    ],
)
def test_what_phones_put_behind_a_jpeg_is_left_out_with_a_word_and_not_announced(tag, words):
    content = encoded(Image.new("RGB", (16, 16)), "JPEG", xmp=MOTION.format(rdf=RDF, tag=tag).encode())
    photo = read_photo(content + b"\0\0\0\x18ftypmp42", name="a")
    assert photo.left_out == (words,)
    assert photo.xmp is None


def test_a_phones_heic_has_its_gain_map_named(monkeypatch):
    if not heif_available():
        pytest.skip("heic is not installed")
    register_heif()
    content = encoded(Image.new("RGB", (64, 32)), "HEIF")
    assert left_out(content) == ()
    opened = Image.open

    def with_gain_map(file):
        image = opened(file)
        image.info["aux"] = {"urn:com:apple:photo:2020:aux:hdrgainmap": [2]}
        return image

    monkeypatch.setattr(Image, "open", with_gain_map)
    assert left_out(content) == ("without its HDR gain map",)


def test_ten_bits_and_hdr_of_a_heic_are_named():
    pillow_heif = pytest.importorskip("pillow_heif")
    heif = pillow_heif.from_bytes("RGB;16", (32, 32), np.full((32, 32, 3), 30000, "uint16").tobytes())
    buffer = io.BytesIO()
    heif.save(buffer, color_primaries=9, transfer_characteristics=16, matrix_coefficients=9, full_range_flag=1)
    assert left_out(buffer.getvalue()) == ("10 bits per color became 8", "HDR (PQ) is taken as SDR")


def test_ten_bits_and_hdr_of_an_avif_are_named(tmp_path):
    av = pytest.importorskip("av")
    from tests.infer.stylize.clips import blocks, write_clip

    if not features.check("avif"):
        pytest.skip("avif is not installed")
    tags = {"colorspace": 9, "color_range": 1, "color_primaries": 9, "color_trc": 18}
    assert "avif" in av.formats_available
    path = write_clip(tmp_path / "a.avif", [blocks()], codec="libsvtav1", pixels="yuv420p10le", options={}, **tags)
    assert left_out(path.read_bytes()) == ("10 bits per color became 8", "HDR (HLG) is taken as SDR")


def test_results_have_nothing_left_out():
    for name in ("png", "jpg", "webp", "tiff"):
        assert left_out(encode(Photo(np.zeros((16, 16, 3), "uint8")), FORMATS[name])) == ()
