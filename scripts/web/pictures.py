"""Pictures on their way to the browser and back: as data URLs, which need no file on either side."""

import base64
import binascii
import io

import numpy as np
from PIL import Image

from faststyle.images.decoding import ImageError
from faststyle.images.formats import FORMATS, encode
from faststyle.images.photos import Photo
from faststyle.user_error import UserError

_QUALITY = 88
_PNG = "data:image/png;base64,"
_LARGEST_MASK_PX = 4096


def as_data_url(pixels: np.ndarray, *, icc_profile: bytes | None = None) -> str:
    """`[height, width, 3]` uint8 as a JPEG inside a URL, with its color profile."""
    jpeg = encode(Photo(pixels, icc_profile=icc_profile), FORMATS["jpg"], quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def mask_of(url: str | None) -> np.ndarray | None:
    """What was drawn, from the opacity of a PNG inside a URL: `[height, width]` uint8; None where nothing was.

    Raises:
        ImageError: something else than the page's own drawing.
    """
    if not url:
        return None
    try:
        if not url.startswith(_PNG):
            raise UserError("no PNG")
        with Image.open(io.BytesIO(base64.b64decode(url[len(_PNG) :], validate=True)), formats=["PNG"]) as drawn:
            if max(drawn.size) > _LARGEST_MASK_PX:
                raise UserError("too large")
            mask = np.asarray(drawn.convert("RGBA"))[..., 3]
    except (ValueError, OSError, binascii.Error) as error:
        raise ImageError(f"the drawn mask cannot be read ({error}); draw it again") from None
    return mask if mask.any() else None
