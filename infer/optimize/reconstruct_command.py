"""`faststyle reconstruct`: arguments, and what they do. Heavy imports wait until the arguments are read."""

import argparse
from pathlib import Path

from faststyle.command_line import parse_whole_number, parse_whole_numbers
from faststyle.infer.optimize.settings import OptimizeSettings

_LAYERS = "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1"


def add_reconstruct_command(subcommands) -> None:
    """Adds `reconstruct` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "reconstruct",
        help="draw what each layer keeps of an image's style or content",
        description="Rebuild an image from noise out of its style (all layers up to each row's) or its content (each "
        "row's layer), as in figure 1 of Gatys et al. 2015: a grid of layers x seeds.",
    )
    parser.add_argument("image", type=Path, metavar="IMAGE")
    parser.add_argument("--output", type=Path, required=True, metavar="SHEET", help="image file of the grid")
    parser.add_argument("--overwrite", action="store_true", help="replace a sheet that exists")
    parser.add_argument("--kind", choices=("style", "content"), default="style", help="(default: style)")
    parser.add_argument("--layers", default=_LAYERS, help=f"one row each (default: {_LAYERS})")
    parser.add_argument("--seeds", type=parse_whole_numbers, default=(0, 1), help="one column each (default: 0,1)")
    parser.add_argument(
        "--size", type=parse_whole_number, default=192, help="longer side of each picture, px (default: 192)"
    )
    parser.add_argument("--iterations", type=parse_whole_number, default=100, help="of each picture (default: 100)")
    parser.add_argument("--loss-network", choices=("vgg16", "vgg19"), default="vgg16", help="(default: vgg16)")
    parser.add_argument("--vgg-weights", metavar="FILE", help="file of the loss network's weights")
    parser.add_argument("--pooling", choices=("max", "average"), default="max", help="(default: max)")
    parser.add_argument("--statistic", choices=("covariance", "gram"), default="gram", help="(default: gram)")
    parser.set_defaults(run=run_reconstruct)


def run_reconstruct(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    settings = OptimizeSettings(
        content=str(arguments.image),
        styles=(str(arguments.image),),
        loss_network=arguments.loss_network,
        vgg_weights=arguments.vgg_weights,
        pooling=arguments.pooling,
        statistic=arguments.statistic,
        iterations=arguments.iterations,
        size=arguments.size,
    )
    from faststyle.atomic_files import check_new_file
    from faststyle.images.files import check_writable_suffix, write_image
    from faststyle.infer.optimize.reconstruct import reconstruction_grid

    check_writable_suffix(arguments.output)
    check_new_file(arguments.output, overwrite=arguments.overwrite)
    layers = [name.strip() for name in arguments.layers.split(",")]
    sheet = reconstruction_grid(settings, arguments.kind, layers, arguments.seeds, size=arguments.size)
    write_image(arguments.output, sheet)
    print(f"{arguments.output}: {arguments.kind} of {len(layers)} layers x {len(arguments.seeds)} seeds")
    return 0
