"""Where a loss network's weights come from: a file, Keras's cache, Keras's download, or the project itself."""

import os
from pathlib import Path

import keras
import numpy as np

COMPACT_WEIGHTS = Path(__file__).parent / "assets" / "compact_vgg16_half.npz"
_APPLICATIONS = {"vgg16": "VGG16", "vgg19": "VGG19"}


class LossNetworkWeightsError(ValueError):
    """No usable weights for a loss network; the message names the file, the places searched and the ways out."""


def imagenet_weights_file_name(name: str) -> str:
    """The file that Keras downloads for `vgg16` or `vgg19` without its classifier."""
    return f"{name}_weights_tf_dim_ordering_tf_kernels_notop.h5"


def imagenet_cache_path(name: str) -> Path:
    """Where Keras keeps that file: `models/` below `KERAS_HOME`, by default `~/.keras`."""
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return home / "models" / imagenet_weights_file_name(name)


def load_imagenet_weights(model: keras.Model, name: str, weights_path: Path | None) -> None:
    """Fills `model` (layers named as in `keras.applications`) from a file, else Keras's cache, else its download.

    Raises:
        LossNetworkWeightsError: no file, no connection, or a file of another form.
    """
    if weights_path is not None and not Path(weights_path).is_file():
        raise LossNetworkWeightsError(f"{name} weights: no file {weights_path}; {_ways_out(name)}")
    application = getattr(keras.applications, _APPLICATIONS[name])
    try:
        source = application(include_top=False, weights=str(weights_path) if weights_path else "imagenet")
    except Exception as error:  # h5py, urllib and Keras each raise their own kinds here
        reason = f"cannot read {weights_path}" if weights_path else _missing(name)
        raise LossNetworkWeightsError(f"{name} weights: {reason} ({_first_line(error)}); {_ways_out(name)}") from error
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(source.get_layer(layer.name).get_weights())


def load_compact_weights(model: keras.Model, weights_path: Path | None) -> None:
    """Fills `model` from an `.npz` file of arrays `{layer}/kernel` and `{layer}/bias`; by default the shipped one.

    Raises:
        LossNetworkWeightsError: no such file, or arrays of other names or shapes.
    """
    path = Path(weights_path) if weights_path is not None else COMPACT_WEIGHTS
    try:
        with np.load(path) as arrays:
            for layer in model.layers:
                if layer.weights:
                    pair = [arrays[f"{layer.name}/kernel"], arrays[f"{layer.name}/bias"]]
                    layer.set_weights([array.astype("float32") for array in pair])
    except Exception as error:  # numpy, zipfile and Keras each raise their own kinds here
        raise LossNetworkWeightsError(f"compact weights: cannot read {path} ({_first_line(error)})") from error


def _missing(name: str) -> str:
    cached = imagenet_cache_path(name)
    return f"{cached.name} is missing: not in {cached.parent}, and the download failed"


def _ways_out(name: str) -> str:
    return (
        f"connect to the internet once, or pass {imagenet_weights_file_name(name)} with --vgg-weights FILE, "
        "or use --loss-network compact"
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
