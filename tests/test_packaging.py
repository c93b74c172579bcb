"""What the project ships goes into its wheel."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODELS = ROOT / "models"


def setting(name: str) -> list[str]:
    """A list of strings in pyproject.toml; Python 3.10 has no reader of TOML."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    entries = re.search(rf"^{name} = \[(.*?)\]$", project, re.MULTILINE | re.DOTALL)[1]
    return re.findall(r'"([^"]+)"', entries)


def test_every_folder_of_source_is_a_package():
    floors = [ROOT / name for name in ("models", "infer", "train", "scripts")]
    folders = {file.parent.relative_to(ROOT) for floor in floors for file in floor.rglob("*.py")}
    assert sorted(setting("packages")) == sorted(".".join(folder.parts) for folder in folders)
    assert all((ROOT / folder / "__init__.py").is_file() for folder in folders)


def test_every_asset_is_package_data():
    packaged = {path for pattern in setting("models") for path in MODELS.glob(pattern) if path.is_file()}
    assert packaged == {path for path in (MODELS / "assets").rglob("*") if path.is_file()}
    assert MODELS / "assets" / "gallery" / "saved_model.pb" in packaged
    assert MODELS / "assets" / "gallery" / "assets.extra" / "style.json" in packaged
