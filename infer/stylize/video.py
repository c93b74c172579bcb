"""Stylize a video frame by frame, with normalization statistics smoothed over time against flicker.

Instance normalization ties every pixel to the whole frame: what enters a corner changes the colors everywhere.
So statistics are an exponential average over time, by the frames' own time stamps; a cut starts anew.
"""

import dataclasses
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from faststyle.infer.exported_model.stylizer import Stylizer
from faststyle.infer.exported_model.tile_painter import TilePainter
from faststyle.infer.stylize.flicker import FlickerMeter
from faststyle.infer.stylize.video_frames import noted, upright_rgb, whole_sdr
from faststyle.infer.stylize.video_tracks import CopiedTracks
from faststyle.user_error import UserError

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".wmv", ".ts", ".flv", ".3gp")
WRITABLE_VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".m4v")
_SMOOTHING_S = 1.0
# A frame whose mean difference to the last one is larger, in levels of 255, is a cut.
_CUT_LEVELS = 40.0


class VideoError(UserError):
    """A video that cannot be read or written; one line that names the file."""


@dataclasses.dataclass(frozen=True)
class VideoReport:
    """What was done.

    Attributes:
        frames: how many.
        flicker: in levels of 255, NaN where no part of the source stood still.
        changes: what the source had and the result has not, in words.
    """

    frames: int
    flicker: float
    changes: tuple[str, ...] = ()


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
    source: Path,
    target: Path,
    stylizer: Stylizer,
    *,
    overwrite: bool = False,
    smoothing_s: float = _SMOOTHING_S,
    on_frame: Callable[[int, int], None] = lambda done, total: None,
) -> VideoReport:
    """Stylizes a video to H.264; other tracks are copied, time stamps and color tags kept, memory is constant.

    Args:
        source: any format that FFmpeg reads.
        target: `.mp4`, `.mov`, `.mkv` or `.m4v`; appears whole or not at all.
        stylizer: with tile graphs.
        overwrite: replace a file that is there.
        smoothing_s: see `SmoothedStylizer`.
        on_frame: called after every frame with how many are done and how many there are, 0 where the file does not
            tell; what it raises ends the work and leaves nothing behind.

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
                report = _copy(reader, writer, smoothed, on_frame)
        except VideoError:
            raise
        except (av.error.FFmpegError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise VideoError(f"{source}: cannot be stylized ({reason})") from None
        if not report.frames:
            raise VideoError(f"{source}: no video frames in it")
        os.replace(unfinished, target)
    return report


def check_source(source: Path) -> None:
    """Raises `VideoError` where videos cannot be read at all, or this one is not there."""
    try:
        import av  # noqa: F401
    except ImportError:
        raise VideoError("videos need PyAV: pip install av") from None
    if not source.is_file():
        raise VideoError(f"{source}: no such file")


def _check(source: Path, target: Path, *, overwrite: bool) -> None:
    check_source(source)
    if target.suffix.lower() not in WRITABLE_VIDEO_SUFFIXES:
        raise VideoError(f"{target}: cannot write {target.suffix or 'a name without suffix'}; use .mp4, .mov or .mkv")
    if target.exists() and (target.samefile(source) or not overwrite):
        reason = "is the source itself" if target.samefile(source) else "exists already; pass --overwrite"
        raise VideoError(f"{target}: {reason}, or choose another --output")


def _copy(reader, writer, smoothed: SmoothedStylizer, on_frame: Callable[[int, int], None]) -> VideoReport:
    from faststyle.infer.stylize.video_encoder import VideoEncoder
    from faststyle.progress_bar import ProgressBar  # which a photo does not wait for

    source = reader.streams.best("video")
    if source is None:
        raise VideoError(f"{reader.name}: no video in it")
    source.thread_type = "AUTO"
    tracks = CopiedTracks(reader, writer, source)
    changes = dict.fromkeys(tracks.changes)  # a set in its order
    encoder: VideoEncoder | None = None
    meter, frames = FlickerMeter(), 0
    with ProgressBar(total=source.frames or None, unit="frame") as bar:
        for frame in whole_sdr(noted(_decoded(reader, source, tracks), changes)):
            photo = upright_rgb(frame)
            stylized = smoothed(photo, frame.time or 0.0)
            encoder = encoder or VideoEncoder(writer, source, frame, stylized.shape)
            encoder.write(stylized, frame)
            tracks.begin()
            meter.add(photo, stylized)
            frames += 1
            bar.update()
            on_frame(frames, source.frames)
    if encoder:
        encoder.finish()
        changes |= dict.fromkeys(encoder.changes)
    return VideoReport(frames, meter.levels, tuple(changes))


def _decoded(reader, source, tracks: CopiedTracks) -> Iterator:
    """The source's frames; packets of other tracks go there."""
    import av

    for packet in reader.demux(source, *tracks.streams):
        try:
            if packet.stream is source:
                yield from packet.decode()
            else:
                tracks.add(packet)
        except av.error.InvalidDataError:
            continue  # a damaged packet costs its frames, not the video
