"""Keeps TensorFlow's start-up notes off the terminal: they come from C++ before any log level applies."""

import io
import os
import re
import sys
import threading

# absl's line prefix is a severity letter and the date; "cuInit" is how a machine without a GPU announces itself.
_NOISE = re.compile(
    rb"^(WARNING: All log messages before absl::InitializeLog|[IW]\d{4} |E\d{4} .*cuInit|"
    rb"To enable the following instructions:|INFO: Created TensorFlow Lite |\d{4}-\d\d-\d\d .*: [IW] |\s*$)"
)


def filter_native_logs() -> None:
    """Drops notes and warnings that native code writes to standard error; its errors pass, Python's own output too.

    Python keeps writing to the real standard error through a copy of its descriptor, so that progress bars see the
    terminal; everything else that writes to descriptor 2 goes through a filtering thread.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    real = os.dup(2)
    reader, writer = os.pipe()
    os.dup2(writer, 2)
    os.close(writer)
    sys.stderr = io.TextIOWrapper(os.fdopen(real, "wb", 0), encoding="utf-8", errors="replace", write_through=True)
    threading.Thread(target=_copy_lines, args=(reader, real), daemon=True, name="native-logs").start()


def _copy_lines(reader: int, target: int) -> None:
    with os.fdopen(reader, "rb") as lines:
        for line in lines:
            if not _NOISE.match(line):
                os.write(target, line)
