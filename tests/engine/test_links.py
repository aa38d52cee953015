"""The provider of links over doubles."""

from __future__ import annotations

from typing import Any

import pytest

from providers.core import people
from providers.core.errors import Transient, VaultSealed
from providers.core.links import VaultReader
from providers.core.provider import UNCHECKED, CredentialProvider, LinkProvider, NotDone
from tests.engine.conftest import BY_PERSON, MemoryToolbox, credential, link
from tests.protocol.doubles import MemoryStore, World

LINK, CREDENTIAL = LinkProvider(), CredentialProvider()
ID = "fresh-roast/orders/hub"


@pytest.fixture(autouse=True)
def _doubles(toolbox: MemoryToolbox) -> MemoryToolbox:
    return toolbox


@pytest.fixture
def key() -> dict[str, Any]:
    return settle()


def settle(**words: Any) -> dict[str, Any]:
    outs = CREDENTIAL.create(CREDENTIAL.check({}, credential(**words)).inputs).outs
    assert outs is not None
    return outs


def made(**words: Any) -> dict[str, Any]:
    created = LINK.create(LINK.check({}, link(**words)).inputs)
    assert created.outs is not None
    return created.outs


def drift(outs: dict[str, Any]) -> list[str]:
    seen = LINK.read(ID, outs)
    assert seen.id == ID
    assert seen.inputs is not None
    found: list[str] = seen.inputs.get("drift", [])
    return found


@pytest.mark.usefixtures("key")
def test_a_link_is_made_looked_at_and_ended(toolbox: MemoryToolbox) -> None:
    outs = made()
    assert outs["status"] == {"state": "acknowledged", "generation": 1}
    seen = LINK.read(ID, outs)
    assert seen.outs == outs
    assert seen.inputs == {name: value for name, value in outs.items() if name != "status"}
    LINK.delete(ID, outs)
    journal, _ = toolbox.book(credential()).journal()
    assert journal is not None
    assert journal.links == {}
    assert drift(outs) == ["it is not connected"]
    assert LINK.update(ID, outs, outs).outs == outs


def test_a_rotation_is_to_be_taken_over(key: dict[str, Any]) -> None:
    outs = made()
    CREDENTIAL.update("id", key, key | {"rotation": {"number": 2, "since": "2026-01-01"}})
    assert drift(outs) == ["generation 2 is not yet taken over"]
    updated = LINK.update(ID, outs, outs).outs
    assert updated is not None
    assert updated["status"] == {"state": "acknowledged", "generation": 2}
    assert drift(outs) == []


def test_a_person_is_waited_for_and_that_is_no_drift(
    key: dict[str, Any], toolbox: MemoryToolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = made(to="person")
    assert outs["status"] == {"state": "awaiting_person", "generation": 0}
    assert capsys.readouterr().out == (f"{ID}: take over generation 1, then `connections confirm {ID}`\n")
    seen = LINK.read(ID, outs)
    assert seen.outs is not None
    assert seen.outs["status"]["state"] == "awaiting_person"
    assert drift(outs) == []
    people.confirm_link(toolbox.operation(key), "hub", "Robin")
    seen = LINK.read(ID, outs)
    assert seen.outs is not None
    assert seen.outs["status"] == {"state": "acknowledged", "generation": 1}
    CREDENTIAL.update("id", key, key | {"rotation": {"number": 2, "since": "2026-01-01"}})
    assert drift(outs) == ["generation 2 is not handed over yet"]


def test_before_a_person_made_the_key_there_is_nothing_to_connect(world: World, toolbox: MemoryToolbox) -> None:
    world.capabilities = BY_PERSON
    key = settle()
    outs = made()
    assert outs["status"] == {"state": "awaiting_person", "generation": 0}
    assert drift(outs) == []
    people.capture(toolbox.operation(key), MemoryStore(world).add("", key, "hand").secret)
    # Shown before the run that proves the key, so that the same run connects too.
    assert drift(outs) == ["it is not connected"]
    CREDENTIAL.update("id", key, key)
    assert drift(outs) == ["it is not connected"]
    updated = LINK.update(ID, outs, outs).outs
    assert updated is not None
    assert updated["status"] == {"state": "acknowledged", "generation": 1}


def test_the_next_key_of_a_person_is_taken_over_by_the_run_that_proves_it(world: World, toolbox: MemoryToolbox) -> None:
    world.capabilities = BY_PERSON
    key = settle()
    store = MemoryStore(world)
    people.capture(toolbox.operation(key), store.add("", key, "hand").secret)
    CREDENTIAL.update("id", key, key)
    outs = made()
    again = key | {"rotation": {"number": 2, "since": "2026-01-01"}}
    CREDENTIAL.update("id", key, again)
    assert drift(outs) == []
    people.capture(toolbox.operation(key), store.add("", key, "hand").secret)
    assert drift(outs) == ["generation 2 is not yet taken over"]
    CREDENTIAL.update("id", key, again)
    updated = LINK.update(ID, outs, outs).outs
    assert updated is not None
    assert updated["status"] == {"state": "acknowledged", "generation": 2}
    assert drift(outs) == []


@pytest.mark.usefixtures("key")
def test_a_renamed_link_is_the_same_link(toolbox: MemoryToolbox) -> None:
    made()
    outs = made(link="desk", link_was="hub")
    journal, _ = toolbox.book(credential()).journal()
    assert journal is not None
    assert list(journal.links) == ["desk"]
    assert drift(outs) == []
    # The note may go.
    assert LINK.check(outs, link(link="desk")).inputs["link_was"] == "hub"


@pytest.mark.usefixtures("key")
def test_another_user_under_the_same_name_takes_the_place(toolbox: MemoryToolbox) -> None:
    outs = made()
    updated = LINK.update(ID, outs, link(to="person")).outs
    assert updated is not None
    assert updated["status"] == {"state": "awaiting_person", "generation": 0}
    journal, _ = toolbox.book(credential()).journal()
    assert journal is not None
    assert (journal.links["hub"].life, journal.links["hub"].reads) == (2, False)


def test_without_a_connection_there_is_no_link() -> None:
    outs = link() | {"status": None}
    assert LINK.read(ID, outs).id == ""
    LINK.delete(ID, outs)


def test_with_its_connection_a_link_is_gone(key: dict[str, Any]) -> None:
    CREDENTIAL.delete("id", key)
    assert LINK.read(ID, link()).id == ""
    with pytest.raises(NotDone, match=f"^{ID}: its connection has no current credential"):
        made()


@pytest.mark.usefixtures("key")
def test_what_cannot_be_cleared_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    outs = made()

    def broken(_: object) -> None:
        raise Transient("the consumer is busy")

    monkeypatch.setattr(VaultReader, "disconnect", broken)
    with pytest.raises(NotDone, match=f"^{ID}: the consumer is busy$"):
        LINK.delete(ID, outs)


@pytest.mark.usefixtures("key")
def test_a_look_never_raises(toolbox: MemoryToolbox) -> None:
    outs = made()
    toolbox.broken["documents"] = VaultSealed("Vault is sealed")
    seen = LINK.read(ID, outs)
    assert seen.inputs == {name: value for name, value in outs.items() if name != "status"}
    assert seen.outs is not None
    assert seen.outs["status"] == {"state": UNCHECKED, "generation": 1, "reasons": ["Vault is sealed"]}


def test_a_consumer_of_another_version_is_said() -> None:
    seen = LINK.read(ID, link(to="stackone"))
    assert seen.outs is not None
    assert seen.outs["status"]["reasons"][0].startswith("this version knows no link to 'stackone'")
