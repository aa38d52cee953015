"""The whole life of a storefront token in the protocol, at the sandbox's gateway and storefront, over TLS sockets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.bigcommerce.storefront import StorefrontTokenIssuer, issuer
from providers.core import loop
from providers.core.due import Wish
from providers.core.http import Http
from providers.core.journal import Book, Journal
from providers.core.marker import Owner
from providers.core.observe import Observation, observe
from providers.core.operation import Operation, Outcome
from providers.core.redaction import Secret
from sandbox.bigcommerce.client import BigCommerceClient, StorefrontTokenRow
from sandbox.client import Client
from sandbox.server_process import ServerProcess
from tests.bigcommerce.conftest import ACCOUNT, DAY, ORIGIN, PLAIN, PRIVATE, Loan
from tests.protocol.doubles import MemoryDocuments, MemoryKeyring, World

NUMBERS = itertools.count(1)
OWNER = Owner("shops", "test", "fresh-roast/pages")
MANAGE = {"Storefront API tokens": "manage"}


@dataclass
class Shop:
    """A store of the sandbox with one account and one token's connection; its clock and ours move together."""

    hash: str
    api: str
    panel: str
    control: BigCommerceClient
    sandbox: Client
    http: Http
    world: World = field(default_factory=World)
    credentials: dict[str, Mapping[str, Secret]] = field(default_factory=dict)
    account_id: int = 0
    offset: float = 0.0

    def clock(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset)

    def pass_time(self, **time: float) -> None:
        self.offset += timedelta(**time).total_seconds()
        self.settings(clock_offset=self.offset)

    def settings(self, **settings: Any) -> None:
        self.control.change_settings(self.hash, **settings)

    def account(self, rights: Mapping[str, str]) -> None:
        """Another account, in the place of the former."""
        made = self.control.make_account(self.hash, "an account", rights)
        self.account_id = made.account_id
        self.credentials[ACCOUNT] = {
            "client_id": Secret(made.client_id),
            "client_secret": Secret(made.client_secret),
            "access_token": Secret(made.access_token),
        }

    def issuer(self, fields: Mapping[str, Any]) -> StorefrontTokenIssuer:
        inputs = {
            "store_hash": self.hash,
            "api": self.api,
            "panel": self.panel,
            "connection": OWNER.connection,
            "account": "tokens",
            **{name: value for name, value in fields.items() if value is not None},
        }
        return issuer(inputs, Loan(self.http, self.clock, self.credentials))

    def operation(self, fields: Mapping[str, Any], **given: Any) -> Operation:
        self.world.now = self.clock()
        return Operation(
            Book(MemoryDocuments(self.world), OWNER),
            MemoryKeyring(),
            self.issuer(fields),
            self.hash,
            clock=self.clock,
            wait=lambda _: None,
            lease=0.0,
            **given,
        )

    def up(self, fields: Mapping[str, Any] = PLAIN, **wish: Any) -> Outcome:
        given = {"entry": wish.pop("entry")} if "entry" in wish else {}
        return loop.settle(self.operation(fields, **given), Wish(fields, **wish))

    def seen(self, fields: Mapping[str, Any] = PLAIN, **wish: Any) -> Observation:
        return observe(self.operation(fields), Wish(fields, **wish))

    def destroy(self, fields: Mapping[str, Any] = PLAIN) -> Outcome:
        return loop.destroy(self.operation(fields))

    @property
    def journal(self) -> Journal:
        journal, _ = Book(MemoryDocuments(self.world), OWNER).journal()
        assert journal is not None
        return journal

    @property
    def states(self) -> dict[int, str]:
        return {number: generation.state for number, generation in self.journal.generations.items()}

    @property
    def tokens(self) -> list[StorefrontTokenRow]:
        return self.control.storefront_tokens(self.hash)

    @property
    def alive(self) -> list[StorefrontTokenRow]:
        now = self.clock().timestamp()
        return [row for row in self.tokens if row.revoked is None and row.expires > now]


MakeShop = Callable[..., Shop]


@pytest.fixture
def make_shop(server: ServerProcess, http: Http) -> MakeShop:
    def make(rights: Mapping[str, str] | None = None, **settings: Any) -> Shop:
        client = server.client.bigcommerce
        usual: dict[str, Any] = {"quota": 100_000, "channels": [1, 7]} | settings
        store = client.create_store(f"front{next(NUMBERS)}", **usual)
        shop = Shop(store.hash, store.gateway_url, store.storefront_url, client, server.client, http)
        shop.account(MANAGE if rights is None else rights)
        return shop

    return make


