from pathlib import Path

import pytest

from tests.toy_run import toy_weights


@pytest.fixture(scope="session")
def two_styles(tmp_path_factory) -> Path:
    """An exported toy model of two styles."""
    from train.export import export_model

    folder = tmp_path_factory.mktemp("models") / "two"
    export_model(toy_weights(2), folder)
    return folder
