"""Compares a network with the iterative path on one objective (Johnson et al. 2016, arXiv 1603.08155, section 4.1).

For every photo and size: the objective of the network's picture, and the curve of every method that optimizes pixels.
Each is measured once and kept in a file of its own.
"""

import statistics
import time
from pathlib import Path

import numpy as np

from faststyle.images.files import read_image, to_uint8
from faststyle.infer.compare.bench import Bench
from faststyle.infer.compare.compared_models import fingerprint, stems_of_images
from faststyle.infer.compare.descent_curve import descend
from faststyle.infer.compare.outside_judge import can_judge
from faststyle.infer.compare.photos import center_square, choose_photos
from faststyle.infer.compare.progress import CompareProgress
from faststyle.infer.compare.report_folder import ReportFolder, file_name
from faststyle.infer.compare.settings import CompareSettings, Method
from faststyle.infer.optimize.initial_image import initial_image
from faststyle.infer.styles.style_image import read_style_image

_WARM_RUNS = 5


def run_comparison(
    settings: CompareSettings, folder: ReportFolder, progress: CompareProgress | None = None
) -> list[dict]:
    """Measures what is not measured yet.

    Args:
        settings: what to compare.
        folder: keeps what is measured.
        progress: is told every iteration; None draws a bar.

    Returns:
        One `{"key", "photo", "size", "network": {...}, "methods": {name: {...}}}` for every photo and size.

    Raises:
        UserError: settings, photos, model or folder that cannot be used.
        KeyboardInterrupt: with a word on what is done.
    """
    read_style_image(Path(settings.style), tell=True)
    stems = stems_of_images(Path(settings.model))
    photos = choose_photos(Path(settings.content), count=settings.photos, seed=settings.objective.seed, stems=stems)
    bench = Bench(settings)
    folder.open(_identity(settings, photos))
    pairs = [
        _Pair(bench, folder, _key(index, path), path, size)
        for index, path in enumerate(photos)
        for size in settings.sizes
    ]
    missing = [settings.iterations_at(pair.size) for pair in pairs for method in pair.missing()]
    with progress or CompareProgress() as progress:
        progress.iterations = sum(missing)
        try:
            for pair in pairs:
                pair.measure(progress)
        except KeyboardInterrupt:
            total = len(pairs) * len(settings.methods)
            done = total - sum(len(pair.missing()) for pair in pairs)
            raise KeyboardInterrupt(f"after {done} of {total} optimizations; the same command goes on") from None
    return [pair.results() for pair in pairs]


class _Pair:
    """A photo at one size."""

    def __init__(self, bench: Bench, folder: ReportFolder, key: str, path: Path, size: int) -> None:
        self._bench, self._folder, self._key, self._path, self.size = bench, folder, key, path, size

    def missing(self) -> list[Method]:
        """Methods that are not measured yet."""
        return [method for method in self._bench.settings.methods if not self._read(method)]

    def results(self) -> dict:
        """What was measured."""
        methods = {str(method): self._read(method) for method in self._bench.settings.methods}
        return {
            "key": self._key,
            "photo": str(self._path),
            "size": self.size,
            "network": self._read(None),
            "methods": methods,
        }

    def measure(self, progress: CompareProgress) -> None:
        """Does what is missing: the network first, since the methods are measured against it."""
        missing = self.missing()
        if self._read(None) and not missing:
            return
        photo = read_image(self._path)
        content = center_square(photo, self.size)
        problem = self._bench.problem(content)
        if not self._read(None):
            stylized = self._bench.model.stylized(self._path, content)
            picture = to_uint8(stylized.image)
            numbers = {
                "terms": problem(stylized.image.ravel()).terms,
                "judged": self._bench.judged(content, picture),
                "content_terms": problem(content.astype("float32").ravel()).terms,
                "content_judged": self._bench.judged(content, content),
                "seconds": self._network_seconds(content),
                "photo_px": [photo.shape[1], photo.shape[0]],
                "enlarged": min(photo.shape[:2]) < self.size,
                "note": stylized.note,
                "loss_network_weights": self._bench.loss_network_weights,
            }
            self._write(None, numbers, {"content": content, "network": picture})
        for method in missing:
            iterations = self._bench.settings.iterations_at(self.size)
            progress.begins(self._key, self.size, method, iterations=iterations)
            self._optimize(method, problem, content, progress)

    def _optimize(self, method: Method, problem, content: np.ndarray, progress: CompareProgress) -> None:
        settings = self._bench.settings
        style, seed = self._bench.style, settings.objective.seed
        start = initial_image(method.start, content, style, noise_share=0.0, seed=seed)
        level = self._read(None)["terms"]["total"]
        before = self._network_seconds(content)
        curve = descend(
            problem,
            start.ravel(),
            optimizer=method.optimizer,
            iterations=settings.iterations_at(self.size),
            rates=(settings.objective.learning_rate, settings.objective.learning_rate_decay),
            level=level,
            on_iteration=progress.iteration,
        )
        seconds = before + self._network_seconds(content)
        picture = to_uint8(curve.best.image.reshape(content.shape))
        numbers = {
            **curve.numbers(),
            "best_judged": self._bench.judged(content, picture),
            "network_seconds": statistics.median(seconds) if seconds else None,
        }
        pictures = {file_name(method): picture}
        if curve.equal is not None:
            pictures[f"{file_name(method)}_equal"] = to_uint8(curve.equal.image.reshape(content.shape))
        self._write(method, numbers, pictures)

    def _network_seconds(self, content: np.ndarray) -> list[float]:
        """Seconds of warm runs, measured beside each optimization since a machine's speed changes; [] for files."""
        model = self._bench.model
        if not model.timed:
            return []
        seconds = []
        model.stylized(self._path, content)
        for _ in range(_WARM_RUNS):
            start = time.perf_counter()
            model.stylized(self._path, content)
            seconds.append(time.perf_counter() - start)
        return seconds

    def _read(self, what: Method | None) -> dict:
        return self._folder.read(self._key, self.size, what) or {}

    def _write(self, what: Method | None, numbers: dict, pictures: dict[str, np.ndarray]) -> None:
        self._folder.write(self._key, self.size, what, numbers, pictures)


def _key(index: int, path: Path) -> str:
    """A folder name for a photo, also where two photos in different folders are called the same."""
    return f"{index:02d}_{path.stem}"


def _identity(settings: CompareSettings, photos: list[Path]) -> dict:
    contents = {"model": Path(settings.model), "style": Path(settings.style)}
    digests = {f"content of {name}": fingerprint(path) for name, path in contents.items()}
    return {
        **settings.to_json(),
        **digests,
        "judged from outside": can_judge(),
        "chosen photos": {str(path): fingerprint(path) for path in photos},
    }
