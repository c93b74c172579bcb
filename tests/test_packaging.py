"""What an installation adds: one import name, the command, and all that the project ships."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from faststyle import DISTRIBUTION

ROOT = Path(__file__).parent.parent
PARTS = {"faststyle": ROOT / "faststyle"} | {
    f"faststyle/{name}": ROOT / name for name in ("models", "infer", "train", "scripts")
}
MEGABYTE = 1e6
LIGHT_MB = 350


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = folder / "build"  # else it would be the source's
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", str(ROOT)]
    subprocess.run(
        [*command, "--wheel-dir", str(folder), f"--config-settings=--build-option=build -b {build}"], check=True
    )
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_has_one_import_name(wheel):
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"faststyle"}


def test_the_wheel_has_every_source_file_and_every_asset(wheel):
    expected = {
        f"{inside}/{file.relative_to(folder).as_posix()}"
        for inside, folder in PARTS.items()
        for file in folder.rglob("*")
        if file.suffix == ".py" or (file.is_file() and folder / "assets" in file.parents) or file.name == "py.typed"
    }
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("faststyle/")}
    assert packed == expected
    assert "faststyle/models/assets/gallery/saved_model.pb" in packed


@pytest.mark.slow
def test_a_bare_environment_paints_a_photo_and_says_what_training_needs(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "bare"], check=True)
    bare = tmp_path / "bare" / "bin"
    (packages,) = (tmp_path / "bare" / "lib").glob("python*/site-packages")
    before = set(packages.iterdir())
    install = [bare / "python", "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel]
    subprocess.run(install, check=True)
    added = set(packages.iterdir()) - before
    assert sum(file.stat().st_size for top in added for file in [top, *top.rglob("*")]) < LIGHT_MB * MEGABYTE
    photo = next((ROOT / "models" / "assets" / "gallery").rglob("*.jpg"))
    paint = [bare / "faststyle", "stylize", "starry_night", photo, "--output", tmp_path / "painted.png"]
    subprocess.run(paint, check=True, cwd=tmp_path)
    train = [bare / "faststyle", "train", photo, "--content", tmp_path, "--output", tmp_path / "run"]
    answer = subprocess.run(train, cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 2
    assert f'pip install "{DISTRIBUTION}[train]"' in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
