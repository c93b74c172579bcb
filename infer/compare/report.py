"""The report of a comparison: one HTML file that opens anywhere, a contact sheet, and every number as JSON."""

import datetime
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from faststyle.atomic_files import write_atomically
from faststyle.images.contact_sheet import fit_within, grid
from faststyle.images.files import read_image, write_image
from faststyle.images.labels import captioned
from faststyle.infer.compare.compared_models import pixels_compared
from faststyle.infer.compare.equal_iterations import AtLeast
from faststyle.infer.compare.page import page
from faststyle.infer.compare.report_folder import ReportFolder, file_name
from faststyle.infer.compare.sections import TITLE, head_section, method_section, photo_section, size_section
from faststyle.infer.compare.settings import CompareSettings
from faststyle.infer.compare.summary import network_summary, photo_answers, sentences, size_summary
from faststyle.machine import machine

_CELL_PX = 256


def write_report(folder: ReportFolder, settings: CompareSettings, results: Sequence[dict], *, command: str) -> None:
    """Writes `report.html`, `contact_sheet.png` and `report.json` from what was measured."""
    numbers = _numbers(settings, results, command)
    write_atomically(folder.numbers, (json.dumps(_plain(numbers), indent=1) + "\n").encode())
    write_image(folder.sheet, _contact_sheet(folder, settings, results))
    body = [head_section(settings, results)]
    for size in settings.sizes:
        here = [result for result in results if result["size"] == size]
        body.append(size_section(settings, here, size))
        body += [photo_section(folder, settings, result) for result in here]
    body.append(method_section(numbers))
    write_atomically(folder.report, page(TITLE, "".join(body)).encode())


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
        rows.append([captioned(cell, [label]) for cell, label in zip(cells, labels, strict=True)])
    return grid([[captioned(fit_within(read_image(Path(settings.style)), _CELL_PX), ["style"])], *rows])


def _plain(value):
    """Numbers that may be bounds become `{"value", "exact"}`."""
    if isinstance(value, AtLeast):
        return value._asdict()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
