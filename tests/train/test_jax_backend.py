"""The same code trains with JAX where TensorFlow is not installed; TensorFlow then exports what it trained."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from faststyle.infer.styles.model_card import read_model_card
from faststyle.scripts.faststyle import main
from tests.toy_run import QUICKLY_TRACED, toy_command, write_photos

pytestmark = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")

WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None  # importing tensorflow now raises ImportError
from faststyle.scripts.faststyle import main
sys.exit(main(sys.argv[1:]))
"""


STYLE_TARGETS = """
import sys
import numpy as np
from faststyle.images.files import resize_shorter_side
from faststyle.infer.styles.style_image import read_style_image
from faststyle.models.loss_network import LossNetwork
from faststyle.models.objective import Objective
from faststyle.train.assembly import objective_settings, stacked_style_targets
from faststyle.train.settings import TrainSettings

settings = TrainSettings(
    style_images=tuple(sys.argv[1:]),
    content="photos",
    style_sizes=(32,),
    style_layers={"rgb": 1.0, "relu1_2": 1.0, "relu2_1/2": 1.0},
)
objective = Objective(LossNetwork("vgg16", layers=["relu3_3"]), objective_settings(settings))
rows = stacked_style_targets(objective, settings)
for index, path in enumerate(settings.style_images):
    image = resize_shorter_side(read_style_image(path), 32)[None].astype("float32")
    for layer, parts in objective.style_targets(image).items():
        for part, value in parts.items():
            np.testing.assert_allclose(rows[layer][part][index], value[0], rtol=1e-4, atol=1e-5)
"""


def run_with_jax(script, arguments, *, devices=1):
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    environment["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_style_targets_of_images_of_several_shapes_are_the_objectives_own(tmp_path):
    wide = write_photos(tmp_path, count=1) / "photo_00.jpg"
    square = tmp_path / "square.png"
    Image.open(wide).crop((0, 0, 40, 40)).save(square)
    done = run_with_jax(STYLE_TARGETS, [str(wide), str(square)])
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_jax_trains_without_tensorflow_and_tensorflow_exports_the_weights(tmp_path):
    run = tmp_path / "run"
    coarser_too = ["--style-layers", "rgb,relu1_2,relu2_2/2"]
    done = run_with_jax(WITHOUT_TENSORFLOW, [*toy_command(tmp_path), *coarser_too, "--output", str(run)])
    assert done.returncode == 0, done.stderr
    assert f"faststyle export {run} --output {run / 'export'}" in done.stdout
    assert not (run / "export").exists()
    assert not (run / "tensorboard").exists()
    assert [path.name for path in sorted((run / "previews").iterdir())] == ["step_00000004.png", "step_00000008.png"]
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 8 + 2
    assert main(["export", str(run / "weights.npz"), "--output", str(tmp_path / "model")]) == 0
    assert read_model_card(tmp_path / "model")["steps"] == 8
    assert main(["export", str(run), "--output", str(tmp_path / "from_checkpoint")]) == 0


@pytest.mark.slow
def test_tensorflow_goes_on_where_jax_stopped_and_says_so(tmp_path, capsys):
    run = tmp_path / "run"
    command = [*toy_command(tmp_path), "--output", str(run)]
    done = run_with_jax(WITHOUT_TENSORFLOW, command)
    assert done.returncode == 0, done.stderr
    (run / "weights.npz").unlink()
    (run / "checkpoints" / "step_00000008.npz").unlink()
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "warning: since step 6 backend was jax, now tensorflow; the run goes on, but not bit for bit" in said
    assert read_model_card(run / "export")["steps"] == 8


@pytest.mark.slow
def test_two_devices_have_the_losses_of_one_with_the_double_batch(tmp_path):
    command = [*toy_command(tmp_path), *QUICKLY_TRACED, "--precision", "float32", "--steps", "20"]
    totals = []
    for devices, batch in ((1, 4), (2, 2)):
        run = tmp_path / f"of_{devices}"
        arguments = [*command, "--batch-size", str(batch), "--output", str(run)]
        done = run_with_jax(WITHOUT_TENSORFLOW, arguments, devices=devices)
        assert done.returncode == 0, done.stderr
        assert ("20 of batch 4 (2 on each of 2 devices)" in done.stdout) == (devices == 2)
        records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        totals.append([record["total"] for record in records if record.get("split") == "train"])
    np.testing.assert_allclose(totals[1], totals[0], atol=1e-4)


@pytest.mark.slow
def test_processes_of_tf_config_are_refused(tmp_path, monkeypatch):
    workers = ["127.0.0.1:1", "127.0.0.1:2"]
    task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task))
    done = run_with_jax(WITHOUT_TENSORFLOW, [*toy_command(tmp_path), "--output", str(tmp_path / "run")])
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: TF_CONFIG names 2 processes, which JAX cannot join; unset it"
