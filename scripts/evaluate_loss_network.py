"""Compares loss networks as losses: accuracy, style and content retrieval, and pictures optimized with each.

`python -m scripts.evaluate_loss_network NAME=WEIGHTS... --output FOLDER` prints a table, with random weights and raw
pixel colors beside the given ones, and writes `FOLDER/table.md` and `FOLDER/pictures.jpg`. Without `--photos` and
`--paintings` it takes scikit-image's photographs and this project's drawn styles.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from infer.command_line import run_command_line

_EPSILON = 4.0
_PICTURE_PAIRS = 4


def add_evaluate_command(subcommands) -> None:
    """Adds `evaluate` to an argparse subparsers object."""
    parser = subcommands.add_parser("evaluate", help="compare loss networks", description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="+", metavar="NAME=WEIGHTS", help="compact loss network weights (.npz)")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="photographs")
    parser.add_argument("--paintings", type=Path, metavar="FOLDER", help="style images")
    parser.add_argument(
        "--labelled", metavar="COLLECTION", help="photos to classify, with heads.npz beside the weights, e.g. .../val"
    )
    parser.add_argument("--variants", action="store_true", help="draw variants of the objective with the last weights")
    parser.add_argument("--size", type=int, default=384, metavar="PX", help="longer side of the pictures")
    parser.add_argument("--steps", type=int, default=200, help="L-BFGS iterations for each picture; 0 leaves them out")
    parser.set_defaults(run=run_evaluate)


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Prints and writes the table, then draws the sheet."""
    import numpy as np

    from models.loss_network import LossNetwork
    from scripts.loss_network_evaluation import random_weights

    files = dict(_named_file(text) for text in arguments.weights)
    photos, paintings = _pictures(arguments.photos, arguments.paintings)
    with tempfile.TemporaryDirectory() as scratch:
        np.savez(Path(scratch) / "random.npz", **random_weights())
        networks = {
            name: LossNetwork("compact", weights_path=path)
            for name, path in {"random weights": Path(scratch) / "random.npz", **files}.items()
        }
    table = _table(networks, files, photos, paintings, labelled=arguments.labelled)
    print(table, end="")
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "table.md").write_text(table, encoding="utf-8")
    if arguments.steps:
        _draw_sheet(_objectives(networks, files, photos, arguments), photos, paintings, arguments)
    return 0


def _objectives(networks: dict, files: dict, photos: list, arguments: argparse.Namespace) -> dict:
    from infer.images.contact_sheet import fit_within
    from models.objective import Objective
    from scripts.loss_network_variants import objective_variants
    from train.assembly import objective_settings
    from train.settings import TrainSettings

    settings = objective_settings(TrainSettings(style_images=("any",), content="any"))
    if arguments.variants:
        small = [fit_within(photo, arguments.size) for photo in photos]
        return objective_variants(list(files.values())[-1], settings, small)
    return {name: Objective(network, settings) for name, network in networks.items()}


def _table(networks: dict, files: dict, photos: list, paintings: list, *, labelled: str | None) -> str:
    from models.layer_names import PIXEL_LAYER, is_network_layer
    from scripts.loss_network_evaluation import content_retrieval, style_retrieval
    from train.settings import CONTENT_LAYERS, STYLE_LAYERS

    deep_style, deep_content = (
        {name: weight for name, weight in layers.items() if is_network_layer(name)}
        for layers in (STYLE_LAYERS, CONTENT_LAYERS)
    )
    lines = [
        "| weights | top-1 | top-1, noise of 4 | style, Gram | style, covariance | content |",
        "|---|---|---|---|---|---|",
    ]

    def row(name: str, network, style_layers: dict, content_layers: dict, accuracies: list[str]) -> str:
        shares = [
            style_retrieval(network, paintings, layers=style_layers, statistic=statistic)
            for statistic in ("gram", "covariance")
        ]
        shares.append(content_retrieval(network, photos, layers=content_layers))
        return f"| {name} | {' | '.join([*accuracies, *(f'{100 * share:.1f} %' for share in shares)])} |"

    any_network = next(iter(networks.values()))
    lines.append(row("pixel colors", any_network, {PIXEL_LAYER: 1.0}, {PIXEL_LAYER: 1.0}, ["", ""]))
    for name, network in networks.items():
        lines.append(row(name, network, deep_style, deep_content, _accuracies(files.get(name), labelled)))
    return "\n".join(lines) + "\n"


