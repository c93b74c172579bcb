from faststyle.scripts.benchmarks.table import Number
from faststyle.scripts.benchmarks.torch_training import FORMS
from faststyle.scripts.benchmarks.training import input_table, torch_table


class PretendedTorch:
    """PyTorch's process, which takes steps at once; compiling fails."""

    def __init__(self, *_arguments, **_options):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def failure(self, form):
        return "no compiler" if "compiled" in form else None

    def step(self, form):
        return lambda: form


def test_targets_shares_and_failures_are_in_the_table(monkeypatch):
    seconds = {"ours, float32": 2.0, "ours, bfloat16": 1.0, f"PyTorch, {FORMS[0]}": 6.0, f"PyTorch, {FORMS[1]}": 1.4}
    monkeypatch.setattr("faststyle.scripts.benchmarks.training.TorchTrainer", PretendedTorch)
    monkeypatch.setattr(
        "faststyle.scripts.benchmarks.training.take_turns", lambda steps, rounds: {n: seconds[n] for n in steps}
    )
    monkeypatch.setattr("faststyle.scripts.benchmarks.training.our_step", lambda *_, **__: lambda: None)
    monkeypatch.setattr("faststyle.scripts.benchmarks.training.step_operations", lambda *_: 50.0)
    rates = {"float32": 100.0, "bfloat16": 400.0}
    table = torch_table(1, "python", 0.5, rates=rates, batch_size=2, side=64)
    rows = {row[0]: row[1:] for row in table.rows}
    shown = {name: [str(cell) for cell in row] for name, row in rows.items()}
    assert shown["ours, bfloat16"] == ["1.00", "2.0", "1.0", "100%", "25%", ""]
    assert shown[f"PyTorch, {FORMS[0]}"] == ["6.00", "0.3", "6.0", "17%", "4%", "at least 5: met"]
    assert shown[f"PyTorch, {FORMS[1]}"][-1] == "at least 1.5: not met"
    assert shown[f"PyTorch, {FORMS[2]}"][-1] == "failed: no compiler"
    assert table.name == "training.pytorch-0.5"


def test_the_input_pipeline_is_held_against_training(monkeypatch):
    monkeypatch.setattr("faststyle.scripts.benchmarks.training._PIPELINE_BATCHES", 3)
    monkeypatch.setattr("faststyle.scripts.benchmarks.training.our_step", lambda *_, **__: lambda: None)
    table = input_table(1, batch_size=2, side=32)
    supply = table.rows[0][1]
    assert isinstance(supply, Number)
    assert supply.value > 0
    assert table.rows[0][-1] in ("at least 5: met", "at least 5: not met")
