import fractions
from pathlib import Path

import numpy as np
import pytest

from faststyle.infer.exported_model.stylizer import Stylizer
from faststyle.infer.stylize.video import SmoothedStylizer, VideoError, is_video, stylize_video
from faststyle.scripts.faststyle import main

av = pytest.importorskip("av", reason="PyAV is not installed")
from tests.infer.stylize.clips import write_clip  # noqa: E402

TIMES_MS = (0, 40, 80, 200, 240, 400)  # a variable frame rate
STILL = np.random.default_rng(0).integers(60, 200, (6, 8, 3)).astype("uint8").repeat(8, 0).repeat(8, 1)


def frames() -> list[np.ndarray]:
    """A still scene, 64x48, into whose corner something bright comes."""
    pictures = []
    for index in range(len(TIMES_MS)):
        picture = STILL.copy()
        picture[:16, : 4 * index] = 255
        pictures.append(picture)
    return pictures


def write_video(path: Path, *, audio: bool = True) -> Path:
    with av.open(str(path), "w") as writer:
        stream = writer.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = fractions.Fraction(1, 1000)
        sound = writer.add_stream("aac", rate=16000, layout="mono") if audio else None
        for picture, time_ms in zip(frames(), TIMES_MS, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time_ms, fractions.Fraction(1, 1000)
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode())
        if sound:
            tone = np.sin(np.arange(8000) / 5).astype("float32")[None]
            wave = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            wave.sample_rate, wave.pts = 16000, 0
            writer.mux(sound.encode(wave))
            writer.mux(sound.encode())
    return path


def read_video(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as reader:
        decoded = list(reader.decode(video=0))
    return [frame.to_ndarray(format="rgb24") for frame in decoded], [frame.time for frame in decoded]


def audio_bytes(path: Path) -> bytes:
    with av.open(str(path)) as reader:
        return b"".join(bytes(packet) for packet in reader.demux(audio=0))


def test_frames_keep_size_and_time_stamps_and_audio_is_copied(two_styles: Path, tmp_path):
    source = write_video(tmp_path / "clip.mp4")
    report = stylize_video(source, tmp_path / "out.mp4", Stylizer(two_styles))
    pictures, times = read_video(tmp_path / "out.mp4")
    assert report.frames == len(pictures) == len(TIMES_MS)
    np.testing.assert_allclose(times, np.array(TIMES_MS) / 1000, atol=0.002)
    assert pictures[0].shape == (48, 64, 3)
    assert audio_bytes(tmp_path / "out.mp4") == audio_bytes(source) != b""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.mp4"]


def test_smoothed_statistics_flicker_less_than_those_of_each_frame(two_styles: Path, tmp_path):
    source, stylizer = write_video(tmp_path / "clip.mp4", audio=False), Stylizer(two_styles)
    smoothed = stylize_video(source, tmp_path / "smoothed.mp4", stylizer)
    each = stylize_video(source, tmp_path / "each.mp4", stylizer, smoothing_s=0)
    assert 0 < smoothed.flicker < 0.9 * each.flicker


def test_statistics_are_an_exponential_average_in_time():
    class Painter:
        own = iter((np.zeros((2, 1)), np.ones((2, 1)), np.ones((2, 1))))

        def fast_statistics(self, frame):
            return next(self.own)

        def paint(self, frame, statistics):
            return statistics

    smoothed = SmoothedStylizer(Painter(), smoothing_s=0.5)
    black, white = np.zeros((16, 16, 3), "uint8"), np.full((16, 16, 3), 255, "uint8")
    smoothed(black, 10.0)
    np.testing.assert_allclose(smoothed(black, 10.5), 1 - np.exp(-1))
    np.testing.assert_allclose(smoothed(white, 10.6), 1)  # a cut


def test_command_takes_a_video_by_its_suffix_and_prints_the_flicker(two_styles: Path, tmp_path, capsys):
    source = write_video(tmp_path / "clip.mp4")
    arguments = ["stylize", str(two_styles), str(source), "--output", str(tmp_path / "out.mp4")]
    assert main(arguments) == 0
    assert "6 frames stylized" in (printed := capsys.readouterr().out)
    assert "flicker" in printed
    assert main(arguments) == 2
    assert "exists already" in capsys.readouterr().err


def test_command_says_in_one_line_what_the_result_has_not(two_styles: Path, tmp_path, capsys):
    clip = write_clip(tmp_path / "clip.mkv", [STILL], pixels="yuv422p10le")
    assert main(["stylize", str(two_styles), str(clip), "--output", str(tmp_path / "out.mp4")]) == 0
    (line,) = (line for line in capsys.readouterr().err.splitlines() if str(clip) in line)
    assert line == f"{clip}: 10 bits per color became 8; 4:2:2 color became 4:2:0"


def test_strength_of_a_video_needs_an_identity_style(two_styles: Path, tmp_path, capsys):
    clip = write_video(tmp_path / "clip.mp4")
    options = ["--output", str(tmp_path / "out.mp4"), "--strength", "0.5"]
    assert main(["stylize", str(two_styles), str(clip), *options]) == 2
    assert "--strength of a video needs a model with an identity style" in capsys.readouterr().err
    assert not (tmp_path / "out.mp4").exists()


def test_broken_video_is_one_line_and_leaves_nothing(two_styles: Path, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(VideoError, match="bad.mp4: cannot be stylized"):
        stylize_video(tmp_path / "bad.mp4", tmp_path / "out.mp4", Stylizer(two_styles))
    assert [path.name for path in tmp_path.iterdir()] == ["bad.mp4"]


def test_videos_are_known_by_suffix():
    assert is_video(Path("a/Clip.MP4"))
    assert not is_video(Path("photo.jpg"))


def test_every_frame_is_told_and_a_listener_can_end_the_work_without_a_trace(two_styles: Path, tmp_path):
    source = write_video(tmp_path / "clip.mp4")
    told = []
    stylize_video(source, tmp_path / "out.mp4", Stylizer(two_styles), on_frame=lambda *word: told.append(word))
    assert told == [(done, len(TIMES_MS)) for done in range(1, len(TIMES_MS) + 1)]

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        stylize_video(source, tmp_path / "other.mp4", Stylizer(two_styles), on_frame=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.mp4"]
