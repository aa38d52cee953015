"""`python -m operations`: the `connections` command."""

import sys

from operations.program import run
from providers.core.hardening import harden
from providers.core.redaction import quiet_excepthook

if __name__ == "__main__":
    harden()
    sys.excepthook = quiet_excepthook
    sys.exit(run(sys.argv[1:]))