def words(outcome: Outcome) -> str:
    return "; ".join([*map(str, outcome.problems), *outcome.waiting, *outcome.person])


# --- as it should go --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [PLAIN, PRIVATE], ids=["storefront", "private"])
def test_a_life(make_shop: MakeShop, fields: dict[str, Any]) -> None:
    shop = make_shop()
    outcome = shop.up(fields)
    assert outcome.state == "live", words(outcome)
    assert {finding.verdict for finding in outcome.findings} == {"confirmed"}
    (row,) = shop.alive
    assert (row.kind, list(row.channels)) == (fields["token"], fields["channels"])
    assert abs(row.expires - row.created - 90 * DAY) < 60
    seen = shop.seen(fields)
    assert (seen.drift, seen.waiting, seen.unverifiable) == ((), (), ())

    outcome = shop.up(fields, rotation=2)
    assert outcome.state == "live", words(outcome)
    assert shop.states == {1: "revoked", 2: "current"}
    assert len(shop.alive) == 1
    assert shop.journal.steps[-1].what == "generation 1 is revoked and proved dead"

    outcome = shop.destroy(fields)
    assert outcome.state == "closed", words(outcome)
    assert shop.alive == []
    document = shop.world.documents[f"{OWNER.connection}/credential"]
    assert "token" not in (document[-1] or {})


