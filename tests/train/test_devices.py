"""Several devices train as one would: same losses, one writer, and an end in one line where one of them is lost."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from faststyle.scripts.faststyle import main
from tests.toy_run import QUICKLY_TRACED, toy_command

# The command on a processor that TensorFlow takes for several devices, with one residual block and no export.
ON_DEVICES = """
import sys
from faststyle.native_logs import filter_native_logs
filter_native_logs()
import tensorflow as tf
split = [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[1])
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], split)
from faststyle.models import transform_net
transform_net.RESIDUAL_BLOCKS = 1
import faststyle.train.run
faststyle.train.run.export_model = lambda *_, **__: None
from faststyle.scripts.faststyle import main
sys.exit(main(sys.argv[2:]))
"""
# Gradients of (3, 0) and (0, 4) on two devices: their mean of length 2.5 is clipped to (0.6, 0.8).
CLIPPED = """
import keras
import numpy as np
import tensorflow as tf
split = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], split)
from faststyle.train.cluster import ALONE
from faststyle.train.devices import open_devices
from faststyle.train.trainer import TERMS

devices = open_devices(ALONE)

class Products:
    def __init__(self):
        with devices.copies():
            self.trainable_variables = [keras.Variable([0.0, 0.0])]
            self.optimizer = keras.optimizers.SGD(1.0, global_clipnorm=1.0)
            self.optimizer.build(self.trainable_variables)

    def __call__(self, batch, training):
        return batch["image"] * self.trainable_variables[0].value

    def minimized(self, batch, products):
        loss = tf.reduce_mean(tf.reduce_sum(products, axis=1))
        return loss, dict.fromkeys(TERMS, loss)

trainer = Products()
terms = devices.train_step_terms(trainer, {"image": np.array([[3, 0], [0, 4]], "float32")})
np.testing.assert_allclose(trainer.trainable_variables[0].numpy(), [-0.6, -0.8], rtol=1e-6)
"""
STEPS = 20
OPTIONS = ["--steps", str(STEPS), "--precision", "float32", "--checkpoint-every", "5", "--preview-every", "10"]


@pytest.fixture(scope="module")
def command(tmp_path_factory) -> list[str]:
    """A toy run's arguments but `--output` and `--batch-size`, two styles."""
    folder = tmp_path_factory.mktemp("toy")
    train, style, *others = toy_command(folder)
    return [train, style, str(folder / "photos" / "photo_03.jpg"), *others, *QUICKLY_TRACED, *OPTIONS]


