"""Weights of a transform network as one `.npz` file with its model card, and how a new network starts from them."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from faststyle.user_error import UserError

GALLERY_WEIGHTS = Path(__file__).parent / "assets" / "gallery.npz"
_CARD_KEY = "card.json"


class TransformWeightsError(UserError):
    """A weights file that does not fit; the message says what it holds and what was wanted."""


class TransformWeights(NamedTuple):
    """Arrays by variable path, and the model card (style names, settings, versions)."""

    arrays: dict[str, np.ndarray]
    card: dict

    @property
    def num_styles(self) -> int:
        """Styles that the network holds: rows of any scale table."""
        return self.arrays["encode1_norm/scale"].shape[0]

    @property
    def width(self) -> float:
        """The network's width factor, from the channels of its first convolution."""
        return self.arrays["encode1_conv/kernel"].shape[-1] / 32


def pack_transform_weights(network: keras.Model, card: dict, *, dtype: str = "float32") -> bytes:
    """The bytes of a weights file: every weight as `dtype`, and the card."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {path: array.astype(dtype) for path, array in network_arrays(network).items()}
    arrays[_CARD_KEY] = np.frombuffer(json.dumps(card).encode(), "uint8")
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def read_transform_weights(path: Path) -> TransformWeights:
    """Reads a weights file.

    Raises:
        TransformWeightsError: no such file, or not one of ours.
    """
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files if name != _CARD_KEY}
            weights = TransformWeights(arrays, json.loads(file[_CARD_KEY].tobytes()))
        _check_form(weights)
        return weights
    except FileNotFoundError:
        raise TransformWeightsError(f"{path}: no such weights file") from None
    except Exception as error:  # numpy, zipfile and json each raise their own kinds here
        raise TransformWeightsError(f"{path}: not a transform network's weights ({error})") from None


def _check_form(weights: TransformWeights) -> None:
    """Raises what tells why these are no weights of a network."""
    styles = weights.card["styles"]
    if not (isinstance(styles, list) and all(isinstance(name, str) for name in styles)):
        raise TypeError("its card's styles are no list of names")
    if weights.width <= 0 or len(styles) != weights.num_styles:
        raise ValueError(f"its card names {len(styles)} styles, it holds {weights.num_styles}")
    for path, array in weights.arrays.items():
        if array.dtype.kind != "f":
            raise TypeError(f"{path} is of {array.dtype}")
        if _is_table(path) and array.shape[:1] != (weights.num_styles,):
            raise ValueError(f"{path} is {array.shape} for {weights.num_styles} styles")


def assign_weights(network: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Sets every weight of `network` from arrays of the same paths and shapes.

    Raises:
        TransformWeightsError: a missing array, or one of another shape.
    """
    for variable in network.weights:
        path = variable.path
        if path not in arrays:
            raise TransformWeightsError(f"weights lack {path}")
        if arrays[path].shape != tuple(variable.shape):
            raise TransformWeightsError(
                f"weights of {path} are {arrays[path].shape}, the network's {tuple(variable.shape)}; "
                "another --width or number of styles?"
            )
        variable.assign(arrays[path].astype("float32"))


def start_from(network: keras.Model, weights: TransformWeights, styles: Sequence[str]) -> None:
    """Starts a network from a trained one of the same width.

    The trunk is taken as it is. A style that the trained network holds by name starts from its row, any other from
    the mean of the rows of all styles. Maps of colors start anew, their mean goes into the last convolution: fitted
    one on top of another they would grow with each training, and the network beneath them pale.

    Args:
        network: with one row for each of `styles`.
        weights: of the trained network.
        styles: names of the network's styles.

    Raises:
        TransformWeightsError: the widths differ, or an array is missing, of another shape, or no map of colors.
    """
    if weights.width != _width(network):
        raise TransformWeightsError(
            f"these weights are of a network of width {weights.width:g}, this one has width {_width(network):g}; "
            "pass another --width, or --base random"
        )
    held, photo = weights.card["styles"], weights.card.get("identity_style")
    mean = np.array([name != photo for name in held], "float32")
    rows = np.eye(len(held), dtype="float32")
    mixture = [rows[held.index(name)] if name in held else mean / mean.sum() for name in styles]
    mixed = mix_styles(weights.arrays, np.stack(mixture))
    painted = np.array([name != photo or len(styles) == 1 for name in styles])
    assign_weights(network, mixed)  # finds what does not fit
    try:
        assign_weights(network, _without_color_maps(mixed, painted))
    except np.linalg.LinAlgError:
        raise TransformWeightsError("weights of colors/matrix make all colors the same") from None


def mix_styles(arrays: dict[str, np.ndarray], style_mixture: np.ndarray) -> dict[str, np.ndarray]:
    """Replaces the tables of scale, shift, noise and colors by mixtures of their rows.

    Args:
        arrays: by variable path.
        style_mixture: `[new_styles, num_styles]` float32, rows sum to 1; one row folds a many-style network into one.
    """
    tables = {path: table.astype("float32") for path, table in arrays.items() if _is_table(path)}
    mixed = {path: np.tensordot(style_mixture, table, axes=1) for path, table in tables.items()}
    return {**arrays, **mixed}


def network_arrays(network: keras.Model) -> dict[str, np.ndarray]:
    """Every weight of a transform network by its path inside the network."""
    arrays = {variable.path: np.asarray(variable) for variable in network.weights}
    return {path: np.array(array, dtype="float32") for path, array in arrays.items()}


def _width(network: keras.Model) -> float:
    return network.get_layer("encode1_conv").filters / 32


def _without_color_maps(arrays: dict[str, np.ndarray], painted: np.ndarray) -> dict[str, np.ndarray]:
    """The last convolution composed with the mean map of the painted rows, whose own become the identity.

    Any other row, the photo's, gives the colors that it gave before.
    """
    kernel, bias = "output_conv/kernel", "output_conv/bias"
    matrices, offsets = arrays["colors/matrix"], arrays["colors/offset"]
    matrix, offset = matrices[painted].mean(axis=0), offsets[painted].mean(axis=0)
    own = matrices @ np.linalg.inv(matrix)
    return {
        **arrays,
        kernel: arrays[kernel].astype("float32") @ matrix.T,
        bias: matrix @ arrays[bias].astype("float32") + offset,
        "colors/matrix": np.where(painted[:, None, None], np.eye(3, dtype="float32"), own),
        "colors/offset": np.where(painted[:, None], 0.0, offsets - own @ offset).astype("float32"),
    }


def _is_table(path: str) -> bool:
    return path.endswith(("_norm/scale", "_norm/shift", "noise/gain", "colors/matrix", "colors/offset"))
