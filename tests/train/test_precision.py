import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import pytest

from faststyle.train import precision
from faststyle.train.precision import dtype_policy


@pytest.fixture
def machine(monkeypatch):
    """Makes the machine look like another one: a GPU's compute capability or None, and the processor's flags."""

    def pretend(capability: tuple[int, int] | None, flags: set[str]) -> None:
        monkeypatch.setattr(precision, "_gpu_compute_capability", lambda: capability)
        monkeypatch.setattr(precision, "_cpu_flags", lambda: flags)

    return pretend


@pytest.mark.parametrize(("name", "policy"), [("float32", "float32"), ("bfloat16", "mixed_bfloat16")])
def test_a_precision_asked_for_is_used_on_any_machine(machine, name, policy):
    for capability, flags in ((None, set()), (None, {"amx_bf16"}), ((7, 5), set()), ((9, 0), set())):
        machine(capability, flags)
        assert dtype_policy(name) == policy


@pytest.mark.parametrize(
    ("capability", "flags", "policy"),
    [
        (None, {"avx2", "amx_bf16"}, "mixed_bfloat16"),
        (None, {"avx2", "avx512_bf16"}, "mixed_bfloat16"),
        (None, {"avx2", "avx512f"}, "float32"),
        (None, set(), "float32"),
        ((8, 0), set(), "mixed_bfloat16"),
        ((12, 0), set(), "mixed_bfloat16"),
        ((7, 5), {"amx_bf16"}, "float32"),  # an old GPU beside a new processor: the GPU computes
        ((0, 0), set(), "float32"),
    ],
)
def test_auto_is_bfloat16_where_the_machine_is_fast_at_it(machine, capability, flags, policy):
    machine(capability, flags)
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


def test_the_processors_flags_are_read(monkeypatch):
    monkeypatch.setattr(precision, "_gpu_compute_capability", lambda: None)
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.is_file() else ""
    fast = any(f" {flag} " in text.replace("\n", " ") for flag in ("amx_bf16", "avx512_bf16"))
    assert dtype_policy("auto") == ("mixed_bfloat16" if fast else "float32")


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_variables_stay_float32(name):
    layer = keras.layers.Dense(2, dtype=dtype_policy(name))
    layer.build((None, 3))
    assert layer.kernel.dtype == "float32"
    assert layer.compute_dtype == name


def test_an_unknown_precision_is_named_with_the_choices():
    with pytest.raises(ValueError, match="^unknown precision 'float16'; choose one of auto, bfloat16, float32$"):
        dtype_policy("float16")
