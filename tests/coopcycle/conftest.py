"""A CoopCycle server and a WordPress site in the sandbox, seen from both sides."""

import ipaddress
import itertools
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from providers.coopcycle import server as servers
from providers.coopcycle.issuer import ApiAppIssuer, issuer
from providers.coopcycle.plugin import PluginLink, link
from providers.core.contract import Clock, Inbound, Order
from providers.core.http import Http, HttpSettings
from providers.core.redaction import Secret
from sandbox.client import Client
from sandbox.coopcycle.client import AppRow, CoopInstance
from sandbox.server_process import ServerProcess, start
from sandbox.wordpress.client import SiteRow

PASSWORD = "admin-pässword & more"
CONNECTION = "northside/acme-flowers"
FLOWERS = {"id": 12, "name": "Acme Flowers"}
STORES = {"Acme Flowers": 12, "Fresh Roast & Söhne": 13, "Acme Market": 21}
DECLARED: dict[str, Any] = {"name": None, "for_store": FLOWERS, "rights": ["deliveries"], "type": "oauth"}
NUMBERS = itertools.count(1)

Values = Mapping[str, Secret]


def mark(number: int = 1) -> str:
    """A marker of the form that core makes."""
    return f"acme:test:{CONNECTION}:{number}:0123456789abcdef0123"


def order(number: int = 1, **fields: Any) -> Order:
    return Order({**DECLARED, **fields}, mark(number))


@dataclass
class Loan:
    """The tools of one operation of an issuer."""

    http: Http
    clock: Clock = lambda: datetime.now(UTC)
    logins: dict[tuple[str, str], Values] = field(default_factory=dict)

    def admin_login(self, host: str, path: str) -> Values | None:
        return self.logins.get((host, path))

    def credential(self, connection: str) -> Values | None:
        """An app works with no other credential."""


@dataclass
class LinkLoan:
    """The tools of one operation of a link. `made` are the secrets of its connection by generation."""

    client: Http
    clock: Clock = lambda: datetime.now(UTC)
    looking: bool = False
    logins: dict[tuple[str, str], Values] = field(default_factory=dict)
    made: dict[int, Values] = field(default_factory=dict)

    def http(self, host: str) -> Http:
        assert host == "localhost"
        return self.client

    def admin_login(self, host: str, path: str) -> Values | None:
        return self.logins.get((host, path))

    def hub(self, name: str) -> Values | None:
        """There is no hub."""

    def inbound(self) -> Inbound | None:
        """Nothing comes in."""

    def receive(self, values: Values, generation: int) -> None:
        raise AssertionError("nothing is received")

    def notes(self) -> Mapping[str, str]:
        return {}

    def note(self, notes: Mapping[str, str]) -> None:
        raise AssertionError("nothing is noted")

    def generation_of(self, secret: Values) -> int | None:
        same = (
            number
            for number, known in self.made.items()
            if known.keys() == secret.keys() and all(value.same(secret[name]) for name, value in known.items())
        )
        return next(same, None)


@dataclass
class Coop:
    """A server of the sandbox."""

    instance: CoopInstance
    control: Client
    tools: Loan

    @property
    def name(self) -> str:
        return self.instance.name

    @property
    def url(self) -> str:
        return self.instance.url

    def issuer(self, **inputs: Any) -> ApiAppIssuer:
        words = {"connection": CONNECTION, **{word: value for word, value in DECLARED.items() if value is not None}}
        given = {**words, **inputs, "url": self.url}
        return issuer({word: value for word, value in given.items() if value is not None}, self.tools)

    def log_in_as(self, username: str, password: str = PASSWORD) -> None:
        place = urllib.parse.urlsplit(self.url)
        login = {"username": Secret(username), "password": Secret(password)}
        self.tools.logins[(place.netloc, place.path.strip("/"))] = login

    def settings(self, **settings: Any) -> None:
        self.control.coopcycle.change_settings(self.name, **settings)

    def fault(self, effect: Any, operation: str, **details: Any) -> int:
        return self.control.add_fault(effect, store=self.instance.site, operation=operation, **details)

    def count(self, operation: str) -> int:
        return self.control.coopcycle.received(self.name).count(operation)

    def apps(self) -> list[AppRow]:
        return self.control.coopcycle.apps(self.name)

    def edits(self) -> list[str]:
        """Saves of an app's form: never ours."""
        rows = self.control.requests(store=self.instance.site)
        return [
            row.path
            for row in rows
            if row.method == "POST" and "/admin/api/apps/" in row.path and "/new" not in row.path
        ]


