"""A sandbox with SureCart's cloud and WordPress sites, seen from both sides; and a script over TLS for odd answers."""

from __future__ import annotations

import ipaddress
import itertools
import json
import traceback
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.core.contract import Clock, Finding, Inbound
from providers.core.http import Http, HttpSettings
from providers.core.redaction import Secret
from providers.surecart.issuer import ApiTokenIssuer, issuer
from providers.surecart.plugin_link import PluginLink, plugin_link
from sandbox.client import Client
from sandbox.server_process import ServerProcess, start
from sandbox.surecart.client import HandMadeToken
from sandbox.wordpress.client import SiteRow
from tests.http.conftest import authority, certificate, few_authorities, make_http, public_authority, stub, time
from tests.http.stub import Reply

__all__ = ["authority", "certificate", "few_authorities", "make_http", "public_authority", "stub", "time"]

NUMBERS = itertools.count(1)
CONNECTION = "acme-outdoor/sites"
RIGHTS = {"rights": "all"}
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


CANARIES: set[str] = set()
"""The values of the present test that nobody may see."""


@dataclass
class Loan:
    """The tools of one issuer."""

    http: Http
    clock: Clock = lambda: datetime.now(UTC)

    def admin_login(self, host: str, path: str) -> Mapping[str, Secret] | None:
        raise AssertionError("no admin login is asked for")

    def credential(self, connection: str) -> Mapping[str, Secret] | None:
        raise AssertionError("no other credential is asked for")


@dataclass
class LinkLoan:
    """The tools of links: logins by host and path, and the tokens that are ours by generation."""

    client: Http
    logins: dict[tuple[str, str], Mapping[str, Secret]] = field(default_factory=dict)
    ours: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    clock: Clock = lambda: datetime.now(UTC)
    looking: bool = False

    def http(self, host: str) -> Http:
        assert ":" not in host, "a host alone"
        return self.client

    def admin_login(self, host: str, path: str) -> Mapping[str, Secret] | None:
        self.asked.append((host, path))
        return self.logins.get((host, path))

    def generation_of(self, secret: Mapping[str, Secret]) -> int | None:
        assert set(secret) == {"token"}
        return self.ours.get(secret["token"].reveal())

    def hub(self, name: str) -> Mapping[str, Secret] | None:
        raise AssertionError("no hub is asked for")

    def inbound(self) -> Inbound | None:
        raise AssertionError("nothing comes in")

    def receive(self, values: Mapping[str, Secret], generation: int) -> None:
        raise AssertionError("nothing comes in")

    def notes(self) -> Mapping[str, str]:
        raise AssertionError("nothing is noted")

    def note(self, notes: Mapping[str, str]) -> None:
        raise AssertionError("nothing is noted")


@dataclass
class Account:
    """An account of the cloud, its tokens made by hand, and its sites."""

    slug: str
    control: Client
    http: Http
    tools: LinkLoan
    tokens: list[HandMadeToken] = field(default_factory=list)
    sites: list[str] = field(default_factory=list)

    @property
    def api(self) -> str:
        return self.control.surecart.api_url

    def issuer(self, **inputs: Any) -> ApiTokenIssuer:
        words = {"account": self.slug, "api": self.api, "connection": CONNECTION}
        return issuer({**words, **inputs}, Loan(self.http))

    def token(self) -> HandMadeToken:
        """A token that a person made; it is ours, of the next generation."""
        made = self.foreign()
        self.tokens.append(made)
        self.tools.ours[made.value] = len(self.tokens)
        return made

    def foreign(self) -> HandMadeToken:
        """A token of the same account that is none of ours."""
        made = self.control.surecart.make_token(self.slug, "a token")
        CANARIES.add(made.value)
        return made

    def delete(self, token: HandMadeToken) -> None:
        self.control.surecart.delete_token(self.slug, token.id)

    def site(self, **settings: Any) -> SiteRow:
        row = self.control.wordpress.create(f"site-{next(NUMBERS)}", "admin-canary-password", **settings)
        self.sites.append(row.name)
        parts = urllib.parse.urlsplit(row.url)
        password = self.control.wordpress.application_password(row.name)
        CANARIES.add(password)
        login = {"username": Secret(row.login), "application_password": Secret(password)}
        self.tools.logins[parts.netloc, parts.path.strip("/")] = login
        return row

    def link(self, site: SiteRow, **inputs: Any) -> PluginLink:
        words = {"site": site.url, "account": self.slug, "api": self.api}
        return plugin_link({**words, **inputs}, self.tools)

    def connected(self, site: SiteRow, token: HandMadeToken, **inputs: Any) -> PluginLink:
        """A link that was brought to this token as core does it."""
        link = self.link(site, **inputs)
        assert give(link, token) == {"recognised", "account", "rights", "stored token", "connected"}
        return link

    def now(self, site: SiteRow) -> SiteRow:
        return self.control.wordpress.get(site.name)

    def faulty(self, effect: Any, site: SiteRow, **details: Any) -> int:
        return self.control.add_fault(effect, store=site.site, **details)


