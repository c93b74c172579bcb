"""Published weights in our relative terms: each term is a constant times the published one, known from the targets.

With N_l channels and M_l positions of layer l, P the content's features, A = F^T F / M the style's Gram matrix:

- gatys (2016, eqs. 1 to 5): content `1/2 sum (F - P)^2`, style `w_l ||M G - M A||^2 / (4 N_l^2 M_l^2)`;
- johnson (2016, eqs. 2 to 4): content `mean (F - P)^2`, style `||G/N_l - A/N_l||^2`, total variation summed;
- mean (the code of most): content `mean (F - P)^2`, style `mean (G/N_l - A/N_l)^2`.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from faststyle.models.objective import Objective


def in_published_units(
    objective: Objective, units: str, content: np.ndarray, styles: Sequence[np.ndarray]
) -> Objective:
    """The objective whose weights are read in a publication's units, at this content and these styles.

    Layer weights are the publication's `w_l` and are not scaled to sum 1. Several styles count by their mean energy.

    Args:
        objective: with the statistic "gram".
        units: "relative" changes nothing.
        content: `[height, width, 3]` uint8.
        styles: images `[height_s, width_s, 3]` uint8.
    """
    if units == "relative":
        return objective
    settings, pixels = objective.settings, content.size / 3
    content_layers = {}
    features = objective.loss_network.features(content[None].astype("float32"), tuple(settings.content_layers))
    for layer, weight in settings.content_layers.items():
        values = np.asarray(features[layer], "float64")
        factor = 0.5 * values.size if units == "gatys" else 1.0
        content_layers[layer] = weight * factor * np.mean(np.square(values))
    style_layers = {}
    targets = [objective.style_targets(style[None].astype("float32")) for style in styles]
    for layer, weight in settings.style_layers.items():
        grams = [np.asarray(target[layer]["gram"], "float64")[0] for target in targets]
        channels = grams[0].shape[0]
        energy = float(np.mean([np.sum(np.square(gram)) for gram in grams]))
        divisor = {"gatys": 4.0 * channels**2, "johnson": channels**2, "mean": channels**4}[units]
        style_layers[layer] = weight * energy / divisor
    return Objective(
        objective.loss_network,
        dataclasses.replace(
            settings,
            content_layers=content_layers,
            style_layers=style_layers,
            content_weight=settings.content_weight * sum(content_layers.values()),
            style_weight=settings.style_weight * sum(style_layers.values()),
            # Published: the sum over pixels of 0..255 squared; ours: the mean over three channels of 0..1 squared.
            tv_weight=settings.tv_weight * 3 * pixels * 255.0**2,
        ),
    )
