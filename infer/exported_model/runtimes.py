"""Runs an exported graph: with OpenVINO, which starts in a fraction of a second, or with TensorFlow."""

import contextlib
import functools
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from faststyle.infer.exported_model.digests import check_digests, graph_files
from faststyle.processor import multiplies_bfloat16_fast
from faststyle.user_error import UserError

RUNTIMES = ("auto", "openvino", "tensorflow")
PRECISIONS = ("auto", "bfloat16", "float32")
_NVIDIA_DEVICE = Path("/dev/nvidiactl")
# Compiling takes a third of a second, and half of that once it is kept; a larger image saves more than that.
SIZED_FROM_PIXELS = 2**20
_KEPT_COMPILED = 20  # graphs, a few MB each; an export has several, and one more for each size of large images
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


def load_graph(
    model_dir: Path, *, runtime: str = "auto", precision: str = "auto", sized_from_pixels: float = SIZED_FROM_PIXELS
) -> Graph:
    """Loads the `serving_default` signature of a SavedModel as a function from named arrays to its only output.

    Calls from several threads take turns: each uses every core anyway, and memory stays that of one. A process that is
    forked afterwards can go on with OpenVINO's graph, not with TensorFlow's.

    Args:
        model_dir: the SavedModel.
        runtime: "auto", "openvino" or "tensorflow".
        precision: "auto" is bfloat16 where the processor is fast at it. TensorFlow computes in float32.
        sized_from_pixels: OpenVINO compiles the graph for the very size of images from here on, see `_OpenvinoGraph`.

    Raises:
        RuntimeChoiceError: see there.
        DamagedModelError: a file has changed since it was written.
    """
    if precision not in PRECISIONS:
        raise RuntimeChoiceError(f"unknown precision {precision!r}; choose one of {', '.join(PRECISIONS)}")
    for path in (model_dir / "variables").glob("*"):
        if not path.is_file():  # a pipe or a device would never end
            raise RuntimeChoiceError(f"{path}: damaged model (no file)")
    check_digests(model_dir)
    if choose_runtime(runtime) == "openvino":
        run: Graph = _OpenvinoGraph(model_dir, precision, sized_from_pixels)
    else:
        run = _load_tensorflow(model_dir, precision)
    lock = threading.Lock()

    def run_in_turn(inputs: dict[str, np.ndarray]) -> np.ndarray:
        with lock:
            return run(inputs)

    return run_in_turn


class _OpenvinoGraph:
    """A graph for images of all sizes, and beside it one each for the sizes of the last images, if those are large.

    Where OpenVINO knows the size it orders memory beforehand: a large image takes two fifths of the memory and, with
    bfloat16, three quarters of the time.
    """

    def __init__(self, model_dir: Path, precision: str, sized_from_pixels: float) -> None:
        if precision == "auto":
            precision = "bfloat16" if multiplies_bfloat16_fast() else "float32"
        self._model_dir, self._precision, self._sized_from_pixels = model_dir, precision, sized_from_pixels
        self._sized: dict[str, tuple[int, Any]] = {}  # pixels and request by the shapes, the one used last at the end
        with self._damage_told():
            self._flexible = self._compiled(str(model_dir), "")

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        with self._damage_told():
            return self._request_for(inputs).infer(inputs, share_inputs=True)[0]

    def _request_for(self, inputs: dict[str, np.ndarray]):
        shapes = {name: value.shape for name, value in inputs.items()}
        pixels = max(shape[1] * shape[2] if len(shape) == 4 else 0 for shape in shapes.values())
        if pixels < self._sized_from_pixels:
            return self._flexible
        key = str(sorted(shapes.items()))
        if key in self._sized:
            self._sized[key] = self._sized.pop(key)
            return self._sized[key][1]
        while self._sized and pixels + sum(kept for kept, _ in self._sized.values()) > SIZED_FROM_PIXELS:
            del self._sized[next(iter(self._sized))]  # its memory first
        model = _openvino_core().read_model(str(self._readable_graph()))
        model.reshape(shapes)
        self._sized[key] = pixels, self._compiled(model, key)
        return self._sized[key][1]

    def _compiled(self, model, what: str):
        options = {"INFERENCE_PRECISION_HINT": _HINTS[self._precision], "PERFORMANCE_HINT": "LATENCY"}
        cache = _cache_folder(self._model_dir, self._precision + what)
        if cache:
            options["CACHE_DIR"] = str(cache)
        return _openvino_core().compile_model(model, "CPU", options).create_infer_request()

    def _readable_graph(self) -> Path:
        """The graph in OpenVINO's own form, which is read ten times as fast as a SavedModel."""
        cache = _cache_folder(self._model_dir, "graph")
        graph = cache / "graph.xml" if cache else None
        if graph is None or graph.is_file():
            return graph or self._model_dir
        import openvino

        with contextlib.suppress(OSError, RuntimeError), tempfile.TemporaryDirectory(dir=cache) as scratch:
            whole = Path(scratch) / graph.name
            openvino.save_model(_openvino_core().read_model(str(self._model_dir)), whole, compress_to_fp16=False)
            for part in (whole.with_suffix(".bin"), whole):  # who sees the second one finds the first
                os.replace(part, graph.parent / part.name)
        return graph if graph.is_file() else self._model_dir

    @contextlib.contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if "alloc" in str(error).lower():
                raise MemoryError from None
            raise RuntimeChoiceError(f"{self._model_dir}: damaged model ({_told(error)})") from error


def leave_out_converter() -> None:
    """Spares a process of our own, which converts no models, half of OpenVINO's import, its telemetry included."""
    sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type] # OpenVINO does without it then


@functools.cache
def _openvino_core():
    """One for the process, never freed: it gives the thread a signal stack, and Ctrl-C after its end is a crash."""
    import openvino

    core = openvino.Core()
    # Kernels of image sizes that it saw: 5,000 of them take half a GB, and making them again a few percent of the time.
    with contextlib.suppress(RuntimeError):  # versions may come that do not know it
        core.set_property("CPU", {"CPU_RUNTIME_CACHE_CAPACITY": "0"})
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


def _cache_folder(model_dir: Path, what: str) -> Path | None:
    """Where this may be kept of a graph: by content, so that another model at this path has its own."""
    import platformdirs

    digest = hashlib.blake2b(what.encode(), digest_size=12)
    for path in graph_files(model_dir):
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