def start(arguments: list[str], output: Path, *, devices: int = 1, cluster: dict | None = None) -> subprocess.Popen:
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}  # set before TensorFlow is imported, here too early
    environment |= {"TF_CONFIG": json.dumps(cluster)} if cluster else {}
    whole = [sys.executable, "-c", ON_DEVICES, str(devices), *arguments, "--output", str(output)]
    return subprocess.Popen(whole, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def start_two_workers(
    arguments: list[str], output: Path, *, of_second: list[str] | None = None
) -> list[subprocess.Popen]:
    """Two processes that train together; the second one has a run directory of its own, and must not need it."""
    with socket.socket() as one, socket.socket() as other:
        for port in (one, other):
            port.bind(("127.0.0.1", 0))
        workers = [f"127.0.0.1:{port.getsockname()[1]}" for port in (one, other)]
    tasks = [{"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}} for index in range(2)]
    second = output.with_name(f"{output.name}_of_worker")
    return [
        start(arguments, output, cluster=tasks[0]),
        start([*arguments, *(of_second or [])], second, cluster=tasks[1]),
    ]


def finished(process: subprocess.Popen, status: int = 0) -> tuple[str, str]:
    """What a process said to both outputs, its progress bar left out."""
    out, errors = process.communicate(timeout=300)
    assert process.returncode == status, errors
    lines = [line for line in errors.replace("\r", "\n").splitlines() if line.strip() and "%|" not in line]
    return out, "\n".join(lines)


def totals(run: Path) -> list[float]:
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [record["total"] for record in records if record.get("split") == "train"]


def weights(run: Path) -> dict[str, np.ndarray]:
    with np.load(run / "weights.npz") as file:
        return {name: file[name] for name in file.files if name != "card.json"}


@pytest.fixture(scope="module")
def one_device(command, tmp_path_factory, one_residual_block) -> Path:
    run = tmp_path_factory.mktemp("one") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("faststyle.train.run.export_model", lambda *_, **__: None)
        assert main([*command, "--batch-size", "4", "--output", str(run)]) == 0
    return run


@pytest.mark.slow
def test_two_devices_have_the_losses_of_one_with_the_double_batch(command, one_device, tmp_path):
    out, _ = finished(start([*command, "--batch-size", "2"], tmp_path / "run", devices=2))
    assert "20 of batch 4 (2 on each of 2 devices) at 32 px" in out
    assert len(totals(one_device)) == STEPS
    np.testing.assert_allclose(totals(tmp_path / "run"), totals(one_device), atol=1e-4)


def test_gradients_are_clipped_after_they_were_averaged():
    done = subprocess.run([sys.executable, "-c", CLIPPED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def two_workers(command, tmp_path_factory) -> tuple[Path, list[tuple[str, str]]]:
    """A run of two processes that nothing interrupted, and what each of them said."""
    run = tmp_path_factory.mktemp("two") / "run"
    return run, [finished(process) for process in start_two_workers([*command, "--batch-size", "2"], run)]


@pytest.mark.slow
def test_two_workers_have_the_losses_of_one_device_with_the_double_batch(one_device, two_workers):
    run, _ = two_workers
    assert len(totals(run)) == STEPS
    np.testing.assert_allclose(totals(run), totals(one_device), atol=1e-4)


@pytest.mark.slow
def test_only_the_chief_writes_and_tells(two_workers):
    run, [(chief, chief_errors), (worker, worker_errors)] = two_workers
    assert [path.name for path in run.parent.iterdir()] == ["run"]
    assert "20 of batch 4 (2 on each of 2 devices) at 32 px" in chief
    assert chief.startswith("Process 1 of 2: they begin when all are there; the first one tells and writes.\nPlan\n")
    assert worker == "Process 2 of 2: they begin when all are there; the first one tells and writes.\n"
    assert (chief_errors, worker_errors) == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1], ids=["chief", "worker"])
def test_a_killed_process_ends_the_other_with_one_line_and_the_run_resumes_exactly(
    command, two_workers, tmp_path, lost
):
    arguments, run = [*command, "--batch-size", "2"], tmp_path / "run"
    processes = start_two_workers(arguments, run)
    wait_for(run / "checkpoints" / "step_00000005.npz", processes)
    processes[lost].kill()
    assert processes[lost].wait() == -signal.SIGKILL
    _, errors = finished(processes[1 - lost], status=1)
    assert errors == "stopped: another process of this training has ended; " + (
        "the same command on every machine goes on from the last checkpoint"
    )
    assert not (run / "weights.npz").exists(), "killed too late to test anything"
    resumed = [finished(process)[0] for process in start_two_workers(arguments, run)]
    assert "resumed at step" in resumed[0]
    expected, found = weights(two_workers[0]), weights(run)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


@pytest.mark.slow
def test_a_stop_asked_of_one_process_stops_all_after_the_same_step_with_a_checkpoint(command, tmp_path):
    run = tmp_path / "run"
    processes = start_two_workers([*command, "--batch-size", "2", "--steps", "400", "--checkpoint-every", "400"], run)
    wait_for(run / "previews" / "step_00000010.png", processes)
    processes[1].send_signal(signal.SIGTERM)
    said = [finished(process, status=130)[1].splitlines()[-1] for process in processes]
    assert said[0] == said[1]
    (checkpoint,) = (run / "checkpoints").iterdir()
    assert said[0].startswith(f"interrupted after step {int(checkpoint.stem.removeprefix('step_'))};")


@pytest.mark.slow
def test_processes_with_other_options_are_refused_in_one_line(command, tmp_path):
    processes = start_two_workers(command, tmp_path / "run", of_second=["--seed", "7"])
    said = [finished(process, status=2)[1] for process in processes]
    assert said[0] == "error: process 1 of TF_CONFIG has other options than process 0, which is this one"
    assert said[1] == "error: process 0 of TF_CONFIG has other options than process 1, which is this one"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_resume_is_exact_on_as_many_devices_and_says_on_another_number_what_changes(command, tmp_path):
    run, arguments = tmp_path / "run", [*command, "--batch-size", "2"]
    finished(start(arguments, run, devices=2))
    expected = weights(run)
    lose_the_end(run)
    out, _ = finished(start(arguments, run, devices=2))
    assert "warning" not in out
    found = weights(run)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    lose_the_end(run)
    out, _ = finished(start(arguments, run))
    assert "warning: since step 15 devices was 2, now 1; global_batch was 4, now 2; the run goes on" in out
    assert len(totals(run)) == STEPS


def lose_the_end(run: Path) -> None:
    """As if the run had been killed after step 15."""
    for unfinished in (run / "weights.npz", run / "checkpoints" / f"step_{STEPS:08d}.npz"):
        unfinished.unlink()


def wait_for(file: Path, processes: list[subprocess.Popen]) -> None:
    deadline = time.monotonic() + 300
    while not file.exists():
        for process in processes:
            assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"{file.name} was not written in time"
        time.sleep(0.005)
