import base64
import io

import numpy as np
import pytest
from PIL import Image

from faststyle.images.decoding import ImageError
from faststyle.scripts.web.pictures import as_data_url, mask_of


def test_a_picture_survives_its_url():
    picture = np.full((24, 40, 3), (200, 60, 20), "uint8")
    head, encoded = as_data_url(picture, icc_profile=b"profile").split(",")
    assert head == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as shown:
        assert np.abs(np.asarray(shown, int) - picture).max() <= 3
        assert shown.info["icc_profile"] == b"profile"


def drawn(alpha: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(np.dstack([np.full((*alpha.shape, 3), 99, "uint8"), alpha])).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def test_a_mask_is_what_was_drawn_and_nothing_drawn_is_none():
    alpha = np.zeros((6, 8), "uint8")
    assert mask_of(drawn(alpha)) is None
    assert mask_of("") is None
    alpha[2:4, 3:] = 255
    np.testing.assert_array_equal(mask_of(drawn(alpha)), alpha)


@pytest.mark.parametrize(
    "url", ["data:image/svg+xml;base64,AAAA", "data:image/png;base64,AAAA", "data:image/png;base64,*"]
)
def test_what_the_page_did_not_draw_is_refused(url):
    with pytest.raises(ImageError, match="the drawn mask cannot be read"):
        mask_of(url)
