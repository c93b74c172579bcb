"""Free sample photographs for the demo: those that scikit-image carries in its own package; nothing is downloaded."""

from pathlib import Path

import numpy as np
import skimage

from faststyle.images.files import read_image, write_image

_PACKAGE = Path(skimage.__file__).parent / "data"
# Files inside the package itself; skimage.data would fetch others from the network.
_SCENES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png")
_TEXTURES = ("camera.png", "grass.png", "gravel.png", "brick.png", "hubble_deep_field.jpg", "moon.png")


def write_sample_photos(folder: Path) -> tuple[list[Path], list[Path]]:
    """Writes the photographs as PNG files below `folder`.

    Returns:
        Files that make good pictures, and further ones to train on.
    """
    scenes = [_copy(_PACKAGE / name, folder) for name in _SCENES]
    textures = [_copy(_PACKAGE / name, folder) for name in _TEXTURES]
    return scenes, textures


def sample_scene(stem: str) -> np.ndarray:
    """One of the photographs that make good pictures, `[height, width, 3]` uint8."""
    return read_image(next(_PACKAGE / name for name in _SCENES if Path(name).stem == stem))


def _copy(source: Path, folder: Path) -> Path:
    target = folder / f"{source.stem}.png"
    write_image(target, read_image(source))
    return target
