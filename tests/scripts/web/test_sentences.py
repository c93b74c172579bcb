import pytest

gr = pytest.importorskip("gradio")

from faststyle.scripts.web.sentences import UNEXPECTED, sentence, told_on_the_page  # noqa: E402


def test_a_files_place_in_the_temporary_folder_is_not_told(monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "/tmp/page")
    assert sentence(ValueError("/tmp/page/abc/def/my photo.jpg: damaged image")) == "my photo.jpg: damaged image"
    assert sentence(ValueError("/home/me/photos: no such folder")) == "/home/me/photos: no such folder"


def test_every_error_is_a_sentence(capsys):
    assert sentence(MemoryError()) == "Not enough memory; a smaller size needs less."
    assert sentence(ModuleNotFoundError("no", name="keras")).startswith("This needs keras, which is not installed")
    assert sentence(KeyError("deep inside")) == UNEXPECTED
    assert "KeyError: 'deep inside'" in capsys.readouterr().err


def test_an_events_error_becomes_a_notice_that_stays():
    @told_on_the_page
    def fails(number: int) -> int:
        raise ValueError(f"{number} is too small")

    @told_on_the_page
    def fails_later(number: int):
        yield number
        raise ValueError("then it broke")

    with pytest.raises(gr.Error) as caught:
        fails(3)
    assert (caught.value.message, caught.value.duration) == ("3 is too small", None)
    steps = fails_later(1)
    assert next(steps) == 1
    with pytest.raises(gr.Error, match="then it broke"):
        next(steps)
