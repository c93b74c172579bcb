"""The front door of training: what cannot be trained is refused before a heavy import, the rest run to its export."""

import contextlib
from pathlib import Path

from faststyle.infer.styles.style_image import read_style_image
from faststyle.train.content_batches import open_enough_content
from faststyle.train.content_sources import TFDS_PREFIX
from faststyle.train.run_directory import RunDirectory, RunDirectoryError
from faststyle.train.settings import TrainSettings
from faststyle.train.sole_owner import sole_owner


def run_training(settings: TrainSettings, output: Path, *, dry_run: bool = False) -> None:
    """Trains a style as the settings say, resuming what `output` holds, and exports the model.

    Args:
        settings: what to train.
        output: the run directory, new or of a run with the same settings.
        dry_run: print the plan and stop; nothing is written.

    Raises:
        ValueError: settings, images, sources, weights or a run directory that cannot be used, or that is in use.
        TrainingStoppedError: a non-finite loss, a collapsed preview, or no memory left.
        TrainingInterruptedError: Ctrl-C or SIGTERM; a checkpoint of the last step was written.
    """
    directory = RunDirectory(output)
    _check(settings, directory)
    with contextlib.nullcontext() if dry_run else sole_owner(output):
        _run(settings, directory, dry_run=dry_run)


def _run(settings: TrainSettings, directory: RunDirectory, *, dry_run: bool) -> None:
    from faststyle.train.run import TrainingRun

    run = TrainingRun(settings, directory)
    if run.step < settings.steps:
        print(run.plan(), flush=True)
        if dry_run:
            return
        directory.open(settings, loss_network_weights=run.loss_network_weights)
        run.train()
    elif dry_run:
        print(f"{directory.path}: all {settings.steps:,} steps are done")
        return
    run.finish()


def _check(settings: TrainSettings, directory: RunDirectory) -> None:
    """Looks at style images, run directory and content folder; a data set of TFDS waits, since it may be downloaded."""
    for style_image in settings.style_images:  # what was typed first is named first
        read_style_image(Path(style_image))
    directory.check(settings)
    if not settings.content.startswith(TFDS_PREFIX):
        _check_apart(settings.content, directory.path)
        open_enough_content(settings)


def _check_apart(content: str, output: Path) -> None:
    """Previews inside the content folder would become photos to train on when the run is resumed."""
    if output.resolve().is_relative_to(Path(content).resolve()):
        raise RunDirectoryError(f"{output}: lies inside the content folder {content}; choose another --output")
