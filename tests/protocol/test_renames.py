"""A rename touches no key: the documents and markers keep their first name, and the new name notes where they are."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from providers.core import loop
from providers.core.due import Wish
from providers.core.errors import Blocked, Refused, VaultConflict
from providers.core.journal import Book
from providers.core.links import TURNS, LinkOperation, LinkRun, PersonReader, VaultReader
from providers.core.marker import Owner
from providers.core.observe import observe
from providers.core.operation import Operation
from tests.protocol.doubles import MemoryDocuments, MemoryKeyring, MemoryLink, MemoryStore, World

WISH = Wish({"rights": "read", "purpose": "orders"})


@pytest.fixture
def world() -> World:
    return World()


def operation(world: World, name: str, was: str = "") -> Operation:
    book = Book(MemoryDocuments(world), Owner("connections", "test", name), was=was)
    return Operation(book, MemoryKeyring(), MemoryStore(world), world.address, clock=world.clock, wait=world.wait)


def link_run(world: World, connection: str, name: str, was: str = "") -> LinkRun:
    book = Book(MemoryDocuments(world), Owner("connections", "test", connection))
    return LinkRun(LinkOperation(book, world.clock), name, MemoryLink(world, connection, name, "desk"), was=was)


def settled(world: World, name: str, was: str = "") -> Operation:
    done = operation(world, name, was)
    outcome = loop.settle(done, WISH)
    assert outcome.state == "live", outcome
    return done


def test_a_renamed_connection_keeps_its_key_and_its_place(world: World) -> None:
    settled(world, "shop/old")
    keys = dict(world.keys)

    renamed = settled(world, "shop/new", was="shop/old")

    assert world.keys == keys
    assert renamed.owner.connection == "shop/old"
    journal, _ = renamed.book.journal()
    assert journal is not None
    assert journal.known_as == "shop/new"


def test_the_former_name_may_go_from_the_file_and_the_connection_be_renamed_again(world: World) -> None:
    settled(world, "shop/old")
    settled(world, "shop/new", was="shop/old")
    keys = dict(world.keys)

    settled(world, "shop/new")
    settled(world, "shop/newer", was="shop/new")
    settled(world, "shop/newer")

    assert world.keys == keys


def test_a_rename_writes_nothing_the_second_time(world: World) -> None:
    settled(world, "shop/old")
    settled(world, "shop/new", was="shop/old")
    world.writes.clear()

    settled(world, "shop/new", was="shop/old")

    assert world.writes == []


@pytest.mark.parametrize("taken", ["shop/old", "shop/new"])
def test_a_former_name_is_refused_to_another_connection(world: World, taken: str) -> None:
    settled(world, "shop/old")
    settled(world, "shop/new", was="shop/old")
    settled(world, "shop/newer", was="shop/new")

    with pytest.raises(Refused, match="belongs to shop/newer, by a rename"):
        loop.settle(operation(world, taken), WISH)


def test_a_former_name_that_never_was_is_a_new_connection(world: World) -> None:
    assert settled(world, "shop/new", was="shop/old").owner.connection == "shop/new"


def test_a_renamed_connection_is_ended_under_its_new_name(world: World) -> None:
    settled(world, "shop/old")
    settled(world, "shop/new", was="shop/old")

    assert loop.destroy(operation(world, "shop/new")).state == "closed"
    assert not any(key.alive for key in world.keys.values())


def test_looking_does_not_move_in(world: World) -> None:
    settled(world, "shop/old")
    world.writes.clear()

    journal, _ = operation(world, "shop/new", was="shop/old").book.journal()

    assert journal is not None
    assert world.writes == []


def test_a_renamed_link_goes_on_with_what_its_user_holds(world: World) -> None:
    settled(world, "shop/old")
    link_run(world, "shop/old", "hub").connect()

    outcome = link_run(world, "shop/old", "portal", was="hub").connect()

    assert outcome.problems == ()
    assert outcome.entry is not None
    assert outcome.entry.acknowledged == 1
    journal, _ = Book(MemoryDocuments(world), Owner("connections", "test", "shop/old")).journal()
    assert journal is not None
    assert list(journal.links) == ["portal"]


@pytest.mark.parametrize("times", [1, TURNS])
def test_a_link_is_renamed_while_others_of_its_connection_write(
    times: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(world, "shop/old")
    link_run(world, "shop/old", "hub").connect()
    run = link_run(world, "shop/old", "portal", was="hub")
    decide, conflicts = run.book.decide, iter(range(times))

    def conflict(*words: Any, **named: Any) -> int:
        if next(conflicts, None) is not None:
            raise VaultConflict("another run wrote this document first")
        return decide(*words, **named)

    monkeypatch.setattr(run.book, "decide", conflict)
    if times == TURNS:
        with pytest.raises(Blocked, match="other runs kept changing the journal"):
            run.connect()
        return
    outcome = run.connect()
    assert outcome.problems == ()
    assert list(run.journal().links) == ["portal"]


def test_two_runs_rename_a_link_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(world, "shop/old")
    link_run(world, "shop/old", "hub").connect()
    run, other = (link_run(world, "shop/old", "portal", was="hub") for _ in range(2))
    decide, first = run.book.decide, iter([other])

    def overtaken(*words: Any, **named: Any) -> int:
        for earlier in first:
            earlier.connect()
        return decide(*words, **named)

    monkeypatch.setattr(run.book, "decide", overtaken)
    assert run.connect().problems == ()
    journal = run.journal()
    assert (list(journal.links), journal.links["portal"].life) == (["portal"], 1)


def test_a_connection_renamed_back_is_at_home_again(world: World) -> None:
    settled(world, "shop/old")
    settled(world, "shop/new", was="shop/old")
    keys = dict(world.keys)

    settled(world, "shop/old", was="shop/new")
    back = settled(world, "shop/old")

    assert world.keys == keys
    journal, _ = back.book.journal()
    assert journal is not None
    assert journal.known_as == ""
    with pytest.raises(Refused, match="belongs to shop/old, by a rename"):
        loop.settle(operation(world, "shop/new"), WISH)


def test_a_rename_that_was_killed_half_way_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(world, "shop/old")
    keys = dict(world.keys)
    killed = operation(world, "shop/new", was="shop/old")

    def die(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(killed.book, "decide", die)
    with pytest.raises(KeyboardInterrupt):
        loop.settle(killed, WISH)

    with pytest.raises(Refused, match="belongs to shop/old, by a rename"):
        loop.settle(operation(world, "shop/new"), WISH)
    settled(world, "shop/new", was="shop/old")
    assert world.keys == keys


def test_a_name_that_had_a_key_before_is_no_new_name(world: World) -> None:
    settled(world, "shop/new")
    loop.destroy(operation(world, "shop/new"))
    settled(world, "shop/old")

    with pytest.raises(Refused, match="this name had a key before, and shop/old has one now"):
        loop.settle(operation(world, "shop/new", was="shop/old"), WISH)
    # Nor does one become new because what the former name has cannot be read.
    MemoryDocuments(world).write(
        "shop/old/journal", {"journal": "no JSON"}, cas=len(world.documents["shop/old/journal"])
    )
    with pytest.raises(Refused, match="this name had a key before"):
        loop.settle(operation(world, "shop/new", was="shop/old"), WISH)


def test_a_wrong_former_name_is_not_kept(world: World) -> None:
    settled(world, "shop/theirs")
    mine = operation(world, "shop/mine", was="shop/theirs")
    elsewhere = dataclasses.replace(mine, store="https://elsewhere.example", issuer=MemoryStore(World()))

    with pytest.raises(Refused, match="does not have our key"):
        loop.settle(elsewhere, WISH)

    settled(world, "shop/theirs")


@pytest.mark.parametrize("act", [loop.destroy, lambda o: observe(o, WISH)])
def test_nothing_is_looked_at_or_ended_at_another_address(world: World, act: Callable[[Operation], object]) -> None:
    settled(world, "shop/orders")
    elsewhere = dataclasses.replace(operation(world, "shop/orders"), store="https://elsewhere.example")

    with pytest.raises(Refused, match="its key is of"):
        act(elsewhere)

    assert any(key.alive for key in world.keys.values())


@pytest.mark.parametrize("data", [{"format": 9}, {"journal": "no JSON"}, {"journal": "[]"}])
def test_a_journal_that_cannot_be_read_is_said(world: World, data: dict[str, Any]) -> None:
    MemoryDocuments(world).write("shop/orders/journal", data, cas=0)

    with pytest.raises(Refused, match="cannot be read"):
        loop.settle(operation(world, "shop/orders"), WISH)


def test_another_kind_of_user_under_the_same_name_begins_anew(world: World) -> None:
    settled(world, "shop/orders")
    book = Book(MemoryDocuments(world), Owner("connections", "test", "shop/orders"))
    LinkRun(LinkOperation(book, world.clock), "hub", VaultReader()).connect()

    outcome = LinkRun(LinkOperation(book, world.clock), "hub", PersonReader()).connect()

    assert outcome.entry is not None
    assert (outcome.entry.reads, outcome.entry.acknowledged) == (False, 0)
    assert outcome.person != ()
