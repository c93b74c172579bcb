"""Frames of a video as a screen shows them: whole, in standard dynamic range, upright; and in words what that changes.

Numbers of color tags are the code points of ITU-T H.273, which FFmpeg uses.
"""

from collections.abc import Iterable, Iterator

import numpy as np

BT709, BT601 = 1, 6
FULL_RANGE, LIMITED_RANGE = 2, 1
_MATRICES = (BT709, 4, 5, BT601, 7, 9)  # those that FFmpeg converts; 9 is BT.2020
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
_HD_LINES = 720
_UNCARRIED = {"A53_CC": "closed captions", "SPHERICAL": "360-degree tags", "STEREO3D": "3D tags"}


def matrix_of(frame) -> int:
    """The matrix between a frame's YUV and RGB; where its file names none, players go by the height."""
    if frame.colorspace in _MATRICES:
        return frame.colorspace
    return BT709 if frame.height >= _HD_LINES or frame.color_primaries == BT709 else BT601


def range_of(frame) -> int:
    """The range that a result's YUV has: the frame's own, and the usual one for RGB and where the file names none."""
    return FULL_RANGE if frame.color_range == FULL_RANGE and not frame.format.is_rgb else LIMITED_RANGE


def is_sideways(frame) -> bool:
    """Whether upright means a quarter turn."""
    a, b = _display_matrix(frame)[0, :2]
    return abs(b) > abs(a)


def upright_rgb(frame) -> np.ndarray:
    """A frame as `[height, width, 3]` uint8, turned and mirrored as its display matrix says."""
    picture = frame.to_ndarray(format="rgb24", src_colorspace=matrix_of(frame))
    (a, b), (c, d) = _display_matrix(frame)[:2, :2]
    if is_sideways(frame):
        picture, a, d = picture.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def _display_matrix(frame) -> np.ndarray:
    """`[3, 3]` int32; what FFmpeg's av_display_rotation_get reads."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            return np.frombuffer(data, "int32").reshape(3, 3)
    return np.eye(3, dtype="int32")


def noted(frames: Iterable, changes: dict[str, None]) -> Iterator:
    """The same frames; what a result cannot keep of them is added to `changes`, in words, once."""
    size = None
    for frame in frames:
        size = size or (frame.width, frame.height)
        changes |= dict.fromkeys(_changes(frame))
        if (frame.width, frame.height) != size:
            changes["frames of another size were scaled to the first one's"] = None
        yield frame


def _changes(frame) -> Iterator[str]:
    bits = max(component.bits for component in frame.format.components)
    if bits > 8:
        yield f"{bits} bits per color became 8"
    if any(component.is_alpha for component in frame.format.components):
        yield "transparency is gone"
    if frame.color_trc in _HDR_TRANSFERS:
        yield f"HDR ({_HDR_TRANSFERS[frame.color_trc]}) became SDR"
    if frame.interlaced_frame:
        yield "interlaced fields became whole frames"
    yield from (f"{_UNCARRIED[data.type.name]} are gone" for data in frame.side_data if data.type.name in _UNCARRIED)


def whole_sdr(frames: Iterable) -> Iterator:
    """The frames, as many and with the same times; deinterlaced and mapped to BT.709 tones where that is needed."""
    graph, shape = None, None
    for frame in frames:
        if graph and shape != (frame.width, frame.height, frame.format.name):
            yield from _pulled(graph, None)
            graph = None
        if graph is None and (filters := list(_filters(frame))):
            graph, shape = _graph(frame, filters), (frame.width, frame.height, frame.format.name)
        if graph:
            yield from _pulled(graph, frame)
        else:
            yield frame
    if graph:
        yield from _pulled(graph, None)


def _filters(frame) -> Iterator[tuple[str, str]]:
    if frame.interlaced_frame:
        yield "bwdif", "mode=send_frame:deint=interlaced"
    if frame.color_trc in _HDR_TRANSFERS:
        yield "scale", "out_color_matrix=bt709:out_primaries=bt709:out_transfer=bt709:out_range=full:intent=perceptual"
        yield "format", "rgb24"


def _graph(frame, filters: list[tuple[str, str]]):
    import av.filter

    graph = av.filter.Graph()
    shape = f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base={frame.time_base}"
    color = f"colorspace={frame.colorspace}:range={frame.color_range}"
    nodes = [graph.add("buffer", f"{shape}:{color}"), *(graph.add(*chosen) for chosen in filters)]
    graph.link_nodes(*nodes, graph.add("buffersink"))
    return graph


def _pulled(graph, frame) -> Iterator:
    """What comes out of the graph for one frame more; None says that there is none."""
    import av

    graph.push(frame)
    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
