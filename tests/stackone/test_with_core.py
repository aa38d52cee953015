"""A link to StackOne in core's hands: key, session, person, rotation and removal, with core's own journal and loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from providers.core import people
from providers.core.contract import Clock, Inbound
from providers.core.due import Wish
from providers.core.http import Http
from providers.core.links import LinkOutcome, LinkRun
from providers.core.loop import destroy, settle
from providers.core.marker import Owner
from providers.core.operation import Operation
from providers.core.redaction import Secret
from providers.stackone.link import AccountLink
from providers.woocommerce import store as stores
from providers.woocommerce.issuer import issuer
from sandbox.server_process import ServerProcess
from sandbox.stackone.visitor import HubVisitor
from tests.protocol.doubles import MemoryDocuments, MemoryKeyring, World
from tests.stackone.conftest import MakePlace, Place, Tools

ADMIN, PASSWORD = "connector", "sandbox-password"
FIELDS = {"rights": "read", "user": "shop-manager", "purpose": "orders into the hub"}


@dataclass(frozen=True)
class StoreTools:
    """What core lends to the issuer of keys."""

    http: Http
    clock: Clock

    def admin_login(self, host: str, path: str) -> Mapping[str, Secret] | None:
        return {"username": Secret(ADMIN), "password": Secret(PASSWORD)}

    def credential(self, connection: str) -> Mapping[str, Secret] | None:
        return None


class CoreTools(Tools):
    """What core lends to a link, kept in core's own journal and documents."""

    def __init__(self, place: Place, operation: Operation) -> None:
        super().__init__(place.tools.http("localhost"), place.tools.entry)
        self.operation = operation
        self.now = datetime.now(UTC)

    def inbound(self) -> Inbound | None:
        journal, _ = self.operation.book.journal()
        entry = journal.links.get("stackone") if journal is not None else None
        values = self.operation.book.received(entry.inbound) if entry is not None and entry.inbound else None
        return Inbound(values, entry.inbound_generation) if entry is not None and values is not None else None

    def receive(self, values: Mapping[str, Secret], generation: int) -> None:
        people.receive(self.operation, "stackone", values, generation)

    def notes(self) -> Mapping[str, str]:
        journal, _ = self.operation.book.journal()
        entry = journal.links.get("stackone") if journal is not None else None
        return entry.notes if entry is not None else {}

    def note(self, notes: Mapping[str, str]) -> None:
        people.note_of_link(self.operation, "stackone", notes)


@dataclass
class Stack:
    """One connection with one link, as `up` and `destroy` work on it."""

    place: Place
    operation: Operation
    tools: CoreTools

    def key(self, rotation: int = 1) -> None:
        assert settle(self.operation, Wish(FIELDS, rotation)).problems == ()

    def run(self) -> LinkRun:
        return LinkRun(self.operation, "stackone", AccountLink(self.place.inputs, self.tools), words=self.place.inputs)

    def up(self) -> LinkOutcome:
        return self.run().connect()

    def visit(self) -> None:
        """The person follows the link, with the values of the generation that it is for."""
        inbound = self.tools.inbound()
        assert inbound is not None
        values = self.operation.book.kept(inbound.generation).values
        with HubVisitor(self.place.sandbox.ca) as person:
            person.connect(
                inbound.values["auth_link_url"].reveal(),
                self.place.inputs["url"],
                values["consumer_key"].reveal(),
                values["consumer_secret"].reveal(),
            )

    def acknowledged(self) -> int:
        journal, _ = self.operation.book.journal()
        assert journal is not None
        return journal.links["stackone"].acknowledged


@pytest.fixture
def stack(make_place: MakePlace, sandbox: ServerProcess, http: Http) -> Iterator[Stack]:
    place = make_place()
    world = World()
    tools = StoreTools(http, lambda: datetime.now(UTC))
    made = issuer({"url": place.inputs["url"], "login": "admin", "authentication": "header"}, tools)
    owner = Owner("shops", "test", "fresh-roast/orders")
    operation = Operation.on(MemoryDocuments(world), owner, MemoryKeyring(), made, place.inputs["url"])
    stack = Stack(place, operation, CoreTools(place, operation))
    yield stack
    stores.close()
    for key_id in ours(stack):
        sandbox.client.delete_key(place.store, key_id)


def test_the_life_of_a_link(stack: Stack) -> None:
    stack.key()
    first = stack.up()
    assert (first.problems, len(first.person)) == ((), 1)
    again = stack.up()
    assert again.person == first.person
    assert len(stack.place.sessions()) == 1
    stack.visit()
    done = stack.up()
    assert (done.problems, done.person, stack.acknowledged()) == ((), (), 1)

    stack.key(rotation=2)
    assert len(stack.up().person) == 1
    settle(stack.operation, Wish(FIELDS, 2))
    assert len(ours(stack)) == 2, "the former key lives until StackOne has the new one"
    stack.visit()
    assert (stack.up().person, stack.acknowledged()) == ((), 2)
    settle(stack.operation, Wish(FIELDS, 2))
    assert len(ours(stack)) == 1
    calls = len(stack.place.operations())
    assert stack.up().problems == ()
    assert stack.place.operations()[calls:] == ["account_read", "action_rpc"]

    assert stack.run().disconnect().told == ()
    assert stack.place.accounts() == []
    destroy(stack.operation)
    assert ours(stack) == []


def test_an_account_in_error_is_repaired(stack: Stack) -> None:
    stack.key()
    stack.up()
    stack.visit()
    stack.up()
    (account,) = stack.place.accounts()
    stack.place.change(account.id, status="error", reason="try again")
    outcome = stack.up()
    assert "try again" in outcome.person[0]
    stack.visit()
    assert (stack.up().person, stack.up().problems) == ((), ())


def test_a_link_that_is_taken_out_while_it_waits(stack: Stack) -> None:
    stack.key()
    stack.up()
    (line,) = stack.run().disconnect().told
    assert "ends by itself" in line
    destroy(stack.operation)
    assert ours(stack) == []


def ours(stack: Stack) -> list[int]:
    """The keys at the store that are this connection's."""
    rows = stack.place.sandbox.client.keys(stack.place.store)
    return [row.key_id for row in rows if row.description.startswith(FIELDS["purpose"])]
