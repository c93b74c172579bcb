"""What an optimization tells while it runs: a progress bar, the terms of every iteration, pictures now and then."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from faststyle.images.contact_sheet import fit_within
from faststyle.images.files import to_uint8, write_image
from faststyle.progress_bar import ProgressBar

_FRAME_PX = 480


class OptimizeLog:
    """Records one optimization. A context manager.

    Args:
        iterations: expected in all, for the bar.
        save_every: iterations between saved images; 0 is none.
        saved_as: path of an iteration's image.
        frame_every: iterations between frames of the animation; 0 is none.

    Attributes:
        history: `{"scale", "iteration", "seconds", term: value}` per iteration; iterations count through all scales.
        frames: `[height, width, 3]` uint8 pictures for the animation.
    """

    def __init__(
        self,
        *,
        iterations: int,
        save_every: int = 0,
        saved_as: Callable[[int], Path] = lambda iteration: Path(f"{iteration:05d}.png"),
        frame_every: int = 0,
    ) -> None:
        self.history: list[dict] = []
        self.frames: list[np.ndarray] = []
        self._iterations, self._save_every, self._saved_as = iterations, save_every, saved_as
        self._frame_every = frame_every
        self.started = time.monotonic()
        self._bar: ProgressBar | None = None  # drawn with the first iteration, so that a user's mistake is one line

    def __enter__(self) -> "OptimizeLog":
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.close()

    def iteration(self, scale_px: int, terms: dict[str, float], picture: Callable[[], np.ndarray]) -> None:
        """Records an iteration; `picture` gives the image `[height, width, 3]` float32 if it is to be kept."""
        number = len(self.history) + 1
        seconds = round(time.monotonic() - self.started, 3)
        self.history.append({"scale": scale_px, "iteration": number, "seconds": seconds, **terms})
        if self._bar is None:
            self._bar = ProgressBar(total=self._iterations, unit="it")
        self._bar.update()
        self._bar.set_postfix({name: f"{value:.4f}" for name, value in terms.items()}, refresh=False)
        if self._save_every and number % self._save_every == 0:
            write_image(self._saved_as(number), to_uint8(picture()))
        if self._frame_every and (number == 1 or number % self._frame_every == 0):
            self.frames.append(fit_within(to_uint8(picture()), _FRAME_PX))
