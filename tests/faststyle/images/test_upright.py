import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from faststyle.images.files import open_rgb, read_image

# The EXIF standard's definition: on which visual side the stored picture's 0th row and 0th column lie.
EXIF_SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("orientation", EXIF_SIDES)
def test_exif_orientation_is_undone(tmp_path, orientation, suffix):
    blocks = np.array([[[250, 10, 10], [10, 250, 10], [10, 10, 250]], [[240] * 3, [120] * 3, [10] * 3]], "uint8")
    upright = blocks.repeat(16, axis=0).repeat(16, axis=1)
    row, column = EXIF_SIDES[orientation]
    stored = upright.swapaxes(0, 1) if row in ("left", "right") else upright
    stored = stored[::-1] if row in ("bottom", "right") else stored
    stored = stored[:, ::-1] if column in ("bottom", "right") else stored
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, **options)
    np.testing.assert_allclose(read_image(path).astype(int), upright.astype(int), atol=4)


def test_an_odd_exif_tag_beside_the_orientation_is_no_reason_to_refuse_a_photo():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.ImageDescription] = 6, "hello"
    buffer = io.BytesIO()
    Image.new("RGB", (32, 16), (200, 100, 50)).save(buffer, "JPEG", exif=exif)
    description, number = b"\x01\x0e\x00\x02", b"\x01\x54\x00\x02"  # text where a number belongs
    assert buffer.getvalue().count(description) == 1
    image = open_rgb(buffer.getvalue().replace(description, number), name="a")
    assert image.size == (16, 32)
