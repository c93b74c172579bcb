from pathlib import Path

import numpy as np
import pytest

from faststyle.command_line import run_command_line
from faststyle.images.files import read_image, write_image
from faststyle.infer.styles.gallery import GalleryStyle, gallery_styles
from faststyle.scripts.demo.drawn_styles import DRAWN_STYLES
from faststyle.scripts.gallery.sheets import add_sheets_command, contact_sheet, read_photos


def sheets(*arguments) -> int:
    return run_command_line("test", [add_sheets_command], ["--traceback", "sheets", *map(str, arguments)])


def test_the_page_lists_every_style_and_shows_every_picture_that_was_made(tmp_path, monkeypatch):
    styles = gallery_styles()[:5]  # more than a sheet shows
    monkeypatch.setattr("faststyle.scripts.gallery.sheets.gallery_styles", lambda: styles)
    (tmp_path / "gallery").mkdir()
    (tmp_path / "gallery" / "contact_sheet_9.jpg").touch()
    assert sheets("--output", tmp_path, "--size", 32, "--mixture", "udnie", "the_scream") == 0
    page = (tmp_path / "gallery.md").read_text(encoding="utf-8")
    for style in styles:
        assert f"| `{style.name}` | {style.title} |" in page
    made = sorted(path.name for path in (tmp_path / "gallery").iterdir())
    assert made == ["contact_sheet_1.jpg", "contact_sheet_2.jpg", "mixture.jpg", "mosaic.jpg", "strength.jpg"]
    assert all(f"](gallery/{name})" in page for name in made)
    assert "--mix udnie=0.75,the_scream=0.25" in page
    assert read_image(tmp_path / "gallery" / "mosaic.jpg").shape == (32, 6 * (16 + 8) + 8, 3)  # the photo and five
    strip = read_image(tmp_path / "gallery" / "strength.jpg")
    assert strip.shape[1] >= 5 * 32
    photo, full = strip[8:40, 8:40].astype(int), strip[8:40, -40:-8].astype(int)
    assert np.abs(photo - full).mean() > 10


@pytest.fixture
def plain_stylizers(monkeypatch):
    """Styles that leave photos as they are."""
    monkeypatch.setattr("faststyle.scripts.gallery.sheets.load_stylizer", lambda *_, **__: lambda photo: photo)


def test_a_painting_is_shown_only_from_the_folder_given_and_a_drawing_always(tmp_path, plain_stylizers):
    photo = np.full((96, 96, 3), 200, "uint8")
    write_image(tmp_path / "udnie.jpg", np.full((60, 60, 3), (255, 0, 0), "uint8"))
    painting = GalleryStyle("udnie", "Udnie", "Francis Picabia", "1913", "painting")

    def red(sheet) -> int:
        return int(((sheet[..., 0] > 240) & (sheet[..., 1] < 20)).sum())

    assert red(contact_sheet([painting], [photo], tmp_path)) > 3000
    assert red(contact_sheet([painting], [photo], None)) == 0
    assert red(contact_sheet([painting], [photo], tmp_path / "empty")) == 0
    name = next(iter(DRAWN_STYLES))
    drawn = GalleryStyle(name, name, "faststyle", None, "drawn")
    assert len(np.unique(contact_sheet([drawn], [photo], None).reshape(-1, 3), axis=0)) > 500


def test_sheets_with_paintings_do_not_go_into_the_docs(tmp_path):
    with pytest.raises(ValueError, match="for looking, not for the docs"):
        sheets("--paintings", tmp_path)


def test_photos_come_from_a_folder_and_are_made_small(tmp_path):
    for index in range(5):
        write_image(tmp_path / f"{index}.png", np.full((40, 60, 3), index, "uint8"))
    photos = read_photos(tmp_path, 30)
    assert [(photo.shape, int(photo[0, 0, 0])) for photo in photos] == [((20, 30, 3), index) for index in range(4)]
    with pytest.raises(ValueError, match="no photos in it"):
        read_photos(Path(tmp_path / "nowhere"), 30)
