"""HEIC photos, as telephones take them, through the optional package pillow-heif."""

import functools
import importlib.util
from pathlib import Path

HEIF_SUFFIXES = (".heic", ".heif")
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def is_heif(encoded: bytes | Path) -> bool:
    """Whether a file is HEIC, by its first bytes (ISO/IEC 23008-12: file type box and brand)."""
    if isinstance(encoded, bytes):
        head = encoded[:12]
    else:
        with open(encoded, "rb") as file:
            head = file.read(12)
    return head[4:8] == b"ftyp" and head[8:12] in _BRANDS


def heif_available() -> bool:
    """Whether pillow-heif is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


@functools.cache
def register_heif() -> None:
    """Teaches Pillow to read and write HEIC.

    Raises:
        ModuleNotFoundError: pillow-heif is not installed.
    """
    import pillow_heif  # optional, and slow to import: only when a HEIC file comes up

    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False)
