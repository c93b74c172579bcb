"""The notebook of the docs runs, from its first cell to its last."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOUR = Path(__file__).parent.parent / "docs" / "tour.ipynb"


def as_program(notebook: dict) -> str:
    """The code cells one after the other, commands as commands."""
    code = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    lines = "\n".join("".join(cell) for cell in code).splitlines()
    return "import subprocess\n" + "\n".join(
        f"subprocess.run({line[1:]!r}, shell=True, check=True)" if line.startswith("!") else line for line in lines
    )


def test_commands_of_a_notebook_are_run():
    cells = [
        {"cell_type": "markdown", "source": "text"},
        {"cell_type": "code", "source": ["x = 1\n", "!faststyle styles"]},
    ]
    expected = "import subprocess\nx = 1\nsubprocess.run('faststyle styles', shell=True, check=True)"
    assert as_program({"cells": cells}) == expected


@pytest.mark.slow
def test_the_tour_runs(tmp_path):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    program = as_program(json.loads(TOUR.read_text(encoding="utf-8")))
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env={**os.environ, "PATH": path}, check=True)
    assert (tmp_path / "tour" / "report" / "report.html").is_file()
    assert (tmp_path / "tour" / "stained_glass.png").is_file()
