"""Tiny videos, and a stylizer that leaves every frame as it is, so that what a file loses is seen alone."""

import fractions
import struct
from pathlib import Path

import av
import numpy as np

RATE = 25


class Mirror:
    """A stylizer whose tile painter shows the photo."""

    def tile_painter(self):
        return self

    def fast_statistics(self, image):
        return np.zeros((2, 1))

    def paint(self, image, statistics):
        return image


def blocks(height: int = 48, width: int = 64) -> np.ndarray:
    """Colored squares of 16 px, `[height, width, 3]` uint8."""
    small = np.random.default_rng(0).integers(40, 216, (-(-height // 16), -(-width // 16), 3)).astype("uint8")
    return np.ascontiguousarray(small.repeat(16, 0).repeat(16, 1)[:height, :width])


def write_clip(
    path: Path, pictures: list[np.ndarray], *, codec: str = "libx264", pixels: str = "yuv420p", options=None, **tags
) -> Path:
    """A video of RGB pictures; tags are attributes of the codec context."""
    with av.open(str(path), "w") as writer:
        stream = writer.add_stream(
            codec, rate=RATE, options={"crf": "4", "x265-params": "log-level=none"} if options is None else options
        )
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format=pixels, dst_colorspace=tags.get("colorspace"), dst_color_range=tags.get("color_range")
            )
            frame.pts, frame.time_base = index, fractions.Fraction(1, RATE)
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode())
    return path


def read_clip(path: Path) -> list:
    """Its decoded frames."""
    with av.open(str(path)) as reader:
        return list(reader.decode(video=0))


def with_display_matrix(clip: Path, turned: Path, *, across: tuple[int, int], down: tuple[int, int]) -> Path:
    """An MP4 to be shown turned or mirrored: where a step to the right and one down in the file lead on screen."""
    identity, wanted = (
        struct.pack(">9i", x[0] << 16, x[1] << 16, 0, y[0] << 16, y[1] << 16, 0, 0, 0, 1 << 30)
        for x, y in (((1, 0), (0, 1)), (across, down))
    )
    content = bytearray(clip.read_bytes())
    start = content.index(identity, content.index(b"tkhd"))
    content[start : start + len(wanted)] = wanted
    turned.write_bytes(content)
    return turned
