"""Each test writes a tiny video, sends it through a stylizer that changes nothing, and looks at the result."""

import fractions

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV is not installed")
import av

from faststyle.infer.stylize.video import stylize_video
from faststyle.infer.stylize.video_frames import matrix_of, noted, upright_rgb, whole_sdr
from tests.infer.stylize.clips import Mirror, blocks, read_clip, with_display_matrix, write_clip

BT709, BT2020, PQ, HLG = 1, 9, 16, 18  # ITU-T H.273


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(
    "tags",
    [
        {"colorspace": 1, "color_range": 1, "color_primaries": 12, "color_trc": 1},  # Display P3
        {"colorspace": 1, "color_range": 2, "color_primaries": 1, "color_trc": 1},  # full range
        {"colorspace": 5, "color_range": 1, "color_primaries": 5, "color_trc": 6},  # PAL
    ],
)
def test_colors_and_their_tags_are_kept(tmp_path, tags, suffix):
    source = write_clip(tmp_path / f"clip{suffix}", [blocks()] * 2, **tags)
    report = stylize_video(source, tmp_path / f"out{suffix}", Mirror())
    result = read_clip(tmp_path / f"out{suffix}")[0]
    assert {name: getattr(result, name) for name in tags} == tags
    before, after = (upright_rgb(frame)[8::16, 8::16].astype(int) for frame in (read_clip(source)[0], result))
    np.testing.assert_allclose(after, before, atol=6)
    assert report.changes == ()


@pytest.mark.parametrize(("height", "matrix"), [(48, 6), (720, BT709)])
def test_untagged_colors_are_read_as_players_do_and_the_result_says_so(tmp_path, height, matrix):
    tags = {"colorspace": matrix}
    truth = blocks(height, 64)
    tagged = write_clip(tmp_path / "tagged.mp4", [truth], **tags)
    frame = read_clip(tagged)[0]
    frame.colorspace = 2
    assert matrix_of(frame) == matrix
    np.testing.assert_allclose(upright_rgb(frame)[8::16, 8::16].astype(int), truth[8::16, 8::16], atol=6)
    stylize_video(write_clip(tmp_path / "plain.mp4", [truth]), tmp_path / "out.mp4", Mirror())
    assert read_clip(tmp_path / "out.mp4")[0].colorspace == matrix


def test_ten_bits_become_eight_with_a_word(tmp_path):
    source = write_clip(tmp_path / "clip.mp4", [blocks()], codec="libx265", pixels="yuv420p10le")
    assert stylize_video(source, tmp_path / "out.mp4", Mirror()).changes == ("10 bits per color became 8",)
    assert read_clip(tmp_path / "out.mp4")[0].format.name == "yuv420p"


@pytest.mark.parametrize(
    ("codec", "pixels", "changes"),
    [
        ("libx264", "yuv422p", ("4:2:2 color became 4:2:0",)),
        ("libx264rgb", "rgb24", ("4:4:4 color became 4:2:0",)),
        ("qtrle", "argb", ("transparency is gone", "4:4:4 color became 4:2:0")),
    ],
)
def test_finer_color_and_transparency_are_lost_with_a_word(tmp_path, codec, pixels, changes):
    source = write_clip(tmp_path / "clip.mov", [blocks()], codec=codec, pixels=pixels, options={})
    assert stylize_video(source, tmp_path / "out.mp4", Mirror()).changes == changes


