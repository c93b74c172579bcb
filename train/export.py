"""Export: the trained network as a TensorFlow SavedModel that any program can load without this project."""

import json
import tempfile
from pathlib import Path

import keras
import numpy as np

from faststyle.images.contact_sheet import grid
from faststyle.images.files import to_uint8, write_image
from faststyle.infer.styles.model_card import CARD_FILE
from faststyle.models.transform_net import build_transform_network, stylize_any_size
from faststyle.models.transform_net_weights import TransformWeights, assign_weights, mix_styles
from faststyle.train.saved_model import write_saved_model
from faststyle.train.tile_export import tile_graph_difference, write_tile_graphs
from faststyle.user_error import UserError

PREVIEW_FILE = Path("assets.extra") / "preview.png"
# Largest difference allowed between the network in memory and the reloaded model, in grey levels of 255.
_PARITY_LEVELS = 0.05
_ROUNDING = 0.5  # of serve_bytes, whose output has whole grey levels
_CHECK_SHAPE = (2, 45, 67, 3)


class ExportError(UserError):
    """An export that cannot be written, or that does not compute what the network computes."""


def export_model(
    weights: TransformWeights,
    output: Path,
    *,
    style_mixture: np.ndarray | None = None,
    preview_photos: np.ndarray | None = None,
    overwrite: bool = False,
) -> None:
    """Writes a SavedModel with signatures `serving_default` and `serve_bytes`, its card, tile graphs and a preview.

    `serving_default`: image `[batch, height, width, 3]` float32 in 0..255, and for several styles style_mixture
    `[batch, num_styles]`, to stylized_image of the same shape. `serve_bytes`: encoded `[batch]` JPEG or PNG strings
    (and style_mixture) to stylized_bytes `[batch]` PNG strings. What was written is reloaded and compared with the
    network. The folder appears whole or not at all.

    Args:
        weights: of the trained network.
        output: the model directory.
        style_mixture: `[num_styles]`; folds a many-style network into this one mixture.
        preview_photos: `[count, height, width, 3]` uint8 for the preview image; None leaves it out.
        overwrite: replace an exported model that is there.

    Raises:
        ExportError: `output` exists, or the reloaded model differs from the network.
        OSError: `output` cannot be written.
    """
    if keras.backend.backend() != "tensorflow":
        raise ExportError("a SavedModel is written by TensorFlow: run `faststyle export` with KERAS_BACKEND=tensorflow")
    empty = output.is_dir() and not any(output.iterdir())
    if output.exists() and not empty and not (overwrite and _is_model(output)):
        raise ExportError(f"{output}: exists already; choose another --output" + _overwrite_hint(output))
    if style_mixture is not None:
        row = np.asarray(style_mixture, "float32")[None]
        weights = TransformWeights(
            mix_styles(weights.arrays, row), {**weights.card, "styles": [_mixed_name(weights, row)]}
        )
    network = build_transform_network(num_styles=weights.num_styles, width=weights.width)
    assign_weights(network, weights.arrays)

    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as scratch:
        model_dir = Path(scratch) / "model"
        _write_saved_model(network, weights.num_styles, model_dir)
        write_tile_graphs(weights, model_dir)
        _check_parity(network, weights, model_dir)
        (model_dir / CARD_FILE).parent.mkdir(exist_ok=True)
        (model_dir / CARD_FILE).write_text(json.dumps(weights.card, indent=2) + "\n", encoding="utf-8")
        if preview_photos is not None and len(preview_photos):
            write_image(model_dir / PREVIEW_FILE, _preview(network, weights.num_styles, preview_photos[0]))
        if output.exists():
            output.replace(Path(scratch) / "replaced")
        model_dir.replace(output)


