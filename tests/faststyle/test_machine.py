import platform
import subprocess
import sys

import numpy
import pytest

from faststyle.machine import machine, peak_memory_bytes
from faststyle.processor import processor_name


def test_the_record_names_versions_processor_and_cores():
    record = machine()
    assert record["versions"]["numpy"] == numpy.__version__
    assert record["versions"]["python"] == platform.python_version()
    assert record["processor"] == processor_name()
    assert record["cores"] >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the starting process")
def test_peak_memory_is_this_programs_own_and_not_that_of_the_process_that_started_it():
    ballast = numpy.ones(400 * 2**20, "uint8")
    program = "from faststyle.machine import peak_memory_bytes; print(peak_memory_bytes())"
    child = int(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
    assert child < ballast.nbytes < peak_memory_bytes()
