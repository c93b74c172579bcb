"""Published settings as options; docs/optimize.md says where we depart from each publication."""

_VGG19_LAYERS = [
    f"relu{block}_{conv}" for block, count in enumerate((2, 2, 4, 4, 4), start=1) for conv in range(1, count + 1)
]


def _gatys() -> dict:
    """Gatys et al. 2016 (CVPR), section 3."""
    return {
        "loss_network": "vgg19",
        "pooling": "average",
        "statistic": "gram",
        "units": "gatys",
        "content_layers": {"relu4_2": 1.0},
        "style_layers": {f"relu{block}_1": 0.2 for block in range(1, 6)},
        "content_weight": 1e-3,
        "style_weight": 1.0,
        "tv_weight": 0.0,
        "initial": "noise",
        "iterations": 500,
    }


def _johnson() -> dict:
    """Johnson et al. 2016 (arXiv 1603.08155), the optimization baseline of section 4.1."""
    return {
        "loss_network": "vgg16",
        "pooling": "max",
        "statistic": "gram",
        "units": "johnson",
        "content_layers": {"relu2_2": 1.0},
        "style_layers": {"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 1.0, "relu4_3": 1.0},
        "content_weight": 1.0,
        "style_weight": 5.0,
        "tv_weight": 1e-6,
        "initial": "noise",
        "iterations": 500,
    }


def _fastai() -> dict:
    """fast.ai, Cutting Edge Deep Learning for Coders 2017, lesson 8, the style transfer notebook."""
    weights = (0.05, 0.2, 0.2, 0.25, 0.3)
    return {
        "loss_network": "vgg16",
        "pooling": "average",
        "statistic": "gram",
        "units": "fastai",
        "content_layers": {"relu4_2": 1.0},
        "style_layers": {f"relu{block}_2": weight for block, weight in enumerate(weights, start=1)},
        "content_weight": 0.1,
        "style_weight": 1.0,
        "tv_weight": 0.0,
        "initial": "noise",
        "iterations": 200,
    }


def _novak() -> dict:
    """Novak & Nikulin 2016 (arXiv 1605.04603), sections 3.1 to 3.4: all layers, geometric weights, shift, chain."""
    depth = len(_VGG19_LAYERS)
    return {
        "loss_network": "vgg19",
        "pooling": "average",
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
        ValueError: unknown preset.
    """
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[name]()
