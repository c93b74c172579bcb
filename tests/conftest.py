"""Exported toy models that many tests share: an export takes seconds."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def one_style(tmp_path_factory) -> Path:
    """An exported toy model of one style, with one residual block."""
    return _exported(tmp_path_factory.mktemp("models") / "one", num_styles=1)


@pytest.fixture(scope="session")
def two_styles(tmp_path_factory) -> Path:
    """An exported toy model of two styles, with one residual block."""
    return _exported(tmp_path_factory.mktemp("models") / "two", num_styles=2)


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
    with _one_residual_block():
        yield


@contextlib.contextmanager
def _one_residual_block() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("faststyle.models.transform_net.RESIDUAL_BLOCKS", 1)
        yield


def _exported(folder: Path, *, num_styles: int) -> Path:
    from faststyle.train.export import export_model  # TensorFlow: not for the process that only shares out the tests
    from tests.toy_run import toy_weights

    with _one_residual_block():
        export_model(toy_weights(num_styles), folder)
    return folder
