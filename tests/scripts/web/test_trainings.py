"""Runs of the page: real trainings, toy-sized, that stop, go on exactly, and end as the command would."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from faststyle.scripts.faststyle import main
from faststyle.scripts.web.trainings import INPUTS, TrainingError, Trainings, _last_plan, _seconds_left
from tests.toy_run import TOY_OPTIONS, write_photos

STEPS = 40
OPTIONS = [
    value for pair in zip(TOY_OPTIONS[::2], TOY_OPTIONS[1::2], strict=True) if pair[0] != "--steps" for value in pair
]


@pytest.fixture
def pictures(tmp_path) -> tuple[Path, Path]:
    photos = write_photos(tmp_path / "photos")
    return write_photos(tmp_path / "style", count=1, seed=1) / "photo_00.jpg", photos


def begin(trainings: Trainings, pictures: tuple[Path, Path], name: str = "mine") -> None:
    trainings.begin(name, pictures[0], photos=pictures[1], steps=STEPS, learned_strength=False)


def wait_until(condition, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.5)


def test_what_cannot_be_begun_is_told_and_leaves_nothing(tmp_path, pictures):
    trainings = Trainings(tmp_path / "runs")
    with pytest.raises(TrainingError, match="up to 60 letters, digits, - and _; got '../away'"):
        begin(trainings, pictures, "../away")
    with pytest.raises(TrainingError, match="no such folder on this machine"):
        begin(trainings, (pictures[0], tmp_path / "nowhere"))
    with pytest.raises(TrainingError, match="no run named 'mine' was begun here"):
        trainings.go_on("mine")
    with pytest.raises(TrainingError, match="nothing is training now"):
        trainings.stop()
    assert trainings.names() == []
    assert not (tmp_path / "runs").exists()


def test_the_plan_is_the_last_one_printed():
    log = "Plan\n  styles  a\n  steps   8\nnoise\nPlan\n  styles  b\nstep 1\n"
    assert _last_plan(log) == "styles  b"
    assert _last_plan("nothing yet") == ""


def test_the_time_left_is_that_of_the_last_steps():
    slow_first = [{"images_per_second": 0.1}] + [{"images_per_second": 8.0}] * 20
    assert _seconds_left(slow_first, "steps  400 of batch 4 at 256 px", 60) == 30.0
    assert _seconds_left(slow_first, "", 60) is None
    assert _seconds_left([], "steps  400 of batch 4 at 256 px", 60) is None


@pytest.mark.slow
def test_a_run_stops_goes_on_exactly_and_ends_as_an_uninterrupted_command(tmp_path, pictures):
    trainings = Trainings(tmp_path / "runs", OPTIONS)
    begin(trainings, pictures)
    with pytest.raises(TrainingError, match="mine is training now, and only one can at a time"):
        begin(trainings, pictures, "other")
    with pytest.raises(TrainingError, match="mine is training now"):
        begin(trainings, pictures)
    wait_until(lambda: trainings.status("mine").step >= 3)
    assert trainings.status("mine").plan.startswith("styles")
    assert (trainings.status("mine").seconds_left or 0) > 0
    assert Trainings(tmp_path / "runs").training() == "mine"  # another server finds it
    trainings.stop()
    wait_until(lambda: trainings.training() is None)
    stopped = trainings.status("mine")
    assert (stopped.state, stopped.problem) == ("stopped", "")
    assert 3 <= stopped.step < STEPS

    assert stopped.seconds_left is None
    with pytest.raises(TrainingError, match='choose another name, or choose it among your trainings and press "Go on"'):
        begin(trainings, pictures)
    trainings.keep("mine")
    assert trainings.status("mine").kept
    again = Trainings(tmp_path / "runs", OPTIONS)
    again.go_on("mine")
    wait_until(lambda: again.training() is None)
    done = again.status("mine")
    assert (done.state, done.step, done.kept) == ("done", STEPS, True)
    assert len(done.totals) == STEPS
    assert done.previews
    with pytest.raises(TrainingError, match="there is a training named mine already; choose another name$"):
        begin(again, pictures)

    command = json.loads((tmp_path / "runs" / INPUTS / "mine" / "command.json").read_text())
    command[command.index("--output") + 1] = str(tmp_path / "by_command")
    assert main(command) == 0
    with (
        np.load(tmp_path / "runs" / "mine" / "weights.npz") as mine,
        np.load(tmp_path / "by_command" / "weights.npz") as theirs,
    ):
        for name in theirs.files:
            if theirs[name].dtype.kind == "f":
                np.testing.assert_array_equal(mine[name], theirs[name])


@pytest.mark.slow
def test_a_server_that_ends_leaves_a_run_that_goes_on_and_one_that_is_killed_leaves_it_running(tmp_path, pictures):
    ended = Trainings(tmp_path / "runs", OPTIONS)
    begin(ended, pictures)
    wait_until(lambda: ended.status("mine").step >= 3)
    ended.close()
    assert ended.status("mine").state == "stopped"
    killed = Trainings(tmp_path / "runs", OPTIONS)
    killed.go_on("mine")
    wait_until(lambda: killed.status("mine").step > ended.status("mine").step or killed.training() is None)
    new = Trainings(tmp_path / "runs")
    if new.training():  # it had no time to end
        new.stop()
        wait_until(lambda: new.training() is None)
    assert new.status("mine").problem == ""


@pytest.mark.slow
def test_a_run_that_cannot_train_says_why(tmp_path, pictures):
    trainings = Trainings(tmp_path / "runs", [*OPTIONS, "--image-size", "30"])
    begin(trainings, pictures)
    wait_until(lambda: trainings.training() is None)
    assert trainings.status("mine").problem == "error: --image-size must be a multiple of 4 in 16..8192, got 30"
    with pytest.raises(TrainingError, match="no config.json in it|no such"):
        trainings.keep("mine")