def _accuracies(weights: Path | None, labelled: str | None) -> list[str]:
    import numpy as np

    from scripts.decoded_photos import center_squares
    from scripts.labelled_photos import open_labelled_photos
    from scripts.loss_network_evaluation import top1_accuracy
    from scripts.loss_network_training import HEADS_FILE

    if labelled is None or weights is None or not (weights.parent / HEADS_FILE).is_file():
        return ["", ""]
    heads_path = weights.parent / HEADS_FILE
    photos = open_labelled_photos(labelled)
    with np.load(heads_path) as heads:
        names = [name.removesuffix("/classes") for name in heads.files if name.endswith("/classes")]
        head = next((name for name in names if list(heads[f"{name}/classes"]) == photos.class_names), None)
        if head is None:
            raise ValueError(f"{heads_path}: no head has the classes of {labelled}")
        kernel_and_bias = heads[f"{head}/kernel"], heads[f"{head}/bias"]
    squares = [(square, label) for square, label in center_squares(photos, size_px=64) if square is not None]
    images, labels = (np.stack(column) for column in zip(*squares, strict=True))
    with np.load(weights) as arrays:
        trunk = dict(arrays)
    shares = [top1_accuracy(trunk, kernel_and_bias, images, labels, epsilon=epsilon) for epsilon in (0.0, _EPSILON)]
    return [f"{100 * share:.1f} %" for share in shares]


def _draw_sheet(objectives: dict, photos: list, paintings: list, arguments: argparse.Namespace) -> None:
    """One row for each pair: photo, style, then the picture that each objective makes of them."""
    import numpy as np
    from tqdm import tqdm

    from infer.images.contact_sheet import fit_within, grid
    from infer.images.files import resize_shorter_side, to_uint8, write_image
    from scripts.loss_network_evaluation import optimized_picture

    photos = photos[:_PICTURE_PAIRS]
    rows = []
    with tqdm(total=len(photos) * len(objectives), unit="picture") as bar:
        for index, photo in enumerate(photos):
            photo = fit_within(photo, arguments.size)
            style = resize_shorter_side(paintings[index % len(paintings)], arguments.size)
            rows.append([photo, fit_within(style, min(photo.shape[:2]))])
            for objective in objectives.values():
                rows[-1].append(to_uint8(optimized_picture(objective, photo, style, steps=arguments.steps)))
                bar.update()
    write_image(arguments.output / "pictures.jpg", np.asarray(grid(rows)))
    print(f"Pictures: {arguments.output / 'pictures.jpg'} (columns: photo, style, {', '.join(objectives)})")


def _pictures(photo_folder: Path | None, painting_folder: Path | None) -> tuple[list, list]:
    from infer.images.files import list_images, read_image
    from scripts.drawn_styles import DRAWN_STYLES
    from scripts.sample_photos import write_sample_photos

    if painting_folder:
        paintings = [read_image(path) for path in list_images(painting_folder)]
    else:
        paintings = [draw(512) for draw in DRAWN_STYLES.values()]
    if photo_folder:
        return [read_image(path) for path in list_images(photo_folder)], paintings
    with tempfile.TemporaryDirectory() as scratch:
        scenes, textures = write_sample_photos(Path(scratch))
        return [read_image(path) for path in (*scenes, *textures)], paintings


def _named_file(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals or not Path(path).is_file():
        raise ValueError(f"{text!r} is not NAME=FILE with an existing weights file")
    return name, Path(path)


if __name__ == "__main__":
    sys.exit(
        run_command_line("python -m scripts.evaluate_loss_network", [add_evaluate_command], only_command="evaluate")
    )
