"""Start and stop the stand-in as a process of its own, for tests, benches and scripts."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.client import Client

START_SECONDS = 20.0
STOP_SECONDS = 5.0
LOG_NAME = "server.log"
ROOT = Path(__file__).resolve().parent.parent


class StartError(RuntimeError):
    """The stand-in did not come up; the message holds the end of its log."""


@dataclass(slots=True)
class ServerProcess:
    """A running stand-in."""

    process: subprocess.Popen[bytes]
    directory: Path
    url: str
    ca: Path
    client: Client

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self.process.pid

    def stop(self) -> None:
        """End it politely (SIGTERM); its data stay."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._close()

    def kill(self) -> None:
        """End it like a crash (SIGKILL)."""
        self.process.kill()
        self._close()

    def _close(self) -> None:
        self.process.wait()
        self.client.close()
        _close_pipes(self.process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def start(
    directory: Path, port: int = 0, *, mail_port: int = 0, log_size: int | None = None, outlive: bool = False
) -> ServerProcess:
    """Start the stand-in on a directory and wait until it listens.

    It ends with the process that started it, even after a SIGKILL, unless it is to `outlive` it.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [sys.executable, "-m", "sandbox", "serve", "--directory", str(directory), "--port", str(port)]
    command += ["--mail-port", str(mail_port)]
    if log_size is not None:
        command += ["--log-size", str(log_size)]
    if not outlive:
        command.append("--until-stdin-closes")
    with (directory / LOG_NAME).open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL if outlive else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=outlive,
        )
    ready = _first_line(process, directory)
    return ServerProcess(process, directory, ready["url"], Path(ready["ca"]), Client(ready["url"], Path(ready["ca"])))


@contextmanager
def running(directory: Path, port: int = 0) -> Iterator[ServerProcess]:
    """The stand-in for the length of a block."""
    with start(directory, port) as server:
        yield server


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _first_line(process: subprocess.Popen[bytes], directory: Path) -> dict[str, str]:
    """The line that says it is ready."""
    if process.stdout is None:
        raise StartError("the stand-in has no output")
    # One short line, written at once: when anything can be read, all of it can.
    readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline() if readable else b""
    try:
        ready: dict[str, str] = json.loads(line)
    except ValueError:
        process.kill()
        process.wait()
        _close_pipes(process)
        tail = (directory / LOG_NAME).read_text(errors="replace")[-2000:]
        raise StartError(f"the sandbox did not start:\n{tail}") from None
    return ready
