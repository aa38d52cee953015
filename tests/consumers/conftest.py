"""One sandbox for all plays; each has stores and sites of its own."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest

from providers.core.http import Http, HttpSettings
from sandbox.server_process import ServerProcess, start
from tests.consumers.play import present

__all__ = ["present"]


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(tmp_path_factory.mktemp("consumers")) as process:
        yield process


@pytest.fixture(scope="session")
def wire(sandbox: ServerProcess) -> Iterator[Http]:
    """The connections that the processes of all plays use."""
    private = {"localhost": (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))}
    with Http(HttpSettings(ca_file=sandbox.ca, private=private, read_timeout=10.0), chance=lambda: 0.001) as http:
        yield http
