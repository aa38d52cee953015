"""An app's whole life by core's own loop: made, replaced whatever changes, left behind by hand, ended with proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from providers.core import admin_session, loop
from providers.core.due import Wish
from providers.core.journal import Book, Journal
from providers.core.links import LinkOutcome, LinkRun
from providers.core.marker import Owner
from providers.core.operation import Operation, Outcome
from providers.core.redaction import Secret
from tests.coopcycle.conftest import CONNECTION, DECLARED, Coop, LinkLoan, Shop
from tests.protocol.doubles import MemoryDocuments, MemoryKeyring, World

OWNER = Owner("acme", "test", CONNECTION)


@dataclass
class Life:
    """A connection of a server, in a Vault of memory."""

    coop: Coop
    words: dict[str, Any] = field(default_factory=lambda: dict(DECLARED))
    world: World = field(default_factory=World)
    rotation: int = 1
    adopt: str = ""
    entries: dict[str, Mapping[str, Secret]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.documents = MemoryDocuments(self.world)

    @property
    def operation(self) -> Operation:
        return Operation(
            book=Book(self.documents, OWNER),
            keyring=MemoryKeyring(),
            issuer=self.coop.issuer(**self.words),
            store=self.coop.url,
            platform="coopcycle/api_app",
            clock=self.world.clock,
            wait=self.world.wait,
            entry=self.entries.get,
        )

    def up(self, **words: Any) -> Outcome:
        self.words |= words
        return loop.settle(self.operation, Wish(self.words, rotation=self.rotation, adopt=self.adopt))

    def destroy(self) -> Outcome:
        return loop.destroy(self.operation)

    @property
    def journal(self) -> Journal:
        journal, _ = Book(self.documents, OWNER).journal()
        assert journal is not None
        return journal

    @property
    def states(self) -> dict[int, str]:
        return {number: generation.state for number, generation in self.journal.generations.items()}

    def secret(self, number: int) -> Mapping[str, Secret]:
        return Book(self.documents, OWNER).kept(number).values

    def link(self, shop: Shop) -> LinkRun:
        for number in self.journal.generations:
            if secret := self.secret(number):
                shop.tools.made[number] = secret
        return LinkRun(self.operation, "shop", shop.link())


@pytest.fixture
def life(coop: Coop) -> Life:
    return Life(coop)


def alive(coop: Coop) -> list[int]:
    """The apps whose pair somebody may still hold."""
    return [app.id for app in coop.apps() if not app.retired]


CHANGES: list[dict[str, Any]] = [
    {"name": "Flowers of Acme"},
    {"for_store": {"id": 21, "name": "Acme Market"}},
    {"rights": ["deliveries", "tasks"]},
    {"rights": ["orders:all"], "for_store": None},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_whatever_changes_another_app_takes_its_place(life: Life, change: dict[str, Any]) -> None:
    """The form for changes is never sent: it makes new credentials and leaves the old ones half working."""
    assert life.up().state == "live"
    first = life.secret(1)
    assert life.up().problems == ()
    assert alive(life.coop) == [1]
    outcome = life.up(**change)
    assert (outcome.state, outcome.problems) == ("live", ())
    assert life.states == {1: "revoked", 2: "current"}
    assert alive(life.coop) == [2]
    assert life.coop.issuer().probe(first) == "refused"
    # Nothing more is due, though the first app stays in the list for ever.
    told = " ".join(outcome.told)
    assert "#1 stays listed" in told
    assert "up to an hour" in told
    assert life.up().told == ()
    assert life.coop.edits() == []
    assert life.coop.count("coop_edit_app") == 0


def test_a_renamed_connection_keeps_its_app(life: Life) -> None:
    life.up()
    life.words["connection"] = "northside/flowers"
    wish = Wish({name: value for name, value in life.words.items() if name != "connection"})
    assert loop.settle(life.operation, wish).problems == ()
    assert alive(life.coop) == [1]


def test_destroy_leaves_a_pair_whose_death_was_proved(life: Life) -> None:
    life.up()
    secret = life.secret(1)
    outcome = life.destroy()
    assert (outcome.state, outcome.problems) == ("closed", ())
    assert life.states == {1: "revoked"}
    assert life.journal.residual.keys() == {"1"}
    assert life.coop.issuer().probe(secret) == "refused"
    assert "#1 stays listed" in " ".join(outcome.told)
    assert life.destroy().problems == ()
    assert life.coop.count("coop_regenerate") == 1


@pytest.mark.parametrize("by_hand", ["saved form", "regenerated"])
def test_what_was_done_by_hand_is_replaced_and_ended(life: Life, by_hand: str) -> None:
    life.up()
    coop = life.coop
    hand = coop.control.coopcycle
    made = hand.edit_app(coop.name, 1) if by_hand == "saved form" else hand.regenerate(coop.name, 1)
    first = life.secret(1)
    for _ in range(2):
        outcome = life.up()
    assert (outcome.state, life.states[2]) == ("live", "current")
    pair = {"identifier": Secret(made.identifier), "secret": Secret(made.secret)}
    issuer = coop.issuer()
    assert issuer.probe(first) == "refused"
    assert issuer.probe(life.secret(2)) == "accepted"
    life.destroy()
    # Neither pair of the first app opens anything at the end.
    assert issuer.probe(pair) == "refused"
    assert coop.edits() == []


def test_a_lost_reply_leaves_no_living_pair_behind(life: Life) -> None:
    life.coop.fault("drop_after", "coop_create_app")
    outcome = life.up()
    assert outcome.problems
    # The request might still be on its way: its number is given up for good when it no longer can be.
    life.world.pass_time(60)
    assert life.up().state == "live"
    assert life.states == {1: "revoked", 2: "current"}
    assert len(alive(life.coop)) == 1
    assert len(life.coop.apps()) == 2


def test_an_app_that_was_made_otherwise_is_ended(life: Life) -> None:
    life.coop.fault("status", "coop_app_page", status=404)
    assert "another existence" in str(life.up().problems[0])
    life.world.pass_time(60)
    assert life.up().state == "live"
    assert len(alive(life.coop)) == 1


def test_a_renamed_store_stops_the_next_app_until_the_file_says_so(life: Life) -> None:
    life.up()
    life.coop.control.coopcycle.rename_store(life.coop.name, 12, "Acme Blooms")
    (problem,) = life.up().problems
    assert "store 12 is Acme Blooms, not Acme Flowers" in str(problem)
    outcome = life.up(for_store={"id": 12, "name": "Acme Blooms"})
    assert (outcome.state, alive(life.coop), outcome.problems) == ("live", [1], ())


def test_an_api_key_ends_when_its_server_was_seen_to_refuse_it(life: Life) -> None:
    life.up(type="api_key")
    outcome = life.destroy()
    assert outcome.state != "closed"
    assert life.coop.issuer(type="api_key").probe(life.secret(1)) == "accepted"
    # Whoever runs the server ends it in the database.
    life.coop.control.coopcycle.drop_app_row(life.coop.name, 1)
    assert life.destroy().state == "closed"
    assert life.coop.count("coop_regenerate") == 0


@pytest.mark.parametrize("revoke", [True, False])
def test_an_adopted_app_is_proved_and_lives_on_unless_that_is_said(life: Life, revoke: bool) -> None:
    made = life.coop.control.coopcycle.make_app(life.coop.name, "by hand", store=12)
    pair = {"identifier": Secret(made.identifier), "secret": Secret(made.secret)}
    life.adopt, life.entries = "flowers", {"flowers": pair}
    assert (life.up().state, life.up().state) == ("live", "live")
    assert len(life.coop.apps()) == 1
    operation = life.operation
    if revoke:
        operation = Operation(**{**vars(operation), "revoke_adopted": True})
    assert loop.destroy(operation).state == "closed"
    assert life.coop.issuer().probe(pair) == ("refused" if revoke else "accepted")
    assert life.coop.edits() == []


def test_a_site_is_moved_before_the_first_app_ends(
    life: Life, shop: Shop, lent: LinkLoan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_session, "REFUSAL_KEPT", 0.0)
    life.up()
    assert lent.made == {}

    def connect() -> LinkOutcome:
        return life.link(shop).connect()

    assert (connect().problems, life.journal.links["shop"].acknowledged) == ((), 1)
    life.rotation = 2
    life.up()
    # The site still has the first pair, which lives.
    assert life.coop.issuer().probe(life.secret(1)) == "accepted"
    shop.settings(two_factor=True)
    assert connect().person
    life.world.pass_time(86_400)
    life.up()
    assert life.states == {1: "superseded", 2: "current"}
    shop.settings(two_factor=False)
    assert (connect().problems, life.journal.links["shop"].acknowledged) == ((), 2)
    life.up()
    assert life.states == {1: "revoked", 2: "current"}
    # What the site holds is looked at; what somebody changed there is put right.
    shop.write(coopcycle_api_secret="f" * 128)
    assert connect().problems == ()
    assert shop.link().verify(2, {**life.secret(2), **public(life)})[0].verdict == "confirmed"
    ended = life.link(shop).disconnect()
    assert (ended.problems, ended.person, shop.option("coopcycle_api_key")) == ((), (), "")
    assert life.destroy().state == "closed"


def public(life: Life) -> dict[str, Secret]:
    return {name: Secret(text) for name, text in life.coop.issuer().public().items()}
