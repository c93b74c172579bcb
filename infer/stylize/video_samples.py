"""A few frames out of a video, spread evenly over it: what a preview shows before the whole is stylized."""

from pathlib import Path

import numpy as np

from faststyle.infer.stylize.video import VideoError, check_source
from faststyle.infer.stylize.video_frames import upright_rgb, whole_sdr


def sample_frames(source: Path, count: int) -> list[np.ndarray]:
    """Up to `count` frames `[height, width, 3]` uint8, upright, from the middles of as many equal parts.

    Raises:
        VideoError: PyAV is missing, no such file, no video in it, or damaged.
    """
    check_source(source)
    import av

    try:
        with av.open(str(source)) as reader:
            stream = reader.streams.best("video")
            if stream is None:
                raise VideoError(f"{source}: no video in it")
            duration = reader.duration or 0  # in AV_TIME_BASE, as `seek` takes it
            starts = [(reader.start_time or 0) + duration * (2 * part + 1) // (2 * count) for part in range(count)]
            frames = [frame for start in starts if (frame := _frame_from(reader, stream, start)) is not None]
    except av.error.FFmpegError as error:
        raise VideoError(f"{source}: cannot be read ({error.strerror or error})") from None
    if not frames:
        raise VideoError(f"{source}: no video frames in it")
    return frames


def _frame_from(reader, stream, start: int) -> np.ndarray | None:
    """The first frame shown at or after a time, or the last one before it; None where there is none."""
    import av

    reader.seek(start)
    found = None
    for frame in whole_sdr(reader.decode(stream)):
        found = frame
        if frame.time is None or frame.time * av.time_base >= start:
            break
    return None if found is None else upright_rgb(found)
