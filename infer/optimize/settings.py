"""Every setting of an optimized image, with its default; saved beside the result."""

import dataclasses
import json
import math

from faststyle.command_line import as_typed
from faststyle.models.objective_settings import ObjectiveSettings
from faststyle.user_error import UserError

OPTIMIZERS = ("lbfgs", "adam")
COLOR_MODES = ("none", "luminance", "covariance")
FEATURE_SCALES = ("own", "caffe", "unit-mean")
UNITS = ("relative", "gatys", "johnson", "mean")
_SMALLEST_PX = 32  # four poolings leave two pixels
LARGEST_PX = 8192  # of what is measured: more is a slip of the finger that would take all memory
_SHARED = ObjectiveSettings()
_OBJECTIVE_FIELDS = tuple(field.name for field in dataclasses.fields(ObjectiveSettings))


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizeSettings:
    """What to optimize and how. Paths are strings, so that the settings are plain JSON.

    Attributes:
        content: the photo.
        styles: one file per style.
        style_weights: one per style, for a blend; () is equal shares.
        style_scales: one per style, factor on its size relative to the result's: larger gives larger strokes.
        masks: one per style, images of the photo's size, white inside; () is everywhere.
        size: longer side of the result, px, at most the photo's; 0 is the photo's own size.
        scales: longer sides to run through, coarse to fine; () is just `size`.
        preserve_colors: "none", "luminance" (of the result only) or "covariance" (the style is recolored first).
        initial: "content", "style", "noise", "gray" or an image file.
        initial_noise: share of noise in the initial image, 0..1.
        optimizer: "lbfgs" or "adam".
        iterations: at every scale.
        learning_rate: Adam's, in 0..255 per step.
        learning_rate_decay: share of it left at the last iteration.
        time_limit: seconds; None is no limit.
        min_improvement: percent that the total must fall by over `window` iterations to go on; 0 is off.
        window: iterations.
        loss_network: "vgg16" or "vgg19".
        vgg_weights: file of the loss network's weights; None searches (`faststyle.models.loss_network_weights`).
        pooling: "max" or "average", of the loss network.
        feature_scale: of the loss network, see `faststyle.models.feature_scale.rescaled`.
        units: "relative" errors, or a publication's own units for the layer weights (`published_units.py`).
        style_layer_exponent: each style layer's weight is multiplied by this once more than the one before.
        content_blend: share of the second of two content layers; None keeps their own weights.
        seed: of the noise.
    """

    content: str
    styles: tuple[str, ...]
    style_weights: tuple[float, ...] = ()
    style_scales: tuple[float, ...] = ()
    masks: tuple[str, ...] = ()
    size: int = 512
    scales: tuple[int, ...] = ()
    preserve_colors: str = "none"
    initial: str = "content"
    initial_noise: float = 0.0
    optimizer: str = "lbfgs"
    iterations: int = 200
    learning_rate: float = 4.0
    learning_rate_decay: float = 0.1
    time_limit: float | None = None
    min_improvement: float = 0.0
    window: int = 20
    loss_network: str = "vgg16"
    vgg_weights: str | None = None
    pooling: str = "max"
    feature_scale: str = "own"
    units: str = "relative"
    content_layers: dict[str, float] = dataclasses.field(default_factory=lambda: dict(_SHARED.content_layers))
    style_layers: dict[str, float] = dataclasses.field(default_factory=lambda: dict(_SHARED.style_layers))
    style_layer_exponent: float = 1.0
    content_blend: float | None = None
    statistic: str = _SHARED.statistic
    # Below the trainer's: a network must serve every photo and loses more of it, a single image does not.
    content_weight: float = 0.125
    style_weight: float = _SHARED.style_weight
    tv_weight: float = _SHARED.tv_weight
    activation_shift: float = _SHARED.activation_shift
    histogram_weight: float = _SHARED.histogram_weight
    histogram_layers: dict[str, float] = dataclasses.field(default_factory=lambda: dict(_SHARED.histogram_layers))
    shifted_gram_weight: float = _SHARED.shifted_gram_weight
    shifts: tuple[int, ...] = _SHARED.shifts
    chained_gram_weight: float = _SHARED.chained_gram_weight
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_styles()
        known = {
            "optimizer": OPTIMIZERS,
            "preserve_colors": COLOR_MODES,
            "feature_scale": FEATURE_SCALES,
            "units": UNITS,
        }
        for name, choices in known.items():
            if getattr(self, name) not in choices:
                raise UserError(f"unknown {name} {getattr(self, name)!r}; choose one of {', '.join(choices)}")
        for size in (*self.scales, *((self.size,) if self.size else ())):
            if size < _SMALLEST_PX:
                raise UserError(f"sizes must be {_SMALLEST_PX} px or more, got {size}")
        if list(self.scales) != sorted(set(self.scales)):
            raise UserError(f"--scales must rise, got {','.join(map(str, self.scales))}")
        for name in ("iterations", "window"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name} must be 1 or more, got {getattr(self, name)}")
        for name in ("learning_rate", "learning_rate_decay", "style_layer_exponent", "time_limit"):
            value = getattr(self, name)
            if value is not None and not (0 < value < math.inf):
                raise UserError(f"{_flag(name)} must be above 0, got {value}")
        for name in ("initial_noise", "content_blend"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise UserError(f"{_flag(name)} must lie in 0..1, got {value}")
        if not (0 <= self.min_improvement < 100 and self.seed >= 0):
            raise UserError("--min-improvement must lie in 0..100 and --seed must be 0 or more")
        if self.units != "relative" and self.statistic != "gram":
            raise UserError(f"--units {self.units} is for --statistic gram")
        self.objective_settings()

    def objective_settings(self) -> ObjectiveSettings:
        """The part that defines the objective, with the layer exponent and the content blend worked in."""
        values = {name: getattr(self, name) for name in _OBJECTIVE_FIELDS}
        exponents = ((name, weight, rank) for rank, (name, weight) in enumerate(self.style_layers.items()))
        values["style_layers"] = {name: weight * self.style_layer_exponent**rank for name, weight, rank in exponents}
        if self.content_blend is not None:
            if len(self.content_layers) != 2:
                raise UserError(f"--content-blend needs two content layers, got {', '.join(self.content_layers)}")
            first, second = self.content_layers
            values["content_layers"] = {first: 1 - self.content_blend, second: self.content_blend}
        return ObjectiveSettings(**values)

    def to_json(self) -> dict:
        """The settings as plain JSON values."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def _check_styles(self) -> None:
        count = len(self.styles)
        if not count:
            raise UserError("give a style image")
        for name in ("style_weights", "style_scales", "masks"):
            values = getattr(self, name)
            if values and len(values) != count:
                raise UserError(f"{_flag(name)}: got {len(values)} for {count} style image(s); give one for each")
        if self.style_weights and (min(self.style_weights) < 0 or sum(self.style_weights) <= 0):
            raise UserError(
                f"--style-weights must be 0 or more with a positive sum, got {as_typed(self.style_weights)}"
            )
        if not all(0 < scale < math.inf for scale in self.style_scales):
            raise UserError(f"--style-scales must be above 0, got {as_typed(self.style_scales)}")
        if self.masks and self.style_weights:
            raise UserError("--style-weights blend styles, --masks keep them apart; give one of the two")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