def gray_ramp(transfer: int):
    """A frame of BT.2020, 10 bits: 16 gray steps from black to the code's white."""
    frame = av.VideoFrame(256, 16, "yuv420p10le")
    luma = np.rint(64 + 876 * np.arange(16).repeat(16) / 15)
    for plane, row in zip(frame.planes, (luma, np.full(128, 512), np.full(128, 512)), strict=True):
        padded = np.zeros((plane.height, plane.line_size // 2), "uint16")
        padded[:, : row.size] = row
        plane.update(padded.tobytes())
    frame.pts, frame.time_base = 0, fractions.Fraction(1, 25)
    frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc = BT2020, 1, BT2020, transfer
    return frame


@pytest.mark.parametrize("transfer", [HLG, pytest.param(PQ, marks=pytest.mark.slow)])  # each takes seconds to set up
def test_hdr_is_mapped_to_sdr_steadily_and_without_clipping(transfer):
    changes: dict[str, None] = {}
    (frame,) = whole_sdr(noted([gray_ramp(transfer)], changes))
    steps = upright_rgb(frame)[8, 8::16].astype(int)
    assert (np.diff(steps[:, 1]) > 0).all()
    assert steps[0].max() <= 1
    assert steps[-1].min() >= 240
    assert np.ptp(steps, axis=1).max() <= 2  # gray stays gray
    assert (frame.color_trc, frame.color_primaries, matrix_of(frame)) == (BT709, BT709, BT709)
    assert list(changes) == ["10 bits per color became 8", f"HDR ({'PQ' if transfer == PQ else 'HLG'}) became SDR"]


def test_interlaced_fields_become_whole_frames_of_the_same_times(tmp_path):
    pictures = []
    for index in range(5):  # a bar that moves by 8 px from field to field
        picture = np.full((48, 64, 3), 40, "uint8")
        picture[0::2, 8 * index : 8 * index + 8] = picture[1::2, 8 * index + 8 : 8 * index + 16] = 220
        pictures.append(picture)
    source = write_clip(tmp_path / "clip.mp4", pictures, options={"x264-params": "tff=1", "crf": "4"})
    report = stylize_video(source, tmp_path / "out.mp4", Mirror())
    before, after = read_clip(source), read_clip(tmp_path / "out.mp4")
    assert report.changes == ("interlaced fields became whole frames",)
    assert [frame.time for frame in after] == [frame.time for frame in before]
    assert not any(frame.interlaced_frame for frame in after)
    combs = [np.abs(np.diff(upright_rgb(frames[2]).astype(int), axis=0)).mean() for frames in (before, after)]
    assert combs[1] < 0.3 * combs[0]


@pytest.mark.parametrize(
    ("across", "down", "shown"),
    [
        ((0, 1), (-1, 0), lambda picture: np.rot90(picture, -1)),
        ((0, -1), (1, 0), np.rot90),
        ((-1, 0), (0, -1), lambda picture: np.rot90(picture, 2)),
        ((-1, 0), (0, 1), lambda picture: picture[:, ::-1]),
        ((0, 1), (1, 0), lambda picture: picture.transpose(1, 0, 2)),
    ],
)
def test_turned_and_mirrored_videos_come_out_upright(tmp_path, across, down, shown):
    plain = write_clip(tmp_path / "plain.mp4", [blocks()])
    turned = with_display_matrix(plain, tmp_path / "turned.mp4", across=across, down=down)
    expected = shown(upright_rgb(read_clip(plain)[0]))
    np.testing.assert_array_equal(upright_rgb(read_clip(turned)[0]), expected)
    stylize_video(turned, tmp_path / "out.mp4", Mirror())
    np.testing.assert_allclose(
        upright_rgb(read_clip(tmp_path / "out.mp4")[0])[8::16, 8::16], expected[8::16, 8::16], atol=6
    )


def test_frames_of_another_size_are_scaled_with_a_word(tmp_path):
    parts = [write_clip(tmp_path / f"{height}.ts", [blocks(height, 64)] * 3).read_bytes() for height in (48, 32)]
    (tmp_path / "clip.ts").write_bytes(b"".join(parts))
    report = stylize_video(tmp_path / "clip.ts", tmp_path / "out.mp4", Mirror())
    assert report.changes == ("frames of another size were scaled to the first one's",)
    assert [(frame.height, frame.width) for frame in read_clip(tmp_path / "out.mp4")] == [(48, 64)] * 6


def test_3d_tags_are_lost_with_a_word(tmp_path):
    source = write_clip(tmp_path / "clip.mp4", [blocks()] * 2, options={"x264-params": "frame-packing=3"})
    assert stylize_video(source, tmp_path / "out.mp4", Mirror()).changes == ("3D tags are gone",)
