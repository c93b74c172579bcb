import keras
import numpy as np
import pytest

from faststyle.train.run_directory import RunDirectory, RunDirectoryError
from faststyle.train.run_state import RunState


def variables(*values):
    return [keras.Variable(np.full(2, value, "float32"), name=f"v{i}") for i, value in enumerate(values)]


@pytest.fixture
def directory(tmp_path):
    return RunDirectory(tmp_path / "run")


def test_a_new_run_begins_at_nothing(directory):
    progress = RunState(directory, variables(1.0), "3 photos")
    assert (progress.step, progress.position, progress.unreadable) == (0, 0, set())
    assert progress.last_checkpoint() is None


def test_what_was_saved_comes_back_into_other_variables(directory):
    before = RunState(directory, variables(1.0, 2.0), "3 photos")
    before.step, before.position, before.unreadable = 7, 14, {"broken.jpg"}
    assert before.save()
    resumed = variables(0.0, 0.0)
    after = RunState(directory, resumed, "4 photos")
    assert [float(variable[0]) for variable in resumed] == [1.0, 2.0]
    assert (after.step, after.position, after.unreadable) == (7, 14, {"broken.jpg"})
    assert (after.content_before, after.content) == ("3 photos", "4 photos")
    assert after.last_checkpoint() == directory.checkpoints / "step_00000007.npz"


def test_restoring_undoes_what_happened_since(directory):
    (variable,) = changing = variables(1.0)
    progress = RunState(directory, changing, "")
    kept = progress.arrays()
    variable.assign([5.0, 6.0])
    progress.restore(kept)
    np.testing.assert_array_equal(variable, [1.0, 1.0])


def test_variables_that_are_not_finite_are_not_saved(directory):
    progress = RunState(directory, variables(1.0, float("nan")), "")
    assert not progress.save()
    assert progress.last_checkpoint() is None


def test_checkpoints_of_other_variables_are_an_error(directory):
    RunState(directory, variables(1.0), "").save()
    with pytest.raises(RunDirectoryError, match="its checkpoints are of another version of this program"):
        RunState(directory, variables(1.0, 2.0), "")
