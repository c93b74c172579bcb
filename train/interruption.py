"""A stop asked for by Ctrl-C or SIGTERM, honored between two steps; a second Ctrl-C stops at once."""

import signal
import sys
import threading
from typing import Any


class StopRequest:
    """Context manager that turns the first SIGINT or SIGTERM into `requested`."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> "StopRequest":
        self._previous: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _ask(self, number: int, _frame) -> None:
        self.requested = True
        print("\nstopping after this step", file=sys.stderr, flush=True)
        signal.signal(number, self._previous[number])
