"""Exported toy models that many tests share: an export takes seconds."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the training first: a file of long tests that comes last keeps one process waiting for the other."""
    items.sort(key=lambda item: "train" not in item.path.relative_to(Path(__file__).parent).parts)


@pytest.fixture(scope="session")
def one_style(tmp_path_factory) -> Path:
    """An exported toy model of one style, with one residual block."""
    return _exported(_common_folder(tmp_path_factory) / "one", num_styles=1)


@pytest.fixture(scope="session")
def two_styles(tmp_path_factory) -> Path:
    """An exported toy model of two styles, with one residual block."""
    return _exported(_common_folder(tmp_path_factory) / "two", num_styles=2)


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


def _common_folder(tmp_path_factory) -> Path:
    """Of all processes that share out the tests, each of which has a temporary folder in it."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def _exported(folder: Path, *, num_styles: int) -> Path:
    from faststyle.train.export import export_model  # TensorFlow: not for the process that only shares out the tests
    from tests.toy_run import toy_weights

    with FileLock(folder.with_suffix(".lock")), _one_residual_block():
        if not folder.is_dir():
            export_model(toy_weights(num_styles), folder)
    return folder
