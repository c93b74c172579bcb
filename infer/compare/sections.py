"""The sections of a comparison's report as HTML."""

import base64
import io
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from faststyle.images.files import read_image
from faststyle.infer.compare.compared_models import pixels_compared
from faststyle.infer.compare.equal_iterations import AtLeast
from faststyle.infer.compare.page import SLIDER, table
from faststyle.infer.compare.plot import Curve, css_class, median_curve, plot
from faststyle.infer.compare.report_folder import ReportFolder, file_name
from faststyle.infer.compare.settings import CompareSettings, Method
from faststyle.infer.compare.summary import medians, network_summary, photo_answers, sentences, size_summary, spread
from faststyle.models.loss_network_weights import LPIPS_REQUIREMENT

TITLE = "A network against iterations"
_JPEG_QUALITY = 90
_JUDGED = {"outside_style": "style from outside", "lpips": "LPIPS"}
_NOT_JUDGED = f"Not judged from outside: pip install --no-deps {LPIPS_REQUIREMENT} brings LPIPS."
_LEAST_OBJECTIVE = 1e-12  # of a perfect picture, which is 0


def head_section(settings: CompareSettings, results: Sequence[dict]) -> str:
    """The answer in words, what is compared, and the colors of the methods."""
    answers = "".join(f'<p class="answer">{escape(text)}</p>' for text in sentences(results, settings))
    weights = settings.objective.objective_settings().weights()
    measured_by = results[0]["network"].get("loss_network_weights", settings.objective.loss_network)
    what = (
        f"Compared: {settings.model}, style image {settings.style}. Both sides minimize the same objective, lower is "
        f"better: loss network {measured_by}, "
        f"{', '.join(f'{weight:g} {name}' for name, weight in weights.items() if weight)}. "
        f"Network: {pixels_compared(Path(settings.model))}. Iterations: pixels in the box 0..255, not rounded."
    )
    return f'<h1>{TITLE}</h1>{answers}<p class="soft">{escape(what)}</p>{_keys(settings.methods)}'


def _keys(methods: Sequence[Method]) -> str:
    keys = "".join(
        f'<span><svg viewBox="0 0 30 10"><line class="key {css_class(method)}" x1="0" x2="30" y1="5" y2="5"/></svg>'
        f"{escape(method.title)}</span>"
        for method in methods
    )
    return f'<div class="keys">{keys}</div>'


def size_section(settings: CompareSettings, results: Sequence[dict], size: int) -> str:
    """All photos at one size: the median course and two tables."""
    curves = []
    for method in settings.methods:
        runs = [
            np.asarray(result["methods"][str(method)]["terms"]["total"])
            / max(result["network"]["terms"]["total"], _LEAST_OBJECTIVE)
            for result in results
        ]
        curves.append(median_curve(method, runs))
    drawing = plot(curves, 1.0, y_label="objective / network's, median")
    tables = _answers_table(settings, results, size) + _terms_table(settings, results, size)
    return f"<h2>{size} px</h2>{drawing}{tables}"


def _answers_table(settings: CompareSettings, results: Sequence[dict], size: int) -> str:
    rows = []
    for method in settings.methods:
        summary = size_summary(results, size, method)
        speed_up = spread(summary["speed_up"]) if summary["speed_up"] else "-"
        reached = f"{summary['reached']} of {summary['photos']}"
        seconds = spread(summary["seconds"])
        rows.append([method.title, spread(summary["iterations"]), reached, seconds, speed_up])
    columns = ["method", "network equals iterations", "reached on", "their seconds", "network is times as fast"]
    return table(columns, rows)


def _terms_table(settings: CompareSettings, results: Sequence[dict], size: int) -> str:
    network = network_summary(results, size)
    networks = [result["network"] for result in results]
    photo, photo_judged = (medians([one[name] for one in networks]) for name in ("content_terms", "content_judged"))
    rows = [_terms_row("network", network["terms"], network["judged"], network["seconds"])]
    rows.append(_terms_row("photo, unchanged", photo, photo_judged, None))
    for method in settings.methods:
        runs = [result["methods"][str(method)] for result in results]
        seconds = float(np.median([run["seconds"][-1] for run in runs]))
        title = f"{method.title}, best of {settings.iterations_at(size)}"
        best = medians([run["best_terms"] for run in runs]), medians([run["best_judged"] for run in runs])
        rows.append(_terms_row(title, *best, seconds))
    judged = [_JUDGED[name] for name in network["judged"]]
    missing = "" if judged else f'<p class="soft">{escape(_NOT_JUDGED)}</p>'
    return table(["median over photos", *network["terms"], *judged, "seconds"], rows) + missing


