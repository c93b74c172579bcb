import json
import sys
from pathlib import Path

import pytest

from faststyle.scripts.benchmarks.torch_training import FORMS
from faststyle.scripts.benchmarks.training_steps import TorchTrainer, our_step, step_operations


def test_operations_of_a_step_by_hand():
    # Width 1/32 has channels 1, 2 and 4: one for each 32 of the paper's.
    side = 32
    full, half, quarter = side**2, (side // 2) ** 2, (side // 4) ** 2
    transform = full * (81 * 3 * 1 + 9 * 2 * 1 + 81 * 1 * 3) + half * (9 * 1 * 2 + 9 * 4 * 2)
    transform += quarter * (9 * 2 * 4 + 10 * 9 * 4 * 4)
    to_relu3_1 = full * 9 * (3 * 64 + 64 * 64) + half * 9 * (64 * 128 + 128 * 128) + quarter * 9 * 128 * 256
    to_content = to_relu3_1 + quarter * 9 * 2 * 256 * 256  # relu3_3
    to_style = to_content + (side // 8) ** 2 * 9 * 256 * 512  # relu4_1
    coarser = to_style / 2**2  # the image at half its size
    expected = 2 * (3 * transform + to_content + 2 * (to_style + coarser))
    assert step_operations(1 / 32, side) == pytest.approx(expected)


@pytest.mark.slow
def test_our_step_lowers_the_objective():
    step = our_step(0.125, "float32", batch_size=2, side=32)
    totals = [step()["total"] for _ in range(6)]
    assert totals[-1] < totals[0]


@pytest.fixture
def pretended_torch(tmp_path) -> Path:
    """A program in the place of PyTorch's Python: answers as the server does."""
    program = tmp_path / "python"
    program.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        "for line in sys.stdin:\n"
        "    if line.strip() == 'end': break\n"
        "    taken = {'seconds': 1.0, 'arguments': sys.argv[1:]}\n"
        "    print(json.dumps({'failed': 'no compiler'} if 'compiled' in line else taken), flush=True)\n"
    )
    program.chmod(0o755)
    return program


def test_a_form_that_fails_says_why_and_the_others_go_on(pretended_torch):
    with TorchTrainer(str(pretended_torch), 0.5, batch_size=2, side=64) as torch:
        assert [torch.failure(form) for form in FORMS] == [None, None, "no compiler"]
        answer = torch.step(FORMS[0])()
    assert answer["arguments"][-3:] == ["0.5", "2", "64"]
    assert json.dumps(answer)


def test_a_process_that_ends_is_an_error(pretended_torch):
    with (
        TorchTrainer(str(pretended_torch), 0.5, batch_size=2, side=64) as torch,
        pytest.raises(RuntimeError, match="PyTorch's process ended at 'end' with status 0"),
    ):
        torch.step("end")()
