import numpy as np
import pytest

from faststyle.scripts.demo.drawn_styles import DRAWN_STYLES

SIZE = 48
EACH_STYLE = pytest.mark.parametrize("draw", DRAWN_STYLES.values(), ids=DRAWN_STYLES)


@pytest.fixture(scope="module")
def pictures():
    """Every style drawn once, with seed 0."""
    return {draw: draw(SIZE) for draw in DRAWN_STYLES.values()}


@EACH_STYLE
def test_a_style_is_a_square_rgb_picture(draw, pictures):
    assert pictures[draw].shape == (SIZE, SIZE, 3)
    assert pictures[draw].dtype == np.uint8


@EACH_STYLE
def test_the_same_seed_draws_the_same_picture(draw, pictures):
    np.testing.assert_array_equal(draw(SIZE, seed=0), pictures[draw])


@EACH_STYLE
def test_another_seed_draws_another_picture(draw, pictures):
    assert np.abs(draw(SIZE, seed=1).astype(int) - pictures[draw]).mean() > 10


@EACH_STYLE
def test_there_are_many_colors_from_dark_to_light(draw, pictures):
    pixels = pictures[draw].reshape(-1, 3)
    assert len(np.unique(pixels, axis=0)) > SIZE * SIZE / 4
    low, high = np.percentile(pixels.mean(axis=1), (5, 95))
    assert high - low > 60
    assert np.ptp(pixels, axis=1).mean() > 20  # colors, not greys


@EACH_STYLE
def test_there_are_edges_everywhere(draw, pictures):
    grey = pictures[draw].mean(axis=-1)
    steps = np.abs(np.diff(grey, axis=0))[:, 1:] + np.abs(np.diff(grey, axis=1))[1:]
    quarters = [part for half in np.array_split(steps, 2) for part in np.array_split(half, 2, axis=1)]
    assert all((quarter > 20).mean() > 0.1 for quarter in quarters)


def test_the_styles_differ_from_each_other(pictures):
    drawn = list(pictures.values())
    for index, picture in enumerate(drawn):
        for other in drawn[index + 1 :]:
            assert np.abs(picture.astype(int) - other).mean() > 20
