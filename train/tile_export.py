"""Export of the tile graphs: what a large image or a video needs beside the model (see `tile_painter.py`).

They are SavedModels of their own below `assets.extra/tiles/`, where programs that load the model do not look.
"""

import json
from pathlib import Path

import numpy as np

from faststyle.infer.exported_model.runtimes import load_graph
from faststyle.infer.exported_model.tile_painter import MEASURING_GRAPH, PAINTING_GRAPH, TILES_CARD
from faststyle.models.tile_network import build_measuring_network, build_painting_network
from faststyle.models.transform_net_weights import TransformWeights, assign_weights
from faststyle.train.saved_model import write_saved_model

_CHECK_SHAPE = (1, 44, 68, 3)


def write_tile_graphs(weights: TransformWeights, model_dir: Path) -> None:
    """Writes both graphs of a trained network, and a card that says how many channels their statistics have."""
    import tensorflow as tf

    painting = build_painting_network(num_styles=weights.num_styles, width=weights.width)
    measuring = build_measuring_network(num_styles=weights.num_styles, width=weights.width)
    for network in (painting, measuring):
        assign_weights(network, weights.arrays)
    channels = measuring.output_shape[-1]
    shapes = {
        "tile": tf.TensorSpec((1, None, None, 3), tf.float32, name="tile"),
        "statistics": tf.TensorSpec((2, channels), tf.float32, name="statistics"),
        "origin": tf.TensorSpec((2,), tf.int32, name="origin"),
        "core": tf.TensorSpec((4,), tf.int32, name="core"),
        "relative": tf.TensorSpec((1,), tf.float32, name="relative"),
    }
    mixture = tf.TensorSpec((1, weights.num_styles), tf.float32, name="style_mixture")
    many = [mixture] if weights.num_styles > 1 else []

    def paint(tile, statistics, origin, style_mixture=None):
        mixture = tf.ones((1, 1)) if style_mixture is None else style_mixture
        return {"stylized_tile": tf.clip_by_value(painting([tile, mixture, statistics, origin]), 0.0, 255.0)}

    def measure(tile, statistics, origin, core, relative, style_mixture=None):
        mixture = tf.ones((1, 1)) if style_mixture is None else style_mixture
        return {"measured": measuring([tile, mixture, statistics, origin, core, relative])}

    paint_specs = [shapes["tile"], shapes["statistics"], shapes["origin"], *many]
    write_saved_model(painting, model_dir / PAINTING_GRAPH, {"serving_default": (paint, paint_specs)})
    measure_specs = [*shapes.values(), *many]
    write_saved_model(measuring, model_dir / MEASURING_GRAPH, {"serving_default": (measure, measure_specs)})
    (model_dir / TILES_CARD).write_text(json.dumps({"channels": channels}) + "\n", encoding="utf-8")


def tile_graph_difference(weights: TransformWeights, network, model_dir: Path) -> float:
    """Largest difference, in levels of 255, of an image stylized by the written graphs as one tile, and at once.

    Args:
        weights: of the trained network.
        network: the trained network.
        model_dir: where the tile graphs are.
    """
    random = np.random.default_rng(1)
    image = random.uniform(0, 255, _CHECK_SHAPE).astype("float32")
    mixture = random.dirichlet(np.ones(weights.num_styles), size=1).astype("float32")
    inputs = {"tile": image, "origin": np.zeros(2, "int32")}
    inputs |= {"style_mixture": mixture} if weights.num_styles > 1 else {}
    channels = json.loads((model_dir / TILES_CARD).read_text(encoding="utf-8"))["channels"]
    own = {
        "statistics": np.stack([np.zeros(channels), np.ones(channels)]).astype("float32"),
        "core": np.array([0, 0, *_CHECK_SHAPE[1:3]], "int32"),
        "relative": np.ones(1, "float32"),
    }
    measured = load_graph(model_dir / MEASURING_GRAPH, runtime="tensorflow")(inputs | own)
    painted = load_graph(model_dir / PAINTING_GRAPH, runtime="tensorflow")(inputs | {"statistics": measured})
    at_once = np.clip(np.asarray(network([image, mixture])), 0, 255)
    return float(np.max(np.abs(painted - at_once)))
