"""A script over real TLS that answers as a test says, and an `Http` that reaches it."""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providers.core.http import Http, HttpSettings
from providers.core.redaction import Secret
from providers.stone_edge.inbound import Inbound
from providers.stone_edge.script_url import script_url
from tests.http.authority import Authority
from tests.http.stub import Asked, Reply, Stub, context_of, running

USER, PASSWORD = "acme-parts", "cart-canary pass & wörd"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stone-edge-authority"))


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> Path:
    return authority.issue("script", ("localhost",))


@pytest.fixture
def stub(certificate: Path) -> Iterator[Stub]:
    with running(context_of(certificate)) as stub:
        yield stub


@pytest.fixture
def http(authority: Authority) -> Iterator[Http]:
    settings = HttpSettings(
        ca_file=authority.file, private={"localhost": (ipaddress.ip_network("127.0.0.0/8"),)}, deadline=10.0
    )
    with Http(settings, wait=lambda _: None, resolver=lambda host, port: ["127.0.0.1"]) as http:
        yield http


def login(url: str, password: str = PASSWORD) -> Inbound:
    return Inbound(Secret(USER), Secret(password), script_url(url))


def form_of(asked: Asked) -> dict[str, str]:
    """The form of a request; a name that comes twice is a fault of ours."""
    pairs = urllib.parse.parse_qsl(asked.body.decode(), keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def script(version: str, count: str, refusal: str) -> Callable[[Asked], Reply]:
    """A script that answers with these bodies; `refusal` is for any other login."""

    def answer(asked: Asked) -> Reply:
        form = form_of(asked)
        if form["setifunction"] == "sendversion":
            return Reply(body=version.encode())
        right = (form["setiuser"], form["password"]) == (USER, PASSWORD)
        return Reply(body=(count if right else refusal).encode())

    return answer
