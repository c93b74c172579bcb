import fractions
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV is not installed")
import av

from faststyle.infer.stylize.video import stylize_video
from tests.infer.stylize.clips import Mirror, blocks

RATE_HZ = 16000
SUBTITLES = "1\n00:00:00,000 --> 00:00:00,100\nhello\n"
CHAPTER = {"id": 1, "start": 0, "end": 100, "time_base": fractions.Fraction(1, 1000), "metadata": {"title": "one"}}


def write_tracks(path: Path, *, sound: str = "aac") -> Path:
    """Five frames with French sound, and in a Matroska file with subtitles; a title, a date and a chapter."""
    path.with_suffix(".srt").write_text(SUBTITLES)
    with av.open(str(path), "w") as writer, av.open(str(path.with_suffix(".srt"))) as text:
        video = writer.add_stream("libx264", rate=25)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        audio = writer.add_stream(sound, rate=RATE_HZ, layout="mono")
        audio.metadata["language"] = "fra"
        words = writer.add_stream_from_template(text.streams.subtitles[0]) if path.suffix == ".mkv" else None
        writer.metadata.update({"title": "Sunday", "creation_time": "2020-01-02T03:04:05.000000Z"})
        writer.set_chapters([CHAPTER])
        for index in range(5):
            frame = av.VideoFrame.from_ndarray(blocks(), format="rgb24")
            frame.pts, frame.time_base = index, fractions.Fraction(1, 25)
            writer.mux(video.encode(frame))
        writer.mux(video.encode())
        tone = (8000 * np.sin(np.arange(RATE_HZ // 5) / 5)).astype("int16")
        wave = av.AudioFrame.from_ndarray(tone[None], format="s16p", layout="mono")
        wave.sample_rate, wave.pts = RATE_HZ, 0
        writer.mux([*audio.encode(wave), *audio.encode()])
        for packet in text.demux() if words else ():
            if packet.dts is not None:
                packet.stream = words
                writer.mux(packet)
    return path


def told(path: Path) -> tuple[str, str, str]:
    with av.open(str(path)) as reader:
        (chapter,) = reader.chapters()
        return reader.metadata["title"], reader.metadata["creation_time"], chapter["metadata"]["title"]


def test_title_date_chapters_language_and_subtitles_are_copied(tmp_path):
    source = write_tracks(tmp_path / "clip.mkv")
    report = stylize_video(source, tmp_path / "out.mkv", Mirror())
    assert report.changes == ()
    assert told(tmp_path / "out.mkv") == ("Sunday", "2020-01-02T03:04:05.000000Z", "one")
    with av.open(str(tmp_path / "out.mkv")) as reader:
        assert sorted(stream.type for stream in reader.streams) == ["audio", "subtitle", "video"]
        assert reader.streams.audio[0].metadata["language"] == "fra"
        assert [bytes(packet) for packet in reader.demux(subtitles=0) if packet.dts is not None] == [b"hello"]


def test_what_the_target_cannot_hold_is_named_and_chapters_are_no_lost_track(tmp_path):
    matroska = write_tracks(tmp_path / "clip.mkv")
    assert stylize_video(matroska, tmp_path / "out.mp4", Mirror()).changes == ("without 1 subtitle track",)
    assert stylize_video(tmp_path / "out.mp4", tmp_path / "again.mp4", Mirror()).changes == ()
    assert told(tmp_path / "again.mp4") == ("Sunday", "2020-01-02T03:04:05.000000Z", "one")


def test_sound_that_the_target_cannot_hold_becomes_aac_with_a_word(tmp_path):
    source = write_tracks(tmp_path / "clip.avi", sound="adpcm_ms")
    assert stylize_video(source, tmp_path / "out.mp4", Mirror()).changes == ("adpcm_ms sound became AAC",)
    before, after = (heard(path) for path in (source, tmp_path / "out.mp4"))
    assert after.size >= before.size
    np.testing.assert_allclose(after[: before.size], before, atol=0.05)


def heard(path: Path) -> np.ndarray:
    """The sound as floats."""
    with av.open(str(path)) as reader:
        resampler = av.AudioResampler("flt", "mono", RATE_HZ)
        frames = [part for frame in reader.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])
