"""Photos through standard input and output, for use in pipes."""

import os
import sys

from faststyle.images.decoding import ImageError


def read_standard_input() -> bytes:
    """All bytes of standard input.

    Raises:
        ImageError: it is a terminal.
    """
    if sys.stdin.isatty():
        raise ImageError("standard input is a terminal; pipe a photo into it")
    return sys.stdin.buffer.read()


def write_standard_output(content: bytes) -> None:
    """Writes an image to standard output.

    Raises:
        ImageError: it is a terminal, or its reader is gone.
    """
    if sys.stdout.isatty():
        raise ImageError("standard output is a terminal; redirect it into a file or a pipe")
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
        raise ImageError(f"standard output: cannot write ({error.strerror})") from None
