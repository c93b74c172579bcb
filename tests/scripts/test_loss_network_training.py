import json

import numpy as np
import pytest

from scripts.loss_network_settings import ClassifierSettings, Collection
from scripts.loss_network_training import HEADS_FILE, WEIGHTS_FILE, train_loss_network
from tests.scripts.test_labelled_photos import COLORS, write_classes
from train import checkpoints


def toy_settings(*folders, **changes):
    options = {"width": 0.125, "steps": 2, "batch_size": 8, "plain_steps": 0, "save_every": 1, "precision": "float32"}
    return ClassifierSettings(tuple(Collection(str(folder), 32) for folder in folders), **(options | changes))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return write_classes(tmp_path_factory.mktemp("photos"), COLORS, count=6)


@pytest.fixture(scope="module")
def trained(photos, tmp_path_factory):
    """Settings and folder of a finished run on two collections."""
    more = write_classes(tmp_path_factory.mktemp("more"), {**COLORS, "green": (10, 200, 30)}, count=4)
    settings, output = toy_settings(photos, more), tmp_path_factory.mktemp("runs") / "run"
    assert train_loss_network(settings, output) == output / WEIGHTS_FILE
    return settings, output


def test_training_writes_folded_weights_and_one_head_for_each_collection(trained):
    _, output = trained
    with np.load(output / WEIGHTS_FILE) as arrays:
        assert arrays["block1_conv1/kernel"].shape == (3, 3, 3, 8)
        assert arrays["block1_conv1/kernel"].dtype == np.float16
        assert len(arrays.files) == 26
    with np.load(output / HEADS_FILE) as heads:
        assert list(heads["0/classes"]) == ["apple", "sky"]
        assert heads["1/kernel"].shape == (64, 3)


def test_the_log_has_running_loss_and_accuracy(trained):
    _, output = trained
    lines = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert all(0 < line["loss"] < 10 and 0 <= line["accuracy"] <= 1 for line in lines)


def test_a_folder_of_another_run_is_refused(trained, photos):
    with pytest.raises(ValueError, match="other settings"):
        train_loss_network(toy_settings(photos, steps=3), trained[1])


@pytest.mark.slow
def test_an_interrupted_run_ends_with_the_same_weights(trained, tmp_path, monkeypatch):
    settings, whole = trained
    save = checkpoints.CheckpointStore.save

    def save_then_stop(store, checkpoint):
        save(store, checkpoint)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoints.CheckpointStore, "save", save_then_stop)
        train_loss_network(settings, tmp_path / "halved")
    halved = train_loss_network(settings, tmp_path / "halved")
    with np.load(whole / WEIGHTS_FILE) as expected, np.load(halved) as arrays:
        for name in expected.files:
            np.testing.assert_allclose(arrays[name], expected[name], atol=2e-3, err_msg=name)


def test_a_collection_named_twice_has_two_turns_and_one_head(photos, tmp_path):
    train_loss_network(toy_settings(photos, photos, plain_steps=2), tmp_path / "run")
    with np.load(tmp_path / "run" / HEADS_FILE) as heads:
        assert sorted(heads.files) == ["0/bias", "0/classes", "0/kernel"]
