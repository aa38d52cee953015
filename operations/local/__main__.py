"""`python -m operations.local up` and `down`."""

import sys
from pathlib import Path

from rich.console import Console

from operations.local.commands import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], Path.cwd(), Console(soft_wrap=True)))
