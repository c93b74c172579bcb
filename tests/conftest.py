"""Exported toy models that many tests share: an export takes seconds."""

from pathlib import Path

import numpy as np
import pytest

from tests.toy_run import toy_weights


@pytest.fixture(scope="session")
def one_style(tmp_path_factory) -> Path:
    """An exported toy model of one style."""
    from faststyle.train.export import export_model

    folder = tmp_path_factory.mktemp("models") / "one"
    export_model(toy_weights(1), folder)
    return folder


@pytest.fixture(scope="session")
def two_styles(tmp_path_factory) -> Path:
    """An exported toy model of two styles, with a preview."""
    from faststyle.train.export import export_model

    folder = tmp_path_factory.mktemp("models") / "two"
    photo = np.random.default_rng(0).integers(0, 256, (1, 32, 40, 3)).astype("uint8")
    export_model(toy_weights(2), folder, preview_photos=photo)
    return folder


@pytest.fixture(scope="module")
def without_tile_graphs():
    """Exports without the graphs for large photos, which take half of an export's time and have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("faststyle.train.export.write_tile_graphs", lambda weights, model_dir: None)
        patch.setattr("faststyle.train.export.tile_graph_difference", lambda weights, stylize, model_dir: 0.0)
        yield


@pytest.fixture(scope="module")
def one_residual_block():
    """Transform networks with one residual block, not five: tracing a training step takes half the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("faststyle.models.transform_net.RESIDUAL_BLOCKS", 1)
        yield
