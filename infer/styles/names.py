"""How a style is named after its image, wherever it is trained, chosen or compared."""

from pathlib import Path


def style_name(image: str | Path) -> str:
    """The file's name without suffix, and without what `--mix` reads as punctuation."""
    return Path(image).stem.replace(",", "_").replace("=", "_")
