import sys
from types import SimpleNamespace

import keras
import pytest

from faststyle.train import precision
from faststyle.train.precision import dtype_policy


@pytest.fixture
def machine(monkeypatch):
    """Makes the machine look like another one: a GPU's compute capability or None, and a fast processor or not."""

    def pretend(capability: tuple[int, int] | None, fast_processor: bool) -> None:
        monkeypatch.setattr(precision, "_gpu_compute_capability", lambda: capability)
        monkeypatch.setattr(precision, "multiplies_bfloat16_fast", lambda: fast_processor)

    return pretend


@pytest.mark.parametrize(("name", "policy"), [("float32", "float32"), ("bfloat16", "mixed_bfloat16")])
def test_a_precision_asked_for_is_used_on_any_machine(machine, name, policy):
    for capability, fast_processor in ((None, False), (None, True), ((7, 5), False), ((9, 0), False)):
        machine(capability, fast_processor)
        assert dtype_policy(name) == policy


@pytest.mark.parametrize(
    ("capability", "fast_processor", "policy"),
    [
        (None, True, "mixed_bfloat16"),
        (None, False, "float32"),
        ((8, 0), False, "mixed_bfloat16"),
        ((12, 0), False, "mixed_bfloat16"),
        ((7, 5), True, "float32"),  # an old GPU beside a new processor: the GPU computes
        ((0, 0), False, "float32"),
    ],
)
def test_auto_is_bfloat16_where_the_machine_is_fast_at_it(machine, capability, fast_processor, policy):
    machine(capability, fast_processor)
    assert dtype_policy("auto") == policy


@pytest.mark.parametrize(
    ("device", "capability"),
    [
        ({"platform": "gpu", "compute_capability": "9.0"}, (9, 0)),
        ({"platform": "gpu", "compute_capability": "gfx90a"}, (0, 0)),  # AMD's have names
        ({"platform": "gpu"}, (0, 0)),
        ({"platform": "cpu"}, None),
    ],
)
def test_jax_tells_the_gpus_capability_without_tensorflow(monkeypatch, device, capability):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(devices=lambda: [SimpleNamespace(**device)]))
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert precision._gpu_compute_capability() == capability


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_variables_stay_float32(name):
    layer = keras.layers.Dense(2, dtype=dtype_policy(name))
    layer.build((None, 3))
    assert layer.kernel.dtype == "float32"
    assert layer.compute_dtype == name


def test_an_unknown_precision_is_named_with_the_choices():
    with pytest.raises(ValueError, match="^unknown precision 'float16'; choose one of auto, bfloat16, float32$"):
        dtype_policy("float16")
