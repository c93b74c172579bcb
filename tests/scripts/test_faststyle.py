import subprocess
import sys

import pytest

from faststyle.scripts.faststyle import COMMANDS, main


def test_a_typed_command_loads_no_other():
    program = (
        "import sys; from faststyle.scripts.faststyle import add_command; add_command('stylize');"
        "print([name for name in sys.modules if name.endswith('command') and 'infer' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "['faststyle.infer.stylize.command']\n"


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("    ")]
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


def test_a_command_that_is_not_there_is_one_line_that_lists_those_that_are(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["paint"])
    assert "invalid choice: 'paint' (choose from" in capsys.readouterr().err
