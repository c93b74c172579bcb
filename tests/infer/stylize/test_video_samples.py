from pathlib import Path

import numpy as np
import pytest

from faststyle.infer.stylize.video import VideoError
from faststyle.infer.stylize.video_samples import sample_frames

pytest.importorskip("av", reason="PyAV is not installed")
from tests.infer.stylize.clips import write_clip


def test_samples_come_from_the_middles_of_equal_parts(tmp_path):
    clip = tmp_path / "clip.mp4"
    write_clip(clip, [np.full((48, 64, 3), 8 * index, "uint8") for index in range(30)])
    grays = [frame.mean() / 8 for frame in sample_frames(clip, 3)]
    np.testing.assert_allclose(grays, [5, 15, 25], atol=1.1)


def test_a_file_that_is_no_video_is_one_line(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    with pytest.raises(VideoError, match=r"clip\.mp4: cannot be read"):
        sample_frames(tmp_path / "clip.mp4", 3)
    with pytest.raises(VideoError, match="no such file"):
        sample_frames(Path("nowhere.mp4"), 3)
