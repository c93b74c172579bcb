"""Damage by chance: bytes cut, flipped, filled and swapped, values of other kinds in JSON, arrays of other kinds."""

import copy
import io
import json
import zipfile
from typing import Any

import numpy as np

_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 7.5, 1e308, float("nan"), float("inf"), 10**30, "", "7", "\x1b[31m", "<b>&\"'", "../../a"),
    *("\u202e", "a\nb", "x" * 5000, [], {}, [[]], [None], {"a": 1}, ["a", "a"], "photo", "\udc80"),
)


def damaged_bytes(content: bytes, random: np.random.Generator) -> bytes:
    """Truncated, with flipped bits, another header, two pieces swapped, a piece cut out, or a run of one byte."""
    size = max(1, len(content))
    damaged = bytearray(content)
    length = int(random.integers(1, 64))
    match random.integers(6):
        case 0:
            return content[: random.integers(size)]
        case 1:
            for position in random.integers(0, size, random.integers(1, 20)):
                damaged[position] ^= 1 << random.integers(8)
        case 2:
            for position in random.integers(0, min(size, 100), 3):  # headers
                damaged[position] = random.integers(256)
        case 3:
            length = int(random.integers(1, size // 4 + 2))
            a, b = sorted(random.integers(0, max(1, size - length), 2).tolist())
            b = max(b, a + length)
            damaged[a : a + length], damaged[b : b + length] = damaged[b : b + length], damaged[a : a + length]
        case 4:
            a = int(random.integers(size))
            del damaged[a : a + length]
        case 5:
            a = int(random.integers(size))
            damaged[a : a + length] = bytes([(0, 255, int(random.integers(256)))[random.integers(3)]]) * length
    return bytes(damaged)


def damaged_json(content: bytes, random: np.random.Generator) -> bytes:
    """With one to three values of other kinds, or missing; endlessly deep; or damaged as bytes are."""
    if (kind := random.random()) < 0.2:
        return damaged_bytes(content, random)
    if kind < 0.22:
        return b"[" * 100_000
    value = json.loads(content)
    for _ in range(random.integers(1, 4)):
        value = _with_another_value(value, random)
    return json.dumps(value).encode()


def damaged_npz(content: bytes, random: np.random.Generator) -> bytes:
    """With one member of other bytes or values but right checksums, or missing, or double; or damaged as bytes are."""
    if random.random() < 0.4:
        return damaged_bytes(content, random)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = [(name, file.read(name)) for name in file.namelist()]
    chosen = -1 if random.random() < 0.5 else random.integers(len(members))  # the last one is JSON
    name, held = members[chosen]
    match random.integers(6):
        case 0:
            del members[chosen]
        case 1:
            members[chosen] = (name, damaged_bytes(held, random))
        case 2:
            members[chosen] = (name, held[:128] + damaged_bytes(held[128:], random))
        case _:
            members[chosen] = (name, _as_npy(_another_array(np.load(io.BytesIO(held)), random)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, held in members:
            file.writestr(name, held)
    return buffer.getvalue()


def _with_another_value(value, random: np.random.Generator):
    if not isinstance(value, (dict, list)) or not value or random.random() < 0.1:
        return copy.deepcopy(_VALUES[random.integers(len(_VALUES))])
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = keys[random.integers(len(keys))]
    if random.random() < 0.1:
        del value[key]
    else:
        value[key] = _with_another_value(value[key], random)
    return value


def _another_array(array: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """JSON bytes as other JSON, numbers as none, or of another kind or shape."""
    if array.dtype == np.uint8:
        return np.frombuffer(damaged_json(array.tobytes(), random), "uint8")
    kinds = (
        lambda: np.full_like(array, random.choice([np.nan, np.inf, 1e38])),
        lambda: array.astype(["float16", "float64", "int32", "bool", "complex64", "U4"][random.integers(6)]),
        lambda: array.reshape(-1),
        lambda: array[:0] if array.ndim else array[None],
        lambda: np.concatenate([array, array]) if array.ndim else array[None],
    )
    return kinds[random.integers(len(kinds))]()


def _as_npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
