"""Image files in and out: any photo becomes RGB `uint8`, upright; files appear whole or not at all."""

import io
import os
import struct
import tempfile
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

READABLE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")
WRITABLE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
_JPEG_QUALITY = 95
_UPRIGHT_BY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageError(ValueError):
    """An image that cannot be read or written; the message names the file and the reason in one line."""


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
    try:
        with Image.open(io.BytesIO(encoded) if isinstance(encoded, bytes) else encoded) as image:
            if draft_size_px:
                image.draft(None, (draft_size_px, draft_size_px))
            return _to_rgb(_upright(image))
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file") from None
    except UnidentifiedImageError:
        raise ImageError(f"{name}: not an image, or of an unknown format") from None
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name}: {error}") from None
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, AttributeError, LookupError, struct.error) as error:
        # Pillow's decoders raise all of these for damaged files.
        raise ImageError(f"{name}: damaged image ({error})") from None


def resize_shorter_side(image: np.ndarray, size_px: int) -> np.ndarray:
    """Scales `[height, width, 3]` uint8 so that the shorter side has `size_px`, keeping the aspect ratio."""
    height, width = image.shape[:2]
    scale = size_px / min(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def to_uint8(image) -> np.ndarray:
    """Rounds an image in 0..255 of any float type to uint8."""
    return np.clip(np.rint(np.asarray(image, "float32")), 0, 255).astype("uint8")


def check_writable_suffix(path: Path) -> None:
    """Raises `ImageError` when no image can be written under this name."""
    if path.suffix.lower() not in WRITABLE_SUFFIXES:
        raise ImageError(f"{path}: cannot write {path.suffix or 'a name without suffix'}; use .png or .jpg")


def write_image(path: Path, image: np.ndarray) -> None:
    """Writes `[height, width, 3]` uint8 in the format of the suffix; the file appears whole or not at all.

    Raises:
        ImageError: unknown suffix, or the place cannot be written.
    """
    check_writable_suffix(path)
    options = {"quality": _JPEG_QUALITY} if path.suffix.lower() in (".jpg", ".jpeg", ".webp") else {}
    buffer = io.BytesIO()
    try:
        Image.fromarray(image).save(buffer, format=Image.registered_extensions()[path.suffix.lower()], **options)
        write_atomically(path, buffer.getvalue())
    except (OSError, ValueError) as error:  # the disk's errors, and those of formats that end at some size
        raise ImageError(f"{path}: cannot write ({getattr(error, 'strerror', None) or error})") from None


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file that appears whole or not at all, whenever the process is killed. Makes parent folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _upright(image: Image.Image) -> Image.Image:
    """As `ImageOps.exif_transpose`, which also rewrites the EXIF and fails where a camera wrote a tag it should not."""
    method = _UPRIGHT_BY.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if method is None else image.transpose(method)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        deep = np.asarray(image, "float32")
        sixteen_bits = image.mode.startswith("I;16") or deep.max() > 255
        scale = 255.0 / 65535.0 if sixteen_bits else 1.0
        return Image.fromarray(to_uint8(deep * scale)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
