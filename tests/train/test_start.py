import errno
import subprocess
import sys
from pathlib import Path

import pytest

from faststyle.scripts.faststyle import main
from tests.toy_run import toy_command


@pytest.fixture
def nothing_built(monkeypatch):
    """Any network is one too many."""

    def refuse(*_, **__):
        raise AssertionError("a network was built first")

    monkeypatch.setattr("faststyle.train.run.TrainingRun.__init__", refuse)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ["--content", "no/such/folder"],
            "no/such/folder: no such folder; --content takes a folder of photos, its URL",
        ),
        (["--content", "{empty}"], "{empty}: no image files (jpg, png, webp, tiff, bmp, gif) in it"),
        (["--batch-size", "50"], "folder {photos}: 12 readable photos of 12, but a batch needs 50; "),
    ],
    ids=["missing", "empty", "too few"],
)
def test_content_that_cannot_be_trained_on_is_one_line_before_any_network(
    tmp_path, capsys, nothing_built, change, message
):
    (tmp_path / "empty").mkdir()
    places = {"empty": tmp_path / "empty", "photos": tmp_path / "photos"}
    typed = [word.format(**places) for word in change]
    command = [*toy_command(tmp_path), "--held-out", "0", *typed, "--output", str(tmp_path / "run")]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message.format(**places)}")
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_missing_content_folder_is_said_without_the_seconds_that_tensorflow_takes_to_import(tmp_path):
    command = [*toy_command(tmp_path), "--content", "no/such/folder", "--output", str(tmp_path / "run")]
    code = f"import sys; from faststyle.scripts.faststyle import main; print(main({command}), *sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    status, *modules = done.stdout.split()
    assert status == "2"
    assert {"keras", "tensorflow", "jax"}.isdisjoint(modules)


def test_a_run_directory_that_cannot_be_written_is_one_line_before_any_network(
    tmp_path, capsys, nothing_built, monkeypatch
):
    run = tmp_path / "run"
    run.mkdir()

    def refuse(path, *_):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr("faststyle.train.sole_owner.os.open", refuse)
    assert main([*toy_command(tmp_path), "--output", str(run)]) == 2
    assert capsys.readouterr().err == f"error: {run}/.lock: Read-only file system\n"
