"""Links to PIMworks against stores of the sandbox, over real sockets, and a scripted person at PIMworks' pages."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from providers.core.contract import Finding
from providers.core.http import Http, HttpSettings
from providers.core.redaction import Secret
from providers.pimworks import LINKS
from providers.pimworks.link import Subscription
from providers.woocommerce import store as stores
from sandbox.server_process import ServerProcess, start
from tests.lending import Lending

ADMIN = {"username": Secret("connector"), "password": Secret("sandbox")}
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))

NUMBERS = itertools.count(1)
VERSIONS = ("2.6.14", "3.2.5", "3.4.2", "3.5.3", "11.0.1")


class Tools(Lending):
    """What core lends: this HTTP, and the admin login of every store, where there is one."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.login: Mapping[str, Secret] | None = None
        self.logins: list[tuple[str, str]] = []

    def admin_login(self, host: str, path: str) -> Mapping[str, Secret] | None:
        self.logins.append((host, path))
        return self.login

    def http(self, host: str) -> Http:
        assert host == "localhost"
        return self._http


@dataclass
class Place:
    """One link to PIMworks and the key it is about."""

    sandbox: ServerProcess
    store: str
    tools: Tools
    link: Subscription
    inputs: Mapping[str, Any]
    secret: Mapping[str, Secret]

    def check(self) -> dict[str, Finding]:
        found = self.link.check(1, self.secret)
        findings = {finding.check: finding for finding in found}
        assert len(findings) == len(found)
        return findings

    def fault(self, operation: str, status: int, body: str = "{}", path: str | None = None) -> None:
        """The store answers this, for good."""
        self.sandbox.client.add_fault(
            "status", store=self.store, operation=operation, path=path, times=None, status=status, body=body
        )


MakePlace = Callable[..., Place]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(tmp_path_factory.mktemp("pimworks")) as process:
        process.client.create_stores(
            [{"name": f"shop-{version}", "version": version, "admin_password": "sandbox"} for version in VERSIONS]
        )
        yield process


@pytest.fixture
def http(sandbox: ServerProcess) -> Iterator[Http]:
    """An `Http` that pauses shortly, as nothing gets better by waiting."""
    settings = HttpSettings(ca_file=sandbox.ca, private={"localhost": LOOPBACK}, read_timeout=2.0)
    with Http(settings, chance=lambda: 0.001) as http:
        yield http


@pytest.fixture
def make_place(sandbox: ServerProcess, http: Http) -> Iterator[MakePlace]:
    made: list[str] = []

    def make(
        words: Mapping[str, Any] | None = None,
        *,
        version: str = "11.0.1",
        permissions: str = "read_write",
        user: str = "shop-manager",
        **settings: Any,
    ) -> Place:
        """A link to a store of this version, with a key of its own; one with `settings` is made for the test alone."""
        store = f"shop-{version}"
        if settings:
            store = f"odd-{next(NUMBERS)}"
            sandbox.client.create_store(store, version, "sandbox", settings=settings)
            made.append(store)
        key = sandbox.client.insert_key(store, description="pimworks", permissions=permissions, user=user)
        url = sandbox.client.store_url(store)
        inputs = {
            "connection": "fresh-roast/catalogue",
            "link": "pimworks",
            "to": "pimworks",
            "url": url,
            "authentication": "header",
            "channel": "WooCommerce",
            "components": {"products": "Products", "orders": "Orders"},
            **(words or {}),
        }
        secret = {
            "consumer_key": Secret(key.consumer_key),
            "consumer_secret": Secret(key.consumer_secret),
            "url": Secret(url),
        }
        tools = Tools(http)
        link = LINKS["pimworks"].link(inputs, tools)
        assert isinstance(link, Subscription)
        return Place(sandbox, store, tools, link, inputs, secret)

    yield make
    stores.close()
    sandbox.client.clear_faults()
    for store in made:
        sandbox.client.delete_store(store)
