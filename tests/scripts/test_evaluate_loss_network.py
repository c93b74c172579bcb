import numpy as np

from infer.command_line import run_command_line
from models.loss_network_weights import COMPACT_WEIGHTS
from scripts.evaluate_loss_network import add_evaluate_command
from scripts.loss_network_evaluation import random_weights
from scripts.loss_network_training import HEADS_FILE
from tests.scripts.test_labelled_photos import COLORS, write_classes
from tests.toy_run import write_photos


def evaluate(*arguments):
    return run_command_line("test", [add_evaluate_command], ["evaluate", *(str(a) for a in arguments)])


def test_the_table_has_a_row_for_colors_random_weights_and_each_file_and_the_sheet_its_pictures(tmp_path, capsys):
    weights = tmp_path / "mine" / "weights.npz"
    weights.parent.mkdir()
    np.savez(weights, **random_weights(seed=5))
    np.savez(
        weights.parent / HEADS_FILE,
        **{"0/kernel": np.zeros((256, 2), "f4"), "0/bias": np.float32([1, 0]), "0/classes": np.array(sorted(COLORS))},
    )
    pictures = write_photos(tmp_path / "pictures", count=2, size_px=132)
    labelled = write_classes(tmp_path / "labelled", COLORS)
    options = ("--photos", pictures, "--paintings", pictures, "--labelled", labelled, "--size", 48, "--steps", 1)
    assert evaluate(f"mine={weights}", *options, "--output", tmp_path / "out") == 0
    table = (tmp_path / "out" / "table.md").read_text()
    assert table in capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert [row[0] for row in rows] == ["pixel colors", "random weights", "mine"]
    assert rows[2][1:3] == ["50.0 %", "50.0 %"]
    assert rows[1][1:3] == ["", ""]
    assert (tmp_path / "out" / "pictures.jpg").stat().st_size > 1000


def test_a_missing_weights_file_is_one_line_and_status_2(tmp_path, capsys):
    assert evaluate("mine=nowhere.npz", "--output", tmp_path) == 2
    assert capsys.readouterr().err == "error: 'mine=nowhere.npz' is not NAME=FILE with an existing weights file\n"


def test_heads_of_other_classes_are_refused(tmp_path, capsys):
    weights = tmp_path / "weights.npz"
    weights.write_bytes(COMPACT_WEIGHTS.read_bytes())
    np.savez(tmp_path / HEADS_FILE, **{"0/kernel": np.zeros((256, 1)), "0/bias": [0], "0/classes": ["other"]})
    pictures = write_photos(tmp_path / "pictures", count=2, size_px=132)
    labelled = write_classes(tmp_path / "labelled", COLORS)
    options = ("--photos", pictures, "--paintings", pictures, "--labelled", labelled, "--steps", 0)
    assert evaluate(f"mine={weights}", *options, "--output", tmp_path / "out") == 2
    assert "no head has the classes" in capsys.readouterr().err