def _write_saved_model(network: keras.Model, num_styles: int, model_dir: Path) -> None:
    import tensorflow as tf

    image_spec = tf.TensorSpec((None, None, None, 3), tf.float32, name="image")
    encoded_spec = tf.TensorSpec((None,), tf.string, name="encoded")
    mixture_spec = tf.TensorSpec((None, num_styles), tf.float32, name="style_mixture")

    # Both signatures call one function, so that the network is traced and written once.
    @tf.function(input_signature=[image_spec, mixture_spec], autograph=False)
    def stylize(image, style_mixture):
        return stylize_any_size(network, image, style_mixture)

    def stylize_encoded(encoded, style_mixture):
        def one(pair):
            photo = tf.io.decode_image(pair[0], channels=3, expand_animations=False)
            stylized = stylize(tf.cast(photo, tf.float32)[None], pair[1][None])
            return tf.io.encode_png(tf.cast(tf.round(stylized[0]), tf.uint8))

        return tf.map_fn(one, (encoded, style_mixture), fn_output_signature=tf.string)

    # One style needs no mixture: its single weight is 1.
    def serve_image(image, style_mixture=None):
        only = tf.ones((tf.shape(image)[0], 1))
        return {"stylized_image": stylize(image, only if style_mixture is None else style_mixture)}

    def serve_bytes(encoded, style_mixture=None):
        only = tf.ones((tf.shape(encoded)[0], 1))
        # TensorFlow Serving's REST interface returns strings as base64 if their name ends so, else as broken JSON.
        return {"stylized_bytes": stylize_encoded(encoded, only if style_mixture is None else style_mixture)}

    many = [mixture_spec] if num_styles > 1 else []
    signatures = {
        "serving_default": (serve_image, [image_spec, *many]),
        "serve_bytes": (serve_bytes, [encoded_spec, *many]),
    }
    write_saved_model(network, model_dir, signatures)


def _check_parity(network: keras.Model, weights: TransformWeights, model_dir: Path) -> None:
    import tensorflow as tf

    def stylize(image, style_mixture):
        return np.asarray(stylize_any_size(network, image, style_mixture))

    random = np.random.default_rng(0)
    image = random.integers(0, 256, _CHECK_SHAPE).astype("float32")
    mixture = random.dirichlet(np.ones(weights.num_styles), size=len(image)).astype("float32")
    expected = stylize(image, mixture)
    many = {"style_mixture": tf.constant(mixture)} if weights.num_styles > 1 else {}
    model = tf.saved_model.load(str(model_dir))
    reloaded = model.signatures["serving_default"](image=tf.constant(image), **many)["stylized_image"].numpy()
    encoded = tf.stack([tf.io.encode_png(photo) for photo in image.astype("uint8")])
    pictures = model.signatures["serve_bytes"](encoded=encoded, **many)["stylized_bytes"]
    decoded = [tf.io.decode_png(one).numpy() for one in pictures]
    differences = {
        "the reloaded model": np.max(np.abs(reloaded - expected)),
        "its serve_bytes": np.max(np.abs(np.stack(decoded) - expected)) - _ROUNDING,
        "its tile graphs": tile_graph_difference(weights, network, model_dir),
    }
    for what, difference in differences.items():
        if not difference <= _PARITY_LEVELS:
            raise ExportError(f"{what} differs from the network by {difference:.3g} of 255; nothing was written")


def _preview(network: keras.Model, num_styles: int, photo: np.ndarray) -> np.ndarray:
    row = [photo]
    for mixture in np.eye(num_styles, dtype="float32"):
        row.append(to_uint8(stylize_any_size(network, photo[None].astype("float32"), mixture[None])[0]))
    return grid([row])


def _is_model(folder: Path) -> bool:
    return (folder / "saved_model.pb").is_file()


def _overwrite_hint(output: Path) -> str:
    return " or pass --overwrite" if _is_model(output) else ""


def _mixed_name(weights: TransformWeights, row: np.ndarray) -> str:
    names = weights.card["styles"]
    parts = [(name, share) for name, share in zip(names, row[0], strict=True) if share > 0]
    return parts[0][0] if len(parts) == 1 else "+".join(f"{name}*{share:g}" for name, share in parts)
