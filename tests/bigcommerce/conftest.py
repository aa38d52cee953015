"""A scripted gateway for the tests of the wire, and the fixtures of a stub over TLS."""

from __future__ import annotations

import ipaddress
import json
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.bigcommerce.issuer import ApiAccountIssuer, issuer
from providers.bigcommerce.probes import PROBES, Probe
from providers.bigcommerce.scopes import ROWS
from providers.core.contract import Clock
from providers.core.http import Http, HttpSettings
from providers.core.redaction import Secret
from sandbox.server_process import ServerProcess, start
from tests.http.conftest import authority, certificate, few_authorities, make_http, public_authority, stub, time
from tests.http.stub import Asked, Reply, Stub

__all__ = ["authority", "certificate", "few_authorities", "make_http", "public_authority", "stub", "time"]

HASH = "abc123x"
TOKEN = "canary-token-0123456789"
SECRET = {
    "client_id": Secret("canary-client-id-7890"),
    "client_secret": Secret("canary-client-secret-0123"),
    "access_token": Secret(TOKEN),
}

NO_SCOPE = {
    "status": 403,
    "title": "You don't have a required scope to access the endpoint",
    "type": "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes",
    "errors": {},
}
UNAUTHORIZED = {
    "status": 401,
    "title": "Unauthorized - the v3 Auth client ID or token in the request are not a valid combination for this store.",
    "type": "/api-docs/getting-started/api-status-codes",
}

STONE_EDGE = {
    "Content": "read-only",
    "Checkout content": "modify",
    "Customers": "modify",
    "Orders": "modify",
    "Order transactions": "modify",
    "Products": "modify",
    "Carts": "modify",
    "Checkouts": "modify",
    "Store locations": "read-only",
    "Store inventory": "modify",
    "Fulfillment methods": "modify",
    "Order fulfillment": "modify",
}
"""The rows above none of the vendor's list (sheet 4.1)."""

ORIGIN = "https://fresh-roast.example"
ACCOUNT = "fresh-roast/tokens"
DAY = 86_400
PLAIN: dict[str, Any] = {
    "token": "storefront",
    "rights": "all",
    "channels": [1],
    "cors_origins": [ORIGIN],
    "expires_after": 90 * DAY,
}
PRIVATE: dict[str, Any] = {
    "token": "private",
    "rights": ["Customer", "Unauthenticated"],
    "channels": [1, 7],
    "cors_origins": None,
    "expires_after": 90 * DAY,
}


def answer(status: int, body: Any = None, **headers: str) -> Reply:
    """An answer with a JSON body and headers, whose names are written with `_` for `-`."""
    raw = b"" if body is None else json.dumps(body).encode()
    return Reply(status, raw, tuple((name.replace("_", "-"), value) for name, value in headers.items()))


def quota(left: int, of: int = 150) -> dict[str, str]:
    """The headers of the rate limit."""
    return {
        "x_rate_limit_requests_left": str(left),
        "x_rate_limit_requests_quota": str(of),
        "x_rate_limit_time_reset_ms": "30000",
        "x_rate_limit_time_window_ms": "30000",
    }


def probe_of(asked: Asked) -> Probe | None:
    """The probe that a request is, if it is one."""
    path, _, _ = asked.target.partition("?")
    for probe in PROBES:
        if (asked.method, path) == (probe.method, f"/stores/{HASH}{probe.path}"):
            return probe
    return None


@dataclass
class Gateway:
    """Answers as the vendor's gateway does for a token with these rights; `odd` answers certain calls otherwise, by
    `METHOD /path` without hash and query."""

    rights: Mapping[str, str] = field(default_factory=dict)
    odd: Mapping[str, Reply | Callable[[], Reply]] = field(default_factory=dict)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> Reply:
        path, _, _ = asked.target.partition("?")
        call = f"{asked.method} {path.removeprefix(f'/stores/{HASH}')}"
        if call in self.odd:
            found = self.odd[call]
            return found() if callable(found) else found
        if asked.headers.get("x-auth-token") != TOKEN:
            return answer(401, UNAUTHORIZED, **self.headers)
        if call == "GET /v2/time":
            return answer(200, {"time": 1}, **self.headers)
        if call == "GET /v3/hooks":
            return answer(200, {"data": self.hooks, "meta": {}}, **self.headers)
        probe = probe_of(asked)
        if probe is None:
            return answer(404, {"status": 404, "title": "The route is not found, check the URL"}, **self.headers)
        if not self.opens(probe):
            return answer(403, NO_SCOPE, **self.headers)
        return answer(200 if probe.kind == "read" else 422, {}, **self.headers)

    def opens(self, probe: Probe) -> bool:
        def level(label: str) -> str:
            return self.rights.get(label, ROWS[label].default)

        return level(probe.label) in probe.opened_by or (
            probe.also is not None and probe.label == "Checkout content" and level(probe.also[0]) in probe.also[1]
        )


@dataclass
class Loan:
    """The tools of one operation; `credentials` are those that other connections have published."""

    http: Http
    clock: Clock = lambda: datetime.now(UTC)
    credentials: Mapping[str, Mapping[str, Secret]] = field(default_factory=dict)

    def admin_login(self, host: str, path: str) -> Mapping[str, Secret] | None:
        raise AssertionError("no admin login is asked for")

    def credential(self, connection: str) -> Mapping[str, Secret] | None:
        return self.credentials.get(connection)


MakeIssuer = Callable[..., ApiAccountIssuer]


@pytest.fixture
def make_issuer(make_http: Callable[..., Http], stub: Stub) -> MakeIssuer:
    """Makes the issuer of the store behind the stub; inputs by keyword."""

    def make(**inputs: Any) -> ApiAccountIssuer:
        words = {"store_hash": HASH, "api": stub.url(), "verify": "full", "connection": "acme-parts/stone-edge"}
        return issuer({**words, **inputs}, Loan(make_http()))

    return make


def asked_calls(stub: Stub) -> list[str]:
    """Every call so far, as `METHOD /path`."""
    return [f"{asked.method} {asked.target.partition('?')[0].removeprefix(f'/stores/{HASH}')}" for asked in stub.asked]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A sandbox of one module: its stores have names of their own there."""
    with start(tmp_path_factory.mktemp("bigcommerce")) as process:
        yield process


@pytest.fixture
def http(server: ServerProcess) -> Iterator[Http]:
    """Clients that trust the sandbox; they pause shortly, as nothing gets better by waiting."""
    host = urllib.parse.urlsplit(server.url).hostname or ""
    loopback = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    settings = HttpSettings(ca_file=server.ca, private={host: loopback}, read_timeout=5.0, deadline=5.0)
    with Http(settings, chance=lambda: 0.001) as client:
        yield client
