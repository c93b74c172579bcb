"""The judge's table; the measures have tests of their own (tests/infer/compare/test_outside_judge.py)."""

import numpy as np
import pytest

from faststyle.command_line import run_command_line
from faststyle.images.files import write_image
from faststyle.scripts.gallery import judge
from faststyle.scripts.gallery.judge import add_judge_command


def grey(level: int) -> np.ndarray:
    return np.full((16, 24, 3), level, "uint8")


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A painting of the gallery and another, three photos, another tool's pictures; the judge says the grey level."""
    for folder, name, level in [
        *(("paintings", name, 0) for name in ("the_scream", "of_nobody")),
        *(("photos", f"photo_{level}", level) for level in (10, 20, 60)),
        *(("other/the_scream", f"photo_{level}", 2 * level) for level in (10, 20, 60)),
    ]:
        write_image(tmp_path / folder / f"{name}.png", grey(level))
    monkeypatch.setattr(judge, "load_stylizer", lambda model, mix: lambda photo: photo)

    def outside_judge(painting):
        return lambda photo, picture: {"outside_style": float(picture[0, 0, 0]), "lpips": float(photo[0, 0, 0]) / 100}

    monkeypatch.setattr("faststyle.infer.compare.outside_judge.outside_judge", outside_judge)
    return tmp_path


def run(folders, *more: str) -> int:
    arguments = [str(folders / "paintings"), "--photos", str(folders / "photos"), *more]
    return run_command_line("judge", [add_judge_command], arguments, only_command="judge")


def test_medians_of_each_painting_of_the_gallery_go_into_the_docs(folders):
    docs = folders / "docs.md"
    docs.write_text("before\n<!-- benchmark:gallery.judged -->\nold\n<!-- end -->\nafter\n")
    assert run(folders, "--beside", f"other={folders / 'other'}", "--docs", str(docs)) == 0
    text = docs.read_text()
    assert "| painting | style error | LPIPS | other: style error | other: LPIPS |" in text
    assert "| `the_scream` | 20.000 | 0.200 | 40.000 | 0.200 |" in text
    assert "| median | 20.000 | 0.200 | 40.000 | 0.200 |" in text
    assert "of_nobody" not in text
    assert "old" not in text


def test_a_picture_that_another_tool_lacks_is_named(folders, capsys):
    (folders / "other" / "the_scream" / "photo_20.png").unlink()
    assert run(folders, "--beside", f"other={folders / 'other'}") == 2
    assert "the_scream has no picture photo_20 of 24x16 px" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("paintings", "photos", "more", "words"),
    [
        ("nowhere", "photos", [], "nowhere: no image with the name of a gallery style"),
        ("paintings", "nowhere", [], "nowhere: no photos"),
        ("paintings", "photos", ["--beside", "other"], "--beside other: must be NAME=FOLDER"),
    ],
)
def test_what_cannot_be_judged_is_one_line(folders, capsys, paintings, photos, more, words):
    arguments = [str(folders / paintings), "--photos", str(folders / photos), *more]
    assert run_command_line("judge", [add_judge_command], arguments, only_command="judge") == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
