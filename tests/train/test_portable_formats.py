import json
import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter

from faststyle.infer.styles.model_card import read_model_card
from faststyle.scripts.faststyle import main
from faststyle.train.portable_formats import PORTABLE_FORMATS, PortableFormatError


def run_litert(path, inputs):
    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    with zipfile.ZipFile(path) as attached:
        return runner(**inputs)["stylized_image"], json.loads(attached.read("style.json"))


def run_onnx(path, inputs):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    return session.run(["stylized_image"], inputs)[0], json.loads(properties["style.json"])


@pytest.mark.parametrize(
    ("name", "run", "levels"),
    [("litert", run_litert, 0.1), ("litert-float16", run_litert, 0.5), ("onnx", run_onnx, 0.1)],
)
def test_a_file_paints_what_the_model_paints_at_any_size_and_carries_the_card(two_styles, tmp_path, name, run, levels):
    import tensorflow as tf

    chosen = PORTABLE_FORMATS[name]
    path = tmp_path / f"new/painting{chosen.suffix}"
    assert chosen.write(two_styles, path) <= levels
    stylize = tf.saved_model.load(str(two_styles)).signatures["serving_default"]
    mixture = np.array([[0.25, 0.75]], "float32")
    for height, width in ((45, 67), (32, 50)):
        image = np.random.default_rng(0).uniform(0, 255, (1, height, width, 3)).astype("float32")
        expected = stylize(image=tf.constant(image), style_mixture=tf.constant(mixture))["stylized_image"]
        stylized, card = run(path, {"image": image, "style_mixture": mixture})
        assert np.abs(stylized - expected).mean() <= levels
        assert card == read_model_card(two_styles)


def test_weights_of_eight_bits_make_a_smaller_file(two_styles, tmp_path):
    sizes = {}
    for name in ("litert", "litert-int8"):
        path = tmp_path / name
        PORTABLE_FORMATS[name]._replace(tolerance=20.0).write(two_styles, path)  # untrained weights bear rounding badly
        sizes[name] = path.stat().st_size
    assert sizes["litert-int8"] < 0.8 * sizes["litert"]


def test_a_file_that_paints_something_else_is_not_left_behind(two_styles, tmp_path):
    photos = {"convert": lambda _: b"", "load": lambda _: lambda inputs: inputs["image"]}
    strict = PORTABLE_FORMATS["litert"]._replace(**photos)
    with pytest.raises(PortableFormatError, match=r"differs from the model by [\d.]+ of 255 .* more than 0.5"):
        strict.write(two_styles, tmp_path / "painting.tflite")
    assert not list(tmp_path.iterdir())


def test_what_is_not_installed_is_named_with_what_installs_it():
    absent = PORTABLE_FORMATS["onnx"]._replace(modules=("onnx", "no_such_runtime"))
    with pytest.raises(PortableFormatError, match=r"need no_such_runtime, .* pip install \"faststyle-tf\[formats\]\""):
        absent.check_installed()


@pytest.fixture
def written(monkeypatch, tmp_path) -> list:
    """Files that the command would have written, each from which model."""
    monkeypatch.chdir(tmp_path)
    calls: list = []
    monkeypatch.setattr("faststyle.train.export.export_model", lambda *_, **__: None)
    for name, chosen in PORTABLE_FORMATS.items():
        fake = type("Fake", (), {"suffix": chosen.suffix, "check_installed": chosen.check_installed})
        fake.write = staticmethod(lambda model_dir, file: calls.append((str(model_dir), str(file))) or 0.0)
        monkeypatch.setitem(PORTABLE_FORMATS, name, fake)
    return calls


def test_files_are_named_after_the_models_folder(written, capsys):
    assert main(["export", "starry_night", "--output", "out/night", "--format", "savedmodel,litert-int8,onnx"]) == 0
    assert written == [("out/night", "out/night.int8.tflite"), ("out/night", "out/night.onnx")]
    assert "Exported model: out/night\n" in capsys.readouterr().out


def test_a_single_file_may_be_named_whole_and_its_model_is_not_kept(written, tmp_path):
    assert main(["export", "starry_night", "--output", "night.onnx", "--format", "onnx"]) == 0
    assert [file for _, file in written] == ["night.onnx"]
    assert not list(tmp_path.iterdir())


def test_a_file_that_exists_is_refused_before_any_work(written, tmp_path, capsys):
    (tmp_path / "night.tflite").write_text("precious")
    command = ["export", "starry_night", "--output", "night", "--format", "litert"]
    assert main(command) == 2
    assert "night.tflite exists; choose another name or pass --overwrite" in capsys.readouterr().err
    assert not written
    assert main([*command, "--overwrite"]) == 0


def test_an_unknown_format_is_named_with_those_there_are(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["export", "starry_night", "--output", "night", "--format", "savedmodel,coreml"])
    assert "unknown format 'coreml'; there are savedmodel, litert," in capsys.readouterr().err
