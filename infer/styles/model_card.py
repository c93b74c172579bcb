"""The model card: what an exported style model is and how it was made, as `assets.extra/style.json` inside it."""

import json
from pathlib import Path

from faststyle.user_error import UserError

CARD_FILE = Path("assets.extra") / "style.json"
_LARGEST_BYTES = 10_000_000


class ModelCardError(UserError):
    """A folder that is no exported style model."""


def read_model_card(model_dir: Path) -> dict:
    """The card of an exported model; at least `styles`, a list of names.

    Raises:
        ModelCardError: no exported style model there.
    """
    if not (model_dir / "saved_model.pb").is_file():
        raise ModelCardError(f"{model_dir}: no exported model (saved_model.pb); `faststyle export` writes one")
    try:
        card = json.loads(_read(model_dir / CARD_FILE))
        if not (isinstance(card["styles"], list) and card["styles"]):
            raise TypeError("styles is no list of names")
        # Names go to terminals and into file names; whoever made the model must not steer these.
        if not all(isinstance(name, str) and name.isprintable() for name in card["styles"]):
            raise TypeError("a style's name is no printable text")
        if not isinstance(card.get("settings", {}), dict):
            raise TypeError("settings is no object")
        return card
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelCardError(f"{model_dir}: no readable model card {CARD_FILE} ({error})") from None


def identity_style(card: dict) -> str | None:
    """The style of a model that was trained to show the photo itself, or None."""
    name = card.get("identity_style")
    return name if name in card["styles"] else None  # a model folded into one style keeps the entry, not the row


def _read(path: Path) -> str:
    if path.exists() and not path.is_file():  # a pipe or a device, which would never end
        raise ValueError("no file")
    if path.stat().st_size > _LARGEST_BYTES:
        raise ValueError("too large")
    return path.read_text(encoding="utf-8")
