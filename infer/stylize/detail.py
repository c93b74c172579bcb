"""A photo's fine detail on a picture that was stylized smaller: guided upsampling.

He & Sun 2015, "Fast Guided Filter" (arXiv 1505.00996): around every pixel of the small picture the stylized channel q
is fitted by the photo's luminance I as q = a I + b, and the slopes a are scaled up. The paper puts the fit in place of
the picture, which would wash strokes out. Departing from it, the small stylized picture itself is scaled up, and only
what the photo's luminance has beyond the small photo is added, times a: where the style inverts an edge, so is its
detail, and where it ignores the photo, nothing is added.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from faststyle.images.bands import bands
from faststyle.images.decoding import to_uint8

_LUMA = np.array([0.299, 0.587, 0.114], "float32")  # ITU-R BT.601
_WINDOW_PX = 5
# The paper's epsilon on 0..255: where the photo varies less than this, its grain is not carried over.
_FLAT = 8.0


def carry_detail(stylized: np.ndarray, small_photo: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Scales a stylized picture up to its photo's size and adds the photo's detail.

    Args:
        stylized: `[small_height, small_width, 3]` uint8.
        small_photo: same shape; the photo that was stylized.
        photo: `[height, width, 3]` uint8, the same photo, larger.

    Returns:
        `[height, width, 3]` uint8.
    """
    height, width = photo.shape[:2]
    luminance = small_photo @ _LUMA
    slopes = [_slope(luminance, stylized[..., channel].astype("float32")) for channel in range(3)]
    result = np.empty_like(photo)
    for rows in bands(height, width):
        detail = photo[rows] @ _LUMA - _enlarge(luminance, rows, height, width)
        for channel in range(3):
            base = _enlarge(stylized[..., channel].astype("float32"), rows, height, width)
            result[rows, :, channel] = to_uint8(base + _enlarge(slopes[channel], rows, height, width) * detail)
    return result


def _slope(guide: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Least-squares slope of `picture` on `guide`, both `[height, width]`, in the window around every pixel."""

    def mean(values: np.ndarray) -> np.ndarray:
        for axis in (0, 1):
            margin = [(_WINDOW_PX // 2, _WINDOW_PX // 2) if side == axis else (0, 0) for side in (0, 1)]
            windows = sliding_window_view(np.pad(values, margin, mode="symmetric"), _WINDOW_PX, axis)
            values = windows.mean(-1)
        return values

    covariance = mean(guide * picture) - mean(guide) * mean(picture)
    variance = np.maximum(mean(guide * guide) - mean(guide) ** 2, 0)
    return mean(covariance / (variance + _FLAT**2))


def _enlarge(values: np.ndarray, rows: slice, height: int, width: int) -> np.ndarray:
    """Rows of `[small_height, small_width]` float32 scaled up to `[height, width]`, bicubic."""
    scale = values.shape[0] / height
    box = (0, rows.start * scale, values.shape[1], rows.stop * scale)
    size = (width, rows.stop - rows.start)
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BICUBIC, box=box))
