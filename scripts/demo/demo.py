"""The demo: the whole story on shipped assets, offline, in minutes: draw, train, export, stylize, look."""

import time
from pathlib import Path

import numpy as np

from faststyle.images.contact_sheet import fit_within, grid
from faststyle.images.files import read_image, write_image
from faststyle.infer.exported_model.stylizer import Stylizer
from faststyle.scripts.demo.drawn_styles import write_drawn_styles
from faststyle.scripts.demo.sample_photos import write_sample_photos
from faststyle.train.settings import TrainSettings
from faststyle.train.start import run_training

_CELL_PX = 320
_SHOWN = ("astronaut", "chelsea", "coffee", "rocket")
_SHEET = "contact_sheet.png"


def run_demo(output: Path, *, steps: int) -> Path:
    """Runs the demo into a folder and returns its contact sheet. An unfinished demo resumes.

    Args:
        output: folder for styles, photos, the training run and the sheet.
        steps: training steps.
    """
    start = time.monotonic()
    print("1. Drawing three style images and unpacking sample photographs")
    styles = write_drawn_styles(output / "styles")[:3]
    scenes, _ = write_sample_photos(output / "photos")
    print(f"2. Training one network on {len(styles)} styles and the sample photographs ({steps} steps)")
    settings = TrainSettings(
        style_images=tuple(str(path) for path in styles),
        content=str(output / "photos"),
        steps=steps,
        held_out=1,
    )
    run_training(settings, output / "run")
    print("3. Stylizing with the exported model")
    shown = [path for path in scenes if path.stem in _SHOWN]
    sheet = _contact_sheet(shown, styles, output / "run" / "export")
    write_image(output / _SHEET, sheet)
    print(f"Done in {(time.monotonic() - start) / 60:.1f} minutes. Look at {output / _SHEET}")
    return output / _SHEET


def _contact_sheet(photos: list[Path], styles: list[Path], model: Path) -> np.ndarray:
    """Photos along the top, a style at the left of each row, results where they meet."""
    pictures = [fit_within(read_image(path), 2 * _CELL_PX) for path in photos]
    rows = [[np.full((8, 8, 3), 255, "uint8"), *(fit_within(picture, _CELL_PX) for picture in pictures)]]
    for style in styles:
        stylizer = Stylizer(model, style_mixture={style.stem: 1.0})
        results = [fit_within(stylizer(picture), _CELL_PX) for picture in pictures]
        rows.append([fit_within(read_image(style), _CELL_PX * 2 // 3), *results])
    return grid(rows)
