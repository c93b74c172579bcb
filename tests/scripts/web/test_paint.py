from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from faststyle.images.decoding import ImageError
from faststyle.images.files import read_image
from faststyle.infer.exported_model.stylizer import StylizeError, Stylizer, load_stylizer
from faststyle.scripts.faststyle import main
from faststyle.scripts.web.known_styles import KnownStyles
from faststyle.scripts.web.paint import (
    QUICK_PX,
    Wish,
    command_line_of,
    open_photo,
    paint_file,
    preview,
    usual_stroke_size,
)
from tests.scripts.web.served import colorful_photo


@pytest.fixture(scope="module")
def styles(tmp_path_factory) -> KnownStyles:
    return KnownStyles([], tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def photo_file(tmp_path_factory) -> Path:
    return colorful_photo(tmp_path_factory.mktemp("photos") / "hill.png", size=(640, 360))


def test_the_preview_is_the_small_photo_painted(styles, photo_file):
    photo = open_photo(photo_file)
    wish = Wish(styles.find("The Scream"), styles.find("Udnie"), share=0.25, strength=0.5)
    shown = preview(photo, wish, styles, quick=True)
    mix = {"the_scream": 0.75, "udnie": 0.25}
    of_its_size = Stylizer("gallery", style_mixture=mix, strength=0.5, sized_from_pixels=0)
    np.testing.assert_array_equal(shown, of_its_size(photo.quick))
    painted = load_stylizer("gallery", mix=mix, strength=0.5)(photo.quick)
    difference = np.abs(shown.astype(int) - painted)
    assert difference.mean() < 1  # a graph for one size rounds otherwise
    assert difference.max() < 12
    assert max(shown.shape[:2]) == QUICK_PX
    assert preview(photo, wish, styles, quick=False).shape == (360, 640, 3)


def test_strength_0_shows_the_photo(styles, photo_file):
    photo = open_photo(photo_file)
    np.testing.assert_array_equal(
        preview(photo, Wish(styles.find("Udnie"), strength=0), styles, quick=True), photo.quick
    )


def test_larger_strokes_are_painted_at_a_smaller_size(styles, photo_file):
    photo = open_photo(photo_file)
    wish = Wish(styles.find("Udnie"), stroke_size=2.0)
    assert wish.look_at(640).size_px == 320
    assert wish.look_at(640, shown_px=512).size_px == 320
    assert wish.look_at(640, shown_px=256).size_px is None
    fine, large = (preview(photo, Wish(wish.first, stroke_size=size), styles, quick=True) for size in (1.0, 2.0))
    assert np.abs(fine.astype(int) - large).mean() > 1


def test_a_large_photo_gets_strokes_that_its_preview_can_show(photo_file, tmp_path):
    assert usual_stroke_size(open_photo(photo_file), 8.0) == 1.0
    large = open_photo(colorful_photo(tmp_path / "large.png", size=(2048, 64)))
    assert usual_stroke_size(large, 8.0) == 2.0
    assert usual_stroke_size(large, 1.5) == 1.5


def test_the_file_is_what_the_shown_command_writes(styles, photo_file, tmp_path, monkeypatch):
    monkeypatch.chdir(photo_file.parent)
    photo = open_photo(photo_file)
    wish = Wish(
        styles.find("The Scream"),
        styles.find("Udnie"),
        share=0.25,
        strength=0.5,
        stroke_size=2.0,
        preserve_colors="luminance",
    )
    paint_file(photo, wish, styles, tmp_path / "out.jpg")
    words = command_line_of(photo, wish, Path("by_command.jpg")).split()
    assert words[:2] == ["faststyle", "stylize"]
    assert main(words[1:]) == 0
    assert (tmp_path / "out.jpg").read_bytes() == (photo_file.parent / "by_command.jpg").read_bytes()


def test_a_mask_keeps_the_photo_outside(styles, photo_file, tmp_path):
    mask = np.zeros((288, 512), "uint8")
    mask[:, :256] = 255
    paint_file(open_photo(photo_file), Wish(styles.find("Udnie"), mask=mask), styles, tmp_path / "half.png")
    original, painted = read_image(photo_file), read_image(tmp_path / "half.png")
    np.testing.assert_array_equal(painted[:, 330:], original[:, 330:])
    assert np.abs(painted[:, :310].astype(int) - original[:, :310]).mean() > 10


def test_exif_and_profile_are_kept(styles, tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = colorful_photo(tmp_path / "photo.jpg", exif=exif, icc_profile=profile)
    paint_file(open_photo(file), Wish(styles.find("Udnie")), styles, tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as painted:
        assert painted.getexif()[0x010F] == "A camera"
        assert painted.info["icc_profile"] == profile


def test_broken_and_tiny_files_are_refused_by_their_names(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"^broken\.jpg: not an image"):
        open_photo(tmp_path / "broken.jpg")
    with pytest.raises(StylizeError, match=r"tiny\.png: 10x10 px; sides must be at least 16 px"):
        open_photo(colorful_photo(tmp_path / "tiny.png", size=(10, 10)))
