"""At which size, in which colors and where a photo is stylized: the knobs, in the order they act."""

import dataclasses
from collections.abc import Callable

import numpy as np

from faststyle.images.bands import bands
from faststyle.images.blending import blend, fit_mask
from faststyle.images.color_transfer import keep_luminance_only, mean_covariance_map
from faststyle.images.decoding import to_uint8
from faststyle.infer.stylize.working_size import stylize_at_size

PRESERVE_COLORS = ("luminance", "covariance")
# Color statistics from about this many pixels, evenly spread.
_SAMPLED_PIXELS = 1 << 20


@dataclasses.dataclass(frozen=True)
class Look:
    """Knobs on top of a stylizer; the defaults leave its result as it is.

    Attributes:
        preserve_colors: "luminance" keeps the photo's colors and takes the style's light and dark; "covariance"
            recolors the stylized image to the photo's mean and covariance; None keeps the style's colors.
        size_px: longer side to stylize at; None is the photo's own.
        mask: `[height, width]` uint8, 255 is stylized; None stylizes everywhere.
        feather_px: how far the mask's edge fades, in pixels of the photo.
    """

    preserve_colors: str | None = None
    size_px: int | None = None
    mask: np.ndarray | None = None
    feather_px: float = 0.0

    def apply(self, stylizer: Callable[[np.ndarray], np.ndarray], photo: np.ndarray) -> np.ndarray:
        """Stylizes a photo `[height, width, 3]` uint8; the result has the same shape and type.

        Raises:
            MaskError: the mask's shape is not the photo's.
        """
        mask = None
        if self.mask is not None:
            mask = fit_mask(self.mask, *photo.shape[:2], feather_px=self.feather_px)
        stylized = stylizer(photo) if self.size_px is None else stylize_at_size(stylizer, photo, self.size_px)
        if self.preserve_colors:
            stylized = _with_colors_of(photo, stylized, self.preserve_colors)
        return stylized if mask is None else blend(photo, stylized, mask)


def _with_colors_of(photo: np.ndarray, stylized: np.ndarray, mode: str) -> np.ndarray:
    step = max(1, int((photo.shape[0] * photo.shape[1] / _SAMPLED_PIXELS) ** 0.5))
    recolor = mean_covariance_map(stylized[::step, ::step], photo[::step, ::step]) if mode == "covariance" else None
    result = np.empty_like(photo)
    for rows in bands(*photo.shape[:2]):
        colored = recolor(stylized[rows]) if recolor else keep_luminance_only(stylized[rows], photo[rows])
        result[rows] = to_uint8(colored)
    return result