def _terms_row(title: str, terms: dict[str, float], judged: dict[str, float], seconds: float | None) -> list[str]:
    numbers = [*(f"{value:.4f}" for value in terms.values()), *(f"{value:.3f}" for value in judged.values())]
    return [title, *numbers, _seconds(seconds)]


def photo_section(folder: ReportFolder, settings: CompareSettings, result: dict) -> str:
    """One photo at one size: slider, course, table, pictures."""
    size, network = result["size"], result["network"]
    answers, runs = photo_answers(result), result["methods"]
    curves = [
        Curve(method, runs[str(method)]["terms"]["total"], _equal_at(answers[str(method)]["iterations"]))
        for method in settings.methods
    ]
    rows = [["network", f"{network['terms']['total']:.4f}", "-", "-", "-"]]
    for method in settings.methods:
        answer = answers[str(method)]
        numbers = [str(answer["iterations"]), str(answer["seconds"]), str(answer["speed_up"] or "-")]
        rows.append([method.title, f"{answer['best']:.4f}", *numbers])
    numbers_table = table(["", "objective", "equal at iteration", "seconds to there", "times as fast"], rows)
    drawing = plot(curves, network["terms"]["total"], y_label="objective")
    return (
        f"<section><h3>{escape(Path(result['photo']).name)}, {size} px</h3>"
        f'<div class="photo">{SLIDER}<div class="numbers">{drawing}{numbers_table}</div></div>'
        f'<div class="pictures">{_pictures(folder, settings, result)}</div>{_note(network)}</section>'
    )


def _pictures(folder: ReportFolder, settings: CompareSettings, result: dict) -> str:
    terms, size = result["network"]["terms"], result["size"]
    shown = [("content", "photo", ""), ("network", "network", f"{terms['total']:.4f}")]
    for method in settings.methods:
        run = result["methods"][str(method)]
        iterations = len(run["seconds"]) - 1
        shown.append((file_name(method), method.title, f"{iterations} iterations, {run['best_terms']['total']:.4f}"))
        if folder.picture(result["key"], size, f"{file_name(method)}_equal").is_file():
            shown.append((f"{file_name(method)}_equal", f"{method.title}, where as low as the network", ""))
    return "".join(
        _figure(folder.picture(result["key"], size, name), title, ": ".join(filter(None, (title, more))))
        for name, title, more in shown
    )


def _figure(path: Path, title: str, caption: str) -> str:
    image = f'<img alt="{escape(title)}" src="{_data_uri(path)}">'
    return f'<figure>{image}<figcaption data-name="{escape(title)}">{escape(caption)}</figcaption></figure>'


def _note(network: dict) -> str:
    notes = [f"stylized image {network['note']}"] if network["note"] else []
    if network["enlarged"]:
        notes.append(f"the photo has {'x'.join(map(str, network['photo_px']))} px and was enlarged")
    return f'<p class="soft">{escape("; ".join(notes))}</p>' if notes else ""


def method_section(numbers: dict) -> str:
    """How it was measured, on what, with which settings."""
    cut = "Photos: the largest square in the middle, scaled to the size. "
    how = (
        "Iteration 0 is the start. “Equals” is the first iteration whose best objective so far is at or below the "
        "network's, interpolated linearly; “> N” means not reached in N, and a quartile with “>” is the least that it "
        "can be. Seconds of an optimization include all its evaluations, but not loading and compiling; those of the "
        "network are the median of warm runs just before and after that optimization, without loading and files."
    )
    described = {name: numbers[name] for name in ("command", "date", "processor", "cores", "versions", "settings")}
    text = json.dumps(described, indent=2)
    return f"<h2>How it was measured</h2><p>{cut}{escape(how)}</p><pre>{escape(text)}</pre>"


def _data_uri(path: Path) -> str:
    buffer = io.BytesIO()
    Image.fromarray(read_image(path)).save(buffer, format="JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _equal_at(iterations: AtLeast) -> float | None:
    return iterations.value if iterations.exact else None


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.3g}"
