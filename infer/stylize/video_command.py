"""`faststyle stylize` for a video: which of the command's options it takes, and what is printed."""

import argparse
import math
import sys

from faststyle.infer.exported_model.stylizer import Stylizer
from faststyle.infer.stylize.video import VideoError, stylize_video

_PHOTO_OPTIONS = {"preserve_colors": None, "size": None, "mask": None, "name": None, "format": None}


def stylize_videos(arguments: argparse.Namespace) -> int:
    """Stylizes the one video of a command line; returns the exit status.

    Raises:
        VideoError: several inputs, or an option that only photos have.
    """
    if len(arguments.inputs) > 1:
        raise VideoError("give one video at a time, and no photos beside it")
    chosen = [name for name, default in _PHOTO_OPTIONS.items() if getattr(arguments, name) != default]
    if chosen:
        raise VideoError(f"--{chosen[0].replace('_', '-')} is for photos, not for videos")
    (source,) = arguments.inputs
    choice = {"runtime": arguments.runtime, "precision": arguments.precision}
    stylizer = Stylizer(arguments.model, style_mixture=arguments.mix, strength=arguments.strength, **choice)
    if arguments.strength < 1 and not stylizer.identity_style:
        raise VideoError("--strength of a video needs a model with an identity style; this one has none")
    report = stylize_video(source, arguments.output, stylizer, overwrite=arguments.overwrite)
    if report.changes:
        print(f"{source}: {'; '.join(report.changes)}", file=sys.stderr)
    print(f"{report.frames} frames stylized: {arguments.output}")
    if not math.isnan(report.flicker):
        print(f"flicker: {report.flicker:.2f} of 255 (mean change where the source stood still)")
    return 0
