from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV is not installed")
import av

from faststyle.infer.stylize.video import stylize_video
from tests.infer.stylize.clips import Mirror, blocks, read_clip, with_display_matrix, write_clip


@pytest.mark.parametrize(("height", "width"), [(41, 63), (48, 63), (41, 64)])
def test_odd_sides_are_kept_exactly_with_a_word_on_players(tmp_path, height, width):
    source = write_clip(tmp_path / "clip.avi", [blocks(height, width)] * 2, codec="mpeg4", options={})
    report = stylize_video(source, tmp_path / "out.mp4", Mirror())
    (line,) = report.changes
    assert line.startswith(f"odd sides, {width}x{height}, need H.264 4:4:4: VLC, mpv and Chrome play it")
    before, after = (read_clip(path)[0].to_ndarray(format="rgb24") for path in (source, tmp_path / "out.mp4"))
    assert after.shape == (height, width, 3)
    np.testing.assert_allclose(after[8::16, 8::16].astype(int), before[8::16, 8::16], atol=6)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_shape_of_pixels_is_kept(tmp_path, suffix):
    source = write_clip(tmp_path / f"clip{suffix}", [blocks()], sample_aspect_ratio=Fraction(16, 11))
    stylize_video(source, tmp_path / f"out{suffix}", Mirror())
    with av.open(str(tmp_path / f"out{suffix}")) as reader:
        assert reader.streams.video[0].sample_aspect_ratio == Fraction(16, 11)


def test_the_shape_of_pixels_turns_with_the_picture(tmp_path):
    plain = write_clip(tmp_path / "clip.mp4", [blocks()], sample_aspect_ratio=Fraction(16, 11))
    turned = with_display_matrix(plain, tmp_path / "turned.mp4", across=(0, 1), down=(-1, 0))
    stylize_video(turned, tmp_path / "out.mp4", Mirror())
    with av.open(str(tmp_path / "out.mp4")) as reader:
        assert reader.streams.video[0].sample_aspect_ratio == Fraction(11, 16)
