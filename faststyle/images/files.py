"""Plain image files in and out: any photo becomes RGB `uint8`, upright; files appear whole or not at all."""

from pathlib import Path

import numpy as np
from PIL import Image

from faststyle.atomic_files import write_atomically
from faststyle.images.decoding import ImageError, open_image, to_8_bits, to_uint8, upright
from faststyle.images.formats import READABLE_SUFFIXES, encode, format_of
from faststyle.images.photos import Photo

__all__ = [
    "ImageError",
    "check_writable_suffix",
    "list_images",
    "open_rgb",
    "read_image",
    "resize_shorter_side",
    "to_uint8",
    "write_image",
    "write_photo",
]


def list_images(folder: Path) -> list[Path]:
    """Every image file below `folder`, by suffix, sorted by path; hidden files and folders are left out."""
    found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in READABLE_SUFFIXES)
    visible = (path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    return [path for path in visible if path.is_file()]


def read_image(path: Path) -> np.ndarray:
    """Reads a file as `[height, width, 3]` uint8, upright (EXIF orientation applied).

    Raises:
        ImageError: no such file, or no image in it.
    """
    return np.asarray(open_rgb(path, name=str(path)))


def open_rgb(encoded: bytes | Path, *, name: str, draft_size_px: int | None = None) -> Image.Image:
    """Decodes an image to an upright RGB picture of 8 bits, from greyscale, palette, CMYK, alpha or 16 bits.

    Transparent pixels are laid over white.

    Args:
        encoded: the file's bytes, or a path.
        name: named in errors.
        draft_size_px: a JPEG may be decoded smaller (by 2, 4 or 8), as long as both sides keep this many pixels.

    Raises:
        ImageError: unreadable, truncated, empty, or of an absurd size.
    """
    with open_image(encoded, name=name) as image:
        if draft_size_px:
            image.draft(None, (draft_size_px, draft_size_px))
        return _to_rgb(to_8_bits(upright(image)))


def resize_shorter_side(image: np.ndarray, size_px: int) -> np.ndarray:
    """Scales `[height, width, 3]` uint8 so that the shorter side has `size_px`, keeping the aspect ratio."""
    height, width = image.shape[:2]
    scale = size_px / min(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def resize_to(image: np.ndarray, *, height: int, width: int) -> np.ndarray:
    """Scales `[height, width, 3]` or `[height, width]` uint8 to exactly this size."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))


def check_writable_suffix(path: Path) -> None:
    """Raises `ImageError` when no image can be written under this name."""
    format_of(path)


def write_image(path: Path, image: np.ndarray) -> None:
    """Writes `[height, width, 3]` uint8 in the format of the suffix; the file appears whole or not at all.

    Raises:
        ImageError: unknown suffix, or the place cannot be written.
    """
    write_photo(path, Photo(image))


def write_photo(path: Path, photo: Photo, *, quality: int | None = None) -> None:
    """As `write_image`, with all that belongs to the photo and the format can hold.

    Raises:
        ImageError: unknown suffix, or the place cannot be written.
    """
    image_format = format_of(path)
    try:
        write_atomically(path, encode(photo, image_format, quality=quality))
    except (OSError, ValueError) as error:  # the disk's errors, and those of formats that end at some size
        raise ImageError(f"{path}: cannot write ({getattr(error, 'strerror', None) or error})") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
