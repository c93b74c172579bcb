"""Writes a Keras network as a TensorFlow SavedModel that TensorFlow and OpenVINO read.

The SavedModel holds the network's bare variables, not the Keras model: OpenVINO finds no variables behind that, and
searching all of its layers for what to save takes most of the time that Keras's own export takes.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import keras

from faststyle.infer.exported_model.digests import write_digests


def write_saved_model(network: keras.Model, model_dir: Path, signatures: Mapping[str, tuple[Callable, list]]) -> None:
    """Writes one signature for each function that applies the network.

    Args:
        network: whose variables the functions use.
        model_dir: where to write; its parents are made.
        signatures: from a signature's name to a function of tensors that returns a dict of named tensors, and the
            `tf.TensorSpec` of each of its arguments, named as they are.

    Raises:
        OSError: it cannot be written.
    """
    import tensorflow as tf

    module = tf.Module()
    module.weights = [variable.value for variable in network.weights]
    traced = {
        name: tf.function(function, input_signature=specs, autograph=False)
        for name, (function, specs) in signatures.items()
    }
    try:
        tf.saved_model.save(module, str(model_dir), signatures=traced)
    except tf.errors.OpError as error:  # TensorFlow has its own kinds for a full disk and the like
        raise OSError(f"{model_dir}: cannot write ({error.message.rpartition('; ')[2]})") from error
    write_digests(model_dir)
