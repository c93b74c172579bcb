"""`faststyle preview`: arguments, and what they do. Heavy imports wait until the arguments are read."""

import argparse
import shlex
from pathlib import Path

from faststyle.command_line import (
    as_typed,
    parse_layers,
    parse_number,
    parse_numbers,
    parse_whole_number,
    parse_whole_numbers,
)
from faststyle.infer.optimize.settings import OptimizeSettings
from faststyle.models.objective_settings import STATISTICS, ObjectiveSettings

_DEFAULT = ObjectiveSettings()
# Around the default in steps of about three, and the style sizes around the trainer's own.
_CONTENT_WEIGHTS = tuple(float(f"{_DEFAULT.content_weight * factor:.2g}") for factor in (0.4, 1, 2.4, 6))
_STYLE_SIZES = (256, 512, 1024)
_OBJECTIVE = (
    "loss_network",
    "vgg_weights",
    "pooling",
    "content_layers",
    "style_layers",
    "statistic",
    "tv_weight",
)


def add_preview_command(subcommands) -> None:
    """Adds `preview` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "preview",
        help="which weight? a sheet over content weight and style size before training",
        description="Show one photo in one style at several content weights and style sizes, on the objective of "
        "`faststyle train`, each with the options that train a network so. Short optimizations: a minute or two.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("style", metavar="STYLE_IMAGE", help="image of the style")
    parser.add_argument("photo", metavar="PHOTO", help="photo to show it on")
    parser.add_argument("--output", type=Path, required=True, metavar="SHEET", help="image file of the sheet")
    parser.add_argument("--overwrite", action="store_true", default=False, help="replace a sheet that exists")
    _add_sheet_options(parser.add_argument_group("sheet"))
    _add_objective_options(parser.add_argument_group("objective of all cells"))
    parser.set_defaults(run=run_preview)


def _add_sheet_options(group) -> None:
    group.add_argument(
        "--content-weights",
        type=parse_numbers,
        default=_CONTENT_WEIGHTS,
        metavar="W,...",
        help=f"columns: more of the photo (default: {','.join(f'{weight:g}' for weight in _CONTENT_WEIGHTS)})",
    )
    group.add_argument(
        "--style-sizes",
        type=parse_whole_numbers,
        default=_STYLE_SIZES,
        metavar="PX,...",
        help=f"rows: larger strokes (default: {','.join(map(str, _STYLE_SIZES))})",
    )
    group.add_argument(
        "--size", type=parse_whole_number, default=256, metavar="PX", help="longer side of each cell (default: 256)"
    )
    group.add_argument(
        "--iterations", type=parse_whole_number, default=30, metavar="N", help="of each cell (default: 30)"
    )


def _add_objective_options(group) -> None:
    layers = "comma-separated, with optional weights: relu1_2,relu2_2=0.5"
    group.add_argument("--loss-network", choices=("vgg16", "vgg19"), help="what measures (default: vgg16)")
    group.add_argument("--vgg-weights", metavar="FILE", help="file of the loss network's weights")
    group.add_argument("--pooling", choices=("max", "average"), help="of the loss network (default: max)")
    group.add_argument("--content-layers", type=parse_layers, metavar="LAYERS", help=layers)
    group.add_argument("--style-layers", type=parse_layers, metavar="LAYERS", help=layers + "; rgb compares colors")
    group.add_argument("--statistic", choices=STATISTICS, help=f"of the style term (default: {_DEFAULT.statistic})")
    group.add_argument(
        "--tv-weight", type=parse_number, metavar="W", help=f"smoothness (default: {_DEFAULT.tv_weight:g})"
    )


def run_preview(arguments: argparse.Namespace) -> int:
    """Runs the command; the sheet appears when every cell is done."""
    from faststyle.atomic_files import check_new_file
    from faststyle.images.files import check_writable_suffix

    output: Path = arguments.output
    check_writable_suffix(output)
    check_new_file(output, overwrite=arguments.overwrite)
    given = {name: value for name, value in vars(arguments).items() if name in _OBJECTIVE}
    settings = OptimizeSettings(
        content=arguments.photo,
        styles=(arguments.style,),
        size=arguments.size,
        iterations=arguments.iterations,
        **given,
    )
    from faststyle.images.files import write_image
    from faststyle.infer.optimize.preview import preview_sheet

    shared = train_options(given)
    weights, sizes = arguments.content_weights, arguments.style_sizes
    write_image(output, preview_sheet(settings, weights, sizes, shared_options=shared))
    print(f"{output}: {len(weights)} content weights x {len(sizes)} style sizes")
    print(
        f"train a cell: faststyle train {shlex.quote(arguments.style)} --content PHOTOS --output RUN_DIR "
        f"{' '.join(shared)} --content-weight W --style-sizes PX"
    )
    return 0


def train_options(given: dict) -> list[str]:
    """The options of `faststyle train` that stand for these settings."""
    return [f"--{name.replace('_', '-')} {shlex.quote(as_typed(value))}" for name, value in given.items()]
