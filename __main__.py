"""The program of the engine: it declares what the files of its stack say."""

import sys
from pathlib import Path

from providers.connection import declare
from providers.core.errors import ConnectionsError

try:
    declare(Path(__file__).parent / "stacks")
except ConnectionsError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(1)
