"""To whom a connection goes: the address that was checked, and a certificate for the name."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import certifi
import httpcore
import pytest

from providers.core.errors import AddressRefused, DeclarationError, Unreachable
from providers.core.http import Http
from providers.core.tls import verified_tls
from tests.http.authority import Authority
from tests.http.conftest import LOOPBACK
from tests.http.stub import Reply, Stub, context_of, running

PUBLIC = "93.184.216.34"


class Dialer(httpcore.SyncBackend):
    """Writes down whom it was told to connect to, and connects to the stub instead; `dead` addresses refuse."""

    def __init__(self, port: int, dead: Sequence[str] = ()) -> None:
        self.port, self.dead = port, dead
        self.dialed: list[tuple[str, int]] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        self.dialed.append((host, port))
        if host in self.dead:
            raise httpcore.ConnectError
        return super().connect_tcp("127.0.0.1", self.port, timeout, local_address, socket_options)


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    """The throwaway authority in the place of the public ones."""
    monkeypatch.setattr(certifi, "where", lambda: str(authority.file))


@pytest.mark.usefixtures("trusted")
def test_the_connection_goes_to_the_checked_address(make_http: Callable[..., Http], stub: Stub) -> None:
    dialer = Dialer(stub.port)
    origin = make_http(private={}, dialer=dialer, resolver=lambda h, p: [PUBLIC]).origin("https://shop.example")
    assert origin.request("GET", "/", safe=True).status == 200
    assert dialer.dialed == [(PUBLIC, 443)]
    assert stub.asked[0].headers["host"] == "shop.example"


@pytest.mark.usefixtures("trusted")
def test_a_name_that_changes_its_mind_gains_nothing(make_http: Callable[..., Http], stub: Stub) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"], ["169.254.169.254"]])
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    dialer = Dialer(stub.port)
    origin = make_http(private={}, dialer=dialer, resolver=rebinding).origin("https://shop.example")
    origin.request("GET", "/", safe=True)
    stub.replies(Reply(200, b"", cut=1000))
    # The kept connection is to the checked address; the name is not asked again.
    origin.request("GET", "/", safe=True)
    assert asked == ["shop.example"]
    assert stub.ended.acquire(timeout=10)
    for words in ("internal address", "never a store"):
        with pytest.raises(AddressRefused, match=words):
            origin.request("GET", "/", safe=True)
    assert (dialer.dialed, len(asked), len(stub.asked)) == ([(PUBLIC, 443)], 3, 2)


@pytest.mark.usefixtures("trusted")
def test_every_checked_address_is_tried(make_http: Callable[..., Http], stub: Stub) -> None:
    dialer = Dialer(stub.port, dead=["2606:4700::1111"])
    found = ["2606:4700::1111", PUBLIC]
    origin = make_http(private={}, dialer=dialer, resolver=lambda h, p: found).origin("https://shop.example")
    assert origin.request("POST", "/", safe=False).status == 200
    assert [host for host, _ in dialer.dialed] == found


def test_a_name_that_does_not_exist_is_not_asked_twice(make_http: Callable[..., Http]) -> None:
    asked: list[str] = []

    def nothing(host: str, port: int) -> list[str]:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    origin = make_http(resolver=nothing).origin("https://shop.example")
    with pytest.raises(Unreachable, match=r"shop\.example: this name does not exist\. Correct the address"):
        origin.request("GET", "/", safe=True)
    assert len(asked) == 1


def test_a_look_up_that_fails_for_now_is_repeated(make_http: Callable[..., Http]) -> None:
    asked: list[str] = []

    def later(host: str, port: int) -> list[str]:
        asked.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    origin = make_http(resolver=later).origin("https://shop.example")
    with pytest.raises(Unreachable, match="cannot be looked up now"):
        origin.request("POST", "/", safe=False)
    assert len(asked) == 4


def test_a_name_without_addresses_is_no_connection(make_http: Callable[..., Http]) -> None:
    with pytest.raises(Unreachable, match="no connection"):
        make_http(resolver=lambda h, p: []).origin("https://shop.example").request("GET", "/", safe=True)


# --- certificates -------------------------------------------------------------------------------------------------------

DAY = timedelta(days=1)


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "stranger")


BAD_CERTIFICATES: dict[str, tuple[Callable[[Authority, Authority], Path], str]] = {
    "expired": (
        lambda ours, _: ours.issue("expired", ("127.0.0.1",), -3 * DAY, -2 * DAY),
        "its certificate has expired",
    ),
    "not yet valid": (lambda ours, _: ours.issue("early", ("127.0.0.1",), DAY, 2 * DAY), "not valid yet"),
    "another address": (lambda ours, _: ours.issue("other", ("127.0.0.9",)), "for another address"),
    "untrusted": (
        lambda _, theirs: theirs.issue("theirs", ("127.0.0.1",)),
        "authority that is not trusted.*hosts.private",
    ),
}


@pytest.mark.parametrize(("issue", "words"), BAD_CERTIFICATES.values(), ids=BAD_CERTIFICATES.keys())
@pytest.mark.parametrize("safe", [True, False])
def test_a_bad_certificate_ends_the_call(
    make_http: Callable[..., Http],
    authority: Authority,
    stranger: Authority,
    issue: Callable[[Authority, Authority], Path],
    words: str,
    safe: bool,
) -> None:
    with running(context_of(issue(authority, stranger))) as stub:
        with pytest.raises(Unreachable, match=words):
            make_http().origin(stub.url()).request("GET", "/", auth=("a", "b"), safe=safe)
        assert (stub.asked, stub.connections) == ([], 1)


def test_a_certificate_for_another_name_is_refused(make_http: Callable[..., Http], stub: Stub) -> None:
    private = {"internal.acme.example": LOOPBACK}
    with pytest.raises(Unreachable, match="for another name"):
        make_http(private=private).origin(stub.url("internal.acme.example")).request("GET", "/", safe=True)
    assert stub.asked == []


def test_any_other_fault_of_a_certificate_is_refused_too(
    make_http: Callable[..., Http], stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.core.http._CERTIFICATE", {})
    with pytest.raises(Unreachable, match="its certificate cannot be verified$"):
        make_http(ca_file=None).origin(stub.url()).request("GET", "/", safe=True)


def test_an_own_authority_counts_only_for_hosts_the_stack_names(make_http: Callable[..., Http], stub: Stub) -> None:
    http = make_http(
        private={"localhost": LOOPBACK},
        dialer=Dialer(stub.port),
        resolver=lambda h, p: {"localhost": ["127.0.0.1"], "shop.example": [PUBLIC]}[h],
    )
    assert http.origin(stub.url("localhost")).request("GET", "/", safe=True).status == 200
    with pytest.raises(Unreachable, match="authority that is not trusted"):
        http.origin("https://shop.example").request("GET", "/", safe=True)


@pytest.mark.usefixtures("trusted")
def test_public_authorities_count_for_named_hosts_too(make_http: Callable[..., Http], stub: Stub) -> None:
    assert make_http(ca_file=None).origin(stub.url()).request("GET", "/", safe=True).status == 200


def test_public_authorities_are_those_of_certifi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    context = verified_tls(None)
    assert context.cert_store_stats()["x509_ca"] > 50
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("content", [None, "no certificate", ""])
def test_a_ca_file_that_is_none_is_said_so(make_http: Callable[..., Http], tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(DeclarationError, match=r"ca\.pem cannot be read as certificates in PEM"):
        make_http(ca_file=file).origin("https://localhost").request("GET", "/", safe=True)


def test_old_tls_is_refused(make_http: Callable[..., Http], certificate: Path) -> None:
    context = context_of(certificate)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with running(context) as stub:
        with pytest.raises(Unreachable, match="no TLS connection"):
            make_http().origin(stub.url()).request("GET", "/", safe=True)
        assert stub.connections == 1


@contextlib.contextmanager
def answering(first: bytes | None) -> Iterator[tuple[int, list[int]]]:
    """A port that says these bytes to whoever connects, or nothing, and hangs up; counts who came."""
    listener = socket.create_server(("127.0.0.1", 0))
    came: list[int] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            came.append(1)
            with connection:
                if first is not None:
                    connection.recv(65536)
                    connection.sendall(first)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], came
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_port_that_speaks_no_tls_is_not_asked_again(make_http: Callable[..., Http]) -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, came):
        with pytest.raises(Unreachable, match="no TLS connection can be made"):
            make_http().origin(f"https://127.0.0.1:{port}").request("GET", "/", safe=True)
        assert len(came) == 1


@pytest.mark.parametrize("safe", [True, False])
def test_a_handshake_that_breaks_off_is_tried_again(make_http: Callable[..., Http], safe: bool) -> None:
    with answering(None) as (port, came):
        with pytest.raises(Unreachable, match="no TLS connection can be made"):
            make_http().origin(f"https://127.0.0.1:{port}").request("GET", "/", safe=safe)
        assert len(came) == 4


def test_session_keys_are_written_nowhere(
    make_http: Callable[..., Http], stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert make_http().origin(stub.url()).request("GET", "/", safe=True).status == 200
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_no_proxy_of_the_environment_is_used(
    make_http: Callable[..., Http], stub: Stub, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with answering(b"") as (port, came):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        assert make_http().origin(stub.url()).request("GET", "/", safe=True).status == 200
        assert came == []
