import sys

import pytest

from faststyle.scripts.benchmarks import inference
from faststyle.scripts.benchmarks.inference import process_table

COPY = f"{sys.executable} -c 'import shutil, sys; shutil.copy(*sys.argv[1:])' {{photo}} {{output}}"
HOLDS_64_MIB = COPY.replace("import shutil", "held = bytes([1]) * 2**26; import shutil")


def table_beside(tmp_path, monkeypatch, **beside):
    """Of one small photo, with a copying process in the place of ours."""
    ours = [sys.executable, "-c", "import shutil, sys; shutil.copy(*sys.argv[1:])"]
    monkeypatch.setattr(
        inference,
        "_stylize_commands",
        lambda model, photo, output, torch: {"openvino": [*ours, str(photo), str(output)]},
    )
    return process_table(tmp_path, tmp_path, 1, torch_python=None, beside=beside, sides=(32,))


def test_processes_take_turns_at_every_size_and_the_larger_one_holds_more_memory(tmp_path, monkeypatch):
    table = table_beside(tmp_path, monkeypatch, copy=COPY, large=HOLDS_64_MIB)
    assert [row[:2] for row in table.rows] == [["32x32", "openvino"], ["32x32", "copy"], ["32x32", "large"]]
    assert table.rows[0][3].value == 1
    peaks = [row[4].value for row in table.rows]
    assert 60 < peaks[2] - peaks[1] < 80


def test_a_process_that_writes_nothing_is_no_measurement(tmp_path, monkeypatch):
    with pytest.raises(RuntimeError, match="wrote no result"):
        table_beside(tmp_path, monkeypatch, idle=f"{sys.executable} -c pass {{photo}} {{output}}")
