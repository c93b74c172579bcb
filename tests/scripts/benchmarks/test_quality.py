import itertools
import json

import pytest

from faststyle.scripts.benchmarks.quality import Point, _points, curve, seconds_to
from faststyle.train.settings import TrainSettings
from tests.toy_run import write_photos

POINTS = [Point(10, 4.0, 0.9, 0.5), Point(20, 8.0, 0.5, 0.2), Point(30, 12.0, 0.6, 0.2)]


@pytest.mark.parametrize(
    ("total", "seconds"),
    [
        (0.9, 4.0),  # the first look already
        (0.6, 7.0),  # three quarters of the way from 0.9 to 0.5
        (0.5, 8.0),
        (0.4, None),
    ],
)
def test_seconds_to_an_objective_by_hand(total, seconds):
    assert seconds_to(POINTS, total) == (None if seconds is None else pytest.approx(seconds))


def test_seconds_are_those_of_the_steps_before_a_look(tmp_path):
    records = [
        {"step": 1, "split": "train", "images_per_second": 2.0},
        {"step": 1, "event": "skipped unreadable photo"},
        {"step": 2, "split": "train", "images_per_second": 8.0},
        {"step": 2, "split": "validation", "total": 0.7, "style": 0.3},
    ]
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text("\n".join(json.dumps(record) for record in records))
    assert _points(metrics, batch_size=4) == [Point(2, 2.5, 0.7, 0.3)]


@pytest.fixture
def settings(tmp_path):
    photos = write_photos(tmp_path / "photos")
    style = write_photos(tmp_path / "style", count=1, seed=1) / "photo_00.jpg"
    return TrainSettings(
        style_images=(str(style),),
        content=str(photos),
        base="random",
        width=0.125,
        image_size=32,
        style_sizes=(64,),
        style_layers={"relu1_2": 1.0},
        content_layers={"relu2_2": 1.0},
        steps=8,
        batch_size=1,
    )


@pytest.mark.slow
def test_a_curve_is_of_a_real_run_and_looks_before_its_end(settings, tmp_path):
    points = curve(settings, tmp_path / "run")
    assert [point.step for point in points] == list(range(1, 9))
    assert all(later.seconds > earlier.seconds for earlier, later in itertools.pairwise(points))
