"""`faststyle compare`: arguments, and what they do. Heavy imports wait until the arguments are read."""

import argparse
import dataclasses
import shlex
from pathlib import Path

from faststyle.command_line import as_typed, parse_number, parse_numbers, parse_whole_number, parse_whole_numbers
from faststyle.infer.compare.settings import METHODS, OBJECTIVE_OPTIONS, CompareSettings, Method, objective_of_model
from faststyle.infer.optimize.command import add_objective_options
from faststyle.infer.optimize.settings import OptimizeSettings
from faststyle.infer.styles.gallery import find_model
from faststyle.infer.stylize.command import parse_mixture
from faststyle.models.objective_settings import ObjectiveSettings

_DEFAULTS = {field.name: field.default for field in dataclasses.fields(CompareSettings)}
_ADAM = {field.name: field.default for field in dataclasses.fields(OptimizeSettings)}


def add_compare_command(subcommands) -> None:
    """Adds `compare` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "compare",
        help="how many iterations of optimization is a model worth?",
        description="Compare a model with iterative optimization on the same objective: how many iterations it equals, "
        "and how much faster it is. Writes report.html, contact_sheet.png and report.json. Repeat the same command to "
        "go on after an interruption.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="gallery style, exported model, any image-to-image SavedModel, or a folder of stylized images",
    )
    parser.add_argument("--style", required=True, metavar="STYLE_IMAGE", help="the model's style image")
    parser.add_argument("--content", required=True, metavar="SOURCE", help="folder of photos, a pattern, or one photo")
    parser.add_argument("--output", required=True, type=Path, metavar="REPORT_DIR", help="new, or to go on with")
    _add_amount(parser.add_argument_group("how much"))
    _add_model(parser.add_argument_group("model"))
    objective = parser.add_argument_group("objective (default: what the model was trained on, else as in training)")
    objective.add_argument(
        "--style-size", type=parse_whole_number, metavar="PX", help="shorter side of the style image"
    )
    add_objective_options(objective, defaults_shown=False)
    parser.set_defaults(run=run_compare)


def run_compare(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    settings = settings_from(arguments)
    from faststyle.infer.compare.comparison import run_comparison
    from faststyle.infer.compare.report import write_report
    from faststyle.infer.compare.report_folder import ReportFolder
    from faststyle.infer.compare.summary import sentences

    folder = ReportFolder(arguments.output)
    results = run_comparison(settings, folder)
    write_report(folder, settings, results, command=command_of(arguments))
    for sentence in sentences(results, settings):
        print(sentence)
    print(f"Look at {folder.report}")
    return 0


def settings_from(arguments: argparse.Namespace) -> CompareSettings:
    """Settings from the command line, over what the model was trained on, over the trainer's defaults."""
    model, mix = find_model(arguments.model, getattr(arguments, "mix", None))
    given = vars(arguments) | {"model": str(model)} | ({"mix": mix} if mix else {})
    trained = objective_of_model(model, mix)
    of_objective = {name: given.get(name, trained.get(name)) for name in OBJECTIVE_OPTIONS}
    of_objective |= {name: given.get(name) for name in ("learning_rate", "learning_rate_decay", "seed")}
    # Not the per-image path's own default, which is lower: the network's is the reference here.
    of_objective["content_weight"] = given.get(
        "content_weight", trained.get("content_weight", ObjectiveSettings.content_weight)
    )
    objective = OptimizeSettings(
        content=arguments.content,
        styles=(arguments.style,),
        **{name: value for name, value in of_objective.items() if value is not None},
    )
    own = {name: value for name, value in given.items() if name in _DEFAULTS}
    own.setdefault("style_size", trained.get("style_size", _DEFAULTS["style_size"]))
    if len(own.get("iterations", ())) == 1:
        own["iterations"] *= len(own.get("sizes", _DEFAULTS["sizes"]))
    return CompareSettings(**own, objective=objective)


def command_of(arguments: argparse.Namespace) -> str:
    """The command line that gives these arguments."""
    words = ["faststyle", "compare", arguments.model]
    given = {name: value for name, value in vars(arguments).items() if name not in ("run", "traceback", "model")}
    for name, value in given.items():
        text = as_typed(value)
        flag = "--" + name.replace("_", "-")
        words += [f"{flag}={text}"] if text.startswith("-") else [flag, text]
    return shlex.join(words)


def parse_methods(text: str) -> tuple[Method, ...]:
    """`lbfgs:content,adam:noise` as methods."""
    known = {str(method): method for method in METHODS}
    parts = [part.strip() for part in text.split(",")]
    unknown = [part for part in parts if part not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"no method {unknown[0]!r}; choose from {', '.join(known)}")
    return tuple(known[part] for part in parts)


def parse_range(text: str) -> tuple[float, ...]:
    """`0,1` as a pair."""
    values = parse_numbers(text)
    if len(values) != 2:
        raise argparse.ArgumentTypeError(f"{text!r} is not LOW,HIGH")
    return values


def _add_amount(group) -> None:
    group.add_argument("--photos", type=parse_whole_number, metavar="N", help="photos to compare on (default: 5)")
    group.add_argument("--seed", type=parse_whole_number, help="of the choice of photos and of the noise (default: 0)")
    group.add_argument(
        "--sizes",
        type=parse_whole_numbers,
        metavar="PX,...",
        help="squares cut from the middle (default: 256,512,1024)",
    )
    methods = ",".join(map(str, METHODS))
    group.add_argument(
        "--methods", type=parse_methods, metavar="METHOD,...", help=f"the first gives the answer (default: {methods})"
    )
    group.add_argument(
        "--iterations",
        type=parse_whole_numbers,
        metavar="N[,N...]",
        help="most, for all or each size (default: 400 to 256 px, 200 to 512 px, else 100)",
    )
    group.add_argument(
        "--learning-rate", type=parse_number, help=f"Adam's, in 0..255 per step (default: {_ADAM['learning_rate']:g})"
    )
    decay = _ADAM["learning_rate_decay"]
    group.add_argument(
        "--learning-rate-decay", type=parse_number, help=f"share of it left at the last iteration (default: {decay:g})"
    )


def _add_model(group) -> None:
    group.add_argument(
        "--mix", type=parse_mixture, metavar="NAME", help="style of a many-style model (default: called as STYLE_IMAGE)"
    )
    group.add_argument("--runtime", choices=("auto", "openvino", "tensorflow"), help="what computes our own models")
    group.add_argument("--precision", choices=("auto", "bfloat16", "float32"), help="of computing them")
    group.add_argument(
        "--input-range",
        type=parse_range,
        metavar="LOW,HIGH",
        help="a foreign model's black and white, as --input-range=-1,1 (default: 0,255)",
    )
    group.add_argument(
        "--output-range", type=parse_range, metavar="LOW,HIGH", help="of its output (default: as its input)"
    )
