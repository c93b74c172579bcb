"""Ends work that a browser no longer wants, at its next word."""

import threading
from collections.abc import Callable


class CancelledError(Exception):
    """The work was not wanted any more."""


class Cancelling:
    """What every session has running. A session is what Gradio calls its hash: one page in one browser."""

    def __init__(self) -> None:
        self._unwanted: dict[str | None, threading.Event] = {}
        self._lock = threading.Lock()

    def begin(self, session: str | None) -> Callable[[], None]:
        """New work of a session, in place of what it may still have running.

        Returns:
            What the work has to call now and then; it raises `CancelledError` once the work is not wanted any more.
        """
        unwanted = threading.Event()
        with self._lock:
            earlier, self._unwanted[session] = self._unwanted.get(session), unwanted
        if earlier:
            earlier.set()

        def check_wanted() -> None:
            if unwanted.is_set():
                raise CancelledError

        return check_wanted

    def cancel(self, session: str | None) -> None:
        """What the session has running is to end."""
        with self._lock:
            unwanted = self._unwanted.pop(session, None)
        if unwanted:
            unwanted.set()
