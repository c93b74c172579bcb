"""What all measurements of a comparison share, opened when the first one needs it: model, style, objective."""

import functools
from pathlib import Path

import numpy as np

from faststyle.images.files import resize_shorter_side
from faststyle.infer.compare.compared_models import ComparedModel, load_compared_model
from faststyle.infer.compare.outside_judge import OutsideJudge, outside_judge
from faststyle.infer.compare.settings import CompareSettings
from faststyle.infer.optimize.image_problem import ImageProblem
from faststyle.infer.optimize.published_units import in_published_units
from faststyle.infer.styles.style_image import read_style_image
from faststyle.models.feature_scale import rescaled
from faststyle.models.loss_network import LossNetwork
from faststyle.models.loss_network_weights import load_vgg_weights
from faststyle.models.objective import Objective


class Bench:
    """Gives the objective of every photo. A report that is complete needs none of it."""

    def __init__(self, settings: CompareSettings) -> None:
        self.settings = settings

    @functools.cached_property
    def model(self) -> ComparedModel:
        return load_compared_model(self.settings)

    @property
    def loss_network_weights(self) -> str:
        """Which weights measure, for people."""
        return self._objective.loss_network.weights_source

    @functools.cached_property
    def style(self) -> np.ndarray:
        """`[height_s, width_s, 3]` uint8, as large as the network was trained to see it, for every size of photo."""
        return resize_shorter_side(read_style_image(Path(self.settings.style)), self.settings.style_size)

    def judged(self, content: np.ndarray, picture: np.ndarray) -> dict[str, float]:
        """What the judge from outside says of a picture, both `[height, width, 3]` uint8; {} without its weights."""
        return self._outside_judge(content, picture) if self._outside_judge else {}

    def problem(self, content: np.ndarray) -> ImageProblem:
        """The objective of images `[height, width, 3]` for a photo `[height, width, 3]` uint8; compiled already."""
        objective = in_published_units(self._objective, self.settings.objective.units, content, [self.style])
        image = content.astype("float32")
        problem = ImageProblem(objective, image, [self.style.astype("float32")], style_weights=(1.0,))
        problem(image.ravel())  # compiling is nobody's iteration
        return problem

    @functools.cached_property
    def _outside_judge(self) -> OutsideJudge | None:
        return outside_judge(read_style_image(Path(self.settings.style)))

    @functools.cached_property
    def _objective(self) -> Objective:
        chosen = self.settings.objective
        settings = chosen.objective_settings()
        published = load_vgg_weights(chosen.loss_network, chosen.vgg_weights)
        weights = rescaled(published, chosen.feature_scale, [self.style], pooling=chosen.pooling)
        network = LossNetwork(chosen.loss_network, layers=settings.layers(), pooling=chosen.pooling, weights=weights)
        return Objective(network, settings)
