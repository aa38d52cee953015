"""The command on a real terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.operations.conftest import Project

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def on_a_terminal(
    project: Project, *arguments: str, whole: bool = False, **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The command in a process of its own whose standard input and error are a terminal, with `whole` its output too; and
    the terminal's other end."""
    master, slave = pty.openpty()
    environment = {**os.environ, **project.environment(), "PYTHONPATH": str(ROOT), **variables}
    process = subprocess.Popen(
        [sys.executable, "-m", "operations", *arguments],
        cwd=project.root,
        env=environment,
        stdin=slave,
        stdout=slave if whole else subprocess.PIPE,
        stderr=slave,
    )
    os.close(slave)
    try:
        yield process, master
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        os.close(master)


def until(master: int, text: str, seen: bytearray, seconds: float = 60.0) -> None:
    """Read the terminal until it shows a text."""
    deadline = time.monotonic() + seconds
    while text.encode() not in seen:
        ready, _, _ = select.select([master], [], [], deadline - time.monotonic())
        assert ready, f"{text!r} did not come: {bytes(seen)!r}"
        seen += os.read(master, 4096)


def rest(master: int, seen: bytearray) -> None:
    """Read the terminal until nobody writes to it any more."""
    with suppress(OSError):
        while data := os.read(master, 4096):
            seen += data
