import argparse
import os
import subprocess
import sys

import pytest

from faststyle.command_line import (
    as_typed,
    parse_layers,
    parse_number,
    parse_numbers,
    parse_whole_number,
    parse_whole_numbers,
    run_command_line,
)
from faststyle.scripts import faststyle
from faststyle.user_error import UserError


class ResourceExhaustedError(Exception):
    """Has TensorFlow's name, by which its error is known."""


def command(run):
    """A command `work` that does what `run` does."""

    def add_command(subcommands) -> None:
        subcommands.add_parser("work", help="works").set_defaults(run=run)

    return add_command


def raising(error: BaseException):
    def run(_arguments):
        raise error

    return command(run)


@pytest.mark.parametrize("status", [0, 1])
def test_the_exit_status_is_what_the_command_returns(status, capsys):
    assert run_command_line("program", [command(lambda _: status)], ["work"]) == status
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (UserError("no style\nin   it"), 2, "error: no style in it"),
        (FileNotFoundError(2, "No such file", "a.jpg"), 2, "error: a.jpg: No such file"),
        (OSError(28, "No space left on device"), 2, "error: No space left on device"),
        (OSError("no such place"), 2, "error: no such place"),
        (UserError("no file \x1b[31mété\x07.jpg"), 2, "error: no file \ufffd[31mété\ufffd.jpg"),  # steers no terminal
        (UserError(), 2, "error: UserError"),
        (RuntimeError("no more\nsteps"), 1, "stopped: no more steps"),
        (MemoryError(), 1, "stopped: not enough memory; a smaller size needs less"),
        (ResourceExhaustedError(), 1, "stopped: not enough memory; a smaller size needs less"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_an_error_is_one_line_on_standard_error_and_its_exit_status(error, status, line, capsys):
    assert run_command_line("program", [raising(error)], ["work"]) == status
    assert capsys.readouterr() == ("", line + "\n")


@pytest.mark.parametrize("argv", [["--traceback", "work"], ["work", "--traceback"]])
@pytest.mark.parametrize("error", [UserError("a"), OSError("b"), RuntimeError("c"), MemoryError("d")])
def test_traceback_before_or_after_the_command_raises_the_error_itself(error, argv):
    with pytest.raises(type(error)) as caught:
        run_command_line("program", [raising(error)], argv)
    assert caught.value is error


@pytest.mark.parametrize(("typed", "only_command"), [(["work"], None), ([], "work")])
def test_a_process_of_our_own_filters_native_logs_whether_its_command_is_typed_or_not(monkeypatch, typed, only_command):
    calls = []
    monkeypatch.setattr("sys.argv", ["program", *typed])
    monkeypatch.setattr("faststyle.command_line.filter_native_logs", lambda: calls.append("filtered"))
    run = command(lambda _: calls.append("run") or 0)
    assert run_command_line("program", [run], only_command=only_command) == 0
    assert calls == ["filtered", "run"]


@pytest.mark.parametrize("error", [ValueError("shapes (2,3) and (4,)"), TypeError(), ZeroDivisionError()])
def test_an_error_of_the_program_itself_is_not_hidden(error):
    with pytest.raises(type(error)) as caught:
        run_command_line("program", [raising(error)], ["work"])
    assert caught.value is error


def test_a_process_that_meets_an_error_of_its_own_shows_the_traceback_and_exits_with_1():
    program = (
        "import sys, numpy; from faststyle.command_line import run_command_line\n"
        "def add(subcommands):\n"
        "    subcommands.add_parser('work').set_defaults(run=lambda _: numpy.ones(2) @ numpy.ones(3))\n"
        "sys.exit(run_command_line('program', [add]))"
    )
    ended = subprocess.run([sys.executable, "-c", program, "work"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Traceback")
    assert "ValueError: matmul" in ended.stderr


def test_what_a_command_passes_on_it_finds_in_its_order():
    found, passed_on = [], ["--temporary", "gs://bucket/x", "--flag"]
    work = command(lambda arguments: found.extend(arguments.passed_on) or 0)
    assert run_command_line("program", [work], passed_on, only_command="work", passes_on=True) == 0
    assert found == passed_on


@pytest.mark.parametrize("argv", [[], ["no-such-command"], ["work", "--no-such-option"]])
def test_arguments_that_make_no_sense_exit_with_2(argv, capsys):
    with pytest.raises(SystemExit) as caught:
        run_command_line("program", [command(lambda _: 0)], argv)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.endswith("--help\n")
    assert error.count("\n") == 1


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as caught:
        run_command_line("program", [], ["--version"], version="program 1.2")
    assert caught.value.code == 0
    assert capsys.readouterr().out == "program 1.2\n"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["stylize", "{tmp}/model", "{tmp}/nowhere.jpg", "--output", "{tmp}/out.png"], "nowhere.jpg: no such file"),
        (["stylize", "{tmp}/model", "{tmp}/photo.jpg", "--output", "{tmp}/out.png"], "model: no exported model"),
        (["stylize", "{tmp}/model", "{tmp}/photo.jpg", "--output", "{tmp}/out.txt"], "cannot write .txt"),
        (["train", "style.jpg", "--content", "photos", "--output", "{tmp}/run", "--steps", "0"], "--steps must be 1"),
    ],
)
def test_a_users_mistake_is_one_line_and_status_2(tmp_path, capsys, argv, words):
    (tmp_path / "photo.jpg").touch()
    assert faststyle.main([part.format(tmp=tmp_path) for part in argv]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert len(output.err.splitlines()) == 1
    assert output.err.startswith("error: ")
    assert words in output.err


def test_a_users_mistake_is_one_line_where_tensorflow_starts_up_first(tmp_path):
    command = [
        sys.executable,
        "-m",
        "faststyle",
        "export",
        str(tmp_path / "run"),
        "--output",
        "model",
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"error: {tmp_path / 'run'}: no such weights file\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [({"rgb": 1.0, "relu1_2": 0.25}, "rgb,relu1_2=0.25"), ((128, 256), "128,256"), (0.001, "0.001"), ("auto", "auto")],
)
def test_a_value_is_shown_as_it_is_typed(value, text):
    assert as_typed(value) == text


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_number, "-1e-3", -0.001),
        (parse_numbers, "0.75,1", (0.75, 1.0)),
        (parse_whole_number, "2147483647", 2147483647),
        (parse_whole_numbers, "128, 256", (128, 256)),
        (parse_layers, "rgb,relu1_1=0.5", {"rgb": 1.0, "relu1_1": 0.5}),
    ],
)
def test_a_value_is_read_as_it_is_typed(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "line"),
    [
        (parse_number, "a", "'a' is not a number"),
        (parse_number, "nan", "'nan' is not a number"),
        (parse_number, "1e400", "'1e400' is not a number"),
        (parse_numbers, "1,a", "'1,a' is not a number, or several between commas"),
        (parse_whole_number, "1.5", "'1.5' is not a whole number"),
        (parse_whole_number, "2147483648", "2147483648 is more than 2,147,483,647"),
        (parse_whole_numbers, "1,", "'1,' is not a whole number, or several between commas"),
        (parse_layers, "relu1_1=inf", "'relu1_1=inf' is not LAYER or LAYER=WEIGHT"),
    ],
)
def test_what_is_no_value_is_said_in_the_words_of_the_user(parse, text, line):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        parse(text)
    assert str(caught.value) == line


@pytest.mark.parametrize("words", [["work"], ["--help"]], ids=["a command", "help"])
@pytest.mark.parametrize("lines", [1, 100_000], ids=["noticed at the end", "noticed while printing"])
def test_a_reader_that_has_gone_ends_the_program_silently(words, lines):
    program = (
        "import sys; from faststyle.command_line import run_command_line\n"
        "def add(subcommands):\n"
        f"    subcommands.add_parser('work').set_defaults(run=lambda _: print('line\\n' * {lines}) or 0)\n"
        f"sys.exit(run_command_line('program', [add], {words}))"
    )
    read, write = os.pipe()
    os.close(read)
    buffered = os.environ | {"PYTHONUNBUFFERED": ""}
    ended = subprocess.run(
        [sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE, text=True, env=buffered
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (141, "")
