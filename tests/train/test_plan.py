import datetime
import shutil
import time
from pathlib import Path

import keras
import pytest

from faststyle.train import plan as plan_module
from faststyle.train.plan import Measurement, describe_plan, disk_bytes, measure
from faststyle.train.settings import TrainSettings


def plan(
    *, seconds_per_step: float = 0.5, start_step: int = 0, disk: int = 0, devices: int = 1, **values
) -> dict[str, str]:
    """The plan's lines by their names, after checking how they are laid out."""
    text = describe_plan(
        TrainSettings(**({"style_images": ("styles/woodcut.png",), "content": "photos"} | values)),
        Path("runs/woodcut"),
        photos="folder photos: 1,000 photos, 8 held out",
        network="width 0.5, 424,067 parameters",
        loss_network_weights="a vgg16 from somewhere",
        policy="mixed_bfloat16",
        start_step=start_step,
        measured=Measurement(seconds_per_step, 3 * 2**30),
        disk=disk,
        devices=devices,
    )
    title, *lines = text.splitlines()
    assert title == "Plan"
    column = 2 + max(len(line[2:].split("  ")[0]) for line in lines) + 2
    assert all(line[column - 2 : column] == "  " and line[column] != " " for line in lines)
    return {line[:column].strip(): line[column:] for line in lines}


class TestPlan:
    def test_speed_duration_and_memory_by_hand(self):
        lines = plan(steps=2000, batch_size=4, start_step=500)
        assert lines["speed"] == "0.50 s per step (8.0 images/s), measured"
        assert lines["expected end"].endswith(", in 12 min")  # 1500 steps of half a second are 12.5 minutes
        assert lines["memory"].startswith("3.0 GiB peak on the ")

    @pytest.mark.parametrize(
        ("seconds_per_step", "duration"), [(0.001, "2 s"), (0.029, "58 s"), (0.03, "1 min"), (4.53, "2 h 31 min")]
    )
    def test_durations_by_hand(self, seconds_per_step, duration):
        assert plan(steps=2000, seconds_per_step=seconds_per_step)["expected end"].endswith(f", in {duration}")

    def test_the_expected_end_is_that_much_later_than_now(self):
        before = datetime.datetime.now()
        end = datetime.datetime.strptime(plan(steps=7200)["expected end"].split(",")[0], "%Y-%m-%d %H:%M")
        later = datetime.datetime.now() + datetime.timedelta(hours=1)
        assert before + datetime.timedelta(minutes=59) <= end <= later

    def test_what_is_trained_on_what(self):
        lines = plan(style_images=("a/woodcut.png", "b/glass.jpg"), style_sizes=(300, 400))
        assert lines["styles"] == "woodcut@300, woodcut@400, glass@300, glass@400"
        assert lines["content"] == "folder photos: 1,000 photos, 8 held out"
        assert lines["network"] == "width 0.5, 424,067 parameters"
        assert lines["precision"] == "mixed_bfloat16"

    def test_the_objective_with_weights_where_they_are_not_1(self):
        lines = plan(
            content_layers={"relu3_3": 1.0},
            style_layers={"rgb": 0.5, "relu1_2": 1.0},
            statistic="gram",
            content_weight=0.25,
            style_weight=1.0,
            tv_weight=0.0,
        )
        assert lines["loss network"] == "a vgg16 from somewhere; content relu3_3; style rgb=0.5 relu1_2 (gram)"
        assert lines["weights"] == "content 0.25, style 1, tv 0"

    def test_a_new_run_and_a_resumed_one(self):
        values = {"steps": 40_000, "batch_size": 4, "image_size": 256}
        assert plan(**values)["steps"] == "40,000 of batch 4 at 256 px"
        assert plan(**values, start_step=1200)["steps"] == "40,000 of batch 4 at 256 px, resumed at step 1,200"

    def test_the_batch_of_several_devices_is_said_with_that_of_each(self):
        assert plan(steps=400, batch_size=4, devices=8)["steps"] == "400 of batch 32 (4 on each of 8 devices) at 256 px"
        assert plan(batch_size=4, devices=8)["speed"] == "0.50 s per step (64.0 images/s), measured"

    def test_where_everything_goes(self):
        output = plan(checkpoint_every=50, preview_every=25)["output"]
        assert output.startswith("runs/woodcut/ with checkpoints/ (every 50 steps), previews/ (every 25)")
        assert output.endswith("metrics.jsonl, weights.npz, tensorboard/, export/")

    def test_what_only_tensorflow_writes_is_not_promised_of_jax(self, monkeypatch):
        monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
        monkeypatch.setattr(plan_module, "has_gpu", lambda: False)
        assert plan()["output"].endswith("metrics.jsonl, weights.npz; tensorboard/ and export/ need TensorFlow")

    @pytest.mark.parametrize(("disk", "shown"), [(45 * 2**20, "45 MiB"), (5 * 2**29, "2.5 GiB")])
    def test_the_disk_that_the_run_takes_and_that_is_free(self, monkeypatch, disk, shown):
        monkeypatch.setattr(plan_module.shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(9, 6, 3 * 2**30))
        assert plan(disk=disk)["disk"] == f"up to {shown} by the end; 3.0 GiB are free"

    def test_the_disk_of_a_run_by_hand(self):
        settings = TrainSettings(style_images=("a.png",), content="photos", steps=1000, preview_every=300)
        states, sheets, logs = 6 * 5_000_000, 2 * 4 * 700_000, 1000 * 1024
        expected = states + sheets + logs + 4 * 2**20
        assert disk_bytes(settings, state_bytes=5_000_000, sheet_bytes=700_000) == expected


class TestMeasure:
    def test_the_step_is_called_three_times_and_the_first_is_not_timed(self):
        calls = []

        def step() -> None:
            time.sleep(0.6 if not calls else 0.05)
            calls.append(None)

        measured = measure(step)
        assert len(calls) == 3
        assert 0.05 <= measured.seconds_per_step < 0.3

    def test_peak_memory_is_in_bytes(self):
        measured = measure(lambda: None)
        assert 10 * 2**20 < measured.peak_bytes < 2**40
