"""What a measurement ran on: processor, cores and versions, for the record."""

import os
import platform
from importlib import metadata
from pathlib import Path

_PACKAGES = ("faststyle", "tensorflow", "jax", "keras", "numpy", "pillow", "openvino", "tensorflow-datasets")


def machine() -> dict:
    """`{"processor", "cores", "platform", "versions": {name: version or None}}`."""
    versions = {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}
    return {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "versions": versions,
    }


def processor_name() -> str:
    """The processor's name, as the operating system knows it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
