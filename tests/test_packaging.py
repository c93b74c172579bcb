"""What an installation adds: one import name, the command, and all that the project ships."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = {"faststyle": ROOT / "faststyle"} | {
    f"faststyle/{name}": ROOT / name for name in ("models", "infer", "train", "scripts")
}


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


def test_python_started_in_a_checkout_finds_the_parts_beside_the_package():
    code = "import sys; sys.meta_path = [finder for finder in sys.meta_path if 'Editable' not in str(finder)]\n"
    code += "import faststyle.infer; print(faststyle.infer.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == f"{ROOT / 'infer' / '__init__.py'}\n"
