"""The formats that `faststyle export` writes: size, what they change in the picture, speed by their own runtimes."""

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from faststyle.infer.exported_model.stylizer import load_stylizer
from faststyle.models.transform_net_weights import GALLERY_WEIGHTS, read_transform_weights
from faststyle.scripts.benchmarks.table import Number, Table
from faststyle.scripts.benchmarks.take_turns import take_turns
from faststyle.scripts.demo.sample_photos import sample_scene
from faststyle.train.export import export_model
from faststyle.train.portable_formats import PORTABLE_FORMATS

_STYLE = "great_wave"
_SIDE_PX = 512
_MIB = 2**20


def formats_tables(rounds: int) -> Iterator[Table]:
    """One style of the gallery: a row for the exported folder, painted by OpenVINO, and one for each kind of file."""
    for chosen in PORTABLE_FORMATS.values():
        chosen.check_installed()
    photo = np.asarray(Image.fromarray(sample_scene("astronaut")).resize((_SIDE_PX, _SIDE_PX)))
    inputs = {"image": photo[None].astype("float32")}
    with tempfile.TemporaryDirectory() as scratch:
        model_dir = Path(scratch) / "model"
        weights = read_transform_weights(GALLERY_WEIGHTS)
        row = np.eye(weights.num_styles, dtype="float32")[weights.card["styles"].index(_STYLE)]
        export_model(weights, model_dir, style_mixture=row)
        stylizer = load_stylizer(str(model_dir), runtime="openvino")
        paint = {"savedmodel": lambda: stylizer(photo)}
        rows: dict[str, list[str | Number]] = {"savedmodel": [Number(_size(model_dir) / _MIB, ".1f"), ""]}
        for name, chosen in PORTABLE_FORMATS.items():
            file = Path(scratch) / f"painting{chosen.suffix}"
            difference = chosen.write(model_dir, file)
            paint[name] = functools.partial(chosen.load(file.read_bytes()), inputs)
            rows[name] = [Number(_size(file) / _MIB, ".1f"), Number(difference, ".2f")]
        seconds = take_turns(paint, rounds)
    yield Table(
        "formats",
        f"`{_STYLE}` alone at {_SIDE_PX} px; the SavedModel, with its graphs for large photos, is painted by OpenVINO",
        ["format", "MiB", "mean difference, of 255", "ms"],
        [[name, *cells, Number(1000 * seconds[name], ".0f")] for name, cells in rows.items()],
    )


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
