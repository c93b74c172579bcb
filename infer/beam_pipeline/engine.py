"""Apache Beam's ways made those of a command: options checked beforehand, an end when a worker process dies."""

import contextlib
import logging
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions, WorkerOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner.fn_runner import ExtendedProvisionInfo, FnApiRunner
from apache_beam.runners.portability.portable_runner import JobServiceHandle
from apache_beam.runners.runner import PipelineState

from faststyle.atomic_files import check_place
from faststyle.infer.beam_pipeline.places import Places
from faststyle.remote_files import is_url
from faststyle.user_error import UserError

_LOCAL = ("direct", "fnapi")
_WORKER_THREAD = "run_worker"  # what FnApiRunner calls the thread that waits for a worker process


def pipeline_options(flags: Sequence[str]) -> PipelineOptions:
    """Beam's options, from what a user typed.

    Raises:
        UserError: an option that neither this program nor Beam knows; job servers, such as Flink's, may know more.
    """

    def refuse(message: str) -> None:
        raise UserError(message)

    parsers: list = []
    PipelineOptions([]).get_all_options(add_extra_args_fn=parsers.append)
    parsers[0].error = refuse
    _, unknown = parsers[0].parse_known_args(flags)
    options = PipelineOptions(flags)
    if unknown and (not unknown[0].startswith("--") or _runner(options) in (*_LOCAL, "dataflow")):
        raise UserError(f"unknown argument {unknown[0]}; a pattern needs quotes, and --help lists the options")
    return options


def check_places(places: Places, options: PipelineOptions) -> None:
    """Refuses places that nothing can come of, before an engine starts.

    Raises:
        UserError: nothing matches, Beam or the engine cannot reach them, or the output folder cannot be written.
    """
    for place in (places.pattern, places.output):
        if not is_url(place) and _runner(options) == "dataflow":
            raise UserError(f"{place}: Dataflow's workers do not see this machine; use a gs:// URL")
        try:
            FileSystems.get_filesystem(place)
        except ValueError:
            raise UserError(
                f'{place}: Beam cannot read such URLs; gs:// needs pip install "apache-beam[gcp]", s3:// "[aws]"'
            ) from None
    if not is_url(places.output):
        check_place(Path(places.output))
    if not FileSystems.match([places.pattern], limits=[1])[0].metadata_list:
        raise UserError(f"{places.pattern}: matches no file")


def log(options: PipelineOptions, *, errors: bool) -> None:
    """Lets a distant engine tell how it gets on; what one on this machine has to tell, this program says in one line.

    Args:
        options: of the engine.
        errors: let it tell of errors all the same, with tracebacks.
    """
    local = _runner(options) in _LOCAL
    level = "INFO" if not local else "ERROR" if errors else "CRITICAL"
    logging.getLogger().setLevel(level)
    workers = options.view_as(WorkerOptions)
    if local and workers.default_sdk_harness_log_level is None:
        workers.default_sdk_harness_log_level = level


def run(build: Callable[[beam.Pipeline], None], options: PipelineOptions) -> dict[tuple[str, str], int]:
    """Runs what `build` adds to a pipeline; returns its counters by namespace and name.

    Raises:
        UserError: a runner that does not exist here, or lacks options.
        RuntimeError: the engine gave up; what it had done is done.
    """
    try:
        pipeline = beam.Pipeline(options=options, runner=_local_runner(options))
    except (ImportError, ValueError) as error:
        raise UserError(str(error)) from error
    build(pipeline)
    with _one_end():
        result = pipeline.run()
        state = result.wait_until_finish()
        if state not in (None, PipelineState.DONE):
            raise RuntimeError(f"the engine ended the job as {state}")
    counters = result.metrics().query()["counters"]
    return {(counter.key.metric.namespace, counter.key.metric.name): counter.result for counter in counters}


def remove_unfinished(places: Places) -> None:
    """Removes what workers left that were killed as they wrote, now and in earlier runs."""
    if is_url(places.unfinished):
        with contextlib.suppress(OSError):  # there is nothing
            FileSystems.delete([f"{places.unfinished}/"])
    else:
        shutil.rmtree(places.unfinished, ignore_errors=True)  # Beam's own would leave the folder


def _runner(options: PipelineOptions) -> str:
    """The runner's name as Beam compares them: without regard to case, and with or without "Runner"."""
    name = options.view_as(StandardOptions).runner or StandardOptions.DEFAULT_RUNNER
    return name.lower().removesuffix("runner")


def _local_runner(options: PipelineOptions) -> FnApiRunner | None:
    """Beam's runner in Python; its DirectRunner would first download one that knows nothing of several processes."""
    if _runner(options) not in _LOCAL:
        return None
    given = JobServiceHandle.encode_pipeline_options(options.get_all_options())
    return FnApiRunner(
        provision_info=ExtendedProvisionInfo(beam_provision_api_pb2.ProvisionInfo(pipeline_options=given))
    )


@contextlib.contextmanager
def _one_end() -> Iterator[None]:
    """Gives every end before the end a line, and makes one where a worker process on this machine was killed.

    For such a process Beam's own runner waits forever, in the main thread, where only a signal reaches it.

    Raises:
        KeyboardInterrupt: by Ctrl-C, which Beam tells as an error of the step that it met.
        RuntimeError: in any other case.
    """
    dead: list[str] = []
    interrupted: list[int] = []
    waiting = threading.get_ident()

    def on_thread_error(error: threading.ExceptHookArgs) -> None:
        if error.thread and error.thread.name == _WORKER_THREAD and not interrupted:
            dead.append(str(error.exc_value))
            signal.pthread_kill(waiting, signal.SIGINT)

    def on_interrupt(number, frame):
        if not dead and handler == signal.SIG_IGN:  # a job in the background, which Ctrl-C does not mean
            return
        if not dead:
            interrupted.append(number)
        raise KeyboardInterrupt

    hook, threading.excepthook = threading.excepthook, on_thread_error
    handler = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if interrupted:
            raise KeyboardInterrupt("before the end; the same command goes on") from None
        told = dead[0] if dead else str(error).strip().splitlines()[-1]
        raise RuntimeError(f"{told}; the same command goes on") from error
    finally:
        threading.excepthook = hook
        signal.signal(signal.SIGINT, handler)
