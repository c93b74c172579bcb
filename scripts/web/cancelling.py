"""Ends work that a browser no longer wants, at its next word."""

import threading


class CancelledError(Exception):
    """The work was not wanted any more."""


class Cancelling:
    """Which sessions want their work to end. A session is what Gradio calls its hash: one page in one browser."""

    def __init__(self) -> None:
        self._unwanted: set[str | None] = set()
        self._lock = threading.Lock()

    def begin(self, session: str | None) -> None:
        """New work of a session, which is wanted."""
        with self._lock:
            self._unwanted.discard(session)

    def cancel(self, session: str | None) -> None:
        """What the session has running is to end."""
        with self._lock:
            self._unwanted.add(session)

    def check(self, session: str | None) -> None:
        """Raises `CancelledError` where the session's work is not wanted any more."""
        with self._lock:
            if session in self._unwanted:
                raise CancelledError
