import pytest

from faststyle.infer.exported_model.stylizer import StylizeError
from faststyle.infer.stylize.naming import Naming


@pytest.mark.parametrize(
    ("pattern", "format_name", "expected"),
    [
        ("{stem}.{suffix}", "png", "beach.png"),
        ("{stem}-{style}.{suffix}", "jpg", "beach-wave.jpg"),
        ("{style} of {stem}.webp", "webp", "wave of beach.webp"),
    ],
)
def test_a_name_is_filled_in(pattern, format_name, expected):
    assert Naming(pattern, "wave", format_name).name("beach") == expected


def test_a_style_is_no_folder():
    assert Naming("{stem}-{style}.png", "a/b").name("x") == "x-a_b.png"


@pytest.mark.parametrize(("pattern", "renames"), [("{stem}.{suffix}", False), ("{stem}-x.{suffix}", True)])
def test_whether_results_have_another_stem(pattern, renames):
    assert Naming(pattern).renames is renames


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{name}.png", "only {stem}"),
        ("{stem", "expected '}'"),
        ("{stem:>9}.png", "only {stem}"),
        ("{stem!r}.png", "only {stem}"),
        ("{}{stem}.png", "only {stem}"),
        ("x/{stem}.png", "no folder"),
        ("x.png", "must contain {stem}"),
        ("{stem}.jpg", "its suffix is not --format png"),
    ],
)
def test_a_pattern_that_makes_no_file_name_is_refused(pattern, message):
    with pytest.raises(StylizeError, match=message):
        Naming(pattern)
