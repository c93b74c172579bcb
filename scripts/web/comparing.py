"""A comparison as `faststyle compare` makes it, of one photo, told while the iterative image forms."""

import argparse
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from faststyle.images.decoding import to_uint8
from faststyle.images.files import read_image
from faststyle.infer.compare.command import add_compare_command, settings_from
from faststyle.infer.compare.equal_iterations import crossing
from faststyle.infer.compare.plot import Curve, plot
from faststyle.infer.compare.progress import CompareProgress
from faststyle.infer.compare.report_folder import ReportFolder
from faststyle.infer.compare.settings import CompareSettings, Method
from faststyle.infer.optimize.descent import Iterate
from faststyle.infer.styles.gallery import GALLERY_MODEL, GALLERY_NAME
from faststyle.scripts.web.known_styles import KnownStyle

METHOD = "lbfgs:content"
_MEASURE = "distance to style and content (lower is better)"
_TOLD_EVERY = 2  # iterations


class Forming(NamedTuple):
    """How far a comparison is.

    Attributes:
        network: the network's picture, `[size, size, 3]` uint8.
        iterative: the image that is optimized, same shape.
        curves: the objective of both as SVG.
        iterations: done.
        sentence: the answer, once there is one.
    """

    network: np.ndarray
    iterative: np.ndarray
    curves: str
    iterations: int
    sentence: str = ""


def comparison_settings(
    style: KnownStyle, painting: Path, photo: Path, *, size_px: int, iterations: int
) -> CompareSettings:
    """The settings that `faststyle compare` has for one photo, one size and L-BFGS from the photo."""
    model = GALLERY_NAME if style.model == GALLERY_MODEL else str(style.model)
    typed = ["compare", model, "--style", str(painting), "--content", str(photo), "--mix", style.name]
    typed += ["--sizes", str(size_px), "--iterations", str(iterations), "--methods", METHOD, "--photos", "1"]
    parser = argparse.ArgumentParser()
    add_compare_command(parser.add_subparsers())
    return settings_from(parser.parse_args([*typed, "--output", "unused"]))


def compare(settings: CompareSettings, output: Path, check_wanted: Callable[[], None]) -> Iterator[Forming]:
    """Runs a comparison in a thread and yields how far it is; last comes the answer, with a report in `output`.

    Args:
        settings: of one photo, size and method.
        output: report folder, new.
        check_wanted: called at every iteration; what it raises ends the comparison.
    """
    from faststyle.infer.compare.comparison import run_comparison
    from faststyle.infer.compare.report import write_report
    from faststyle.infer.compare.summary import photo_answers

    folder = ReportFolder(output)
    told: queue.SimpleQueue = queue.SimpleQueue()
    progress = _Watched(folder, settings, told.put, check_wanted)

    def work() -> None:
        try:
            results = run_comparison(settings, folder, progress)
            write_report(folder, settings, results, command="faststyle compare")
            told.put(progress.forming(_answer(photo_answers(results[0])[METHOD])))
            told.put(None)
        except BaseException as error:
            told.put(error)

    threading.Thread(target=work, daemon=True).start()
    while (word := told.get()) is not None:
        if isinstance(word, BaseException):
            raise word
        yield word


class _Watched(CompareProgress):
    """A comparison's progress that tells pictures in place of drawing a bar."""

    def __init__(
        self, folder: ReportFolder, settings: CompareSettings, tell: Callable[[Forming], None], check_wanted
    ) -> None:
        super().__init__()
        self._folder, self._settings, self._tell, self._check_wanted = folder, settings, tell, check_wanted
        self._totals: list[float] = []

    def begins(self, key: str, size: int, method: Method, *, iterations: int) -> None:
        """The network's picture is there by now."""
        self._method, self._size = method, size
        numbers = self._folder.read(key, size, None) or {}
        self._level = numbers["terms"]["total"]
        self._totals = [numbers["content_terms"]["total"]]
        self._network = read_image(self._folder.picture(key, size, "network"))
        self._image = read_image(self._folder.picture(key, size, "content"))
        self._tell(self.forming())

    def iteration(self, iterate: Iterate) -> None:
        """Tells every few iterations."""
        self._check_wanted()
        self._totals.append(iterate.evaluation.value)
        self._image = to_uint8(iterate.image.reshape(self._image.shape))
        if len(self._totals) % _TOLD_EVERY == 0:
            self._tell(self.forming())

    def forming(self, sentence: str = "") -> Forming:
        """What there is to show now."""
        done = len(self._totals) - 1
        equal = crossing(self._totals, range(done + 1), self._level).iterations
        curve = Curve(self._method, self._totals, equal.value if equal.exact else None)
        svg = f'<div class="plot-box">{plot([curve], self._level, y_label=_MEASURE)}</div>'
        return Forming(self._network, self._image, svg, done, sentence)


def _answer(of_photo: dict) -> str:
    """The comparison's answer for one photo, as `photo_answers` gives it, in words."""
    iterations, speed_up = (str(of_photo[key] or "").replace("> ", "more than ") for key in ("iterations", "speed_up"))
    faster = f"; the network is {speed_up} times as fast" if speed_up else ""
    return f"The slow way takes {iterations} iterations to be as good as the network{faster}."
