"""A running sandbox for all contract tests, shops in it, and pages for the parsers."""

import ipaddress
import itertools
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from providers.core.contract import Clock, Order, Selector, StoreKey
from providers.core.http import Http, HttpSettings
from providers.core.redaction import Secret
from providers.woocommerce import store as stores
from providers.woocommerce.issuer import ApiKeyIssuer, issuer
from sandbox.client import Client
from sandbox.server_process import ServerProcess, start

PAGES = Path(__file__).parent / "pages"
VERSIONS = ("2.6.14", "3.2.5", "3.4.2", "3.5.3", "11.0.1")
PASSWORD = "admin-pässword & more"
LOGINS = {"connector": "administrator", "robot": "shop_manager", "buyer": "customer"}
NUMBERS = itertools.count(1)


@pytest.fixture
def page() -> Callable[[str], str]:
    """The text of a page of wp-admin."""
    return lambda name: (PAGES / f"{name}.html").read_text(encoding="utf-8")


def mark(number: int = 1) -> str:
    """A marker of the form that core makes."""
    return f"acme:test:shop/sync:{number}:0123456789abcdef0123"


def order(rights: str = "read", user: str = "robot", purpose: str = "sync & more", number: int = 1) -> Order:
    return Order({"rights": rights, "user": user, "purpose": purpose}, mark(number))


@dataclass
class Loan:
    """The tools of one operation."""

    http: Http
    clock: Clock = lambda: datetime.now(UTC)
    logins: dict[tuple[str, str], Mapping[str, Secret]] = field(default_factory=dict)

    def admin_login(self, host: str, path: str) -> Mapping[str, Secret] | None:
        return self.logins.get((host, path))

    def credential(self, connection: str) -> Mapping[str, Secret] | None:
        """A key works with no other credential."""


@dataclass
class Shop:
    """A shop in the sandbox, seen from both sides."""

    name: str
    url: str
    control: Client
    tools: Loan
    inputs: dict[str, Any]

    def issuer(self, **inputs: Any) -> ApiKeyIssuer:
        return issuer({**self.inputs, **inputs}, self.tools)

    def log_in_as(self, username: str, password: str = PASSWORD) -> None:
        place = (urllib.parse.urlsplit(self.url).netloc, self.name)
        self.tools.logins[place] = {"username": Secret(username), "password": Secret(password)}

    def settings(self, **settings: Any) -> None:
        self.control.change_settings(self.name, **settings)

    def count(self, operation: str) -> int:
        return self.control.counts().get(self.name, {}).get(operation, 0)

    def fault(self, effect: Any, operation: str, **details: Any) -> int:
        return self.control.add_fault(effect, store=self.name, operation=operation, **details)

    def ours(self, issuer: ApiKeyIssuer) -> list[StoreKey]:
        return list(issuer.find(Selector("acme:test:")))


MakeShop = Callable[..., Shop]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(tmp_path_factory.mktemp("woocommerce")) as process:
        yield process


@pytest.fixture(scope="session")
def http(server: ServerProcess) -> Iterator[Http]:
    """Clients that trust the sandbox; they pause shortly, as nothing gets better by waiting."""
    host = urllib.parse.urlsplit(server.url).hostname or ""
    loopback = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    settings = HttpSettings(ca_file=server.ca, private={host: loopback}, read_timeout=5.0)
    with Http(settings, chance=lambda: 0.001) as client:
        yield client


@pytest.fixture
def make_shop(server: ServerProcess, http: Http) -> Iterator[MakeShop]:
    """Make a shop of a version, with a foreign key or with none."""
    made: list[Shop] = []

    def make(version: str = "11.0.1", *, foreign_keys: list[dict[str, Any]] | None = None, **settings: Any) -> Shop:
        name = f"shop-{next(NUMBERS)}"
        users = [
            {"login": login, "role": role, "password": PASSWORD, "display_name": f"{login} & Söhne"}
            for login, role in LOGINS.items()
        ]
        if foreign_keys is None:
            foreign_keys = [{"login": "connector", "description": "by hand", "permissions": "read_write"}]
        url = server.client.create_store(
            name, version, PASSWORD, users=users, foreign_keys=foreign_keys, settings=settings
        )
        shop = Shop(name, url, server.client, Loan(http), {"url": url, "login": "admin", "authentication": "header"})
        shop.log_in_as("connector")
        made.append(shop)
        return shop

    yield make
    server.client.clear_faults()
    stores.close()
    for shop in made:
        server.client.delete_store(shop.name)


@pytest.fixture(params=VERSIONS)
def shop(request: pytest.FixtureRequest, make_shop: MakeShop) -> Shop:
    """A shop of every version in turn."""
    return make_shop(request.param)
