"""What a photo's file has that its result cannot have, in words: bits, further pages, an HDR gain map, a clip."""

import re
from collections.abc import Iterator

from PIL import Image, MpoImagePlugin, TiffImagePlugin

from faststyle.images.xmp import xmp_of

HEAD_BYTES = 65_536
_MOTION = re.compile(rb"Camera:(MotionPhoto|MicroVideo)(=\"|>)1")
_BITS_PER_SAMPLE = 258  # of TIFF
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}  # ITU-T H.273
_FURTHER = {"TIFF": "page", "MPO": "picture", "HEIF": "picture"}


def left_out(image: Image.Image, head: bytes) -> tuple[str, ...]:
    """In words, one for each kind of thing.

    Args:
        image: as opened, with its pixels loaded; may be at another of its frames afterwards.
        head: the file's first bytes, at least `HEAD_BYTES` of them if it has as many.
    """
    return tuple(_left_out(image, head))


def _left_out(image: Image.Image, head: bytes) -> Iterator[str]:
    bits = _bits(image, head)
    if bits > 8:
        yield f"{bits} bits per color became 8"
    if image.mode in ("CMYK", "LAB"):
        yield f"{image.mode} became RGB"
    if (transfer := _transfer(image, head)) in _HDR_TRANSFERS:
        yield f"HDR ({_HDR_TRANSFERS[transfer]}) is taken as SDR"
    xmp = xmp_of(image)
    if b"hdrgm:Version" in xmp or any("hdrgainmap" in kind for kind in image.info.get("aux", ())):
        yield "without its HDR gain map"
    if _MOTION.search(xmp):
        yield "without its motion clip"
    if _frames(image) > 1:
        yield f"only its first {_FURTHER.get(image.format or '', 'frame')}"


def _bits(image: Image.Image, head: bytes) -> int:
    if image.mode in ("I", "F"):
        return 32
    if image.mode.startswith("I;16"):
        return 16
    if image.format == "PNG":
        return head[24]
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return max(image.tag_v2.get(_BITS_PER_SAMPLE, (1,)))
    if image.format == "AVIF":
        depth = head[head.find(b"av1C") + 6] if b"av1C" in head else 0  # AV1-ISOBMFF 2.3.3
        return 12 if depth & 0x20 else 10 if depth & 0x40 else 8
    return image.info.get("bit_depth", 8)


def _transfer(image: Image.Image, head: bytes) -> int:
    if image.format == "AVIF" and (place := head.find(b"colrnclx")) >= 0:
        return int.from_bytes(head[place + 10 : place + 12], "big")
    return (image.info.get("nclx_profile") or {}).get("transfer_characteristics", 0)


def _frames(image: Image.Image) -> int:
    """How many pictures there are, without the previews that cameras put behind a JPEG."""
    try:
        if isinstance(image, MpoImagePlugin.MpoImageFile) and image.mpinfo:
            kinds = [entry["Attribute"]["MPType"] for entry in image.mpinfo[0xB002]]
            return sum(not kind.startswith("Large Thumbnail") for kind in kinds)
        return getattr(image, "n_frames", 1)
    except Exception:  # a damaged second picture is no reason against the first one
        return 1
