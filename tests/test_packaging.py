"""What the project ships goes into its wheel."""

import json
import re
from pathlib import Path

MODELS = Path(__file__).parent.parent / "models"


def test_every_asset_is_package_data():
    project = (MODELS.parent / "pyproject.toml").read_text(encoding="utf-8")
    patterns = json.loads(re.search(r"^models = (\[.*\])$", project, re.MULTILINE)[1])
    packaged = {path for pattern in patterns for path in MODELS.glob(pattern) if path.is_file()}
    assert packaged == {path for path in (MODELS / "assets").rglob("*") if path.is_file()}
    assert MODELS / "assets" / "gallery" / "saved_model.pb" in packaged
    assert MODELS / "assets" / "gallery" / "assets.extra" / "style.json" in packaged
