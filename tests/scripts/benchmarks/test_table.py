import json

import pytest

from faststyle.scripts.benchmarks.table import Number, Table, marked_blocks, replace_block

TABLE = Table("training.x", "A title", ["what", "s"], [["a", Number(1.23456)], ["b", Number(0.5, ".0%")]])
DOCUMENT = (
    "# Prose\n\n<!-- benchmark:a -->\nold a\n<!-- end -->\n\nbetween\n\n<!-- benchmark:b.c -->\n<!-- end -->\nafter\n"
)


def test_markdown_by_hand():
    assert TABLE.markdown() == "A title\n\n| what | s |\n| --- | --- |\n| a | 1.23 |\n| b | 50% |\n"


def test_json_has_the_numbers_in_full():
    assert json.loads(json.dumps(TABLE.to_json()))["rows"] == [["a", 1.23456], ["b", 0.5]]


def test_numbers_carry_their_unit():
    assert str(Number(396.2, ".0f", " Gflop/s")) == "396 Gflop/s"


def test_only_the_named_block_changes():
    assert marked_blocks(DOCUMENT) == ["a", "b.c"]
    changed = replace_block(DOCUMENT, "a", "new\n\n")
    assert changed == DOCUMENT.replace("old a", "new")
    assert replace_block(DOCUMENT, "b.c", "table") == DOCUMENT.replace("b.c -->\n", "b.c -->\ntable\n")


def test_a_missing_block_and_one_without_end_are_named():
    with pytest.raises(ValueError, match="no block <!-- benchmark:x -->"):
        replace_block(DOCUMENT, "x", "table")
    with pytest.raises(ValueError, match="has no <!-- end -->"):
        replace_block(DOCUMENT.replace("<!-- end -->", "", 1), "a", "table")
