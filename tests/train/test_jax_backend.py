"""The same code trains with JAX where TensorFlow is not installed; TensorFlow then exports what it trained."""

import importlib.util
import os
import subprocess
import sys

import pytest

from infer.styles.model_card import read_model_card
from scripts.faststyle import main
from tests.toy_run import toy_command

pytestmark = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")

WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None  # importing tensorflow now raises ImportError
from scripts.faststyle import main
sys.exit(main(sys.argv[1:]))
"""


def train_with_jax(arguments):
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_jax_trains_without_tensorflow_and_tensorflow_exports_the_weights(tmp_path):
    run = tmp_path / "run"
    coarser_too = ["--style-layers", "rgb,relu1_2,relu2_2/2"]
    done = train_with_jax([*toy_command(tmp_path), *coarser_too, "--output", str(run)])
    assert done.returncode == 0, done.stderr
    assert "weights.npz" in done.stdout
    assert not (run / "export").exists()
    assert main(["export", str(run / "weights.npz"), "--output", str(tmp_path / "model")]) == 0
    assert read_model_card(tmp_path / "model")["steps"] == 8
    assert main(["export", str(run), "--output", str(tmp_path / "from_checkpoint")]) == 0
