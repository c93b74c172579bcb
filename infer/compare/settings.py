"""Every setting of a comparison, with its default; a report folder belongs to one set of them."""

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from faststyle.infer.optimize.settings import LARGEST_PX, OptimizeSettings
from faststyle.infer.styles.model_card import CARD_FILE, ModelCardError, read_model_card
from faststyle.models.objective_settings import ObjectiveSettings
from faststyle.user_error import UserError

STARTS = ("content", "noise")
_OPTIMIZER_NAMES = {"lbfgs": "L-BFGS", "adam": "Adam"}
_START_NAMES = {"content": "the content image", "noise": "noise"}
_SMALLEST_PX = 32  # four poolings leave two pixels
# What one iteration costs grows with the pixels: about equal time for every size.
_ITERATIONS_UP_TO = {256: 400, 512: 200}
_ITERATIONS_ABOVE = 100

OBJECTIVE_OPTIONS = (
    *("loss_network", "vgg_weights", "pooling", "content_blend", "style_layer_exponent", "units"),
    *(field.name for field in dataclasses.fields(ObjectiveSettings)),
)

_LARGEST_STYLE_PX = 99_999
_OPTIMIZING = OptimizeSettings(content="", styles=("",))
_DEFAULTS = {name: getattr(_OPTIMIZING, name) for name in OBJECTIVE_OPTIONS} | {"vgg_weights": "", "content_blend": 0.0}


class Method(NamedTuple):
    """An iterative method: an optimizer of `OPTIMIZERS` and the image that it starts from, one of `STARTS`."""

    optimizer: str
    start: str

    def __str__(self) -> str:
        return f"{self.optimizer}:{self.start}"

    @property
    def optimizer_name(self) -> str:
        return _OPTIMIZER_NAMES[self.optimizer]

    @property
    def short_title(self) -> str:
        return f"{self.optimizer_name}, {self.start}"

    @property
    def title(self) -> str:
        return f"{self.optimizer_name} from {_START_NAMES[self.start]}"


METHODS = tuple(Method(optimizer, start) for optimizer in _OPTIMIZER_NAMES for start in STARTS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompareSettings:
    """What to compare and how. Paths are strings, so that the settings are plain JSON.

    Attributes:
        model: an exported model, any image-to-image SavedModel, or a folder of stylized images.
        style: the style image that the objective asks for.
        content: folder of photos, pattern, or one photo.
        objective: loss network, layers, weights, Adam's rates and the seed; its other fields are not used.
        style_size: shorter side of the style image, px.
        mix: style name to weight for a model of several styles; None is the style called like the style image.
        photos: how many.
        sizes: sides of the squares that photos are cut to, px.
        methods: optimizers and starts.
        iterations: most of each run, one for every size; () is more for smaller sizes.
        input_range: black and white of a foreign model's input.
        output_range: black and white of its output; None is as the input.
        runtime: of our own models.
        precision: of our own models.

    Raises:
        UserError: out of range.
    """

    model: str
    style: str
    content: str
    objective: OptimizeSettings
    style_size: int = 512
    mix: dict[str, float] | None = None
    photos: int = 5
    sizes: tuple[int, ...] = (256, 512, 1024)
    methods: tuple[Method, ...] = METHODS
    iterations: tuple[int, ...] = ()
    input_range: tuple[float, float] = (0.0, 255.0)
    output_range: tuple[float, float] | None = None
    runtime: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.photos < 1:
            raise UserError(f"--photos must be 1 or more, got {self.photos}")
        for name, values in (("sizes", self.sizes), ("methods", self.methods)):
            if not values or len(set(values)) < len(values):
                raise UserError(f"--{name} must name each once, got {','.join(map(str, values)) or 'none'}")
        for name, size in (*(("sizes", size) for size in self.sizes), ("style-size", self.style_size)):
            if not _SMALLEST_PX <= size <= LARGEST_PX:
                raise UserError(f"--{name} must lie in {_SMALLEST_PX}..{LARGEST_PX} px, got {size}")
        if self.iterations and (len(self.iterations) != len(self.sizes) or min(self.iterations) < 1):
            given = ",".join(map(str, self.iterations))
            raise UserError(f"--iterations: give one number, or one for each of {len(self.sizes)} sizes; got {given}")
        for name in ("input_range", "output_range"):
            values = getattr(self, name)
            if values and not values[0] < values[1]:
                raise UserError(f"--{name.replace('_', '-')} must be LOW,HIGH, got {values[0]:g},{values[1]:g}")

    def iterations_at(self, size: int) -> int:
        """Most iterations of a run at this size."""
        if self.iterations:
            return self.iterations[self.sizes.index(size)]
        return next((count for most, count in _ITERATIONS_UP_TO.items() if size <= most), _ITERATIONS_ABOVE)

    def to_json(self) -> dict:
        """Everything that the numbers depend on, flat, as plain JSON values."""
        used = (*OBJECTIVE_OPTIONS, "learning_rate", "learning_rate_decay", "seed")
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        values["methods"] = [str(method) for method in self.methods]
        values["iterations"] = [self.iterations_at(size) for size in self.sizes]
        values.pop("objective")
        return json.loads(json.dumps(values | {name: getattr(self.objective, name) for name in used}))


def objective_of_model(model: Path, mix: Mapping[str, float] | None = None) -> dict:
    """The options of the objective that a model was trained on, from its card; {} for what has none.

    Args:
        model: the exported model.
        mix: the chosen style, whose name may end with the size that its image had, as in "waves@256".

    Raises:
        ModelCardError: a model with a card that cannot be read.
    """
    if not (model / CARD_FILE).is_file():
        return {}
    card = read_model_card(model)
    trained: dict = {"loss_network": card.get("loss_network")} | card.get("settings", {})
    values = {name: trained[name] for name in OBJECTIVE_OPTIONS if trained.get(name) is not None}
    sizes = trained.get("style_sizes", [])
    strange = [name for name, value in values.items() if not _is_like(value, _DEFAULTS[name])]
    if strange or not _is_like(sizes, ()) or any(size > _LARGEST_STYLE_PX for size in sizes):
        what = (strange or ["style_sizes"])[0]
        raise ModelCardError(f"{model}: no readable model card {CARD_FILE} (its {what} cannot be used)")
    if values.get("vgg_weights") and not Path(values["vgg_weights"]).is_file():
        values.pop("vgg_weights")  # it lay on the machine that trained
    named = list(mix) if mix else card["styles"]
    of_row = re.fullmatch(r".*@(\d{1,5})", named[0]) if len(named) == 1 else None
    sizes = [int(of_row[1])] if of_row else sizes
    return values | ({"style_size": sizes[0]} if sizes else {})


def _is_like(value, default) -> bool:
    """Whether a value out of a card, which anybody may have written, is of its default's kind."""
    if isinstance(default, dict):
        return isinstance(value, dict) and all(_is_like(weight, 0.0) for weight in value.values())
    if isinstance(default, tuple):
        return isinstance(value, list) and all(isinstance(one, int) for one in value)
    return isinstance(value, (int, float) if isinstance(default, float) else str)
