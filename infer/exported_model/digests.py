"""Digests of an exported graph's files: damage is found before a runtime reads them, which may end the process."""

import hashlib
import json
from pathlib import Path

from faststyle.user_error import UserError

DIGESTS_FILE = Path("assets.extra") / "digests.json"


class DamagedModelError(UserError):
    """A file of an exported graph that is not as it was written."""


def graph_files(model_dir: Path) -> list[Path]:
    """The files that a SavedModel's graph and weights are."""
    return [model_dir / "saved_model.pb", *sorted((model_dir / "variables").glob("*"))]


def write_digests(model_dir: Path) -> None:
    """Notes what a SavedModel's files hold now."""
    file = model_dir / DIGESTS_FILE
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(_digests(model_dir), indent=2) + "\n", encoding="utf-8")


def check_digests(model_dir: Path) -> None:
    """Finds that a SavedModel's files are as they were written; those of other programs and earlier versions pass.

    Raises:
        DamagedModelError: another file, one more or one less.
    """
    file = model_dir / DIGESTS_FILE
    if not file.is_file():
        return
    try:
        wanted = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise DamagedModelError(f"{file}: damaged model (no digests)") from None
    found = _digests(model_dir)
    if wanted != found:
        changed = [
            f"{name} has changed" for name in found if not isinstance(wanted, dict) or wanted.get(name) != found[name]
        ]
        raise DamagedModelError(f"{model_dir}: damaged model ({', '.join(changed) or 'a file is missing'})")


def _digests(model_dir: Path) -> dict[str, str]:
    files = graph_files(model_dir)
    return {file.relative_to(model_dir).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
