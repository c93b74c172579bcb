from pathlib import Path

import numpy as np
import pytest

from faststyle.models.transform_net_weights import GALLERY_WEIGHTS, read_transform_weights
from faststyle.scripts.faststyle import main


@pytest.fixture
def exported(monkeypatch, tmp_path) -> list:
    """What the command would have exported: weights, folder and options."""
    monkeypatch.chdir(tmp_path)
    calls: list = []
    monkeypatch.setattr(
        "faststyle.train.export.export_model", lambda *given, **options: calls.append((*given, options))
    )
    return calls


@pytest.mark.parametrize("source", [["starry_night"], ["gallery", "--mix", "starry_night=2"]], ids=" ".join)
def test_a_gallery_style_is_folded_from_the_shipped_weights(exported, source):
    assert main(["export", *source, "--output", "model"]) == 0
    ((weights, output, options),) = exported
    styles = read_transform_weights(GALLERY_WEIGHTS).card["styles"]
    assert (weights.card["styles"], output) == (styles, Path("model"))
    np.testing.assert_array_equal(options["style_mixture"], np.eye(len(styles))[styles.index("starry_night")])


def test_the_gallery_without_a_mixture_is_exported_whole(exported):
    assert main(["export", "gallery", "--output", "model"]) == 0
    assert exported[0][2]["style_mixture"] is None


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("stary_night", "no model folder and no gallery style 'stary_night'; did you mean starry_night?"),
        ("weights.npz", "weights.npz: no such weights file"),
        ("runs/starry_night", "starry_night: no such weights file"),
    ],
)
def test_a_source_that_is_nothing_is_one_line(exported, capsys, source, words):
    assert main(["export", source, "--output", "model"]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not exported
