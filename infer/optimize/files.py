"""What an optimization leaves: the image with its settings inside (PNG), a JSON file beside it, a plot."""

import io
import json
from importlib import metadata
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from faststyle import DISTRIBUTION
from faststyle.atomic_files import write_atomically
from faststyle.images.files import write_image
from faststyle.infer.optimize.log import OptimizeLog
from faststyle.infer.optimize.optimized_image import OptimizedImage
from faststyle.infer.optimize.settings import OptimizeSettings

PNG_KEY = "faststyle"


def write_optimized(path: Path, result: OptimizedImage, settings: OptimizeSettings, log: OptimizeLog) -> None:
    """Writes the image and, beside it, `NAME.json` with every setting, the terms and their history.

    A PNG carries the same but the history in its text chunk `faststyle`.
    """
    card = {
        "settings": settings.to_json(),
        "loss_network_weights": result.loss_network_weights,
        "terms": result.terms,
        "iterations": len(log.history),
        "seconds": log.history[-1]["seconds"] if log.history else 0.0,
        "stopped_by": result.stopped_by,
        "size": [result.image.shape[1], result.image.shape[0]],
        "versions": {name: metadata.version(name) for name in (DISTRIBUTION, "tensorflow", "keras", "numpy")},
    }
    if path.suffix.lower() == ".png":
        text = PngInfo()
        text.add_itxt(PNG_KEY, json.dumps(card))
        buffer = io.BytesIO()
        Image.fromarray(result.image).save(buffer, format="PNG", pnginfo=text)
        write_atomically(path, buffer.getvalue())
    else:
        write_image(path, result.image)
    json_text = json.dumps(card | {"history": log.history}, indent=1) + "\n"
    write_atomically(json_path(path), json_text.encode())


def json_path(image_path: Path) -> Path:
    """The JSON file of an image."""
    return image_path.with_suffix(".json")


def write_plot(path: Path, history: list[dict]) -> None:
    """Draws every term against iterations and against seconds."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    terms = [name for name in history[0] if name not in ("scale", "iteration", "seconds")]
    for axes, against in zip(figure.subplots(1, 2, sharey=True), ("iteration", "seconds"), strict=True):
        for name in terms:
            axes.plot([row[against] for row in history], [max(row[name], 1e-12) for row in history], label=name)
        axes.set(xlabel=against, yscale="log")
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("error")
    figure.axes[0].legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix.lower().lstrip("."), dpi=120)
    write_atomically(path, buffer.getvalue())
