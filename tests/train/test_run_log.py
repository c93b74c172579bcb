import json
from pathlib import Path

import keras
import numpy as np
import pytest

from faststyle.train.run_log import RunLog
from faststyle.train.trainer import TERMS

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorBoard files are written with the TensorFlow backend only"
)


def terms(scale: float = 1.0) -> dict[str, float]:
    return {name: scale * (index + 1) for index, name in enumerate(TERMS)}


@pytest.fixture
def metrics(tmp_path):
    return tmp_path / "metrics.jsonl"


@pytest.fixture
def open_log(metrics):
    def open_at(resume_step: int = 0) -> RunLog:
        return RunLog(metrics, metrics.parent / "tensorboard", steps=10, resume_step=resume_step, batch_size=4)

    return open_at


def records(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_step_is_one_line_with_every_number(open_log, metrics):
    with open_log() as log:
        log.step(1, terms(0.5), learning_rate=0.001)
    (record,) = records(metrics)
    assert record.pop("images_per_second") > 0
    assert record == {"step": 1, "split": "train", **terms(0.5), "learning_rate": 0.001}


def test_validation_and_events_are_lines_too(open_log, metrics):
    with open_log() as log:
        log.validation(4, terms(), {"sea": terms()})
        log.event(4, "skipped unreadable photo", reason="a.jpg: damaged image", count=1)
    assert records(metrics) == [
        {"step": 4, "split": "validation", **terms()},
        {"step": 4, "event": "skipped unreadable photo", "reason": "a.jpg: damaged image", "count": 1},
    ]


def test_events_and_validation_are_said_on_the_terminal(open_log, capfd):
    with open_log() as log:
        log.validation(4, terms(), {"sea": terms()})
        log.event(4, "skipped unreadable photo", reason="a.jpg: damaged image", count=3)
    lines = [line.rsplit("\r", 1)[-1] for line in capfd.readouterr().out.splitlines()]
    assert "step 4: validation " + " ".join(f"{name} {value:.4f}" for name, value in terms().items()) in lines
    assert "skipped unreadable photo: a.jpg: damaged image, 3" in lines


def test_a_note_is_a_line_in_the_file_and_nothing_on_the_terminal(open_log, metrics, capfd):
    with open_log() as log:
        log.note(5, "photos changed", was="14 photos", now="15 photos")
    assert records(metrics) == [{"step": 5, "event": "photos changed", "was": "14 photos", "now": "15 photos"}]
    assert "photos changed" not in capfd.readouterr().out


def test_the_bar_begins_at_the_resumed_step_and_shows_the_terms(open_log, capfd):
    with open_log(7) as log:
        log.step(8, terms(), learning_rate=0.001)
        log.step(9, terms(), learning_rate=0.001)
    shown = capfd.readouterr().err
    assert "7/10" in shown
    assert "9/10" in shown
    assert all(f"{name}={value:.4f}" in shown for name, value in terms().items())


def test_a_line_is_in_the_file_as_soon_as_its_step_is_done(open_log, metrics):
    with open_log() as log:
        log.step(1, terms(), learning_rate=0.001)
        assert [record["step"] for record in records(metrics)] == [1]


def test_a_resumed_run_has_every_step_once(open_log, metrics):
    with open_log() as log:
        for step in range(1, 7):
            log.step(step, terms(step), learning_rate=0.001)
        log.validation(6, terms(), {"sea": terms()})
    first = metrics.read_text().splitlines()
    with open_log(4) as log:
        for step in range(5, 8):
            log.step(step, terms(10 * step), learning_rate=0.001)
    assert metrics.read_text().splitlines()[:4] == first[:4]
    assert [(record["step"], record["total"]) for record in records(metrics)[4:]] == [(5, 50), (6, 60), (7, 70)]


@pytest.mark.parametrize("half", ['{"step": 3, "split": "tr', '{"step": 3', '{"ste', "{", "3", "\n"])
def test_a_half_written_last_line_is_dropped(open_log, metrics, half):
    whole = ['{"step": 1, "split": "train"}', '{"step": 3, "split": "train"}']
    metrics.write_text("".join(f"{line}\n" for line in whole) + half)
    with open_log(3) as log:
        log.step(4, terms(), learning_rate=0.001)
    assert metrics.read_text().splitlines()[:2] == whole
    assert [record["step"] for record in records(metrics)] == [1, 3, 4]


@pytest.mark.parametrize("damaged", [b'{"step": 2, "split": "\xff"}', b"[" * 100_000], ids=["no text", "deep"])
def test_a_damaged_line_is_dropped(open_log, metrics, damaged):
    metrics.write_bytes(b'{"step": 1}\n' + damaged + b'\n{"step": 3}\n')
    with open_log(3):
        pass
    assert [record["step"] for record in records(metrics)] == [1, 3]


def test_an_error_inside_closes_the_file(open_log, metrics):
    with pytest.raises(RuntimeError), open_log() as log:
        log.step(1, terms(), learning_rate=0.001)
        raise RuntimeError
    with pytest.raises(ValueError, match="closed file"):
        log.event(1, "too late")
    assert len(records(metrics)) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's device that is always full")
def test_a_full_disk_is_said_with_the_files_name(open_log, metrics):
    metrics.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device") as caught, open_log() as log:
        log.step(1, terms(), learning_rate=0.001)
    assert caught.value.filename == str(metrics)


@needs_tensorflow
def test_tensorboard_shows_the_same_numbers_and_the_preview(open_log, metrics):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    sheet = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype="uint8")
    with open_log() as log:
        for step in (1, 2):
            log.step(step, terms(step), learning_rate=0.001)
        log.validation(2, terms(7), {"sea": terms(1), "hill": terms(2)})
        log.preview(2, sheet)
    events = EventAccumulator(str(metrics.parent / "tensorboard")).Reload()
    for index, name in enumerate(TERMS, start=1):
        train = [(event.step, float(make_ndarray(event.tensor_proto))) for event in events.Tensors(f"train/{name}")]
        assert train == [(1, index), (2, 2 * index)]
        (validation,) = events.Tensors(f"validation/{name}")
        assert float(make_ndarray(validation.tensor_proto)) == 7 * index
    (preview,) = events.Tensors("preview")
    assert list(make_ndarray(preview.tensor_proto)[:2]) == [b"20", b"12"]  # width and height
