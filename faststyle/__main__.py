"""`python -m faststyle`: the command."""

import sys

from faststyle.scripts.faststyle import main

if __name__ == "__main__":
    sys.exit(main())
