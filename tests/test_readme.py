"""The README's commands, as they stand there, in a fresh clone and a bare environment."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from faststyle import DISTRIBUTION

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCED = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
INSTALL, MIX, TRAIN = [code for language, code in FENCED if not language][:3]
(PYTHON,) = [code for language, code in FENCED if language == "python"]
PHOTOS = ("one.jpg", "two.jpg", "three.jpg")
LIGHT_MB = 350

pytestmark = pytest.mark.slow


def run(commands: str, clone: Path) -> subprocess.CompletedProcess:
    """Types the commands into a shell, in the environment that the README's first line makes."""
    activate = "" if commands.startswith("python3 -m venv") else ". .venv/bin/activate\n"
    return subprocess.run(["bash", "-e", "-c", activate + commands], cwd=clone, capture_output=True, text=True)


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A clone with a photo in it, after the README's first commands."""
    folder = tmp_path_factory.mktemp("clone") / "faststyle"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    photo = next((ROOT / "models" / "assets" / "gallery").rglob("*.jpg"))
    shutil.copy(photo, folder / "holiday.jpg")
    (folder / "photos").mkdir()
    for name in PHOTOS:
        shutil.copy(photo, folder / "photos" / name)
    done = run(INSTALL, folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_installing_brings_one_import_name_and_under_350_megabytes(clone):
    (packages,) = (clone / ".venv" / "lib").glob("python*/site-packages")
    size = sum(file.stat().st_size for file in packages.rglob("*"))
    assert size < LIGHT_MB * 1e6
    assert [path.name for path in packages.iterdir() if "style" in path.name and path.suffix != ".dist-info"] == [
        "faststyle"
    ]


def test_the_first_commands_paint_the_photo_and_list_the_styles(clone):
    with Image.open(clone / "holiday_painted.png") as painted, Image.open(clone / "holiday.jpg") as photo:
        assert painted.size == photo.size


def test_mixture_strength_folder_and_python_as_they_stand(clone):
    done = run(MIX, clone)
    assert done.returncode == 0, done.stderr
    done = run(f"python - <<'END'\n{PYTHON}END\n", clone)
    assert done.returncode == 0, done.stderr
    for result in ("blend.png", "half.png", "painted.png"):
        with Image.open(clone / result) as image:
            image.load()
    assert {path.name for path in (clone / "painted").iterdir()} == set(PHOTOS)


def test_training_says_what_it_needs_and_finds_it_once_the_next_commands_are_typed(clone):
    done = run("faststyle train holiday.jpg --content photos --held-out 0 --output run", clone)
    assert done.returncode == 2
    assert f'pip install "{DISTRIBUTION}[train]"' in done.stderr
    assert len(done.stderr.splitlines()) == 1
    install = [line for line in TRAIN.splitlines() if line.startswith("pip")]
    assert len(install) == 2
    done = run("\n".join(install), clone)
    assert done.returncode == 0, done.stderr
    found = "from faststyle.models.loss_network_weights import load_vgg_weights; load_vgg_weights('vgg16')"
    done = run(f'python -c "{found}"', clone)
    assert done.returncode == 0, done.stderr