MakeAccount = Callable[..., Account]


def secret(token: HandMadeToken | str) -> dict[str, Secret]:
    """The values of a generation, with what is published beside them."""
    value = token if isinstance(token, str) else token.value
    return {"token": Secret(value), "account": Secret("published"), "api_url": Secret("published")}


def give(link: PluginLink, token: HandMadeToken, generation: int = 1) -> set[str]:
    """check, connect, verify, as core calls them; the names of all that is confirmed."""
    found = [*link.check(generation, secret(token))]
    assert not contradicted(found)
    link.connect(generation, secret(token))
    found += link.verify(generation, secret(token))
    assert not contradicted(found)
    return {finding.check for finding in found if finding.verdict == "confirmed"}


def contradicted(found: Any) -> dict[str, str]:
    """What is contradicted, with the evidence."""
    findings: list[Finding] = [*found]
    return {finding.check: finding.evidence for finding in findings if finding.verdict == "contradicted"}


def answer(status: int, body: Any = None, **headers: str) -> Reply:
    """An answer with a JSON body and headers, whose names are written with `_` for `-`."""
    raw = b"" if body is None else json.dumps(body).encode()
    return Reply(status, raw, tuple((name.replace("_", "-"), value) for name, value in headers.items()))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One sandbox for all; its accounts and sites have names of their own."""
    with start(tmp_path_factory.mktemp("surecart")) as process:
        yield process


@pytest.fixture
def http(server: ServerProcess) -> Iterator[Http]:
    """Clients that trust the sandbox; they pause shortly, as nothing gets better by waiting."""
    host = urllib.parse.urlsplit(server.url).hostname or ""
    settings = HttpSettings(ca_file=server.ca, private={host: LOOPBACK}, read_timeout=5.0, deadline=5.0)
    with Http(settings, chance=lambda: 0.001) as client:
        yield client


@pytest.fixture
def make_account(server: ServerProcess, http: Http) -> Iterator[MakeAccount]:
    made: list[Account] = []

    def make(**settings: Any) -> Account:
        slug = f"acme-{next(NUMBERS)}"
        server.client.surecart.create_account(slug, **settings)
        made.append(Account(slug, server.client, http, LinkLoan(http)))
        return made[-1]

    yield make
    server.client.clear_faults()
    server.client.surecart.reset_settings()
    for account in made:
        for site in account.sites:
            server.client.wordpress.delete(site)
        server.client.surecart.delete_account(account.slug)


@pytest.fixture
def account(make_account: MakeAccount) -> Account:
    return make_account()


@pytest.fixture(autouse=True)
def no_leaks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No log line holds a token or a password, in whatever test."""
    caplog.set_level("DEBUG")
    CANARIES.clear()
    yield
    assert not silent_about(caplog.text)


def silent_about(text: str) -> set[int]:
    """The numbers of the canaries that stand in a text."""
    return {number for number, value in enumerate(sorted(CANARIES)) if value in text}


@contextmanager
def raises(kind: type[BaseException], words: str) -> Iterator[None]:
    """An error with these words, which shows nobody a secret, nor does anything that led to it."""
    with pytest.raises(kind, match=words) as caught:
        yield
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(caught.value)
    assert not silent_about(shown)
