"""The report of a comparison: one HTML file that opens anywhere, a contact sheet, and every number as JSON."""

import base64
import datetime
import io
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from infer.compare_files import ReportFolder, file_name
from infer.compare_page import SLIDER, page, table
from infer.compare_plot import Curve, css_class, median_curve, plot
from infer.compare_settings import CompareSettings, Method
from infer.compare_summary import network_summary, photo_answers, sentences, size_summary, spread
from infer.compared_models import pixels_compared
from infer.contact_sheet import captioned, fit_within, grid
from infer.equal_iterations import AtLeast
from infer.images import read_image, write_atomically, write_image
from infer.machine import machine

_TITLE = "A network against iterations"
_CELL_PX = 256
_JPEG_QUALITY = 90
_LEAST_OBJECTIVE = 1e-12  # of a perfect picture, which is 0


def write_report(folder: ReportFolder, settings: CompareSettings, results: Sequence[dict], *, command: str) -> None:
    """Writes `report.html`, `contact_sheet.png` and `report.json` from what was measured."""
    numbers = _numbers(settings, results, command)
    write_atomically(folder.numbers, (json.dumps(_plain(numbers), indent=1) + "\n").encode())
    write_image(folder.sheet, _contact_sheet(folder, settings, results))
    body = [_head(settings, results)]
    for size in settings.sizes:
        here = [result for result in results if result["size"] == size]
        body.append(_size_section(settings, here, size))
        body += [_photo_section(folder, settings, result) for result in here]
    body.append(_foot(settings, numbers))
    write_atomically(folder.report, page(_TITLE, "".join(body)).encode())


def _numbers(settings: CompareSettings, results: Sequence[dict], command: str) -> dict:
    pairs = [(size, method) for size in settings.sizes for method in settings.methods]
    return {
        "answers": sentences(results, settings),
        "command": command,
        "date": str(datetime.date.today()),
        **machine(),
        "pixels": pixels_compared(Path(settings.model)),
        "settings": settings.to_json(),
        "summary": [size_summary(results, size, method) for size, method in pairs],
        "network": [network_summary(results, size) for size in settings.sizes],
        "photos": [{**result, "answers": photo_answers(result)} for result in results],
    }


def _head(settings: CompareSettings, results: Sequence[dict]) -> str:
    answers = "".join(f'<p class="answer">{escape(text)}</p>' for text in sentences(results, settings))
    what = (
        f"Compared: {settings.model}, style image {settings.style}. Both sides minimize the same objective; lower is "
        f"better. Network: {pixels_compared(Path(settings.model))}. Iterations: pixels in the box 0..255, not rounded."
    )
    return f'<h1>{_TITLE}</h1>{answers}<p class="soft">{escape(what)}</p>{_keys(settings.methods)}'


def _keys(methods: Sequence[Method]) -> str:
    keys = "".join(
        f'<span><svg viewBox="0 0 30 10"><line class="key {css_class(method)}" x1="0" x2="30" y1="5" y2="5"/></svg>'
        f"{escape(method.title)}</span>"
        for method in methods
    )
    return f'<div class="keys">{keys}</div>'


def _size_section(settings: CompareSettings, results: Sequence[dict], size: int) -> str:
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
    names = list(network["terms"])
    rows = [["network", *(f"{network['terms'][name]:.4f}" for name in names), _seconds(network["seconds"])]]
    photo = [np.median([result["network"]["content_terms"][name] for result in results]) for name in names]
    rows.append(["photo, unchanged", *(f"{value:.4f}" for value in photo), "-"])
    for method in settings.methods:
        runs = [result["methods"][str(method)] for result in results]
        medians = [np.median([run["best_terms"][name] for run in runs]) for name in names]
        seconds = float(np.median([run["seconds"][-1] for run in runs]))
        iterations = f"{method.title}, best of {settings.iterations_at(size)}"
        rows.append([iterations, *(f"{value:.4f}" for value in medians), _seconds(seconds)])
    return table(["median over photos", *names, "seconds"], rows)


def _photo_section(folder: ReportFolder, settings: CompareSettings, result: dict) -> str:
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


def _foot(settings: CompareSettings, numbers: dict) -> str:
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


def _contact_sheet(folder: ReportFolder, settings: CompareSettings, results: Sequence[dict]) -> np.ndarray:
    """A row for every photo and size: photo, network, and the best image of every method; the style at the top."""
    names = ["content", "network", *(file_name(method) for method in settings.methods)]
    titles = ["photo", "network", *(method.short_title for method in settings.methods)]
    rows = []
    for result in results:
        cells = [
            fit_within(read_image(folder.picture(result["key"], result["size"], name)), _CELL_PX) for name in names
        ]
        labels = [f"{titles[0]}, {result['size']} px", *titles[1:]]
        rows.append([captioned(cell, label) for cell, label in zip(cells, labels, strict=True)])
    return grid([[captioned(fit_within(read_image(Path(settings.style)), _CELL_PX), "style")], *rows])


def _data_uri(path: Path) -> str:
    buffer = io.BytesIO()
    Image.fromarray(read_image(path)).save(buffer, format="JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _equal_at(iterations: AtLeast) -> float | None:
    return iterations.value if iterations.exact else None


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.3g}"


def _plain(value):
    """Numbers that may be bounds become `{"value", "exact"}`."""
    if isinstance(value, AtLeast):
        return value._asdict()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
