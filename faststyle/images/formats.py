"""The image formats that results can have, and how a photo is encoded in each."""

import dataclasses
import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin, features

from faststyle.images.decoding import ImageError
from faststyle.images.heif import HEIF_SUFFIXES, heif_available, register_heif
from faststyle.images.photos import Photo

READABLE_SUFFIXES = (*(".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif"), *HEIF_SUFFIXES)


@dataclasses.dataclass(frozen=True)
class ImageFormat:
    """A format to write.

    Attributes:
        pillow_name: what Pillow calls it.
        suffixes: of its files; the first one is given to new files.
        has_alpha: whether it can be transparent.
        quality: 1 to 100 where it has one, as we choose it; None for lossless formats.
        options: further ones for Pillow.
    """

    pillow_name: str
    suffixes: tuple[str, ...]
    has_alpha: bool = True
    quality: int | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=lambda: MappingProxyType({}))


# Painted pictures are full of colored edges: JPEG's halved color resolution would show. They repeat nothing either, so
# that PNG's search for repetitions takes twice as long for 5 % larger files. TIFF stays uncompressed: Pillow cannot
# compress one that holds a camera's EXIF.
FORMATS = {
    "png": ImageFormat("PNG", (".png",), options={"compress_type": zlib.Z_RLE}),
    "jpg": ImageFormat("JPEG", (".jpg", ".jpeg"), has_alpha=False, quality=95, options={"subsampling": "4:4:4"}),
    "webp": ImageFormat("WEBP", (".webp",), quality=95),
    "tiff": ImageFormat("TIFF", (".tiff", ".tif")),
    "avif": ImageFormat("AVIF", (".avif",), quality=85, options={"speed": 8}),
    "heic": ImageFormat("HEIF", HEIF_SUFFIXES, quality=85),
}


def format_of(path: Path) -> ImageFormat:
    """The format that a file's suffix says.

    Raises:
        ImageError: no image can be written under this name.
    """
    for name, image_format in FORMATS.items():
        if path.suffix.lower() in image_format.suffixes:
            if not _available(name):
                raise ImageError(f"{path}: cannot write {path.suffix}; {_MISSING[name]}")
            return image_format
    raise ImageError(f"{path}: cannot write {path.suffix or 'a name without suffix'}; use .png or .jpg")


def encode(photo: Photo, image_format: ImageFormat, *, quality: int | None = None) -> bytes:
    """A photo as the bytes of an image file; without transparency in the format it is laid over white.

    Args:
        photo: to encode.
        image_format: one of `FORMATS`.
        quality: 1 to 100, for formats that have one; None is the format's own default.

    Raises:
        ValueError, OSError: from Pillow or an encoder, e.g. more pixels than the format can hold.
    """
    if image_format.pillow_name == "HEIF":
        register_heif()
    options = dict(image_format.options)
    if image_format.quality is not None:
        options["quality"] = quality or image_format.quality
    for name in ("icc_profile", "exif", "dpi"):
        if getattr(photo, name) is not None:
            options[name] = getattr(photo, name)
    if photo.xmp is not None:
        options |= _xmp_options(photo.xmp, photo.exif, image_format.pillow_name)
    buffer = io.BytesIO()
    try:
        _picture(photo, image_format).save(buffer, format=image_format.pillow_name, **options)
    except RuntimeError as error:  # HEIC's, e.g. of a side above 8192 px
        raise ValueError(str(error)) from error
    return buffer.getvalue()


def _xmp_options(xmp: bytes, exif: bytes | None, pillow_name: str) -> dict[str, Any]:
    """How Pillow takes XMP."""
    if pillow_name == "PNG":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", xmp.decode())
        return {"pnginfo": chunks}
    if pillow_name == "TIFF":
        tags = Image.Exif()
        tags.load(exif or b"")
        tags[ExifTags.Base.XMLPacket] = xmp
        return {"exif": tags}
    return {"xmp": xmp}


def _picture(photo: Photo, image_format: ImageFormat) -> Image.Image:
    if photo.alpha is None or not image_format.has_alpha:
        return Image.fromarray(photo.over_white())
    picture = Image.fromarray(photo.pixels).convert("RGBA")
    picture.putalpha(Image.fromarray(photo.alpha))
    return picture


_MISSING = {"avif": "this Pillow was built without AVIF", "heic": "HEIC needs `pip install pillow-heif`"}


def _available(name: str) -> bool:
    if name == "heic":
        return heif_available()
    return name != "avif" or bool(features.check("avif"))
