import contextlib
import json
import shutil
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest

from faststyle.infer.styles.model_card import read_model_card
from faststyle.models.transform_net import build_transform_network, stylize_any_size
from faststyle.models.transform_net_weights import TransformWeights, assign_weights, network_arrays
from faststyle.train import export
from faststyle.train.export import ExportError, export_model
from tests.toy_run import toy_weights

pytestmark = pytest.mark.usefixtures("one_residual_block")

PLAIN_TENSORFLOW = """
    import sys
    sys.modules["keras"] = None  # importing keras now raises ImportError
    sys.modules["tf_keras"] = None
    import numpy as np
    import tensorflow as tf

    model = tf.saved_model.load(sys.argv[1])
    serve, serve_bytes = model.signatures["serving_default"], model.signatures["serve_bytes"]
    for height, width in ((61, 47), (130, 90)):
        image = np.random.default_rng(0).uniform(0, 255, (2, height, width, 3)).astype("float32")
        stylized = serve(image=tf.constant(image))["stylized_image"].numpy()
        assert stylized.shape == image.shape and stylized.dtype == np.float32, stylized.shape
        assert stylized.min() >= 0 and stylized.max() <= 255
        encoded = [tf.io.encode_png(tf.cast(picture, tf.uint8)) for picture in image]
        encoded[1] = tf.io.encode_jpeg(tf.cast(image[1, :40], tf.uint8))
        pictures = serve_bytes(encoded=tf.stack(encoded))["stylized_bytes"].numpy()
        assert tf.io.decode_png(pictures[0]).shape == (height, width, 3)
        assert tf.io.decode_png(pictures[1]).shape == (40, width, 3)
        whole = serve(image=tf.constant(np.floor(image[:1])))["stylized_image"].numpy()[0]
        assert np.abs(tf.io.decode_png(pictures[0]).numpy() - whole).max() <= 0.51
    print("stylized")
"""


def test_plain_tensorflow_without_keras_runs_both_signatures_at_any_size(one_style, tmp_path):
    script = [sys.executable, "-c", textwrap.dedent(PLAIN_TENSORFLOW), str(one_style)]
    done = subprocess.run(script, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "stylized\n", done.stderr


def test_keras_takes_the_model_as_a_layer(one_style):
    import tensorflow as tf

    image = np.random.default_rng(0).uniform(0, 255, (1, 40, 53, 3)).astype("float32")
    layer = keras.layers.TFSMLayer(str(one_style), call_endpoint="serving_default")
    served = tf.saved_model.load(str(one_style)).signatures["serving_default"](image=tf.constant(image))
    np.testing.assert_array_equal(layer(image)["stylized_image"], served["stylized_image"])


@pytest.mark.parametrize(
    ("tile_difference", "brightened", "message"),
    [
        (0.0, 0.0, None),
        (0.2, 0.0, "its tile graphs differs from the network by 0.2 of 255"),
        (0.0, 1.0, "its serve_bytes differs from the network by"),
    ],
)
def test_byte_strings_and_tile_graphs_are_checked_too(one_style, monkeypatch, tile_difference, brightened, message):
    import tensorflow as tf

    weights, decode = toy_weights(1), tf.io.decode_png
    network = build_transform_network(num_styles=1, width=0.125)
    assign_weights(network, weights.arrays)
    monkeypatch.setattr(export, "tile_graph_difference", lambda *_: tile_difference)
    monkeypatch.setattr(tf.io, "decode_png", lambda picture: tf.cast(decode(picture), tf.float32) + brightened)
    with pytest.raises(ExportError, match=message) if message else contextlib.nullcontext():
        export._check_parity(network, weights, one_style)


def test_folded_mixture_of_an_odd_width_computes_what_the_many_style_network_computes(tmp_path, without_tile_graphs):
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    network, mixture = build_transform_network(num_styles=3, width=0.3), np.array([0.5, 0.0, 0.5], "float32")
    weights = TransformWeights(network_arrays(network), {"styles": ["first", "second", "third"]})
    export_model(weights, tmp_path / "folded", style_mixture=mixture)
    image = np.random.default_rng(0).uniform(0, 255, (1, 40, 36, 3)).astype("float32")
    expected = np.asarray(stylize_any_size(network, image, mixture[None]))
    model = tf.saved_model.load(str(tmp_path / "folded"))
    folded = model.signatures["serving_default"](image=tf.constant(image))["stylized_image"]
    np.testing.assert_allclose(folded, expected, atol=0.01)
    assert read_model_card(tmp_path / "folded")["styles"] == ["first*0.5+third*0.5"]


def test_export_that_differs_from_the_network_fails_and_leaves_nothing(tmp_path, monkeypatch, without_tile_graphs):
    write = export._write_saved_model

    def write_another_network(network, num_styles, model_dir):
        write(build_transform_network(num_styles=num_styles, width=0.125), num_styles, model_dir)

    monkeypatch.setattr(export, "_write_saved_model", write_another_network)
    with pytest.raises(ExportError, match="the reloaded model differs from the network by"):
        export_model(toy_weights(1), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_existing_folder_is_refused_unless_a_model_is_to_be_overwritten(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(ExportError, match="exists already"):
        export_model(toy_weights(1), tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


def test_overwriting_replaces_the_model_whole_with_card_and_preview_and_follows_no_link_out_of_it(
    one_style, tmp_path, tmp_path_factory, without_tile_graphs
):
    model = shutil.copytree(one_style, tmp_path / "model")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "thesis.txt").write_text("precious")
    (model / "elsewhere").symlink_to(outside)
    (model / "assets.extra" / "link.txt").symlink_to(outside / "thesis.txt")
    photo = np.random.default_rng(0).integers(0, 256, (1, 32, 40, 3)).astype("uint8")
    export_model(toy_weights(2), model, overwrite=True, preview_photos=photo)
    assert read_model_card(model)["styles"] == ["style_0", "style_1"]
    assert json.loads((model / "assets.extra" / "style.json").read_text())
    assert (model / "assets.extra" / "preview.png").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (outside / "thesis.txt").read_text() == "precious"
