"""Links to StackOne against its stand-in, over real sockets: an organisation and a store per test, and a scripted person."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.core.contract import Clock, Finding, Inbound
from providers.core.errors import PersonNeeded
from providers.core.http import Http, HttpSettings
from providers.core.redaction import Secret
from providers.stackone import LINKS
from providers.stackone.link import AccountLink
from sandbox.client import HandMadeKey
from sandbox.server_process import ServerProcess, start
from sandbox.stackone.client import LinkedAccountRow, OrganisationRow, SessionRow
from sandbox.stackone.visitor import HubVisitor
from tests.lending import Lending

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
NUMBERS = itertools.count(1)
DAY = 24 * 3600


class Tools(Lending):
    """What core lends: this HTTP, this hub entry, and what the link keeps, in memory."""

    def __init__(self, http: Http, entry: Mapping[str, Secret] | None) -> None:
        self._http, self.entry = http, entry
        self.now = datetime(2026, 5, 4, tzinfo=UTC)
        self.noted: dict[str, str] = {}
        self.kept: Inbound | None = None
        self.asked: list[str] = []

    @property
    def clock(self) -> Clock:
        return lambda: self.now

    def http(self, host: str) -> Http:
        self.asked.append(host)
        return self._http

    def hub(self, name: str) -> Mapping[str, Secret] | None:
        assert name == "stackone"
        return self.entry

    def inbound(self) -> Inbound | None:
        return self.kept

    def receive(self, values: Mapping[str, Secret], generation: int) -> None:
        assert not self.looking
        assert all(value.reveal() for value in values.values())
        self.kept = Inbound(dict(values), generation)

    def notes(self) -> Mapping[str, str]:
        return dict(self.noted)

    def note(self, notes: Mapping[str, str]) -> None:
        assert not self.looking
        self.noted = {name: text for name, text in {**self.noted, **notes}.items() if text}


@dataclass
class Place:
    """One link to StackOne, its organisation, its store, and the keys of its generations."""

    sandbox: ServerProcess
    organisation: OrganisationRow
    store: str
    tools: Tools
    inputs: dict[str, Any]
    keys: dict[int, HandMadeKey] = field(default_factory=dict)

    @property
    def link(self) -> AccountLink:
        made = LINKS["stackone"].link(self.inputs, self.tools)
        assert isinstance(made, AccountLink)
        return made

    def secret(self, generation: int = 1, permissions: str = "read") -> dict[str, Secret]:
        """The values of a generation, made at the store when it is first asked for."""
        if generation not in self.keys:
            self.keys[generation] = self.sandbox.client.insert_key(
                self.store, description=f"stackone #{generation}", permissions=permissions
            )
        key = self.keys[generation]
        return {
            "consumer_key": Secret(key.consumer_key),
            "consumer_secret": Secret(key.consumer_secret),
            "url": Secret(self.inputs["url"]),
        }

    def connect(self, generation: int = 1) -> None:
        self.link.connect(generation, self.secret(generation))

    def verify(self, generation: int = 1) -> dict[str, Finding]:
        return by_check(self.link.verify(generation, self.secret(generation)))

    def observe(self, generation: int = 1) -> dict[str, Finding]:
        """What a refresh sees; it writes nothing."""
        self.tools.looking = True
        try:
            return by_check(self.link.observe(generation, self.secret(generation)))
        finally:
            self.tools.looking = False

    def visit(self, generation: int = 1, *, link: str = "", url: str = "") -> str:
        """A person follows the link that is kept, and fills in the values of a generation."""
        assert self.tools.kept is not None
        key = self.secret(generation)
        with HubVisitor(self.sandbox.ca) as person:
            return person.connect(
                link or self.tools.kept.values["auth_link_url"].reveal(),
                url or self.inputs["url"],
                key["consumer_key"].reveal(),
                key["consumer_secret"].reveal(),
            )

    def linked(self, generation: int = 1) -> LinkedAccountRow:
        """The state after a person did what was asked and the next run was done."""
        with pytest.raises(PersonNeeded):
            self.connect(generation)
        self.visit(generation)
        self.connect(generation)
        assert all_confirmed(self.verify(generation))
        (account,) = [row for row in self.accounts() if row.id == self.tools.noted["account_id"]]
        return account

    def accounts(self) -> list[LinkedAccountRow]:
        return self.sandbox.client.stackone.accounts(self.organisation.name)

    def sessions(self) -> list[SessionRow]:
        return self.sandbox.client.stackone.sessions(self.organisation.name)

    def settings(self, **settings: Any) -> None:
        self.sandbox.client.stackone.change_settings(self.organisation.name, **settings)

    def change(self, account: str, **fields: str) -> None:
        self.sandbox.client.stackone.change_account(self.organisation.name, account, **fields)

    def later(self, seconds: float) -> None:
        """Both clocks go on."""
        self.tools.now += timedelta(seconds=seconds)
        self.settings(clock_offset=seconds)

    def operations(self, since: int = 0) -> list[str]:
        """What StackOne was asked, in order."""
        rows = self.sandbox.client.requests(since, store=self.organisation.site)
        return [row.operation for row in rows]


def by_check(found: Any) -> dict[str, Finding]:
    findings = {finding.check: finding for finding in found}
    assert len(findings) == len(found)
    return findings


def all_confirmed(found: Mapping[str, Finding]) -> bool:
    return {"account", "origin owner", "read action"} <= found.keys() and all(
        finding.verdict != "contradicted" for finding in found.values()
    )


MakePlace = Callable[..., Place]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(tmp_path_factory.mktemp("stackone")) as process:
        yield process


@pytest.fixture(scope="module")
def store(sandbox: ServerProcess) -> str:
    sandbox.client.create_store("fresh-roast", "11.0.1", "sandbox-password")
    return "fresh-roast"


@pytest.fixture
def http(sandbox: ServerProcess) -> Iterator[Http]:
    """An `Http` that pauses shortly, as nothing gets better by waiting."""
    settings = HttpSettings(ca_file=sandbox.ca, private={"localhost": LOOPBACK}, read_timeout=2.0)
    with Http(settings, chance=lambda: 0.001) as http:
        yield http


@pytest.fixture
def make_place(sandbox: ServerProcess, store: str, http: Http) -> Iterator[MakePlace]:
    made: list[str] = []

    def make(
        words: Mapping[str, Any] | None = None,
        *,
        beside: Place | None = None,
        scopes: tuple[str, ...] = ("accounts", "actions"),
        **settings: Any,
    ) -> Place:
        """A link in an organisation of its own, or in that of another link."""
        if beside is None:
            organisation = sandbox.client.stackone.create(f"agency-{next(NUMBERS)}", **settings)
            made.append(organisation.name)
        else:
            organisation = beside.organisation
        key = sandbox.client.stackone.create_key(organisation.name, *scopes)
        tools = Tools(http, {"api_key": Secret(key.value)})
        inputs = {
            "project": "shops",
            "stack": "test",
            "connection": "fresh-roast/orders",
            "link": "stackone",
            "to": "stackone",
            "url": sandbox.client.store_url(store),
            "api": organisation.api_url,
            "pinned": {"origin_owner_id": "fresh-roast", "origin_owner_name": "Fresh Roast"},
            "expires_in": DAY,
            "update": "session",
            "proof_action": "woocommerce_list_products",
            **(words or {}),
        }
        return Place(sandbox, organisation, store, tools, inputs)

    yield make
    sandbox.client.clear_faults()
    for name in made:
        sandbox.client.stackone.delete(name)
