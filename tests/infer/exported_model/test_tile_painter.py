from pathlib import Path

import numpy as np
import pytest

from faststyle.infer.exported_model import tile_painter
from faststyle.infer.exported_model.runtimes import RuntimeChoiceError
from faststyle.infer.exported_model.stylizer import StylizeError, Stylizer
from faststyle.infer.exported_model.tile_painter import TILES_CARD, TilePainter
from faststyle.infer.exported_model.tiles import plan_tiles, with_border
from faststyle.train.export import export_model
from tests.toy_run import toy_weights

FLOAT32 = {"runtime": "openvino", "precision": "float32"}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A toy model of two styles with all five residual blocks, so that its pixels see as far as any model's."""
    folder = tmp_path_factory.mktemp("models") / "two"
    export_model(toy_weights(2), folder)
    return folder


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """Non-square, sides no multiples of 4, bright at the left and rough at the right."""
    random = np.random.default_rng(0)
    ramp = np.linspace(220, 30, 203)[None, :, None] * np.array([1.0, 0.7, 0.4])
    noise = random.normal(size=(150, 203, 3)) * np.linspace(0, 60, 203)[None, :, None]
    return np.clip(ramp + noise, 0, 255).astype("uint8")


@pytest.fixture(scope="module", autouse=True)
def _small_thumbnail():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tile_painter, "_THUMBNAIL_PIXELS", 80 * 60)
        yield


@pytest.fixture(scope="module")
def stylized(model, photo) -> dict[str, np.ndarray]:
    """The photo stylized with every tiling, small tiles."""
    tilings = ("off", "fast", "exact")
    return {name: Stylizer(model, tiling=name, core_px=64, **FLOAT32)(photo).astype(int) for name in tilings}


def test_exact_tiles_are_the_whole_result_without_a_seam(stylized, photo):
    difference = np.abs(stylized["exact"] - stylized["off"])
    assert difference.mean() < 0.25
    bordered, border = with_border(photo)
    at_borders = np.zeros(bordered.shape[:2], bool)
    for tile in plan_tiles(*bordered.shape[:2], core_px=64):
        top, left, bottom, right = tile.core
        at_borders[top : top + 2, left:right] = at_borders[top:bottom, left : left + 2] = True
    at_borders = at_borders[border:, border:][: photo.shape[0], : photo.shape[1]]
    assert difference[at_borders].max() <= difference[~at_borders].max() + 1


def test_fast_statistics_are_close_and_exact_ones_closer(stylized):
    fast, exact = (np.abs(stylized[tiling] - stylized["off"]).mean() for tiling in ("fast", "exact"))
    assert exact < 0.5 * fast


def test_exact_statistics_are_those_of_the_photo_measured_at_once(model: Path, photo):
    painter = Stylizer(model, core_px=64, **FLOAT32).tile_painter()
    at_once = painter._own_statistics(with_border(photo)[0], painter._neutral)
    found = painter.exact_statistics(photo)
    assert np.max(np.abs(found - at_once) / at_once[1]) < 0.02


def test_large_photo_and_a_model_without_tile_graphs_are_one_clear_line(model: Path, photo, monkeypatch):
    monkeypatch.setattr("faststyle.infer.exported_model.stylizer.WHOLE_LIMIT_PIXELS", {"openvino": 1000})
    monkeypatch.setattr("faststyle.infer.exported_model.tile_painter.TILES_CARD", TILES_CARD.with_name("none.json"))
    with pytest.raises(StylizeError, match="exported without tile graphs.*export it again, or use --tiling off"):
        Stylizer(model, **FLOAT32)(photo)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"channels": "3"}', '{"channels": -3}', '{"channels": 1e15}', '{"channels": NaN}', "[" * 100_000],
    ids=["empty", "a list", "none", "text", "negative", "too many", "no number", "deep"],
)
def test_a_tile_card_that_makes_no_sense_is_a_damaged_model(tmp_path, content):
    (tmp_path / TILES_CARD).parent.mkdir(parents=True)
    (tmp_path / TILES_CARD).write_text(content)
    with pytest.raises(RuntimeChoiceError, match=r"tiles\.json: damaged model \("):
        TilePainter(tmp_path, {})
