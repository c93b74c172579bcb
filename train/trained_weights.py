"""What a run has learned, with its model card: from the network in memory, or from a run's newest checkpoint."""

import json

import keras

from faststyle.machine import machine
from faststyle.models.transform_net import build_transform_network
from faststyle.models.transform_net_weights import TransformWeights, network_arrays, read_transform_weights
from faststyle.train.checkpoints import CheckpointStore
from faststyle.train.run_directory import RunDirectory, RunDirectoryError
from faststyle.train.settings import IDENTITY_STYLE, TrainSettings

_LICENCE = "Apache-2.0 for the network; the rights in its style images stay with their owners"


def trained_weights(
    network: keras.Model,
    settings: TrainSettings,
    *,
    steps: int,
    loss_network_weights: str | None,
    validation: dict[str, float] | None,
    per_style: list[dict[str, float]] | None = None,
) -> TransformWeights:
    """A network's weights with a model card: styles, settings, steps, final validation terms, versions, licence.

    Args:
        network: trained.
        settings: of the run.
        steps: done.
        loss_network_weights: which weights measured, for people; None where not known.
        validation: mean terms over all styles, None without held-out photos.
        per_style: terms of each style, in the order of the network's rows; None or empty where not known.
    """
    names = [name for name, _, _ in settings.style_rows()]
    card = {
        "format": 1,
        "styles": settings.row_names(),
        "identity_style": IDENTITY_STYLE if settings.learned_strength else None,
        "steps": steps,
        "loss_network_weights": loss_network_weights,
        "validation": validation,
        "validation_per_style": dict(zip(names, per_style or [], strict=False)),
        "settings": json.loads(settings.to_json()),
        "environment": machine(),
        "licence": _LICENCE,
    }
    return TransformWeights(network_arrays(network), card)


def weights_of_run(directory: RunDirectory) -> TransformWeights:
    """A finished run's weights file, else the weights of its newest good checkpoint.

    Raises:
        RunDirectoryError: no run there, or no checkpoint in it.
    """
    settings = directory.load_settings()
    if directory.weights.is_file():
        return read_transform_weights(directory.weights)
    checkpoint = CheckpointStore(directory.checkpoints).load_newest()
    if checkpoint is None:
        raise RunDirectoryError(f"{directory.path}: no checkpoint to export yet")
    network = build_transform_network(num_styles=len(settings.row_names()), width=settings.width)
    # A checkpoint holds the network's variables first, in order, then the optimizer's.
    arrays = list(checkpoint.arrays.values())[: len(network.variables)]
    if [array.shape for array in arrays] != [tuple(variable.shape) for variable in network.variables]:
        raise RunDirectoryError(f"{directory.path}: its checkpoints are of another network than its config.json")
    for variable, array in zip(network.variables, arrays, strict=True):
        variable.assign(array)
    return trained_weights(
        network,
        settings,
        steps=checkpoint.step,
        loss_network_weights=directory.loss_network_weights(),
        validation=None,
    )
