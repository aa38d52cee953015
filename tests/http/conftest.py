"""A stub store over real TLS, and an `Http` that reaches it, with a clock that only waiting moves."""

from __future__ import annotations

import dataclasses
import ipaddress
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import certifi
import pytest

from providers.core.http import Http, HttpSettings, Origin
from tests.http.authority import Authority
from tests.http.stub import Stub, context_of, running

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
START = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


class Time:
    """A clock for tests: it moves when somebody waits on it, and writes down for how long."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.waits: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds - 1000.0)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        with self._lock:
            self.waits.append(round(seconds, 3))
            self.seconds += seconds


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "trusted")


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> Path:
    return authority.issue("good", ("127.0.0.1", "localhost", "shop.example", "staging.acme.example"))


@pytest.fixture(scope="session")
def public_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "public")


@pytest.fixture(autouse=True)
def few_authorities(monkeypatch: pytest.MonkeyPatch, public_authority: Authority) -> None:
    """One public authority in the place of the world's, which take long to read."""
    monkeypatch.setattr(certifi, "where", lambda: str(public_authority.file))


@pytest.fixture
def stub(certificate: Path) -> Iterator[Stub]:
    with running(context_of(certificate)) as stub:
        yield stub


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def make_http(authority: Authority, time: Time) -> Iterator[Callable[..., Http]]:
    """Makes an `Http` that may reach loopback; settings and wiring by keyword."""
    made: list[Http] = []

    def make(**changes: Any) -> Http:
        names = {f.name for f in dataclasses.fields(HttpSettings)}
        private = dict.fromkeys(("127.0.0.1", "localhost", "shop.example"), LOOPBACK)
        settings: dict[str, Any] = {"ca_file": authority.file, "private": private}
        settings |= {name: value for name, value in changes.items() if name in names}
        wiring: dict[str, Any] = {
            "clock": time.now,
            "monotonic": time.monotonic,
            "wait": time.wait,
            "chance": lambda: 1.0,
            "resolver": lambda host, port: ["127.0.0.1"],
        }
        wiring |= {name: value for name, value in changes.items() if name not in names}
        made.append(Http(HttpSettings(**settings), **wiring))
        return made[-1]

    yield make
    for http in made:
        http.close()


@pytest.fixture
def origin(make_http: Callable[..., Http], stub: Stub) -> Origin:
    return make_http().origin(stub.url(base="/shop"))
