"""The model as one file for other runtimes: LiteRT for phones, ONNX for browsers and servers.

Each file carries the model card and is run by its own runtime on three photos before it stands where it was asked for.
"""

import importlib.util
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from faststyle import DISTRIBUTION
from faststyle.atomic_files import write_atomically
from faststyle.infer.styles.model_card import CARD_FILE
from faststyle.user_error import UserError

_SIGNATURE = "serving_default"
_STYLIZED = "stylized_image"
_OPSET = 18  # of ONNX
_THREADS = 2

Run = Callable[[dict[str, np.ndarray]], np.ndarray]


class PortableFormatError(UserError):
    """A format that cannot be written here, or a file that does not paint what the model paints."""


class PortableFormat(NamedTuple):
    """How a format is named, written and run.

    Attributes:
        suffix: of its files.
        modules: what must be installed for it.
        convert: from an exported model's folder to the file.
        load: from the file to a function from the model's inputs to the stylized image.
        tolerance: mean difference from the model that is allowed, in grey levels of 255.
    """

    suffix: str
    modules: tuple[str, ...]
    convert: Callable[[Path], bytes]
    load: Callable[[bytes], Run]
    tolerance: float = 0.5

    def check_installed(self) -> None:
        """Refuses a format whose converter or runtime is missing.

        Raises:
            PortableFormatError: which one, and what installs it.
        """
        missing = next((name for name in self.modules if importlib.util.find_spec(name) is None), None)
        if missing:
            raise PortableFormatError(
                f'{self.suffix} files need {missing}, which is not installed: pip install "{DISTRIBUTION}[formats]"'
            )

    def write(self, model_dir: Path, output: Path) -> float:
        """Converts an exported model of this project to the file `output`, whole or not at all.

        Returns:
            The largest of three photos' mean absolute differences from the model, in grey levels of 255.

        Raises:
            PortableFormatError: it paints other pictures than the model.
            OSError: `output` cannot be written.
        """
        converted = self.convert(model_dir)
        difference = _mean_difference(model_dir, self.load(converted))
        if not difference <= self.tolerance:
            raise PortableFormatError(
                f"{output}: differs from the model by {difference:.3g} of 255 in the mean, "
                f"more than {self.tolerance:g}; nothing was written"
            )
        output.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(output, converted)
        return difference


def _mean_difference(model_dir: Path, run: Run) -> float:
    import tensorflow as tf
    from skimage import data

    model = tf.saved_model.load(str(model_dir))
    signature = model.signatures[_SIGNATURE]
    mixture = signature.structured_input_signature[1].get("style_mixture")
    differences = []
    for index, photo in enumerate((data.chelsea(), data.coffee(), data.rocket())):  # these the package itself carries
        inputs = {"image": photo[None, index::2, ::2].astype("float32")}
        if mixture is not None:
            inputs["style_mixture"] = np.eye(mixture.shape[1], dtype="float32")[[index % mixture.shape[1]]]
        expected = signature(**{name: tf.constant(value) for name, value in inputs.items()})[_STYLIZED].numpy()
        differences.append(float(np.abs(run(inputs) - expected).mean()))
    return max(differences)


def _litert(number_type: str) -> Callable[[Path], bytes]:
    def convert(model_dir: Path) -> bytes:
        import tensorflow as tf

        converter = tf.lite.TFLiteConverter.from_saved_model(str(model_dir), signature_keys=[_SIGNATURE])
        if number_type != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if number_type == "float16":
            converter.target_spec.supported_types = [tf.float16]
        file = io.BytesIO(converter.convert())
        with zipfile.ZipFile(file, "a") as attached:  # as LiteRT's own metadata tools attach files
            attached.writestr(CARD_FILE.name, (model_dir / CARD_FILE).read_bytes())
        return file.getvalue()

    return convert


def _load_litert(content: bytes) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_content=content, num_threads=_THREADS).get_signature_runner(_SIGNATURE)
    return lambda inputs: runner(**inputs)[_STYLIZED]


def _convert_to_onnx(model_dir: Path) -> bytes:
    import onnx.helper
    import tensorflow as tf
    import tf2onnx.convert

    model = tf.saved_model.load(str(model_dir))  # kept by name: its variables go with it
    signature = model.signatures[_SIGNATURE]
    specs = list(signature.structured_input_signature[1].values())

    @tf.function(input_signature=specs, autograph=False)
    def stylize(*tensors):
        return signature(**{spec.name: tensor for spec, tensor in zip(specs, tensors, strict=True)})

    converted, _ = tf2onnx.convert.from_function(stylize, input_signature=specs, opset=_OPSET)
    onnx.helper.set_model_props(converted, {CARD_FILE.name: (model_dir / CARD_FILE).read_text(encoding="utf-8")})
    return converted.SerializeToString()


def _load_onnx(content: bytes) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run([_STYLIZED], inputs)[0]


_LITERT = ("ai_edge_litert",)
PORTABLE_FORMATS = {
    "litert": PortableFormat(".tflite", _LITERT, _litert("float32"), _load_litert),
    "litert-float16": PortableFormat(".float16.tflite", _LITERT, _litert("float16"), _load_litert),
    "litert-int8": PortableFormat(".int8.tflite", _LITERT, _litert("int8"), _load_litert, tolerance=3.0),
    "onnx": PortableFormat(".onnx", ("tf2onnx", "onnx", "onnxruntime"), _convert_to_onnx, _load_onnx),
}
