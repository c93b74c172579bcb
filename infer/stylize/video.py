"""Stylize a video frame by frame, with normalization statistics smoothed over time against flicker.

Instance normalization ties every pixel to the whole frame: what enters a corner changes the colors everywhere.
So statistics are an exponential average over time, by the frames' own time stamps; a cut starts anew.
"""

import dataclasses
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from faststyle.infer.network.stylizer import Stylizer
from faststyle.infer.network.tile_painter import TilePainter
from faststyle.infer.stylize.flicker import FlickerMeter
from faststyle.progress_bar import ProgressBar

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".wmv", ".ts", ".flv", ".3gp")
WRITABLE_VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".m4v")
_SMOOTHING_S = 1.0
# A frame whose mean difference to the last one is larger, in levels of 255, is a cut.
_CUT_LEVELS = 40.0
_CONSTANT_RATE_FACTOR = 18


class VideoError(ValueError):
    """A video that cannot be read or written; one line that names the file."""


@dataclasses.dataclass(frozen=True)
class VideoReport:
    """What was done. `flicker` is in levels of 255, NaN where no part of the source stood still."""

    frames: int
    flicker: float


class SmoothedStylizer:
    """Stylizes frames in order by statistics averaged over time.

    Args:
        painter: tile graphs of the model.
        smoothing_s: time constant of the average; 0 gives every frame its own statistics.
    """

    def __init__(self, painter: TilePainter, *, smoothing_s: float = _SMOOTHING_S) -> None:
        self._painter = painter
        self._smoothing_s = smoothing_s
        self._statistics: np.ndarray | None = None
        self._last: tuple[np.ndarray, float] | None = None

    def __call__(self, frame: np.ndarray, time_s: float) -> np.ndarray:
        """Stylizes `[height, width, 3]` uint8 that is shown from `time_s` on."""
        own = self._painter.fast_statistics(frame)
        kept = self._kept_share(frame, time_s)
        self._statistics = own if self._statistics is None else kept * self._statistics + (1 - kept) * own
        self._last = frame, time_s
        return self._painter.paint(frame, self._statistics)

    def _kept_share(self, frame: np.ndarray, time_s: float) -> float:
        if self._last is None or self._smoothing_s <= 0:
            return 0.0
        last, last_time_s = self._last
        if last.shape != frame.shape or np.abs(frame[::8, ::8].astype(int) - last[::8, ::8]).mean() > _CUT_LEVELS:
            return 0.0
        return math.exp(-max(0.0, time_s - last_time_s) / self._smoothing_s)


def is_video(path: Path) -> bool:
    """Whether the name has a video's suffix."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def stylize_video(
    source: Path, target: Path, stylizer: Stylizer, *, overwrite: bool = False, smoothing_s: float = _SMOOTHING_S
) -> VideoReport:
    """Stylizes a video to H.264; audio is copied, time stamps are kept, rotation is applied, memory is constant.

    Args:
        source: any format that FFmpeg reads.
        target: `.mp4`, `.mov`, `.mkv` or `.m4v`; appears whole or not at all.
        stylizer: with tile graphs.
        overwrite: replace a file that is there.
        smoothing_s: see `SmoothedStylizer`.

    Raises:
        VideoError: PyAV is missing, no such file, no video in it, damaged, or a target that cannot be written.
    """
    _check(source, target, overwrite=overwrite)
    smoothed = SmoothedStylizer(stylizer.tile_painter(), smoothing_s=smoothing_s)
    import av

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.stem[:80]}.") as scratch:
        unfinished = Path(scratch) / target.name
        try:
            with av.open(str(source)) as reader, av.open(str(unfinished), "w") as writer:
                report = _copy(reader, writer, smoothed)
        except VideoError:
            raise
        except (av.error.FFmpegError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise VideoError(f"{source}: cannot be stylized ({reason})") from None
        if not report.frames:
            raise VideoError(f"{source}: no video frames in it")
        os.replace(unfinished, target)
    return report


def _check(source: Path, target: Path, *, overwrite: bool) -> None:
    try:
        import av  # noqa: F401
    except ImportError:
        raise VideoError("videos need PyAV: pip install av") from None
    if not source.is_file():
        raise VideoError(f"{source}: no such file")
    if target.suffix.lower() not in WRITABLE_VIDEO_SUFFIXES:
        raise VideoError(f"{target}: cannot write {target.suffix or 'a name without suffix'}; use .mp4, .mov or .mkv")
    if target.exists() and (target.samefile(source) or not overwrite):
        reason = "is the source itself" if target.samefile(source) else "exists already; pass --overwrite"
        raise VideoError(f"{target}: {reason}, or choose another --output")


def _copy(reader, writer, smoothed: SmoothedStylizer) -> VideoReport:
    if not reader.streams.video:
        raise VideoError(f"{reader.name}: no video in it")
    source = reader.streams.video[0]
    source.thread_type = "AUTO"
    audio = {stream: writer.add_stream_from_template(stream) for stream in reader.streams.audio}
    encoder: _Encoder | None = None
    meter, frames, waiting = FlickerMeter(), 0, []
    with ProgressBar(total=source.frames or None, unit="frame") as bar:
        for packet in reader.demux(source, *audio):
            if packet.stream is not source:
                if packet.dts is not None:
                    packet.stream = audio[packet.stream]
                    waiting.append(packet)
                if encoder:  # the header, which the first packet writes, needs every stream's settings
                    waiting = _mux(writer, waiting)
                continue
            for frame in _decoded(packet):
                photo = _upright(frame)
                stylized = smoothed(photo, frame.time or 0.0)
                encoder = encoder or _Encoder(writer, source, stylized.shape)
                encoder.write(stylized, frame)
                meter.add(photo, stylized)
                frames += 1
                bar.update()
    if encoder:
        encoder.finish()
        _mux(writer, waiting)
    return VideoReport(frames, meter.levels)


def _decoded(packet) -> Iterator:
    import av

    try:
        yield from packet.decode()
    except av.error.InvalidDataError:
        return  # a damaged packet costs its frames, not the video


def _mux(writer, packets: list) -> list:
    for packet in packets:
        writer.mux(packet)
    return []


def _upright(frame) -> np.ndarray:
    quarter_turns = round((frame.rotation or 0) / 90) % 4  # counterclockwise, from the display matrix
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), quarter_turns))


class _Encoder:
    """H.264 for frames of one size, with the source's time stamps. Odd sides gain a line that repeats the last."""

    def __init__(self, writer, source, shape: tuple[int, ...]) -> None:
        self._writer = writer
        self._size = shape[0] + shape[0] % 2, shape[1] + shape[1] % 2
        rate = source.average_rate or source.guessed_rate or 25
        self._stream = writer.add_stream("libx264", rate=rate, options={"crf": str(_CONSTANT_RATE_FACTOR)})
        self._stream.height, self._stream.width = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = source.time_base
        self._time_base = source.time_base
        self._last_pts = -1

    def write(self, stylized: np.ndarray, source_frame) -> None:
        import av

        height, width = stylized.shape[:2]
        missing = [(0, max(0, self._size[0] - height)), (0, max(0, self._size[1] - width)), (0, 0)]
        fitted = np.pad(stylized, missing, mode="edge")[: self._size[0], : self._size[1]]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(fitted), format="rgb24")
        pts = source_frame.pts if source_frame.pts is not None else self._last_pts + 1
        self._last_pts = max(pts, self._last_pts + 1)  # encoders refuse time stamps that do not grow
        frame.pts, frame.time_base = self._last_pts, self._time_base
        self._writer.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._writer.mux(self._stream.encode())
