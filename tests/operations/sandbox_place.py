"""A checkout of a test's own in which `make up` can run: the repository's code and files, other ports."""

from __future__ import annotations

import io
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from operations.local.place import Place

ROOT = Path(__file__).resolve().parents[2]
LINKED = ("Pulumi.yaml", "__main__.py", "providers", "operations", "sandbox", "policies", ".venv")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, no two alike."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@contextmanager
def busy(port: int) -> Iterator[None]:
    """Another program listens on a port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        yield


def make_place(root: Path) -> Place:
    """The checkout; nothing runs in it yet."""
    for name in LINKED:
        (root / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "stacks", root / "stacks")
    stores, mail, vault = free_ports(3)
    for file in (root / "stacks" / "sandbox").glob("*.yaml"):
        text = file.read_text(encoding="utf-8").replace(":18443/", f":{stores}/")
        file.write_text(re.sub(r"\bport: 18587\b", f"port: {mail}", text), encoding="utf-8")
    place = Place(root, Console(file=io.StringIO(), width=120), vault_port=vault)
    assert (place.store_port, place.mail_port) == (stores, mail)
    return place
