from pathlib import Path

import numpy as np
import pytest

from faststyle.infer.exported_model import tile_painter
from faststyle.infer.exported_model.runtimes import RuntimeChoiceError
from faststyle.infer.exported_model.stylizer import StylizeError, Stylizer
from faststyle.infer.exported_model.tile_painter import TILES_CARD, TilePainter
from faststyle.infer.exported_model.tiles import plan_tiles, with_border

FLOAT32 = {"runtime": "openvino", "precision": "float32"}


@pytest.fixture
def photo() -> np.ndarray:
    """Non-square, sides no multiples of 4, bright at the left and rough at the right."""
    random = np.random.default_rng(0)
    ramp = np.linspace(220, 30, 203)[None, :, None] * np.array([1.0, 0.7, 0.4])
    noise = random.normal(size=(150, 203, 3)) * np.linspace(0, 60, 203)[None, :, None]
    return np.clip(ramp + noise, 0, 255).astype("uint8")


@pytest.fixture(autouse=True)
def _small_thumbnail(monkeypatch):
    monkeypatch.setattr(tile_painter, "_THUMBNAIL_PIXELS", 80 * 60)


def test_exact_tiles_are_the_whole_result_without_a_seam(two_styles: Path, photo):
    whole = Stylizer(two_styles, tiling="off", **FLOAT32)(photo).astype(int)
    tiled = Stylizer(two_styles, tiling="exact", core_px=64, **FLOAT32)(photo)
    difference = np.abs(tiled - whole)
    assert difference.mean() < 0.25
    bordered, border = with_border(photo)
    at_borders = np.zeros(bordered.shape[:2], bool)
    for tile in plan_tiles(*bordered.shape[:2], core_px=64):
        top, left, bottom, right = tile.core
        at_borders[top : top + 2, left:right] = at_borders[top:bottom, left : left + 2] = True
    at_borders = at_borders[border:, border:][: photo.shape[0], : photo.shape[1]]
    assert difference[at_borders].max() <= difference[~at_borders].max() + 1


def test_fast_statistics_are_close_and_exact_ones_closer(two_styles: Path, photo):
    whole = Stylizer(two_styles, tiling="off", **FLOAT32)(photo).astype(int)
    fast, exact = (
        np.abs(Stylizer(two_styles, tiling=tiling, core_px=64, **FLOAT32)(photo) - whole).mean()
        for tiling in ("fast", "exact")
    )
    assert exact < 0.5 * fast


def test_exact_statistics_are_those_of_the_photo_measured_at_once(two_styles: Path, photo):
    painter = Stylizer(two_styles, core_px=64, **FLOAT32).tile_painter()
    at_once = painter._own_statistics(with_border(photo)[0], painter._neutral)
    found = painter.exact_statistics(photo)
    assert np.max(np.abs(found - at_once) / at_once[1]) < 0.02


def test_large_photo_and_a_model_without_tile_graphs_are_one_clear_line(two_styles: Path, photo, monkeypatch):
    monkeypatch.setattr("faststyle.infer.exported_model.stylizer.WHOLE_LIMIT_PIXELS", {"openvino": 1000})
    monkeypatch.setattr("faststyle.infer.exported_model.tile_painter.TILES_CARD", TILES_CARD.with_name("none.json"))
    with pytest.raises(StylizeError, match="exported without tile graphs.*export it again, or use --tiling off"):
        Stylizer(two_styles, **FLOAT32)(photo)


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
