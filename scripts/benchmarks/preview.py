"""Table of the page's preview: from a slider's value to the picture that is sent, without network and browser."""

import statistics
import tempfile
import time
from pathlib import Path

from PIL import Image

from faststyle.scripts.benchmarks.stylize_probe import noise_photo
from faststyle.scripts.benchmarks.table import Number, Table
from faststyle.scripts.web.known_styles import KnownStyles
from faststyle.scripts.web.paint import QUICK_PX, Wish, open_photo, preview
from faststyle.scripts.web.pictures import as_data_url

_TARGET_MS = 150


def preview_table(rounds: int) -> Table:
    """Milliseconds of one change of the strength, for a square photo and one of 4:3.

    Args:
        rounds: of each photo, in turn, after one that loads the model.
    """
    with tempfile.TemporaryDirectory() as folder:
        styles = KnownStyles([], Path(folder))
        style, photos = styles.all()[0], []
        for height in (QUICK_PX, QUICK_PX * 3 // 4):
            file = Path(folder) / f"{QUICK_PX}x{height}.png"
            Image.fromarray(noise_photo(height, QUICK_PX)).save(file)
            photos.append(open_photo(file))
        taken: list[list[tuple[float, float]]] = [[] for _ in photos]
        for round_number in range(rounds + 1):
            for photo, times in zip(photos, taken, strict=True):
                start = time.perf_counter()
                painting = preview(photo, Wish(style, strength=1 - round_number / 1000), styles, quick=True)
                painted = time.perf_counter()
                as_data_url(painting)
                times.append((painted - start, time.perf_counter() - start))
    rows = [_row(photo.path.stem, times[1:]) for photo, times in zip(photos, taken, strict=True)]
    columns = ["preview", "painted, ms", "sent, ms", "least, ms", "target"]
    return Table("web.preview", f"One change of a slider, median of {rounds} in turn", columns, rows)


def _row(name: str, times: list[tuple[float, float]]) -> list[str | Number]:
    painted, sent = (1000 * statistics.median(values) for values in zip(*times, strict=True))
    met = "met" if sent < _TARGET_MS else "not met"
    least = 1000 * min(whole for _, whole in times)
    return [name, *(Number(value, ".0f") for value in (painted, sent, least)), f"under {_TARGET_MS} ms: {met}"]
