"""Where the optimization starts: content, style, noise, gray, any image file, or one of them with noise blended in."""

from pathlib import Path

import numpy as np

from faststyle.images.files import read_image, resize_to

# Gray noise of moderate contrast: full-range noise keeps L-BFGS busy for long with removing it.
_GRAY, _NOISE_DEVIATION = 127.5, 40.0
# As the code of Johnson et al. 2016 starts: the publications' "noise" is mostly this faint.
_GRAY_DEVIATION = 1.0


def initial_image(start: str, content: np.ndarray, style: np.ndarray, *, noise_share: float, seed: int) -> np.ndarray:
    """The image to start from, at the content's size.

    Args:
        start: "content", "style", "noise", "gray" (with a trace of noise) or a path.
        content: `[height, width, 3]` uint8.
        style: `[height_s, width_s, 3]` uint8.
        noise_share: 0..1; 1 is nothing but noise.
        seed: of the noise.

    Returns:
        `[height, width, 3]` float32 in 0..255.

    Raises:
        ImageError: a file that is no image.
    """
    height, width = content.shape[:2]
    unit_noise = np.random.default_rng(seed).normal(size=content.shape)
    noise = _GRAY + _NOISE_DEVIATION * unit_noise
    if start == "noise":
        chosen = noise
    elif start == "gray":
        chosen = _GRAY + _GRAY_DEVIATION * unit_noise
    elif start == "content":
        chosen = content
    else:
        chosen = resize_to(style if start == "style" else read_image(Path(start)), height=height, width=width)
    return np.clip((1.0 - noise_share) * chosen + noise_share * noise, 0, 255).astype("float32")
