import json
import os

import pytest

from faststyle.infer.styles.model_card import CARD_FILE, ModelCardError, identity_style, read_model_card


@pytest.fixture
def model_dir(tmp_path):
    """A folder that looks like an exported model of two styles."""
    (tmp_path / "saved_model.pb").touch()
    (tmp_path / CARD_FILE).parent.mkdir()
    (tmp_path / CARD_FILE).write_text(json.dumps({"styles": ["woodcut", "glâss"], "steps": 3}), encoding="utf-8")
    return tmp_path


def test_the_card_is_read_as_it_was_written(model_dir):
    assert read_model_card(model_dir) == {"styles": ["woodcut", "glâss"], "steps": 3}


def test_the_card_lies_where_saved_models_keep_extra_assets():
    assert CARD_FILE.as_posix() == "assets.extra/style.json"


def test_a_folder_without_a_saved_model_is_refused_with_the_way_out(model_dir):
    (model_dir / "saved_model.pb").unlink()
    with pytest.raises(ModelCardError) as caught:
        read_model_card(model_dir)
    assert str(caught.value) == (f"{model_dir}: no exported model (saved_model.pb); `faststyle export` writes one")


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ModelCardError, match="no exported model"):
        read_model_card(tmp_path / "nowhere")


def test_a_missing_card_is_refused(model_dir):
    (model_dir / CARD_FILE).unlink()
    with pytest.raises(ModelCardError, match="no readable model card"):
        read_model_card(model_dir)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b'{"styles": ["woodc', b"[]", b'{"steps": 3}', b'{"styles": "woodcut"}', b'{"styles": []}'),
        *(b'{"styles": ["woodcut"], "settings": []}', b"[" * 100_000, b"\xff\xfe"),
    ],
    ids=["empty", "half", "a list", "no styles", "styles no list", "none", "settings no object", "deep", "no text"],
)
def test_a_card_that_cannot_be_understood_is_named_in_one_line(model_dir, content):
    (model_dir / CARD_FILE).write_bytes(content)
    with pytest.raises(ModelCardError) as caught:
        read_model_card(model_dir)
    assert str(caught.value).startswith(f"{model_dir}: no readable model card {CARD_FILE} (")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["red\x1b[31m", "two\nlines", "\u202eright to left", 7])
def test_a_name_that_would_steer_a_terminal_is_refused(model_dir, name):
    (model_dir / CARD_FILE).write_text(json.dumps({"styles": ["woodcut", name]}), encoding="utf-8")
    with pytest.raises(ModelCardError, match="a style's name is no printable text"):
        read_model_card(model_dir)


def test_a_card_of_gigabytes_is_refused_unread(model_dir):
    with (model_dir / CARD_FILE).open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(ModelCardError, match="too large"):
        read_model_card(model_dir)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_card_that_would_never_end_is_refused_unread(model_dir):
    (model_dir / CARD_FILE).unlink()
    os.mkfifo(model_dir / CARD_FILE)
    with pytest.raises(ModelCardError, match=r"style\.json \(no file\)"):
        read_model_card(model_dir)


def test_a_card_that_links_to_a_file_elsewhere_tells_nothing_of_it(model_dir, tmp_path_factory):
    private = tmp_path_factory.mktemp("private") / "key.txt"
    private.write_text("password")
    (model_dir / CARD_FILE).unlink()
    (model_dir / CARD_FILE).symlink_to(private)
    with pytest.raises(ModelCardError) as caught:
        read_model_card(model_dir)
    assert "password" not in str(caught.value)


def test_an_identity_style_counts_only_if_the_model_holds_it():
    assert identity_style({"styles": ["woodcut", "photo"], "identity_style": "photo"}) == "photo"
    assert identity_style({"styles": ["woodcut"], "identity_style": "photo"}) is None
    assert identity_style({"styles": ["woodcut"]}) is None
