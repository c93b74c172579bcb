"""The image forming, as an animated GIF or, with the `video` extra, as MP4."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from faststyle.atomic_files import write_atomically
from faststyle.user_error import UserError

SUFFIXES = (".gif", ".mp4")
_FRAME_MS, _LAST_FRAME_MS = 100, 1500


def check_animation(path: Path) -> None:
    """Raises `UserError` when no animation can be written under this name: before the work, not after it."""
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"{path}: cannot write {path.suffix or 'a name without suffix'}; use .gif or .mp4")
    if path.suffix.lower() == ".mp4":
        try:
            import av  # noqa: F401
        except ImportError:
            raise UserError(f"{path}: MP4 needs PyAV; pip install av, or use .gif") from None


def write_animation(path: Path, frames: list[np.ndarray]) -> None:
    """Writes frames `[height, width, 3]` uint8 of any sizes, scaled to the last one's; the last one stays longer."""
    same_size = _at_one_size(frames)
    buffer = io.BytesIO()
    if path.suffix.lower() == ".gif":
        first, *others = (Image.fromarray(frame) for frame in same_size)
        durations = [_FRAME_MS] * len(others) + [_LAST_FRAME_MS]
        first.save(buffer, format="GIF", save_all=True, append_images=others, duration=durations, loop=0)
    else:
        _encode_mp4(buffer, same_size)
    write_atomically(path, buffer.getvalue())


def _at_one_size(frames: list[np.ndarray]) -> list[np.ndarray]:
    """At the last frame's size, made even, as video codecs want it."""
    height, width = (side - side % 2 for side in frames[-1].shape[:2])
    scaled = (Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS) for frame in frames)
    return [np.asarray(frame) for frame in scaled]


def _encode_mp4(buffer: io.BytesIO, frames: list[np.ndarray]) -> None:
    import av

    with av.open(buffer, mode="w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=1000 // _FRAME_MS)
        stream.height, stream.width = frames[-1].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames + [frames[-1]] * (_LAST_FRAME_MS // _FRAME_MS):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
