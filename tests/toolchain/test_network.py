"""The guard that keeps tests on this machine."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from tests.conftest import stays_here


@pytest.mark.parametrize(
    "host",
    ["93.184.216.34", "10.0.0.1", "169.254.169.254", "2001:db8::1", "::ffff:10.0.0.1", "example.com"],
)
def test_no_address_but_loopback(host: str) -> None:
    with pytest.raises(AssertionError, match="tests use no network"):
        socket.create_connection((host, 443), timeout=1)


def test_no_name_is_looked_up() -> None:
    with pytest.raises(AssertionError, match="b'example.com'"):
        socket.getaddrinfo(b"example.com", 443)
    with pytest.raises(AssertionError, match="'example.com'"):
        socket.gethostbyname("example.com")


def test_no_datagram_leaves() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, pytest.raises(AssertionError):
        sender.sendto(b"x", ("10.0.0.1", 53))


def test_clients_do_not_swallow_the_refusal() -> None:
    """It is no OSError, or a client would take it for a store that is down and go on."""
    with pytest.raises(AssertionError, match="only loopback"):
        httpx.get("https://example.com/", trust_env=False)

    async def connect() -> None:
        await asyncio.open_connection("10.0.0.1", 80)

    with pytest.raises(AssertionError, match="only loopback"):
        asyncio.run(connect())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_works(host: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection((host, server.getsockname()[1]), timeout=5),
    ):
        server.accept()[0].close()


@pytest.mark.parametrize(
    "host", [None, "", "::1", "127.9.9.9", "store.localhost", "STORE.localhost.", "::ffff:127.0.0.1"]
)
def test_names_of_this_machine(host: str | None) -> None:
    assert stays_here(host)


def test_unix_sockets_work() -> None:
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"x")
        assert right.recv(1) == b"x"
