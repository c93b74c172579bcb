"""Published settings as options; docs/optimize.md says where we depart from each publication."""

import sys

from faststyle.user_error import UserError

# Convolutions that VGG-16 has fewer.
_VGG19_ALONE = ("relu3_4", "relu4_4", "relu5_4")
_VGG19_LAYERS = [
    f"relu{block}_{conv}" for block, count in enumerate((2, 2, 4, 4, 4), start=1) for conv in range(1, count + 1)
]


def _gatys() -> dict:
    """Gatys et al. 2016 (CVPR), section 3, as the authors' own notebook has it.

    github.com/leongatys/PytorchNeuralStyleTransfer: a mean squared error of the features, and 1000 / N^2 times one of
    Gram matrices over N channels, of a VGG-19 as it was published, with maximum pooling, from the content image. The
    paper has mean activations of 1, average pooling and white noise; its ratio of 1e-3 in equations 1 to 5 keeps the
    photo's edges alone.
    """
    return {
        "loss_network": "vgg19",
        "pooling": "max",
        "feature_scale": "caffe",
        "statistic": "gram",
        "units": "mean",
        "content_layers": {"relu4_2": 1.0},
        "style_layers": {f"relu{block}_1": 1.0 for block in range(1, 6)},
        "content_weight": 1.0,
        "style_weight": 1e3,
        "tv_weight": 0.0,
        "initial": "content",
        "iterations": 500,
    }


def _johnson() -> dict:
    """Johnson et al. 2016 (arXiv 1603.08155), the optimization baseline of section 4.1, as their code has it.

    github.com/jcjohnson/fast-neural-style, slow_neural_style.lua: mean squared errors, and half the squared
    differences of neighboring pixels times 1e-6, from a mean gray with noise of a deviation of 1.
    """
    return {
        "loss_network": "vgg16",
        "pooling": "max",
        "feature_scale": "caffe",
        "statistic": "gram",
        "units": "mean",
        "content_layers": {"relu3_3": 1.0},
        "style_layers": {"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 1.0, "relu4_3": 1.0},
        "content_weight": 1.0,
        "style_weight": 5.0,
        "tv_weight": 5e-7,
        "initial": "gray",
        "iterations": 500,
    }


def _fastai() -> dict:
    """fast.ai, Cutting Edge Deep Learning for Coders 2017, lesson 8, the style transfer notebook; from a mean gray."""
    weights = (0.05, 0.2, 0.2, 0.25, 0.3)
    return {
        "loss_network": "vgg16",
        "pooling": "average",
        "feature_scale": "caffe",
        "statistic": "gram",
        "units": "mean",
        "content_layers": {"relu4_2": 1.0},
        "style_layers": {f"relu{block}_2": weight for block, weight in enumerate(weights, start=1)},
        "content_weight": 0.1,
        "style_weight": 1.0,
        "tv_weight": 0.0,
        "initial": "gray",
        "iterations": 200,
    }


def _novak() -> dict:
    """Novak & Nikulin 2016 (arXiv 1605.04603), sections 3.1 to 3.4: all layers, geometric weights, shift, chain."""
    depth = len(_VGG19_LAYERS)
    return {
        "loss_network": "vgg19",
        "pooling": "average",
        "feature_scale": "unit-mean",
        "statistic": "gram",
        "content_layers": {"relu4_2": 1.0},
        "style_layers": {layer: 2.0 ** (depth - rank) for rank, layer in enumerate(_VGG19_LAYERS, start=1)},
        "activation_shift": -1.0,
        "content_weight": 0.01,
        "style_weight": 0.0,
        "chained_gram_weight": 1.0,
        "tv_weight": 0.0,
        "initial": "content",
        "iterations": 500,
    }


PRESETS = {"gatys": _gatys, "johnson": _johnson, "fastai": _fastai, "novak": _novak}


def preset_options(name: str) -> dict:
    """The options of a preset, by the names of `OptimizeSettings`.

    Raises:
        UserError: unknown preset.
    """
    if name not in PRESETS:
        raise UserError(f"unknown preset {name!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[name]()


def stand_in(options: dict) -> dict:
    """The options with VGG-16 in the place of a VGG-19 whose weights are not on this machine, and a line that says so.

    Layers that VGG-16 lacks are left out, the others keep their weights.
    """
    from faststyle.models.loss_network_weights import imagenet_cache_path

    cached = imagenet_cache_path("vgg19")
    if options.get("loss_network") != "vgg19" or cached.is_file():
        return options
    print(f"vgg16 stands in for vgg19: {cached} is not there; --loss-network vgg19 downloads it", file=sys.stderr)
    kept = {layer: weight for layer, weight in options["style_layers"].items() if layer not in _VGG19_ALONE}
    return {**options, "loss_network": "vgg16", "style_layers": kept}
