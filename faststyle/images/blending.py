"""A stylized image laid over its photo: evenly, as a strength, or by a mask."""

import numpy as np
from PIL import Image, ImageFilter

from faststyle.images.bands import bands
from faststyle.images.decoding import to_uint8
from faststyle.user_error import UserError


class MaskError(UserError):
    """A mask that does not fit its photo."""


def blend(photo: np.ndarray, stylized: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """`photo + share * (stylized - photo)`, rounded.

    Args:
        photo: `[height, width, 3]` uint8.
        stylized: same shape.
        share: of the stylized image: a number in 0..1, or a mask `[height, width]` uint8 in which 255 is all of it.

    Returns:
        `[height, width, 3]` uint8; exactly the photo where the share is 0, exactly the stylized image where it is all.
    """
    blended = np.empty_like(photo)
    for rows in bands(*photo.shape[:2]):
        below = photo[rows].astype("float32")
        part = share[rows, :, None] / np.float32(255) if isinstance(share, np.ndarray) else np.float32(share)
        blended[rows] = to_uint8(below + part * (stylized[rows] - below))
    return blended


def fit_mask(mask: np.ndarray, height: int, width: int, *, feather_px: float = 0.0) -> np.ndarray:
    """Scales a mask to a photo and softens its edge.

    Args:
        mask: `[mask_height, mask_width]` uint8, of the photo's aspect ratio to within a pixel.
        height: of the photo.
        width: of the photo.
        feather_px: the edge fades over about so many pixels of the photo on either side: a Gaussian with half of it as
            its standard deviation.

    Returns:
        `[height, width]` uint8.

    Raises:
        MaskError: another aspect ratio.
    """
    mask_height, mask_width = mask.shape
    if abs(mask_width * height / width - mask_height) > 1 and abs(mask_height * width / height - mask_width) > 1:
        raise MaskError(
            f"the mask of {mask_width}x{mask_height} px has another shape than the photo of {width}x{height} px"
        )
    picture = Image.fromarray(mask)
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    if feather_px:
        picture = picture.filter(ImageFilter.GaussianBlur(feather_px / 2))
    return np.asarray(picture)
