"""The progress bar of a comparison: all iterations of all runs, and which one is running."""

from faststyle.infer.compare.settings import Method
from faststyle.infer.optimize.descent import Iterate
from faststyle.progress_bar import ProgressBar


class CompareProgress:
    """A context manager; the bar is drawn with the first run, so that a user's mistake stays one line.

    Attributes:
        iterations: expected in all.
    """

    def __init__(self) -> None:
        self.iterations = 0
        self._bar: ProgressBar | None = None
        self._planned = 0

    def __enter__(self) -> "CompareProgress":
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.close()

    def begins(self, key: str, size: int, method: Method, *, iterations: int) -> None:
        """A run begins; an earlier one that ended before its last iteration counts as complete."""
        if self._bar is None:
            self._bar = ProgressBar(total=self.iterations, unit="it")
        self._bar.n = self._planned
        self._planned += iterations
        self._bar.set_description(f"{key} {size} px {method}", refresh=True)

    def iteration(self, iterate: Iterate) -> None:
        """An iteration is done, with this image and its objective."""
        if self._bar is not None:
            self._bar.set_postfix(objective=f"{iterate.evaluation.value:.4f}", refresh=False)
            self._bar.update()
