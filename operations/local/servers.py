"""The sandbox's servers: processes that outlive the run that started them, and are found again by the next."""

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from operations.local.place import LocalError, Place
from sandbox import server_process
from sandbox import vault as vault_server
from sandbox.client import Client
from sandbox.tls import ensure_authority

ENDS_WITHIN: Final = 10.0
"""Seconds a server is given to end."""


def _pid_file(place: Place, name: str) -> Path:
    return place.state / f"{name}.pid"


def running(place: Place, name: str) -> int | None:
    """The process of a server that an earlier run started, if it still runs."""
    try:
        pid = int(_pid_file(place, name).read_text(encoding="ascii"))
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    # The number may have been given to another process since: only one that works in our folder is ours. A process that
    # ended and was not yet collected has no words.
    return pid if str(place.state).encode() in words else None


def remember(place: Place, name: str, pid: int | None) -> None:
    """Keep the number of a server's process for later runs."""
    _pid_file(place, name).write_text(str(pid), encoding="ascii")


def require_free(port: int, what: str) -> None:
    """Say whose port is taken before a server fails on it with words of its own."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise LocalError(
                f"port {port}, on which {what} listens, is taken by another program",
                do="End that program, then try again",
            ) from None


def start(place: Place) -> tuple[Client, vault_server.Access]:
    """Stores and Vault: started side by side in the background, or found running."""
    if running(place, "sandbox") is None:
        require_free(place.store_port, "the sandbox")
        require_free(place.mail_port, "the sandbox's mail server")
    if running(place, "vault") is None:
        require_free(place.vault_port, "the sandbox's Vault")
    with ThreadPoolExecutor() as pool:
        stores, access = pool.submit(_stores, place), pool.submit(_vault, place)
        return stores.result(), access.result()


def _stores(place: Place) -> Client:
    directory = place.state / "sandbox"
    if running(place, "sandbox") is not None:
        return Client(f"https://localhost:{place.store_port}", directory / "tls" / "ca.pem")
    started = server_process.start(directory, place.store_port, mail_port=place.mail_port, outlive=True)
    remember(place, "sandbox", started.pid)
    return started.client


def _vault(place: Place) -> vault_server.Access:
    directory = place.state / "vault"
    authority = ensure_authority(place.state / "sandbox" / "tls")
    if running(place, "vault") is not None:
        token = json.loads((directory / "vault-keys.json").read_text(encoding="utf-8"))["root_token"]
        return vault_server.RemoteVault(f"https://127.0.0.1:{place.vault_port}", authority.certificate_path, token)
    server = vault_server.start(directory, place.vault_port, authority=authority)
    remember(place, "vault", server.pid)
    return server


def stop(place: Place, name: str) -> None:
    """End a server that an earlier run started; its data stay."""
    pid = running(place, name)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + ENDS_WITHIN
        while running(place, name) is not None and time.monotonic() < deadline:
            time.sleep(0.02)
    _pid_file(place, name).unlink(missing_ok=True)
