"""The program of the engine: it declares what the files of its stack say."""

import sys
from pathlib import Path

import pulumi

from providers.connection import declare
from providers.core.errors import ConnectionsError

SAID = 32
"""The exit code by which a program tells the engine that the user has read the error already (sdk/python/cmd)."""

try:
    declare(Path(__file__).parent / "stacks")
except ConnectionsError as error:
    pulumi.log.error(str(error))
    sys.exit(SAID)