def test_it_is_replaced_before_it_expires(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.up()
    expires = f"{datetime.fromtimestamp(shop.alive[0].expires, UTC):%Y-%m-%d}"
    shop.pass_time(days=82)
    assert shop.seen().drift == ()
    shop.pass_time(days=2)
    assert shop.seen().drift == (f"it expires on {expires}: a new key is due",)
    outcome = shop.up(overlap=3600.0)
    assert outcome.problems == ()
    assert shop.states == {1: "superseded", 2: "current"}
    assert len(shop.alive) == 2
    shop.pass_time(hours=2)
    assert shop.up(overlap=3600.0).state == "live"
    assert len(shop.alive) == 1


def test_one_that_expired_unseen_is_made_anew(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.up()
    shop.pass_time(days=91)
    assert "the store refuses the key: a new key is due" in shop.seen().drift
    assert shop.up().state == "live"
    assert len(shop.alive) == 1


def test_other_terms_are_another_token(make_shop: MakeShop) -> None:
    shop = make_shop(graphql_refusal="401")
    shop.up()
    other = {**PLAIN, "cors_origins": ["https://other.example"]}
    outcome = shop.up(other)
    assert outcome.state == "live", words(outcome)
    assert shop.states == {1: "revoked", 2: "current"}
    # It was asked by its own origin: by another it would be refused alive.
    assert [row.origins for row in shop.alive] == [("https://other.example",)]


CHOICES: list[dict[str, Any]] = [
    {"expiry_claim": "exp"},
    {"graphql_refusal": "401"},
    {"storefront_server_use": True},
    {"dead_token_body": "empty"},
    {"missing_scope_body": "2016"},
]


@pytest.mark.parametrize("settings", CHOICES, ids=str)
def test_no_choice_of_the_stand_in_changes_the_outcome(make_shop: MakeShop, settings: dict[str, Any]) -> None:
    shop = make_shop(**settings)
    for rotation in (1, 2):
        outcome = shop.up(rotation=rotation)
        assert outcome.state == "live", words(outcome)
    assert shop.states == {1: "revoked", 2: "current"}
    assert shop.destroy().state == "closed"


def test_a_revocation_that_takes_its_time(make_shop: MakeShop) -> None:
    shop = make_shop(storefront_revocation_delay=600.0)
    shop.up()
    outcome = shop.up(rotation=2)
    assert outcome.problems == ()
    assert "generation 1 is not proved dead: the store still accepts it; it ends by itself by" in words(outcome)
    assert (outcome.state, shop.states) == ("retiring", {1: "retiring", 2: "current"})
    # As long as it is accepted, no token is made to show what the storefront accepts.
    assert len(shop.tokens) == 2
    shop.pass_time(seconds=601)
    assert shop.up(rotation=2).state == "live"
    assert shop.states[1] == "revoked"


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_missing_right_is_said_before_anything_is_changed(make_shop: MakeShop) -> None:
    shop = make_shop({"Orders": "read-only"})
    outcome = shop.up()
    assert "its account fresh-roast/tokens lacks the right `Storefront API tokens: manage`" in words(outcome)
    assert (shop.states, shop.tokens) == ({}, [])
    shop.account(MANAGE)
    assert shop.up().state == "live"


def test_a_dead_account_is_said(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.up()
    shop.control.delete_account(shop.hash, shop.account_id)
    outcome = shop.up(rotation=2)
    assert "the store does not accept its account fresh-roast/tokens" in words(outcome)
    assert shop.states == {1: "current"}
    # The token lives on, and is not said to be dead.
    assert "does not accept its account" in words(shop.destroy())
    assert len(shop.alive) == 1
    shop.account(MANAGE)
    assert shop.destroy().state == "closed"
    assert shop.alive == []


def test_without_its_account_it_is_waited_for(make_shop: MakeShop) -> None:
    shop = make_shop()
    kept = shop.credentials.pop(ACCOUNT)
    outcome = shop.up()
    assert (outcome.problems, shop.states) == ((), {})
    assert "its account fresh-roast/tokens has no live key yet" in words(outcome)
    shop.credentials[ACCOUNT] = kept
    assert shop.up().state == "live"


def test_it_ends_with_its_account_at_some_vendors(make_shop: MakeShop) -> None:
    shop = make_shop(storefront_tokens_die_with_account=True)
    shop.up()
    former = shop.account_id
    shop.account(MANAGE)
    assert any("whether it outlives that one is not known" in line for line in shop.seen().unverifiable)
    shop.control.delete_account(shop.hash, former)
    assert "the store refuses the key: a new key is due" in shop.seen().drift
    assert shop.up().state == "live"


def test_a_lost_reply_is_waited_for(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.sandbox.add_fault("drop_after", store=shop.hash, operation="storefront_create")
    outcome = shop.up()
    assert "reply to a change was lost" in words(outcome)
    assert len(shop.alive) == 1
    outcome = shop.up()
    assert outcome.problems == ()
    assert shop.states == {1: "abandoned", 2: "current"}
    seen = shop.seen()
    assert seen.drift == ()
    assert "it ends by itself by" in seen.waiting[0]
    shop.pass_time(days=90, minutes=6)
    shop.up()
    assert shop.states[1] == "revoked"
    assert [row.expires for row in shop.alive] == [max(row.expires for row in shop.tokens)]


def test_a_token_made_by_hand_is_adopted_and_revoked(make_shop: MakeShop) -> None:
    shop = make_shop()
    made = shop.up()
    assert made.state == "live"
    by_hand = Book(MemoryDocuments(shop.world), OWNER).kept(1).values
    shop.world.documents.clear()
    shop.world.written.clear()
    outcome = shop.up(adopt="old", entry={"old": by_hand}.get)
    assert outcome.state == "live", words(outcome)
    assert len(shop.tokens) == 1
    outcome = shop.up(adopt="old", entry={"old": by_hand}.get, rotation=2)
    assert outcome.state == "live", words(outcome)
    assert shop.states == {1: "revoked", 2: "current"}
    assert len(shop.alive) == 1


DIFFERENT: dict[str, tuple[dict[str, Any], str]] = {
    "channel": ({"channels": [1, 7]}, "channels: declared 1, 7; LESS than declared: 7"),
    "origin": ({"cors_origins": ["https://b.example"]}, f"MORE than declared: {ORIGIN}"),
    "life": ({"expires_after": 30 * DAY}, "LATER than declared"),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_a_token_made_otherwise_is_not_adopted(make_shop: MakeShop, case: str) -> None:
    declared, told = DIFFERENT[case]
    shop = make_shop()
    shop.up()
    by_hand = Book(MemoryDocuments(shop.world), OWNER).kept(1).values
    shop.world.documents.clear()
    shop.world.written.clear()
    outcome = shop.up({**PLAIN, **declared}, adopt="old", entry={"old": by_hand}.get)
    assert told in words(outcome)
    assert shop.states == {1: "revoked"}
    assert len(shop.alive) == 1, "what nobody of ours made is left alone"


def test_a_token_of_another_store_is_refused(make_shop: MakeShop) -> None:
    shop, other = make_shop(), make_shop()
    other.up()
    foreign = Book(MemoryDocuments(other.world), OWNER).kept(1).values
    outcome = shop.up(adopt="old", entry={"old": foreign}.get)
    assert "the storefront refuses it: it was revoked, or is of another store" in words(outcome)
    assert len(other.alive) == 1
