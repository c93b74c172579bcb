"""How long it still takes: a bar on a terminal; in a file or a pipe a plain line now and then."""

import sys
import threading

from tqdm import tqdm

# tqdm's own lock is one between processes, which takes as long to import as all the rest of it.
tqdm.set_lock(threading.RLock())
_SECONDS_BETWEEN_LINES = 30.0


class ProgressBar(tqdm):
    """tqdm's bar on standard error, with its arguments."""

    def __init__(self, *args, **options) -> None:
        if not sys.stderr.isatty():
            options |= {"mininterval": _SECONDS_BETWEEN_LINES, "maxinterval": _SECONDS_BETWEEN_LINES, "ascii": True}
        super().__init__(*args, dynamic_ncols=True, **options)

    @staticmethod
    def status_printer(file):
        """What draws the bar: where nothing can be drawn over, lines of their own."""
        if file.isatty():
            return tqdm.status_printer(file)

        def print_line(status: str) -> None:
            if status:  # tqdm clears its bar by drawing an empty one
                print(status.strip(), file=file, flush=True)

        return print_line
