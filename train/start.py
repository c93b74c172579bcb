"""The front door of training: what cannot be trained is refused before a heavy import, the rest run to its export."""

import os
from collections.abc import Callable
from pathlib import Path

from faststyle.command_line import one_line
from faststyle.images.files import ImageError
from faststyle.infer.styles.style_image import read_style_image
from faststyle.train.cluster import Cluster, cluster_of_environment
from faststyle.train.content_batches import open_enough_content
from faststyle.train.content_sources import TFDS_PREFIX
from faststyle.train.run_directory import RunDirectory, RunDirectoryError
from faststyle.train.run_state import check_pictures
from faststyle.train.settings import TrainSettings
from faststyle.train.sole_owner import sole_owner


def run_training(settings: TrainSettings, output: Path, *, dry_run: bool = False) -> None:
    """Trains a style as the settings say, resuming what `output` holds, and exports the model.

    Args:
        settings: what to train.
        output: the run directory, new or of a run with the same settings.
        dry_run: print the plan and stop; nothing is written.

    On several machines each runs this in a process of its own, see `faststyle.train.cluster`; the first of them writes.

    Raises:
        UserError: settings, images, sources, weights or a run directory that cannot be used, that is in use, that
            was taken away, or that cannot be written any more; processes that cannot be joined.
        LostWorkerError: another process ended.
        TrainingStoppedError: a non-finite loss, a collapsed preview, or no memory left.
        TrainingInterruptedError: Ctrl-C or SIGTERM; a checkpoint of the last step was written.
    """
    cluster = cluster_of_environment()
    directory = RunDirectory(output)
    _check(settings, directory)
    if cluster.workers > 1:
        # TensorFlow tells of a lost process in a dozen lines, and then raises what becomes one line.
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        number = f"Process {cluster.index + 1} of {cluster.workers}"
        print(f"{number}: they begin when all are there; the first one tells and writes.", flush=True)
    if dry_run:
        _plan(settings, directory, cluster)
    elif cluster.is_chief:
        with sole_owner(output) as check_place:
            _run(settings, directory, cluster, check_place)
    else:
        _take_part(settings, directory, cluster)


def _plan(settings: TrainSettings, directory: RunDirectory, cluster: Cluster) -> None:
    from faststyle.train.run import TrainingRun

    run = TrainingRun(settings, directory, cluster=cluster)
    plan = run.plan() if run.step < settings.steps else f"{directory.path}: all {settings.steps:,} steps are done"
    if cluster.is_chief:
        print(plan)


def _take_part(settings: TrainSettings, directory: RunDirectory, cluster: Cluster) -> None:
    from faststyle.train.run import TrainingRun

    run = TrainingRun(settings, directory, cluster=cluster)
    if run.step < settings.steps:
        run.plan()
        run.train()


def _run(settings: TrainSettings, directory: RunDirectory, cluster: Cluster, check_place: Callable[[], None]) -> None:
    from faststyle.train.run import TrainingRun

    run = TrainingRun(settings, directory, cluster=cluster, check_place=check_place)
    try:
        if run.step < settings.steps:
            print(run.plan(), flush=True)
            directory.open(settings, run.environment())
            run.train()
        run.finish()
    except BrokenPipeError:
        raise
    except (OSError, ImageError) as error:
        raise RunDirectoryError(
            f"{one_line(error)}; {run.kept()}; when that is mended, the same command goes on"
        ) from error


def _check(settings: TrainSettings, directory: RunDirectory) -> None:
    """Looks at style images, run directory and content folder; a data set of TFDS waits, since it may be downloaded."""
    for style_image in settings.style_images:  # what was typed first is named first
        read_style_image(Path(style_image), tell=True)
    directory.check(settings)
    content = None
    if not settings.content.startswith(TFDS_PREFIX):
        _check_apart(settings.content, directory.path)
        content = open_enough_content(settings).fingerprint()
    check_pictures(directory, settings, content=content)


def _check_apart(content: str, output: Path) -> None:
    """Previews inside the content folder would become photos to train on when the run is resumed."""
    if output.resolve().is_relative_to(Path(content).resolve()):
        raise RunDirectoryError(f"{output}: lies inside the content folder {content}; choose another --output")
