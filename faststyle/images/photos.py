"""A photo with what belongs to it beside its colors: transparency, ICC profile, EXIF, XMP and resolution."""

import dataclasses
import math
from pathlib import Path

import numpy as np
from PIL import Image

from faststyle.images.color_profiles import to_rgb
from faststyle.images.decoding import open_image, orientation, to_8_bits, upright
from faststyle.images.exif import Dpi, carried_exif, exif_dpi
from faststyle.images.left_out import HEAD_BYTES, left_out
from faststyle.images.xmp import carried_xmp

MAX_MEGAPIXELS = 200.0
_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height


@dataclasses.dataclass(frozen=True)
class Photo:
    """An upright photo.

    Attributes:
        pixels: `[height, width, 3]` uint8 RGB. Where `alpha` is 0 they are white.
        alpha: `[height, width]` uint8, 255 is opaque; None is opaque everywhere.
        icc_profile: of the pixels; None is sRGB.
        exif: an EXIF block that fits the upright pixels.
        dpi: horizontal and vertical resolution.
        xmp: an XMP packet that fits the upright pixels.
        left_out: what its file has and this photo has not, in words.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    icc_profile: bytes | None = None
    exif: bytes | None = None
    dpi: Dpi | None = None
    xmp: bytes | None = None
    left_out: tuple[str, ...] = ()

    def over_white(self) -> np.ndarray:
        """`[height, width, 3]` uint8 as it looks on white paper."""
        if self.alpha is None:
            return self.pixels
        white = Image.new("RGB", self.alpha.shape[::-1], "white")
        return np.asarray(Image.composite(Image.fromarray(self.pixels), white, Image.fromarray(self.alpha)))


def read_photo(encoded: bytes | Path, *, name: str, max_megapixels: float = MAX_MEGAPIXELS) -> Photo:
    """Reads any photo: grayscale, palette, CMYK, Lab, 16 bits; see `Photo` for what comes out.

    Args:
        encoded: the file's bytes, or a path.
        name: named in errors.
        max_megapixels: larger ones are refused before they are decoded.

    Raises:
        ImageError: unreadable, truncated, empty, or too large.
    """
    with open_image(encoded, name=name, max_megapixels=max_megapixels) as image:
        image.load()  # some formats know their EXIF only now
        dpi = _dpi(image)
        exif = carried_exif(image, dpi)
        colors, alpha = _split_alpha(to_8_bits(upright(image)))
        rgb, profile = to_rgb(colors)
        if alpha is not None:
            rgb.paste("white", mask=alpha.point([255] + [0] * 255))
        plane = None if alpha is None else np.asarray(alpha)
        xmp, changes = carried_xmp(image), left_out(image, _head(encoded))
        return Photo(np.asarray(rgb), alpha=plane, icc_profile=profile, exif=exif, dpi=dpi, xmp=xmp, left_out=changes)


def _head(encoded: bytes | Path) -> bytes:
    if isinstance(encoded, bytes):
        return encoded[:HEAD_BYTES]
    with open(encoded, "rb") as file:
        return file.read(HEAD_BYTES)


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Colors and alpha plane; a plane that hides nothing is none."""
    if not (image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info):
        return image, None
    straight = image.convert({"RGBa": "RGBA", "La": "LA"}.get(image.mode, image.mode))
    rgba = straight.convert("RGBA")
    alpha = rgba.getchannel("A")
    colors = straight.convert("L") if straight.mode == "LA" else rgba.convert("RGB")
    colors.info["icc_profile"] = image.info.get("icc_profile")
    return colors, None if alpha.getextrema() == (255, 255) else alpha


def _dpi(image: Image.Image) -> Dpi | None:
    """The upright picture's resolution; None where the file names none that makes sense."""
    try:
        x, y = (float(value) for value in image.info["dpi"])
    except (LookupError, TypeError, ValueError, ArithmeticError):
        x, y = exif_dpi(image) or (0.0, 0.0)
    if not (math.isfinite(x) and math.isfinite(y) and 0 < x < 65536 and 0 < y < 65536):
        return None
    return (y, x) if orientation(image) in _SIDEWAYS else (x, y)
