"""Encoded images to pictures in memory: opened, checked for their size, upright; every defect of a file is one line."""

import contextlib
import io
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin, UnidentifiedImageError

from faststyle.images.heif import is_heif, register_heif
from faststyle.user_error import UserError

_MOST_TEXT_BYTES = 64 * 2**20
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8")  # of formats that are nothing else
_SIGNATURE_BYTES = max(map(len, _SIGNATURES))
_UPRIGHT_BY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageError(UserError):
    """An image that cannot be read or written; the message names the file and the reason in one line."""


class TooLargeError(ImageError):
    """An image of more pixels than are allowed."""


@contextlib.contextmanager
def open_image(encoded: bytes | Path, *, name: str, max_megapixels: float | None = None) -> Iterator[Image.Image]:
    """Opens an image, not yet decoded; whatever Pillow raises inside the block becomes an `ImageError`.

    Args:
        encoded: the file's bytes, or a path.
        name: named in errors.
        max_megapixels: refuse larger pictures. None leaves it to Pillow, whose own limit is 179.

    Raises:
        TooLargeError: too many pixels.
        ImageError: unreadable, truncated, or empty.
    """
    _raise_pillows_limits(max_megapixels)
    try:
        if is_heif(encoded):
            register_heif()
        with Image.open(io.BytesIO(encoded) if isinstance(encoded, bytes) else encoded) as image:
            if max_megapixels is not None and image.width * image.height > max_megapixels * 1e6:
                size = f"{image.width}x{image.height} px"
                raise TooLargeError(f"{name}: {size} is more than {max_megapixels:g} megapixels")
            yield image
    except (ImageError, MemoryError):
        raise
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file") from None
    except UnidentifiedImageError:
        damaged = _first_bytes(encoded).startswith(_SIGNATURES)
        reason = "damaged image (its header)" if damaged else "not an image, or of an unknown format"
        raise ImageError(f"{name}: {reason}") from None
    except Image.DecompressionBombError:
        most = max_megapixels or 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        raise TooLargeError(f"{name}: more than {most:.3g} megapixels") from None
    except ModuleNotFoundError:
        raise ImageError(f"{name}: HEIC needs `pip install pillow-heif`") from None
    except Exception as error:  # damaged files make Pillow's decoders raise nearly everything that there is
        reason = " ".join(str(error).split()) or type(error).__name__
        if "MAX_TEXT" in reason:
            raise ImageError(f"{name}: more than {_MOST_TEXT_BYTES >> 20} MB of text beside its picture") from None
        raise ImageError(f"{name}: damaged image ({reason})") from None


def _first_bytes(encoded: bytes | Path) -> bytes:
    if isinstance(encoded, bytes):
        return encoded[:_SIGNATURE_BYTES]
    with encoded.open("rb") as file:
        return file.read(_SIGNATURE_BYTES)


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 is upright."""
    value = image.getexif().get(ExifTags.Base.Orientation, 1)
    return value if value in _UPRIGHT_BY else 1


def upright(image: Image.Image) -> Image.Image:
    """As `ImageOps.exif_transpose`, which also rewrites the EXIF and fails where a camera wrote a tag it should not."""
    method = _UPRIGHT_BY.get(orientation(image))
    return image if method is None else image.transpose(method)


def to_8_bits(image: Image.Image) -> Image.Image:
    """A picture of 16 or 32 bits per pixel in 8 bits; 65535 becomes 255, and so does 1.0 in a picture of 0..1."""
    if not (image.mode in ("I", "F") or image.mode.startswith("I;16")):
        return image
    deep = np.nan_to_num(np.asarray(image, "float32"))
    largest = float(deep.max())
    if image.mode.startswith("I;16") or largest > 255:
        scale = 255.0 / 65535.0
    else:
        scale = 255.0 if image.mode == "F" and largest <= 1 else 1.0
    return Image.fromarray(to_uint8(deep * scale))


def to_uint8(image) -> np.ndarray:
    """Rounds an image in 0..255 of any float type to uint8."""
    return np.clip(np.rint(np.asarray(image, "float32")), 0, 255).astype("uint8")


def _raise_pillows_limits(max_megapixels: float | None) -> None:
    """Pillow holds one limit for the whole process, and refuses twice as many pixels, and PNGs with a MB of text.

    Programs that make pictures write as much about them.
    """
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = _MOST_TEXT_BYTES
    if Image.MAX_IMAGE_PIXELS is not None and max_megapixels is not None:
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, math.ceil(max_megapixels * 1e6 / 2))
