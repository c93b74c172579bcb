"""`python -m faststyle.infer.beam_pipeline`."""

import sys

from faststyle.infer.beam_pipeline.command import main

if __name__ == "__main__":
    sys.exit(main())
