import pytest

from faststyle.scripts.demo.drawn_styles import DRAWN_STYLES
from faststyle.scripts.gallery.catalogue import PAINTINGS, CatalogueError, gallery_entry, in_catalogue_order


def test_a_painting_has_title_painter_and_year():
    assert gallery_entry("great_wave") == {
        "name": "great_wave",
        "title": "The Great Wave off Kanagawa",
        "painter": "Katsushika Hokusai",
        "year": "c. 1831",
        "kind": "painting",
    }


@pytest.mark.parametrize("name", DRAWN_STYLES)
def test_every_drawn_style_is_known_and_has_no_year(name):
    assert {key: gallery_entry(name)[key] for key in ("kind", "year", "painter")} == {
        "kind": "drawn",
        "year": None,
        "painter": "faststyle",
    }


def test_strokes_of_several_sizes_are_told_apart():
    assert gallery_entry("udnie@256")["title"] == "Udnie, 256 px"
    assert gallery_entry("woodcut@1024")["title"] == "Woodcut, 1024 px"


def test_no_drawn_style_is_named_as_a_painting():
    assert not PAINTINGS.keys() & DRAWN_STYLES.keys()


def test_an_unknown_style_is_refused():
    with pytest.raises(CatalogueError, match="'dogs' is no painting"):
        gallery_entry("dogs")


def test_styles_are_shown_paintings_first_and_the_sizes_of_one_as_they_come():
    names = ["woodcut", "udnie@512", "udnie@256", "starry_night"]
    assert in_catalogue_order(names) == ["starry_night", "udnie@512", "udnie@256", "woodcut"]
