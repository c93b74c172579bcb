"""`faststyle stylize`: arguments, and what they do. Heavy imports wait until the arguments are read."""

import argparse
import math
from pathlib import Path

from faststyle.command_line import parse_number
from faststyle.remote_files import Place, local_copies

_FORMATS = ("png", "jpg", "webp", "tiff", "avif", "heic")


def add_stylize_command(subcommands) -> None:
    """Adds `stylize` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "stylize",
        help="stylize photos or a video with a gallery style or an exported model",
        description="Stylize photos with a style of the shipped gallery or with an exported model. Results have "
        "exactly the size of their photos and keep their color profile, transparency, EXIF, XMP and resolution; what "
        "they cannot keep is said in one line.",
    )
    parser.add_argument(
        "model",
        type=Place,
        metavar="MODEL",
        help="a gallery style such as starry_night (`faststyle styles` lists them), gallery with --mix, or the folder "
        "of an exported model, e.g. runs/starry/export; a folder of a style's name goes first. Also a URL, e.g. gs://...",
    )
    parser.add_argument(
        "inputs",
        type=Place,
        nargs="+",
        metavar="INPUT",
        help="photos, folders, quoted patterns such as 'photos/**/*.jpg', URLs of photos or folders such as "
        "gs://bucket/photos, or - for standard input",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="PATH", help="image file, folder for several, or - for a pipe"
    )
    parser.add_argument(
        "--mix",
        type=parse_mixture,
        metavar="NAME=W,...",
        help="style or blend of the gallery, or of another many-style model (whose default is its first)",
    )
    look = parser.add_argument_group("look")
    add_look(look)
    _add_mask(look)
    files = parser.add_argument_group("files")
    add_encoding(files)
    _add_names(files)
    machine = parser.add_argument_group("machine")
    _add_runtime(machine)
    add_precision(machine)
    parser.set_defaults(run=run_stylize)


def add_look(group) -> None:
    """Adds how every photo is to look to a group of arguments."""
    group.add_argument(
        "--strength",
        type=_number(0, 1),
        default=1.0,
        metavar="0..1",
        help="0 is the photo, 1 (default) the full style; learned by a model with an identity style, else a cross-fade",
    )
    group.add_argument(
        "--preserve-colors",
        choices=("luminance", "covariance"),
        help="keep the photo's colors: exactly (luminance), or as overall palette (covariance)",
    )
    group.add_argument(
        "--size",
        type=_number(16, 1e5, whole=True),
        metavar="PX",
        help="stylize with this longer side, so that strokes scale with the picture; detail returns at full size",
    )


def _add_mask(group) -> None:
    group.add_argument("--mask", type=Path, metavar="FILE", help="stylize only where this image is white")
    group.add_argument(
        "--feather", type=_number(0, 1e4), default=0.0, metavar="PX", help="fade the mask's edge over so many pixels"
    )


def add_encoding(group) -> None:
    """Adds which files photos may be and results become to a group of arguments."""
    group.add_argument("--format", choices=_FORMATS, help="of results in a folder or a pipe (default: png)")
    group.add_argument(
        "--quality", type=_number(1, 100, whole=True), metavar="1..100", help="of jpg, webp (95), avif and heic (85)"
    )
    group.add_argument(
        "--max-megapixels", type=_number(0.001, 1e5), default=200.0, metavar="N", help="refuse larger photos (200)"
    )


def _add_names(group) -> None:
    group.add_argument(
        "--name",
        metavar="PATTERN",
        help="of results in a folder, of {stem}, {style}, {suffix} (default: {stem}.{suffix})",
    )
    existing = group.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace results that exist")
    existing.add_argument("--resume", action="store_true", help="leave results that exist, make the missing ones")


def add_precision(group) -> None:
    """Adds in which numbers is computed to a group of arguments."""
    group.add_argument("--precision", choices=("auto", "bfloat16", "float32"), default="auto", help="of computing")


def _add_runtime(group) -> None:
    group.add_argument("--runtime", choices=("auto", "openvino", "tensorflow"), default="auto", help="what computes")
    group.add_argument(
        "--tiling",
        choices=("auto", "off", "fast", "exact"),
        default="auto",
        help="how large photos are cut (auto: exact)",
    )


def run_stylize(arguments: argparse.Namespace) -> int:
    """Runs the command; the exit status is 1 when a photo of several could not be stylized."""
    with local_copies(arguments.inputs) as arguments.inputs:
        return _stylize(arguments)


def _stylize(arguments: argparse.Namespace) -> int:
    from faststyle.infer.exported_model.runtimes import leave_out_converter
    from faststyle.infer.exported_model.stylizer import StylizeError, Stylizer
    from faststyle.infer.stylize.files import list_failures, stylize_files
    from faststyle.infer.stylize.video import is_video

    if any(is_video(path) for path in arguments.inputs):
        from faststyle.infer.stylize.video_command import stylize_videos

        return stylize_videos(arguments)
    leave_out_converter()
    plan = _plan(arguments)
    look = _look(arguments)
    failures: list[str] = []
    if plan.jobs:
        stylizer = Stylizer(
            arguments.model,
            style_mixture=arguments.mix,
            strength=arguments.strength,
            runtime=arguments.runtime,
            precision=arguments.precision,
            tiling=arguments.tiling,
        )
        failures = stylize_files(
            plan.jobs,
            lambda photo: look.apply(stylizer, photo) if arguments.strength else photo,
            quality=arguments.quality,
            max_megapixels=arguments.max_megapixels,
        )
    if failures and len(plan.jobs) == 1 and not plan.existing:
        raise StylizeError(failures[0])
    list_failures(failures)
    done = len(plan.jobs) - len(failures)
    place = plan.jobs[0].target if len(plan.jobs) == 1 else arguments.output
    earlier = f", {plan.existing} were there" if plan.existing else ""
    if place != Path("-"):
        print(f"{done} of {len(plan.jobs)} stylized{earlier}: {place}")
    return 1 if failures else 0


def _plan(arguments: argparse.Namespace):
    from faststyle.infer.stylize.jobs import plan_jobs
    from faststyle.infer.stylize.naming import Naming

    naming = None
    if arguments.name:
        naming = Naming(arguments.name, _style_name(arguments), arguments.format or _suffix_format(arguments.name))
    existing = "overwrite" if arguments.overwrite else "resume" if arguments.resume else "refuse"
    return plan_jobs(arguments.inputs, arguments.output, naming=naming, format_name=arguments.format, existing=existing)


def _look(arguments: argparse.Namespace):
    from faststyle.images.masks import read_mask
    from faststyle.infer.stylize.look import Look

    return Look(
        preserve_colors=arguments.preserve_colors,
        size_px=arguments.size,
        mask=read_mask(arguments.mask) if arguments.mask else None,
        feather_px=arguments.feather,
    )


def _style_name(arguments: argparse.Namespace) -> str:
    from faststyle.infer.styles.gallery import find_model
    from faststyle.infer.styles.model_card import read_model_card

    if arguments.mix:
        return "-".join(arguments.mix)
    model_dir, mixture = find_model(arguments.model)
    return "-".join(mixture) if mixture else read_model_card(model_dir)["styles"][0]


def _suffix_format(pattern: str) -> str:
    """The format that a name pattern ends with; PNG where it leaves the suffix open."""
    from faststyle.images.formats import FORMATS, format_of

    if pattern.endswith("{suffix}"):
        return "png"
    image_format = format_of(Path(pattern))
    return next(name for name, known in FORMATS.items() if known is image_format)


def parse_mixture(text: str) -> dict[str, float]:
    """`starry_night=0.75,the_scream=0.25` as a dict; a bare name weighs 1."""
    weights = {}
    for part in text.split(","):
        name, _, weight = part.strip().partition("=")
        try:
            weights[name] = parse_number(weight) if weight else 1.0
        except argparse.ArgumentTypeError:
            raise argparse.ArgumentTypeError(f"{part!r} is not NAME=WEIGHT") from None
    return weights


def _number(least: float, most: float, *, whole: bool = False):
    def parse(text: str) -> float:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            kind = "whole number" if whole else "number"
            raise argparse.ArgumentTypeError(f"{text!r} is no {kind} from {least:g} to {most:g}")
        return value

    return parse
