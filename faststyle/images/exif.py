"""What a result keeps of its photo's EXIF: who, when, where and how; nothing that describes the old file.

Left out are the orientation (pixels are upright), the thumbnail and the maker's note (it often holds a preview and
breaks when moved), and of a TIFF the tags that describe its own storage.
"""

import struct

from PIL import ExifTags, Image

_DESCRIPTIVE = (
    *(ExifTags.Base.ImageDescription, ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.Software),
    *(ExifTags.Base.DateTime, ExifTags.Base.Artist, ExifTags.Base.Copyright, ExifTags.Base.Rating),
    *(ExifTags.Base.XPTitle, ExifTags.Base.XPComment, ExifTags.Base.XPAuthor, ExifTags.Base.XPKeywords),
    ExifTags.Base.XPSubject,
)
_WIDTH, _HEIGHT = ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight
_LEFT_OUT = (ExifTags.Base.MakerNote, ExifTags.IFD.Interop, _WIDTH, _HEIGHT)
_ADOBE_RGB = {1: "R03", 2: b"0100"}  # how cameras say that, without any ICC profile (DCF 2.0)
_INCH, _CENTIMETER = 2, 3
_LARGEST_BYTES = 65_000  # a JPEG holds them in one segment of 64 KiB
_UNWRITABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError, RuntimeError, struct.error)

Dpi = tuple[float, float]


def carried_exif(image: Image.Image, dpi: Dpi | None) -> bytes | None:
    """The EXIF block for a result with this image's pixels made upright; None where there is nothing to tell.

    Args:
        image: as opened, with its EXIF.
        dpi: horizontal and vertical resolution of the result.
    """
    source = image.getexif()
    kept = _writable({tag: source[tag] for tag in _DESCRIPTIVE if tag in source})
    for ifd in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        entries = _writable({tag: value for tag, value in _entries(source, ifd).items() if tag not in _LEFT_OUT})
        if entries:
            kept[ifd] = entries
    if ExifTags.IFD.Exif in kept and _entries(source, ExifTags.IFD.Interop).get(1) == _ADOBE_RGB[1]:
        kept[ExifTags.IFD.Exif][ExifTags.IFD.Interop] = _ADOBE_RGB
    if dpi:
        resolution = {ExifTags.Base.XResolution: dpi[0], ExifTags.Base.YResolution: dpi[1]}
        kept.update({**resolution, ExifTags.Base.ResolutionUnit: _INCH})
    if not kept:
        return None
    encoded = _encode(kept)
    return encoded if len(encoded) <= _LARGEST_BYTES else None


def exif_dpi(image: Image.Image) -> Dpi | None:
    """The resolution that the EXIF names, for formats that have no other place for it."""
    exif = image.getexif()
    try:
        per_unit = (float(exif[ExifTags.Base.XResolution]), float(exif[ExifTags.Base.YResolution]))
        factor = {_INCH: 1.0, _CENTIMETER: 2.54}[exif.get(ExifTags.Base.ResolutionUnit, _INCH)]
    except _UNWRITABLE:
        return None
    return (per_unit[0] * factor, per_unit[1] * factor)


def _entries(source: Image.Exif, ifd: ExifTags.IFD) -> dict:
    try:
        return dict(source.get_ifd(ifd))
    except (*_UNWRITABLE, SyntaxError):
        return {}


def _writable(entries: dict) -> dict:
    """Cameras write tags that Pillow reads and then cannot write: those are dropped, each by itself."""
    return {tag: value for tag, value in entries.items() if _can_encode({tag: value})}


def _can_encode(tags: dict) -> bool:
    try:
        _encode(tags)
    except _UNWRITABLE:
        return False
    return True


def _encode(tags: dict) -> bytes:
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    return exif.tobytes()
