import platform

import numpy

from infer.machine import machine, processor_name


def test_the_record_names_versions_processor_and_cores():
    record = machine()
    assert record["versions"]["numpy"] == numpy.__version__
    assert record["versions"]["python"] == platform.python_version()
    assert record["processor"] == processor_name()
    assert record["cores"] >= 1
