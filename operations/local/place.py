"""Where the sandbox is, and what its files declare."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rich.console import Console

from providers.core.errors import ConnectionsError
from providers.declarations import Stack, Store, load, platforms

STACK, PROJECT = "sandbox", "connections"
VAULT_PORT: Final = 18200


class LocalError(ConnectionsError):
    """The sandbox could not be started, used or stopped."""


@dataclass(frozen=True)
class Place:
    """A checkout with its sandbox."""

    root: Path
    console: Console
    vault_port: int = VAULT_PORT

    @property
    def state(self) -> Path:
        """Everything that a run leaves."""
        return self.root / ".local"

    @cached_property
    def stack(self) -> Stack:
        """What the sandbox's files declare."""
        return load(self.root / "stacks", STACK, platforms(), project=PROJECT)

    def stores(self, platform: str) -> Sequence[Store]:
        """The declared stores of a platform."""
        return [store for store in self.stack.stores if store.platform == platform]

    @property
    def store_port(self) -> int:
        """The port of the sandbox's stores, as their files say."""
        ports = {urlsplit(store.url).port for store in self.stack.stores}
        port = ports.pop() if len(ports) == 1 else None
        if port is None:
            raise LocalError("the stores of the sandbox are not all at one port of this machine")
        return port

    @property
    def mail_port(self) -> int:
        """The port of the sandbox's mail server, as `_stack.yaml` says."""
        mail = self.stack.settings.hubs.mail
        if mail is None or mail.port is None:
            raise LocalError("_stack.yaml of the sandbox names no mail server with its port")
        return mail.port

    def say(self, line: str) -> None:
        """A line about what is going on."""
        self.console.print(line, highlight=False)


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read, at no moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)
