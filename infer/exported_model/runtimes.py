"""Runs an exported graph: with OpenVINO, which starts in a fraction of a second, or with TensorFlow."""

import contextlib
import functools
import hashlib
import importlib.util
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from faststyle.processor import multiplies_bfloat16_fast
from faststyle.user_error import UserError

RUNTIMES = ("auto", "openvino", "tensorflow")
PRECISIONS = ("auto", "bfloat16", "float32")
_NVIDIA_DEVICE = Path("/dev/nvidiactl")
_KEPT_COMPILED = 12  # graphs; an export has several, a few MB each
_KEPT_KERNELS = 200  # for some 20 image sizes; OpenVINO's 5,000 take half a GB in a process that sees many sizes
_HINTS = {"bfloat16": "bf16", "float32": "f32"}

Graph = Callable[[dict[str, np.ndarray]], np.ndarray]


class RuntimeChoiceError(UserError):
    """A runtime or precision that does not exist here, or a graph that cannot be read."""


def choose_runtime(runtime: str) -> str:
    """The runtime that "auto" means here: TensorFlow where it may find a GPU or OpenVINO is missing, else OpenVINO.

    Raises:
        RuntimeChoiceError: unknown, or not installed.
    """
    if runtime not in RUNTIMES:
        raise RuntimeChoiceError(f"unknown runtime {runtime!r}; choose one of {', '.join(RUNTIMES)}")
    if runtime == "auto":
        gpu = _NVIDIA_DEVICE.exists() and _is_installed("tensorflow")
        return "tensorflow" if gpu or not _is_installed("openvino") else "openvino"
    if not _is_installed(runtime):
        raise RuntimeChoiceError(f"runtime {runtime} is not installed; pip install {runtime}, or use another --runtime")
    return runtime


def load_graph(model_dir: Path, *, runtime: str = "auto", precision: str = "auto") -> Graph:
    """Loads the `serving_default` signature of a SavedModel as a function from named arrays to its only output.

    Calls from several threads take turns: each uses every core anyway, and memory stays that of one. A process that is
    forked afterwards can go on with OpenVINO's graph, not with TensorFlow's.

    Args:
        model_dir: the SavedModel.
        runtime: "auto", "openvino" or "tensorflow".
        precision: "auto" is bfloat16 where the processor is fast at it. TensorFlow computes in float32.

    Raises:
        RuntimeChoiceError: see there.
    """
    if precision not in PRECISIONS:
        raise RuntimeChoiceError(f"unknown precision {precision!r}; choose one of {', '.join(PRECISIONS)}")
    for path in (model_dir / "variables").glob("*"):
        if not path.is_file():  # a pipe or a device would never end
            raise RuntimeChoiceError(f"{path}: damaged model (no file)")
    load = {"openvino": _load_openvino, "tensorflow": _load_tensorflow}[choose_runtime(runtime)]
    run, lock = load(model_dir, precision), threading.Lock()

    def run_in_turn(inputs: dict[str, np.ndarray]) -> np.ndarray:
        with lock:
            return run(inputs)

    return run_in_turn


def _load_openvino(model_dir: Path, precision: str) -> Graph:
    core = _openvino_core()
    if precision == "auto":
        precision = "bfloat16" if multiplies_bfloat16_fast() else "float32"
    options = {"INFERENCE_PRECISION_HINT": _HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
    cache = _cache_folder(model_dir, precision)
    if cache:
        options["CACHE_DIR"] = str(cache)
    try:
        # With the shape left open: compiling for one size is hardly faster to run, and has to be done for each.
        request = core.compile_model(str(model_dir), "CPU", options).create_infer_request()
    except RuntimeError as error:
        raise RuntimeChoiceError(f"{model_dir}: damaged model ({_told(error)})") from error

    def run(inputs: dict[str, np.ndarray]) -> np.ndarray:
        try:
            return request.infer(inputs, share_inputs=True)[0]
        except RuntimeError as error:
            if "alloc" in str(error).lower():
                raise MemoryError from None
            raise RuntimeChoiceError(f"{model_dir}: damaged model ({_told(error)})") from error

    return run


@functools.cache
def _openvino_core():
    """One for the process, never freed: it gives the thread a signal stack, and Ctrl-C after its end is a crash."""
    import openvino

    core = openvino.Core()
    with contextlib.suppress(RuntimeError):  # versions may come that do not know it
        core.set_property("CPU", {"CPU_RUNTIME_CACHE_CAPACITY": str(_KEPT_KERNELS)})
    return core


def _load_tensorflow(model_dir: Path, precision: str) -> Graph:
    if precision == "bfloat16":
        raise RuntimeChoiceError("runtime tensorflow computes in float32; use --precision float32, or openvino")
    import tensorflow as tf

    try:
        model = tf.saved_model.load(str(model_dir))
        serve, process = model.signatures["serving_default"], os.getpid()
    except Exception as error:  # damaged and unknown models raise nearly everything that there is
        raise RuntimeChoiceError(f"{model_dir}: damaged model ({_told(error)})") from error

    def run(inputs: dict[str, np.ndarray], keep_variables=model) -> np.ndarray:
        if os.getpid() != process:  # TensorFlow would wait forever for threads that stayed in the parent
            raise RuntimeChoiceError(
                f"{model_dir}: loaded by TensorFlow before this process was forked; load it in each process, "
                "or use runtime openvino"
            )
        try:
            (output,) = serve(**{name: tf.constant(value) for name, value in inputs.items()}).values()
            return output.numpy()
        except tf.errors.ResourceExhaustedError:
            raise MemoryError from None
        except (tf.errors.OpError, TypeError, ValueError) as error:
            raise RuntimeChoiceError(f"{model_dir}: damaged model ({_told(error)})") from error

    return run


def _cache_folder(model_dir: Path, precision: str) -> Path | None:
    """Where OpenVINO may keep this graph compiled: by content, so that another model at this path has its own."""
    import platformdirs

    digest = hashlib.blake2b(precision.encode(), digest_size=12)
    for path in (model_dir / "saved_model.pb", *sorted((model_dir / "variables").glob("*"))):
        digest.update(path.read_bytes())
    folder = Path(platformdirs.user_cache_dir("faststyle", appauthor=False)) / "openvino" / digest.hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.touch()
        _remove_oldest(folder.parent)
    except OSError:  # or another process has just removed one
        return None
    return folder if os.access(folder, os.W_OK) else None


def _remove_oldest(cache: Path) -> None:
    """Keeps the compiled graphs that were loaded last, since every export of a model adds some."""
    used = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    for old in sorted(used, key=lambda path: used[path])[:-_KEPT_COMPILED]:
        shutil.rmtree(old, ignore_errors=True)


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _told(error: Exception) -> str:
    """The line of a runtime's message that tells: TensorFlow's first, OpenVINO's last, after places in its source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1] if lines[0].startswith("Exception from ") else lines[0]
