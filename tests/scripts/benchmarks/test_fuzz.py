import io
import json
import zipfile

import numpy as np
import pytest

from faststyle.command_line import run_command_line
from faststyle.scripts.benchmarks import fuzz
from faststyle.scripts.benchmarks.damage import damaged_bytes, damaged_json, damaged_npz
from faststyle.scripts.benchmarks.fuzzed import Subject

NUMBERS = {"styles": ["a", "b"], "settings": {"width": 0.5}}


def damaged(damage, content: bytes, *, count: int = 200) -> list[bytes]:
    return [damage(content, np.random.default_rng(seed)) for seed in range(count)]


@pytest.mark.parametrize("content", [b"x", bytes(range(256)) * 4])
def test_most_damage_changes_the_bytes_and_a_seed_gives_the_same_again(content):
    changed = damaged(damaged_bytes, content)
    assert sum(other != content for other in changed) > 0.75 * len(changed)
    assert changed == damaged(damaged_bytes, content)


def test_most_damaged_json_can_be_read_and_says_something_else():
    readable = []
    for content in damaged(damaged_json, json.dumps(NUMBERS).encode()):
        try:
            readable.append(json.loads(content))
        except (ValueError, RecursionError):
            continue
    assert len(readable) > 100
    assert sum(value != NUMBERS for value in readable) > 0.9 * len(readable)


def test_much_of_the_damage_to_arrays_has_right_checksums():
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones((3, 2), "float32"), card=np.frombuffer(json.dumps(NUMBERS).encode(), "uint8"))
    whole = 0
    for content in damaged(damaged_npz, buffer.getvalue()):
        try:
            whole += zipfile.ZipFile(io.BytesIO(content)).testzip() is None
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError):
            continue
    assert whole > 80


def read_nothing(folder) -> bool:
    return True


def refuse(folder) -> bool:
    return False


def fail(folder) -> bool:
    raise KeyError("styles")


def leave_half(folder) -> bool:
    (folder / ".out.png.x1").touch()
    return True


@pytest.mark.parametrize(
    ("reader", "outcome"),
    [(read_nothing, "read"), (refuse, "refused"), (fail, "fault"), (leave_half, "partial file")],
)
def test_what_a_reader_does_is_told(tmp_path, monkeypatch, reader, outcome):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # which it changes

    def write(folder):
        folder.mkdir()
        (folder / "a.json").write_text(json.dumps(NUMBERS))

    scratch = fuzz._Scratch(tmp_path, [Subject("cards", 1, write, reader)], 0)
    assert scratch.read(3)[0] == outcome
    assert [path.name for path in tmp_path.iterdir()] == ["cards"]


def test_the_command_counts_inputs_and_finds_nothing(capsys):
    status = run_command_line("f", [fuzz.add_fuzz_command], ["fuzz", "--minutes", "0.05", "--subjects", "reports"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| files | inputs | read | refused | fault | partial file | hang | crash |"
    name, *counts = lines[2].strip("| ").split(" | ")
    assert (name, counts[3:], status) == ("reports", ["0"] * 4, 0)


@pytest.mark.parametrize("minutes", ["0", "-1", "nan"])
def test_no_time_is_refused(capsys, minutes):
    try:
        status = run_command_line("f", [fuzz.add_fuzz_command], ["fuzz", "--minutes", minutes])
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert "minutes" in capsys.readouterr().err
