"""A terminal for the scripted people of the sandbox: what is shown there alone, they read too."""

import os
import pty
import subprocess
import sys
from contextlib import suppress

from operations.local.place import LocalError
from operations.local.world import World
from providers.core.policies import Role


def shown_on_a_terminal(world: World, role: Role, *arguments: str) -> str:
    """What the command shows on a terminal of its own. `LocalError` where it ends with an error: what it said then."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in world.environment(role).items() if name != "CI"}
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "operations", *arguments],
            cwd=world.place.root,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        text = _read(ours)
        code = process.wait()
    finally:
        os.close(ours)
    if code:
        raise LocalError(f"connections {' '.join(arguments)} ended with exit code {code}: {text.strip()[-300:]}")
    return text


def _read(terminal: int) -> str:
    """Everything, until nobody writes to it any more."""
    seen = bytearray()
    with suppress(OSError):
        while data := os.read(terminal, 4096):
            seen += data
    return seen.decode("utf-8", "replace").replace("\r\n", "\n")
