"""Colors as the photo's ICC profile means them: RGB profiles stay with the picture, other spaces become sRGB.

A network's pixels are RGB. Pixels of a wide-gamut RGB photo (Adobe RGB, Display P3) go through it as they are and keep
their profile, so that no color is lost. Ink, gray curves and Lab cannot stay: their profile would not fit RGB pixels.
"""

import io

from PIL import Image, ImageCms

# What Pillow calls a picture of the color space that a profile's header names.
_SPACE_OF_MODE = {"CMYK": "CMYK", "L": "GRAY", "LAB": "Lab", "RGB": "RGB"}


def to_rgb(image: Image.Image) -> tuple[Image.Image, bytes | None]:
    """A picture of 8 bits without alpha as RGB, and the ICC profile that its pixels have then; None means sRGB.

    Without a fitting profile, CMYK is taken as plain inverted RGB.
    """
    profile = _profile_of(image)
    space = profile.profile.xcolor_space.strip() if profile else None
    if image.mode == "LAB" and space != "Lab":
        profile, space = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "Lab"
    if profile and space != "RGB" and space == _SPACE_OF_MODE.get(image.mode):
        try:
            converted = _to_srgb(image, profile)
        except ImageCms.PyCMSError:
            converted = None  # a profile without the tables for this direction: go on as if there was none
        if converted:
            return converted, None
    return image.convert("RGB"), image.info["icc_profile"] if profile and space == "RGB" else None


def _profile_of(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    """The embedded profile; None where there is none or it is damaged."""
    embedded = image.info.get("icc_profile")
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(embedded)) if embedded else None
    except (OSError, TypeError, ValueError, ImageCms.PyCMSError):
        return None


def _to_srgb(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image | None:
    """Relative colorimetric with black point compensation, as photo programs convert."""
    return ImageCms.profileToProfile(
        image,
        profile,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
