"""Which compute precision a run uses: bfloat16 where the processor multiplies it fast, float32 elsewhere."""

import re

import keras

from faststyle.processor import multiplies_bfloat16_fast

PRECISIONS = ("auto", "bfloat16", "float32")
_POLICIES = {"bfloat16": "mixed_bfloat16", "float32": "float32"}
# NVIDIA's Ampere generation is the first with bfloat16 matrix units.
_AMPERE = (8, 0)


def dtype_policy(precision: str) -> str:
    """The Keras dtype policy of "auto", "bfloat16" or "float32"; variables stay float32 in each.

    Raises:
        ValueError: unknown precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}; choose one of {', '.join(PRECISIONS)}")
    if precision == "auto":
        precision = "bfloat16" if _bfloat16_is_fast() else "float32"
    return _POLICIES[precision]


def has_gpu() -> bool:
    """Whether the Keras backend computes on a GPU."""
    return _gpu_compute_capability() is not None


def _bfloat16_is_fast() -> bool:
    capability = _gpu_compute_capability()
    if capability is not None:
        return capability >= _AMPERE
    return multiplies_bfloat16_fast()


def _gpu_compute_capability() -> tuple[int, int] | None:
    """Compute capability of the first GPU, (0, 0) where it is unknown, None without a GPU."""
    if keras.backend.backend() == "jax":
        import jax

        device = jax.devices()[0]
        if device.platform != "gpu":
            return None
        known = re.fullmatch(r"(\d+)\.(\d+)", str(getattr(device, "compute_capability", "")))  # AMD's have names
        return (int(known[1]), int(known[2])) if known else (0, 0)
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    return tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
