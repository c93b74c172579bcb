import os
import shutil
import signal
import subprocess
import sys

import pytest

from faststyle.train.run_directory import RunDirectory
from faststyle.train.settings import TrainSettings
from faststyle.train.sole_owner import LOCK_NAME, AlreadyOwnedError, LostFolderError, owner_of, sole_owner

HOLD = """
import sys, time
from pathlib import Path
from faststyle.train.sole_owner import sole_owner

with sole_owner(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_process(tmp_path):
    """A process that holds `tmp_path / "run"`."""
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "run"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_with_the_id_of_the_first(other_process, tmp_path):
    with (
        pytest.raises(AlreadyOwnedError, match=f"process {other_process.pid} is training here"),
        sole_owner(tmp_path / "run"),
    ):
        pass


def test_the_owner_is_told_for_as_long_as_it_holds_the_folder(other_process, tmp_path):
    assert owner_of(tmp_path / "run") == other_process.pid
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    assert owner_of(tmp_path / "run") is None
    assert owner_of(tmp_path / "nowhere") is None


def test_a_killed_process_holds_nothing(other_process, tmp_path):
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    assert (tmp_path / "run" / LOCK_NAME).exists()
    with sole_owner(tmp_path / "run"):
        assert (tmp_path / "run" / LOCK_NAME).read_text() == f"{os.getpid()}\n"


def test_what_a_killed_process_left_can_begin_a_run(tmp_path):
    (tmp_path / LOCK_NAME).write_text("1\n")
    RunDirectory(tmp_path).check(TrainSettings(style_images=("woodcut.png",), content="photos", steps=1))


def test_the_folder_stays_if_something_was_written_and_only_then(tmp_path):
    with pytest.raises(RuntimeError), sole_owner(tmp_path / "failed"):
        raise RuntimeError
    assert not (tmp_path / "failed").exists()
    with sole_owner(tmp_path / "run"):
        (tmp_path / "run" / "config.json").write_text("{}")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["config.json"]


def test_one_process_may_hold_a_folder_again(tmp_path):
    for _ in range(2):
        with sole_owner(tmp_path / "run"), pytest.raises(AlreadyOwnedError), sole_owner(tmp_path / "run"):
            pass


@pytest.mark.parametrize("replaced", [False, True])
def test_a_folder_taken_away_is_noticed_and_its_next_owner_left_alone(tmp_path, replaced):
    with sole_owner(tmp_path / "run") as check_place:
        check_place()
        shutil.move(tmp_path / "run", tmp_path / "moved")
        if replaced:
            (tmp_path / "run").mkdir()
            (tmp_path / "run" / LOCK_NAME).write_text("1\n")
        with pytest.raises(LostFolderError, match=f"{tmp_path / 'run'}: was removed, moved or replaced while this run"):
            check_place()
    assert (tmp_path / "run" / LOCK_NAME).exists() == replaced
