"""Every setting of a training run, with its default; saved as `config.json` beside the run."""

import dataclasses
import json
import os
import types
import typing

from faststyle.infer.optimize.settings import LARGEST_PX
from faststyle.infer.styles.names import style_name
from faststyle.models.objective_settings import CONTENT_LAYERS, STYLE_LAYERS, ObjectiveSettings
from faststyle.remote_files import is_url
from faststyle.user_error import UserError

_RANDOM_START_FADE_IN = 500
_WIDEST = 4  # as `build_transform_network` has it
_SMALLEST_STYLE_PX = 32  # four poolings leave two pixels
IDENTITY_STYLE = "photo"
TUNED = ("all", "rows")
OPTIMIZERS = ("muon", "adam")
_OF_ONE_MACHINE = {"style_images", "content", "data_dir", "vgg_weights", "base"}
_LEARNING_RATE, _LEARNING_RATE_OF_ROWS = 1e-3, 1e-2


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """What to train and how. Paths are strings, so that the settings are plain JSON.

    Attributes:
        style_images: one file per style.
        content: folder of photos, its URL, or `tfds:NAME`.
        data_dir: where TFDS datasets lie; None is TFDS's default.
        loss_network: "vgg16" or "vgg19".
        vgg_weights: file of the loss network's weights; None searches (`faststyle.models.loss_network_weights`).
        pooling: "max" or "average", of the loss network.
        content_layers: layer name to weight.
        style_layers: layer name to weight.
        statistic: "covariance" or "gram".
        content_weight: on the relative content error.
        style_weight: on the relative style error.
        tv_weight: on the total variation.
        style_sizes: shorter sides of the style image, px: larger gives larger strokes. Several make a
            row of the network for each style at each size.
        learned_strength: one more row, named "photo", learns to reproduce the photo; mixing a style with it fades the
            style in.
        image_size: side of the training crops, px, a multiple of 4.
        batch_size: crops per step, on each device.
        steps: optimizer steps.
        optimizer: "muon" (`faststyle.train.muon`) or "adam".
        learning_rate: Adam's, at its peak; Muon's is derived from it. None is 1e-3, of rows alone 1e-2.
        learning_rate_decay: "cosine" (to 1/20 at the last step) or "constant".
        warmup_steps: steps over which the learning rate rises.
        fade_in_steps: steps from reproducing the photo to the full objective; None is 0 for a trained start and a
            quarter of the steps, at most 500, for a random one.
        clip_norm: gradients are scaled down to this global norm; 0 is off.
        base: what training starts from: "gallery" (the shipped network), "random", or a weights file.
        tuned: "all" weights, or only the "rows" of scale, shift and noise, which leave the shared layers alone.
        width: factor on the transform network's channels.
        precision: "auto", "bfloat16" or "float32".
        seed: of weights, data order, crops.
        held_out: photos kept for validation.
        checkpoint_every: steps.
        preview_every: steps; previews and validation.
    """

    style_images: tuple[str, ...]
    content: str
    data_dir: str | None = None
    loss_network: str = "vgg16"
    vgg_weights: str | None = None
    pooling: str = "max"
    content_layers: dict[str, float] = dataclasses.field(default_factory=lambda: dict(CONTENT_LAYERS))
    style_layers: dict[str, float] = dataclasses.field(default_factory=lambda: dict(STYLE_LAYERS))
    statistic: str = ObjectiveSettings.statistic
    content_weight: float = ObjectiveSettings.content_weight
    style_weight: float = ObjectiveSettings.style_weight
    tv_weight: float = ObjectiveSettings.tv_weight
    style_sizes: tuple[int, ...] = (512,)
    learned_strength: bool = False
    image_size: int = 256
    batch_size: int = 2
    steps: int = 400
    optimizer: str = "muon"
    learning_rate: float | None = None
    learning_rate_decay: str = "cosine"
    warmup_steps: int = 50
    fade_in_steps: int | None = None
    clip_norm: float = 0.0
    base: str = "gallery"
    tuned: str = "all"
    width: float = 0.5
    precision: str = "auto"
    seed: int = 0
    held_out: int = 8
    checkpoint_every: int = 200
    preview_every: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "style_images", tuple(self.style_images))
        object.__setattr__(self, "style_sizes", tuple(self.style_sizes))
        if self.content and not self.content.startswith("tfds:") and not is_url(self.content):
            object.__setattr__(self, "content", os.path.normpath(self.content))  # photos/ is photos
        if not self.style_images:
            raise UserError("a run needs at least one style image")
        names = self.row_names()
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise UserError(f"two style images are named {twice!r}; rename one, since results are chosen by name")
        for name in ("batch_size", "steps", "checkpoint_every", "preview_every"):
            if getattr(self, name) < 1:
                raise UserError(f"{_flag(name)} must be 1 or more, got {getattr(self, name)}")
        for name in ("held_out", "warmup_steps", "fade_in_steps", "clip_norm", "seed"):
            if (getattr(self, name) or 0) < 0:
                raise UserError(f"{_flag(name)} must be 0 or more, got {getattr(self, name)}")
        if not 16 <= self.image_size <= LARGEST_PX or self.image_size % 4:
            raise UserError(f"--image-size must be a multiple of 4 in 16..{LARGEST_PX}, got {self.image_size}")
        if not self.style_sizes or not all(_SMALLEST_STYLE_PX <= size <= LARGEST_PX for size in self.style_sizes):
            raise UserError(f"--style-sizes must lie in {_SMALLEST_STYLE_PX}..{LARGEST_PX}, got {self.style_sizes}")
        if self.tuned not in TUNED:
            raise UserError(f"--tuned must be one of {', '.join(TUNED)}, got {self.tuned!r}")
        if self.optimizer not in OPTIMIZERS:
            raise UserError(f"--optimizer must be one of {', '.join(OPTIMIZERS)}, got {self.optimizer!r}")
        if self.tuned == "rows" and self.base == "random":
            raise UserError("--tuned rows needs trained layers to build on; leave --base at gallery or name a file")
        if not 0 < self.width <= _WIDEST:
            raise UserError(f"--width must lie in (0, {_WIDEST}], got {self.width}")
        if not self.peak_learning_rate() > 0:
            raise UserError(f"--learning-rate must be above 0, got {self.learning_rate}")

    def fade_in(self, step: int) -> float:
        """Share of the objective at a step counted from 1: rises linearly from 0 to 1 over `fade_in_steps`."""
        steps = self.fade_in_steps
        if steps is None:
            steps = min(_RANDOM_START_FADE_IN, self.steps // 4) if self.base == "random" else 0
        return min(1.0, step / steps) if steps else 1.0

    def peak_learning_rate(self) -> float:
        """The learning rate, the default one where none is set."""
        default = _LEARNING_RATE_OF_ROWS if self.tuned == "rows" else _LEARNING_RATE
        return default if self.learning_rate is None else self.learning_rate

    def to_json(self) -> str:
        """The settings as indented JSON, keys sorted."""
        return json.dumps(dataclasses.asdict(self), indent=2, sort_keys=True) + "\n"

    def of_all_processes(self) -> dict:
        """The settings that processes which train together must share: all but where files lie on each machine."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in _OF_ONE_MACHINE}

    @classmethod
    def from_json(cls, text: str) -> "TrainSettings":
        """Settings from `to_json`; anything else, such as an unknown key, raises an error.

        Settings that name no optimizer are of a version that knew Adam only.
        """
        values = json.loads(text)
        if not isinstance(values, dict):
            raise UserError("not a JSON object")
        unknown = values.keys() - {field.name for field in dataclasses.fields(cls)}
        if unknown:
            raise UserError(f"unknown settings: {', '.join(sorted(unknown))}")
        kinds = {field.name: field.type for field in dataclasses.fields(cls)}
        strange = next((name for name, value in values.items() if not _is_of_kind(value, kinds[name])), None)
        if strange:
            raise UserError(f"{strange} is of another kind")
        return cls(**{"optimizer": "adam", **values})

    def style_rows(self) -> list[tuple[str, str, int]]:
        """Name, file and size in px of each style that the network learns.

        A style is named after its file, without what `--mix` reads as punctuation; of several sizes, `name@size`.
        """
        several = len(self.style_sizes) > 1
        return [
            (style_name(path) + (f"@{size}" if several else ""), path, size)
            for path in self.style_images
            for size in self.style_sizes
        ]

    def row_names(self) -> list[str]:
        """Names of the network's rows: the styles and, last, the photo itself if its row is learned."""
        return [name for name, _, _ in self.style_rows()] + ([IDENTITY_STYLE] if self.learned_strength else [])


def _is_of_kind(value, kind) -> bool:
    """Whether a JSON value can stand for what an annotation says."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return any(_is_of_kind(value, part) for part in parts)
    if origin is tuple:
        return isinstance(value, list) and all(_is_of_kind(one, parts[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(_is_of_kind(one, parts[1]) for one in value.values())
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is kind


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
