"""How much a stylized video flickers: change between successive frames where the source did not change."""

import numpy as np

_UNCHANGED_LEVELS = 3


class FlickerMeter:
    """Mean absolute change, in levels of 255, of stylized pixels whose source pixel stood still.

    A pixel stands still when no channel changed by more than 3 levels, which is less than a coder's noise.
    """

    def __init__(self) -> None:
        self._last: tuple[np.ndarray, np.ndarray] | None = None
        self._change = 0.0
        self._values = 0

    @property
    def levels(self) -> float:
        """The figure so far; NaN when no pixel stood still yet."""
        return self._change / self._values if self._values else float("nan")

    def add(self, source: np.ndarray, stylized: np.ndarray) -> None:
        """Takes the next frame, `[height, width, 3]` uint8, and what it became."""
        if self._last is not None and self._last[0].shape == source.shape:
            moved = np.abs(source.astype("int16") - self._last[0]).max(axis=2) > _UNCHANGED_LEVELS
            change = np.abs(stylized.astype("int16") - self._last[1])[~moved]
            self._change += float(change.sum())
            self._values += change.size
        self._last = source, stylized
