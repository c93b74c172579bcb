"""Runs a command in a process of its own and prints its seconds and its peak memory as JSON.

It imports nothing large, because Linux counts what the parent held as the child's peak.
"""

import json
import resource
import subprocess
import sys
import time


def main(command: list[str]) -> int:
    """Runs the command and returns its exit status."""
    start = time.perf_counter()
    status = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    seconds = time.perf_counter() - start
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
    print(json.dumps({"seconds": seconds, "peak_mib": peak_mib}))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
