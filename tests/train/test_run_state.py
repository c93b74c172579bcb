import dataclasses

import keras
import numpy as np
import pytest

from faststyle.train.checkpoints import Checkpoint, CheckpointStore
from faststyle.train.run_directory import RunDirectory, RunDirectoryError
from faststyle.train.run_state import RunState, check_pictures, style_digests
from faststyle.train.settings import TrainSettings


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


def test_another_process_goes_on_where_the_chief_does_without_its_checkpoints(directory, tmp_path):
    chief = RunState(directory, variables(1.5, 2.5), "")
    chief.step, chief.position = 7, 14
    sent: list[bytes] = []
    chief.share(lambda data: sent.append(data) or data)
    others = variables(0.0, 0.0)
    worker = RunState(RunDirectory(tmp_path / "elsewhere"), others, "")
    worker.share(lambda data: sent[0])
    assert (worker.step, worker.position) == (chief.step, chief.position) == (7, 14)
    assert [np.asarray(variable).tolist() for variable in others] == [[1.5, 1.5], [2.5, 2.5]]


def test_variables_that_are_not_finite_are_not_saved(directory):
    progress = RunState(directory, variables(1.0, float("nan")), "")
    assert not progress.save()
    assert progress.last_checkpoint() is None


@pytest.mark.parametrize("others", [variables(1.0, 2.0), [keras.Variable(np.zeros(3), name="v0")]])
def test_checkpoints_of_other_variables_are_an_error(directory, others):
    RunState(directory, variables(1.0), "").save()
    with pytest.raises(RunDirectoryError, match="its checkpoints are of another version of this program"):
        RunState(directory, others, "")


def test_counters_of_another_backend_come_back_as_this_ones(directory):
    weights = np.array([0.5, -2], "float32")
    arrays = {"0000:v0": weights, "0001:seed_state": np.array([7, 4_000_000_000], "uint32"), "0002:steps": np.int32(6)}
    CheckpointStore(directory.checkpoints).save(Checkpoint(6, arrays, {"position": 12, "unreadable": []}))
    here = [
        keras.Variable(np.zeros(2, "float32"), name="v0"),
        keras.Variable(np.zeros(2, "int64"), dtype="int64", name="seed_state"),
        keras.Variable(0, dtype="int64", name="steps"),
    ]
    RunState(directory, here, "")
    assert [np.array(variable).tolist() for variable in here] == [[0.5, -2.0], [7, 4_000_000_000], 6]
    assert [np.array(variable).dtype for variable in here] == ["float32", "int64", "int64"]


@pytest.mark.parametrize(
    "state",
    [{}, {"position": "4"}, {"position": -1}, {"position": 4, "unreadable": 3}, {"position": 4, "unreadable": [3]}],
    ids=str,
)
def test_a_state_that_is_none_of_ours_is_one_line(directory, state):
    CheckpointStore(directory.checkpoints).save(Checkpoint(6, {}, state))
    with pytest.raises(RunDirectoryError) as caught:
        RunState(directory, [], "")
    assert str(caught.value) == (
        f"{directory.path}: the state in its checkpoint of step 6 cannot be understood; remove that file to go on "
        "from the one before"
    )


class TestCheckPictures:
    @pytest.fixture
    def settings(self, directory, tmp_path):
        """Of a run with a checkpoint."""
        (tmp_path / "style.jpg").write_bytes(b"a style")
        settings = TrainSettings(style_images=(str(tmp_path / "style.jpg"),), content="photos")
        directory.open(settings, {})
        RunState(directory, variables(1.0), "3 photos (aa)", style_digests(settings)).save()
        return settings

    def test_photos_elsewhere_must_be_the_same(self, directory, settings):
        moved = dataclasses.replace(settings, content="elsewhere")
        check_pictures(directory, moved, content="3 photos (aa)")
        with pytest.raises(RunDirectoryError) as caught:
            check_pictures(directory, moved, content="3 photos (bb)")
        assert str(caught.value) == (
            f"{directory.path}: its photos were 3 photos (aa) in photos, but elsewhere holds 3 photos (bb); "
            "say where they lie now, or choose another --output"
        )

    def test_photos_that_changed_in_their_place_are_left_to_a_warning(self, directory, settings):
        check_pictures(directory, settings, content="4 photos (cc)")

    def test_another_picture_under_the_style_images_name_is_refused(self, directory, settings, tmp_path):
        check_pictures(directory, settings, content=None)
        (tmp_path / "style.jpg").write_bytes(b"another")
        with pytest.raises(RunDirectoryError) as caught:
            check_pictures(directory, settings, content=None)
        assert str(caught.value) == (
            f"{directory.path}: {tmp_path / 'style.jpg'} is another picture than its style image was; "
            "bring that one back, or choose another --output"
        )

    def test_a_state_that_notes_another_number_of_style_images_is_refused(self, directory, settings):
        state = {"position": 0, "unreadable": [], "styles": ["one", "another"]}
        CheckpointStore(directory.checkpoints).save(Checkpoint(9, {}, state))
        with pytest.raises(RunDirectoryError, match="its checkpoint of step 9 cannot be understood"):
            check_pictures(directory, settings, content=None)

    def test_checkpoints_of_an_earlier_version_do_not_tell_their_style(self, directory, settings, tmp_path):
        CheckpointStore(directory.checkpoints).save(Checkpoint(9, {}, {"position": 0, "unreadable": []}))
        (tmp_path / "style.jpg").write_bytes(b"another")
        check_pictures(directory, settings, content=None)
