import json

import pytest

from faststyle.command_line import run_command_line
from faststyle.scripts.benchmarks.__main__ import add_benchmark_command
from faststyle.scripts.benchmarks.table import Number, Table


def main(argv: list[str]) -> int:
    return run_command_line("benchmarks", [add_benchmark_command], argv, only_command="measure")


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """Two tables, without measuring."""
    tables = [
        Table("training.x", "Steps", ["s"], [[Number(1.5)]]),
        Table("training.y", "Other", ["s"], [[Number(2.5)]]),
    ]
    monkeypatch.setattr(
        "faststyle.scripts.benchmarks.training.training_tables", lambda rounds, torch_python: iter(tables)
    )


@pytest.fixture
def other_python(tmp_path):
    """Makes an interpreter that answers with these shell commands."""

    def make(commands: str) -> str:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{commands}\n")
        path.chmod(0o755)
        return str(path)

    return make


def test_tables_go_between_their_marks_and_prose_stays(tmp_path, capsys, other_python):
    docs = tmp_path / "benchmarks.md"
    docs.write_text("# Speed\n\n<!-- benchmark:training.x -->\nold\n<!-- end -->\n\nOur own words.\n")
    assert main(["training", "--rounds", "2", "--torch-python", other_python("echo 2.13.0"), "--docs", str(docs)]) == 0
    text = docs.read_text()
    command = "python -m faststyle.scripts.benchmarks training"
    assert text.startswith(f"# Speed\n\n<!-- benchmark:training.x -->\nPrinted by `{command}")
    assert "--rounds 2 --torch-python PYTHON`" in text  # no places of this machine
    assert "PyTorch 2.13.0, Python " in text
    assert "| 1.50 |\n<!-- end -->\n\nOur own words.\n" in text
    assert "old" not in text
    output = capsys.readouterr()
    assert "| 2.50 |" in output.out
    assert "no block <!-- benchmark:training.y -->" in output.err


@pytest.mark.parametrize("broken", ["exit 1", None], ids=["without PyTorch", "no such file"])
def test_a_python_without_pytorch_is_refused_before_anything_is_measured(capsys, other_python, broken):
    python = other_python(broken) if broken else "/no/such/python"
    assert main(["training", "--torch-python", python]) == 2
    output = capsys.readouterr()
    assert output.err == f"error: {python} cannot import PyTorch; pip install torch there\n"
    assert output.out == ""


def test_numbers_are_written_with_what_they_ran_on(tmp_path):
    docs = tmp_path / "a.md"
    docs.write_text("prose")
    main(["training", "--docs", str(docs)])
    record = json.loads((tmp_path / "a.json").read_text())
    assert [table["rows"] for table in record["tables"]] == [[[1.5]], [[2.5]]]
    assert record["versions"]["tensorflow"]
    assert record["processor"]
    assert docs.read_text() == "prose"


def test_a_document_that_is_not_there_is_refused_before_measuring(tmp_path, capsys):
    assert main(["training", "--docs", str(tmp_path / "nowhere.md")]) == 2
    assert "nowhere.md: no such file" in capsys.readouterr().err


def test_another_program_needs_places_for_its_files(capsys):
    assert main(["inference", "--beside", "other=paint {photo}"]) == 2
    expected = "error: --beside is NAME=COMMAND with {photo} and {output} in it, got 'other=paint {photo}'\n"
    assert capsys.readouterr().err == expected
