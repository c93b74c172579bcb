"""A run stopped and killed at any moment ends, started again, with the very weights of a run never interrupted."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from faststyle.scripts.faststyle import main
from tests.toy_run import QUICKLY_TRACED, toy_command

# The command with one residual block, as the fixture `one_residual_block` has it.
_ONE_BLOCK = "import sys; from faststyle.models import transform_net; transform_net.RESIDUAL_BLOCKS = 1"
FASTSTYLE = [sys.executable, "-c", f"{_ONE_BLOCK}; from faststyle.scripts.faststyle import main; sys.exit(main())"]
pytestmark = pytest.mark.usefixtures("one_residual_block")


def final_weights(run_dir: Path) -> dict[str, np.ndarray]:
    with np.load(run_dir / "weights.npz") as file:
        return {name: file[name] for name in file.files if name != "card.json"}


def interrupt_at(checkpoint: Path, arguments: list[str], signal_number: int) -> subprocess.Popen:
    """Starts a run and sends it a signal as soon as `checkpoint` is there."""
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 200
    while not checkpoint.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the run did not get this far in time"
        time.sleep(0.005)
    process.send_signal(signal_number)
    return process


def test_interrupted_and_killed_run_ends_with_bit_identical_weights(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("faststyle.train.run.export_model", lambda *_, **__: None)  # the weights are enough
    command = [*toy_command(tmp_path), *QUICKLY_TRACED]
    whole, run_dir = tmp_path / "whole", tmp_path / "run"
    assert main([*command, "--output", str(whole)]) == 0
    arguments = [*FASTSTYLE, *command, "--output", str(run_dir)]
    checkpoints = run_dir / "checkpoints"

    stopped = interrupt_at(checkpoints / "step_00000002.npz", arguments, signal.SIGINT)
    errors = stopped.communicate(timeout=60)[1]
    assert stopped.returncode == 130
    assert "the same command goes on there" in errors
    assert not (run_dir / "export").exists(), "stopped too late to test anything"

    killed = interrupt_at(checkpoints / "step_00000006.npz", arguments, signal.SIGKILL)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert not (run_dir / "weights.npz").exists(), "killed too late to test anything"

    newest = max(checkpoints.glob("step_*.npz"))
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    capsys.readouterr()
    assert main([*command, "--output", str(run_dir)]) == 0
    said = capsys.readouterr().out
    assert f"{newest.name} is damaged" in said
    assert "resumed at step" in said

    expected, weights = final_weights(whole), final_weights(run_dir)
    assert weights.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(weights[name], array, err_msg=name)
    records = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records if record.get("split") == "train"] == list(range(1, 9))
