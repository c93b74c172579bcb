"""What the eye would find at once in a style of the shipped gallery: a weave on a clear sky, lines along the border."""

import functools

import numpy as np
import pytest

from faststyle.infer.exported_model.stylizer import Stylizer, load_stylizer
from faststyle.infer.styles.gallery import gallery_styles

SIDE = 256
BORDER_PX = 24


def clear_sky() -> np.ndarray:
    """A smooth gradient `[256, 320, 3]` uint8, with nothing in it to make strokes of."""
    y, x = np.mgrid[0:SIDE, 0 : SIDE + 64]
    channels = [110 + 60 * y / SIDE + 10 * np.sin(x / 90), 150 + 50 * y / SIDE, 215 + 20 * y / SIDE]
    return np.stack(channels, axis=-1).astype("uint8")


@functools.cache
def gallery_stylizer() -> Stylizer:
    return load_stylizer(gallery_styles()[0].name, precision="float32")  # the same on all machines


@functools.cache
def painted_sky(style: str) -> np.ndarray:
    return gallery_stylizer().remixed({style: 1.0})(clear_sky())


def energy_of_periods(picture: np.ndarray) -> float:
    """The most energy at a period of 2, 4 or 8 px, down or across, as a multiple of the periods beside it."""
    gray = picture[:, 32 : 32 + SIDE].mean(axis=-1)
    window = np.hanning(SIDE)[:, None] * np.hanning(SIDE)
    spectrum = np.abs(np.fft.fft2((gray - gray.mean()) * window)) ** 2
    ratios = []
    for axis in (0, 1):
        energy = spectrum.sum(axis=1 - axis)[: SIDE // 2 + 1]
        for frequency in (SIDE // period for period in (2, 4, 8)):
            distance = np.abs(np.arange(len(energy)) - frequency)
            ratios.append(energy[distance <= 1].mean() / energy[(distance > 2) & (distance <= 6)].mean())
    return max(ratios)


def lines_along_borders(picture: np.ndarray) -> float:
    """The sharpest straight line along a border, as a multiple of the sharpest in the picture."""
    ratios = []
    for axis in (0, 1):
        profile = picture.mean(axis=axis, dtype="float32")
        steps = np.abs(np.diff(profile, axis=0)).max(axis=1)
        inside = np.percentile(steps[BORDER_PX:-BORDER_PX], 99)
        ratios += [steps[:BORDER_PX].max() / inside, steps[-BORDER_PX:].max() / inside]
    return max(ratios)


def test_a_weave_and_a_frame_would_be_found():
    picture = np.random.default_rng(0).integers(80, 120, (SIDE, SIDE + 64, 3)).astype("float32")
    assert energy_of_periods(picture) < 2
    assert lines_along_borders(picture) < 6
    woven, framed = picture.copy(), picture.copy()
    woven[:, ::4] += 10
    framed[:, -10:-8] = 250
    assert energy_of_periods(woven) > 2
    assert lines_along_borders(framed) > 6


@pytest.mark.parametrize("name", [style.name for style in gallery_styles()])
def test_a_clear_sky_has_no_weave(name):
    assert energy_of_periods(painted_sky(name)) < 2


@pytest.mark.parametrize("name", [style.name for style in gallery_styles()])
def test_a_clear_sky_has_no_frame(name):
    assert lines_along_borders(painted_sky(name)) < 6