@dataclass
class Shop:
    """A WordPress site of the sandbox with the plugin."""

    row: SiteRow
    control: Client
    tools: LinkLoan

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def url(self) -> str:
        return self.row.url

    def link(self, **inputs: Any) -> PluginLink:
        return link({"site": self.url, **inputs}, self.tools)

    def log_in_as(self, username: str, password: str = PASSWORD) -> None:
        place = urllib.parse.urlsplit(self.url)
        login = {"username": Secret(username), "password": Secret(password)}
        self.tools.logins[(place.netloc, place.path.strip("/"))] = login

    def lent_away(self) -> None:
        """Nobody put a login into Vault."""
        self.tools.logins.clear()

    def option(self, name: str) -> Any:
        return self.control.wordpress.get(self.name).options.get(name)

    def settings(self, **settings: Any) -> None:
        self.control.wordpress.change_settings(self.name, **settings)

    def write(self, **options: Any) -> None:
        """As WP-CLI does: without any check (P9)."""
        self.control.wordpress.write_options(self.name, options)

    def fault(self, effect: Any, operation: str, **details: Any) -> int:
        return self.control.add_fault(effect, store=self.row.site, operation=operation, **details)


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(tmp_path_factory.mktemp("coopcycle")) as process:
        yield process


@pytest.fixture(scope="session")
def http(process: ServerProcess) -> Iterator[Http]:
    """Clients that trust the sandbox; they pause shortly, as nothing gets better by waiting."""
    host = urllib.parse.urlsplit(process.url).hostname or ""
    loopback = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    settings = HttpSettings(ca_file=Path(process.ca), private={host: loopback}, read_timeout=5.0)
    with Http(settings, chance=lambda: 0.001) as client:
        yield client


@pytest.fixture
def tools(http: Http) -> Loan:
    return Loan(http)


@pytest.fixture
def lent(http: Http) -> LinkLoan:
    return LinkLoan(http)


@pytest.fixture
def coop(process: ServerProcess, tools: Loan) -> Iterator[Coop]:
    """A server with three stores, an administrator `robot`, and an app that somebody made by hand."""
    control = process.client
    name = f"coop-{next(NUMBERS)}"
    users = [
        {"username": "robot", "password": PASSWORD, "admin": True, "two_factor": False},
        {"username": "careful", "password": PASSWORD, "admin": True, "two_factor": True},
        {"username": "courier", "password": PASSWORD, "admin": False, "two_factor": False},
    ]
    found = Coop(control.coopcycle.create(name, users=users, stores=STORES), control, tools)
    found.log_in_as("robot")
    yield found
    control.clear_faults()
    servers.close()
    control.coopcycle.delete(name)


@pytest.fixture
def shop(process: ServerProcess, lent: LinkLoan) -> Iterator[Shop]:
    """A site with the plugin, which holds nothing yet."""
    control = process.client
    name = f"site-{next(NUMBERS)}"
    found = Shop(control.wordpress.create(name, PASSWORD), control, lent)
    found.log_in_as("connector")
    yield found
    control.clear_faults()
    control.wordpress.delete(name)


Given = Callable[..., dict[str, Secret]]


@pytest.fixture
def given(coop: Coop, lent: LinkLoan) -> Given:
    """Makes a generation at the server and gives what a link gets of it."""

    def make(number: int = 1, **fields: Any) -> dict[str, Secret]:
        issuer = coop.issuer(**fields)
        made = issuer.issue(order(number, **fields))
        lent.made[number] = made.secret
        public = {name: Secret(text) for name, text in issuer.public().items()}
        return {**made.secret, **public}

    return make
