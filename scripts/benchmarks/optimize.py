"""Speed and memory of the per-image path: the optimizer's share of the time, L-BFGS against Adam, memory at 1024 px."""

import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from faststyle.machine import peak_memory_bytes
from faststyle.scripts.benchmarks.table import Number, Table
from faststyle.scripts.demo.drawn_styles import DRAWN_STYLES
from faststyle.scripts.demo.sample_photos import write_sample_photos

_RACE_SECONDS, _RACE_PX = 20.0, 256


def optimize_tables() -> Iterator[Table]:
    """The three tables, one after the other."""
    yield overhead_table()
    yield race_table()
    yield memory_table()


def overhead_table(size_px: int = 512, iterations: int = 12) -> Table:
    """Seconds per iteration in the network and in the optimizer: our L-BFGS and SciPy's, which take turns."""
    problem, start = _problem(size_px)
    problem(start)
    shares: dict[str, list[tuple[float, float]]] = {"ours": [], "SciPy L-BFGS-B": []}
    for _ in range(2):
        for name, run in (("ours", _run_ours), ("SciPy L-BFGS-B", _run_scipy)):
            timed = _Timed(problem)
            began = time.perf_counter()
            run(timed, start, iterations)
            shares[name].append(
                (timed.seconds / iterations, (time.perf_counter() - began - timed.seconds) / iterations)
            )
    rows: list[list[str | Number]] = []
    for name, pairs in shares.items():
        network, optimizer = (float(value) for value in np.min(pairs, axis=0))
        rows.append([name, Number(network, ".3f"), Number(optimizer, ".3f"), Number(optimizer / network, ".1%")])
    title = f"L-BFGS at {size_px} px, best of two rounds in turn"
    return Table("optimize.overhead", title, ["", "network, s/iteration", "optimizer, s/iteration", "share"], rows)


def race_table() -> Table:
    """Total objective of L-BFGS and of Adam at several rates after the same seconds on three photos."""
    from faststyle.infer.optimize.descent import adam, lbfgs

    rows: list[list[str | Number]] = []
    for index in range(3):
        problem, start = _problem(_RACE_PX, index)
        problem(start)
        runs = {"L-BFGS": lbfgs(problem, start)}
        # As many iterations as the time allows, so that the rate has fallen when the time is over.
        began = time.perf_counter()
        for _ in range(5):
            problem(start)
        count = max(10, int(_RACE_SECONDS / ((time.perf_counter() - began) / 5)))
        for rate in (2.0, 4.0, 8.0):
            runs[f"Adam {rate:g}"] = adam(problem, start, iterations=count, learning_rate=rate, decay=0.1)
        totals = [_best_within(run, _RACE_SECONDS) for run in runs.values()]
        rows.append([str(index + 1), *(Number(total, ".4f") for total in totals)])
    title = f"Best total after {_RACE_SECONDS:.0f} s at {_RACE_PX} px"
    return Table("optimize.race", title, ["image", "L-BFGS", "Adam, rate 2", "Adam, rate 4", "Adam, rate 8"], rows)


def memory_table(size_px: int = 1024) -> Table:
    """Peak memory of a process that takes three iterations with five style layers."""
    code = f"from faststyle.scripts.benchmarks.optimize import peak_gib; print(peak_gib({size_px}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    peak = float(result.stdout.split()[-1])
    title = f"Peak memory at {size_px} x {size_px} px, style layers relu1_1 to relu5_1"
    return Table("optimize.memory", title, ["GiB"], [[Number(peak, ".1f")]])


def peak_gib(size_px: int) -> float:
    """Runs three iterations and returns this process's peak resident memory, GiB."""
    from faststyle.infer.optimize.descent import lbfgs
    from faststyle.infer.optimize.image_problem import ImageProblem
    from faststyle.models.loss_network import LossNetwork
    from faststyle.models.objective import Objective, ObjectiveSettings

    layers = {f"relu{block}_1": 1.0 for block in range(1, 6)}
    settings = ObjectiveSettings({"relu4_2": 1.0}, layers, statistic="gram")
    objective = Objective(LossNetwork("vgg16", layers=settings.layers()), settings)
    content, style = np.random.default_rng(0).uniform(0, 255, (2, size_px, size_px, 3)).astype("float32")
    problem = ImageProblem(objective, content, [style], style_weights=(1.0,))
    for _ in itertools.islice(lbfgs(problem, content.ravel()), 3):
        pass
    return peak_memory_bytes() / 2**30


class _Timed:
    """An objective that counts the seconds spent in it."""

    def __init__(self, problem) -> None:
        self._problem, self.seconds = problem, 0.0

    def __call__(self, image):
        began = time.perf_counter()
        evaluation = self._problem(image)
        self.seconds += time.perf_counter() - began
        return evaluation


def _problem(size_px: int, index: int = 0):
    from faststyle.images.contact_sheet import fit_within
    from faststyle.images.files import read_image, resize_shorter_side
    from faststyle.infer.optimize.image_problem import ImageProblem
    from faststyle.infer.optimize.settings import OptimizeSettings
    from faststyle.models.loss_network import LossNetwork
    from faststyle.models.objective import Objective, ObjectiveSettings

    with tempfile.TemporaryDirectory() as folder:
        photo = fit_within(read_image(write_sample_photos(Path(folder))[0][index]), size_px)
    style = resize_shorter_side(list(DRAWN_STYLES.values())[index](), min(photo.shape[:2]))
    settings = ObjectiveSettings(content_weight=OptimizeSettings.content_weight)
    objective = Objective(LossNetwork("vgg16", layers=settings.layers()), settings)
    content = photo.astype("float32")
    return ImageProblem(objective, content, [style.astype("float32")], style_weights=(1.0,)), content.ravel()


def _run_ours(evaluate, start, iterations: int) -> None:
    from faststyle.infer.optimize.descent import lbfgs

    for _ in itertools.islice(lbfgs(evaluate, start), iterations):
        pass


def _run_scipy(evaluate, start, iterations: int) -> None:
    from scipy.optimize import Bounds, minimize

    scale = 1.0 / np.sqrt(np.mean(np.square(evaluate(start).gradient)))  # SciPy's first step is a unit gradient's

    def value_and_gradient(image):
        here = evaluate(image.astype("float32"))
        return here.value * scale, here.gradient.astype("float64") * scale

    options = {"maxiter": iterations, "ftol": 0.0, "gtol": 0.0, "maxcor": 10}
    minimize(value_and_gradient, start, jac=True, method="L-BFGS-B", bounds=Bounds(0, 255), options=options)


def _best_within(run, seconds: float) -> float:
    began, best = time.perf_counter(), float("inf")
    for iterate in run:
        if time.perf_counter() - began > seconds:
            break
        best = min(best, iterate.evaluation.value)
    return best
