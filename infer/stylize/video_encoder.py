"""Stylized frames to H.264, with the color tags, the pixel shape and the time stamps of their source."""

import av
import numpy as np

from faststyle.images.files import resize_to
from faststyle.infer.stylize.video_frames import is_sideways, matrix_of, range_of

_CONSTANT_RATE_FACTOR = 18
_SAMPLINGS = {(8, 8): "4:4:4", (4, 8): "4:2:2", (8, 4): "4:4:0"}  # by what 8x8 pixels have of each color difference
_ODD = "odd sides, {}x{}, need H.264 4:4:4: VLC, mpv and Chrome play it, Firefox, QuickTime and phones do not"


class VideoEncoder:
    """H.264 4:2:0 for frames of one size; 4:4:4 where a side is odd, which 4:2:0 cannot be.

    Args:
        writer: PyAV's container; gets the stream.
        source: the stream that is stylized.
        first: its first frame.
        shape: `height, width, 3` of the result.

    Attributes:
        changes: what is different in the result, in words.
    """

    def __init__(self, writer, source, first, shape: tuple[int, ...]) -> None:
        self._writer = writer
        self._size = height, width = shape[:2]
        self._matrix, self._range = matrix_of(first), range_of(first)
        self._time_base = source.time_base
        self._last_pts = -1
        odd = height % 2 or width % 2
        rate = source.average_rate or source.guessed_rate or 25
        self._stream = writer.add_stream("libx264", rate=rate, options={"crf": str(_CONSTANT_RATE_FACTOR)})
        self._stream.height, self._stream.width = height, width
        self._stream.pix_fmt = "yuv444p" if odd else "yuv420p"
        context = self._stream.codec_context
        context.time_base = source.time_base
        context.colorspace, context.color_range = self._matrix, self._range
        context.color_primaries, context.color_trc = first.color_primaries, first.color_trc
        if ratio := source.sample_aspect_ratio:
            context.sample_aspect_ratio = 1 / ratio if is_sideways(first) else ratio
        self.changes = [_ODD.format(width, height)] if odd else _coarser(source.format)

    def write(self, stylized: np.ndarray, source_frame) -> None:
        """Encodes `[height, width, 3]` uint8, to be shown when its source frame was; other sizes are scaled."""
        fitted = np.ascontiguousarray(resize_to(stylized, height=self._size[0], width=self._size[1]))
        rgb = av.VideoFrame.from_ndarray(fitted, format="rgb24")
        frame = rgb.reformat(format=self._stream.pix_fmt, dst_colorspace=self._matrix, dst_color_range=self._range)
        self._last_pts = max(self._pts(source_frame), self._last_pts + 1)  # encoders refuse those that do not grow
        frame.pts, frame.time_base = self._last_pts, self._time_base
        self._writer.mux(self._stream.encode(frame))

    def _pts(self, source_frame) -> int:
        if source_frame.pts is None:
            return self._last_pts + 1
        return round(source_frame.pts * source_frame.time_base / self._time_base)

    def finish(self) -> None:
        """Writes what the encoder still holds."""
        self._writer.mux(self._stream.encode())


def _coarser(pixel_format) -> list[str]:
    """Where the source's color had more resolution than 4:2:0."""
    if len(pixel_format.components) < 3:
        return []
    sampling = _SAMPLINGS.get((pixel_format.chroma_width(8), pixel_format.chroma_height(8)))
    return [f"{sampling} color became 4:2:0"] if sampling else []
