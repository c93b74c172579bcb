import sys

import av
import numpy as np
import pytest
from PIL import Image

from faststyle.infer.optimize.animation import check_animation, write_animation

FRAMES = [np.full((20 + step, 31, 3), 60 * step, "uint8") for step in range(3)]


def test_a_gif_has_every_frame_at_the_last_ones_size(tmp_path):
    write_animation(tmp_path / "film.gif", FRAMES)
    with Image.open(tmp_path / "film.gif") as film:
        assert (film.n_frames, film.size) == (3, (30, 22))
        film.seek(2)
        assert abs(int(np.asarray(film.convert("RGB"))[5, 5, 0]) - 120) < 5


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"cannot write \.avi; use \.gif or \.mp4"):
        check_animation(tmp_path / "film.avi")


def test_mp4_without_the_video_extra_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ValueError, match="MP4 needs PyAV"):
        check_animation(tmp_path / "film.mp4")


def test_an_mp4_has_the_frames_and_holds_the_last(tmp_path):
    write_animation(tmp_path / "film.mp4", FRAMES)
    with av.open(str(tmp_path / "film.mp4")) as film:
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(pictures) == 3 + 15
    assert pictures[0].shape == (22, 30, 3)
    assert abs(int(pictures[-1][5, 5, 0]) - 120) < 8
