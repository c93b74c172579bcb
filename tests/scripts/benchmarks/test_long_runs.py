import pytest

from faststyle.scripts.benchmarks.long_probe import memory_bytes
from faststyle.scripts.benchmarks.long_runs import memory_row

MIB = 2**20


def test_growth_is_counted_from_the_first_quarter_on_to_the_most_that_was_held():
    row = memory_row("work", [(0.1, 10 * MIB), (0.3, 100 * MIB), (0.6, 104 * MIB), (0.9, 102 * MIB)])
    assert [str(cell) for cell in row] == ["work", "100", "104", "102", "4.0%", "at most 5%: met"]
    assert memory_row("work", [(0.3, 100 * MIB), (0.9, 106 * MIB)])[-1] == "at most 5%: not met"


def test_memory_held_is_seen():
    before = memory_bytes()
    held = bytearray(64 * MIB)
    held[::4096] = b"x" * len(held[::4096])
    assert memory_bytes() - before == pytest.approx(64 * MIB, rel=0.1)
