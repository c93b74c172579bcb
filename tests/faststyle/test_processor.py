import pytest

from faststyle import processor
from faststyle.processor import multiplies_bfloat16_fast, processor_name


@pytest.fixture
def described(tmp_path, monkeypatch):
    """Makes the kernel describe two processors of this vendor and with these flags."""

    def pretend(vendor: str, flags: str) -> None:
        lines = f"processor\t: 0\nvendor_id\t: {vendor}\nmodel name\t: A: fast one\nflags\t\t: fpu {flags}\nbugs\t:\n"
        (tmp_path / "cpuinfo").write_text(f"{lines}\n{lines.replace('fpu', 'fpu amx_bf16')}")
        monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")

    return pretend


@pytest.mark.parametrize(
    ("vendor", "flags", "fast"),
    [
        ("GenuineIntel", "avx512f avx512_bf16 amx_bf16", True),
        ("GenuineIntel", "avx512f avx512_bf16", False),
        ("AuthenticAMD", "avx512f avx512_bf16", True),
        ("AuthenticAMD", "avx512f", False),
    ],
)
def test_bfloat16_is_fast_with_amx_and_with_amds_avx512(described, vendor, flags, fast):
    described(vendor, flags)
    assert multiplies_bfloat16_fast() is fast
    assert processor_name() == "A: fast one"


def test_an_unknown_processor_is_taken_for_a_slow_one(tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "none")
    assert not multiplies_bfloat16_fast()
