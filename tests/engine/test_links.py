"""The provider of links over doubles."""

from __future__ import annotations

from typing import Any

import pytest

from providers.core import people
from providers.core.contract import TAKEN_OVER, Finding, Verdict
from providers.core.errors import Transient, Unreachable, VaultDenied, VaultSealed
from providers.core.journal import LinkEntry
from providers.core.links import VaultReader
from providers.core.provider import UNCHECKED, CredentialProvider, LinkProvider, NotDone
from providers.core.standing import User, standing
from providers.stone_edge.channel import Channel
from tests.engine.conftest import BY_PERSON, OUTSIDE, MemoryToolbox, credential, link
from tests.protocol.doubles import MemoryDocuments, MemoryStore, World
from tests.protocol.handing import CART_PASSWORD, OFFICE, given_by_vendor, opened

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
    owed = f"take over generation 1, then `connections confirm {ID} --by WHO`"
    assert outs["status"] == {"state": "awaiting_person", "generation": 0, "reasons": [owed]}
    assert capsys.readouterr().out == (f"{ID}: take over generation 1, then `connections confirm {ID} --by WHO`\n")
    seen = LINK.read(ID, outs)
    assert seen.outs is not None
    assert seen.outs["status"]["state"] == "awaiting_person"
    assert drift(outs) == []
    people.confirm_link(toolbox.operation(key), "hub", "Robin")
    seen = LINK.read(ID, outs)
    assert seen.outs is not None
    confirmed = "confirmed by Robin on 2026-01-01 00:00 UTC"
    assert seen.outs["status"] == {"state": "acknowledged", "generation": 1, "reasons": [confirmed]}
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
    assert updated["status"]["state"] == "awaiting_person"
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

    def broken(*_: object) -> None:
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
    seen = LINK.read(ID, link(to="telex"))
    assert seen.outs is not None
    assert seen.outs["status"]["reasons"][0].startswith("this version knows no link to 'telex'")


# --- users outside --------------------------------------------------------------------------------------------------

SENT = f"generation 1 handed over to {OFFICE} by mail on 2026-01-01 00:00 UTC (sealed)"
OPENS = "it can be opened until 2026-01-04 00:00 UTC"
RECEIVE = f"when its vendor's values are there: `connections receive {ID}`"
CONFIRM = f"take over generation 1, then `connections confirm {ID} --by WHO`"


def status(outs: dict[str, Any]) -> dict[str, Any]:
    seen = LINK.read(ID, outs)
    assert seen.outs is not None
    found: dict[str, Any] = seen.outs["status"]
    return found


def up(outs: dict[str, Any]) -> dict[str, Any]:
    updated = LINK.update(ID, outs, outs).outs
    assert updated is not None
    found: dict[str, Any] = updated["status"]
    return found


def receive(toolbox: MemoryToolbox) -> None:
    people.receive(toolbox.link_operation(link()), "hub", given_by_vendor())


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the vendor's values show: `verdict`, or `error`; and how often they were tried."""
    shows: dict[str, Any] = {"verdict": "confirmed", "error": None, "tried": 0}

    def verify(channel: Channel, generation: int, secret: object) -> tuple[Finding, ...]:
        answer = channel._tools.inbound()
        if answer is None:
            return ()
        assert answer.values["cart_password"].reveal() == CART_PASSWORD
        shows["tried"] += 1
        if shows["error"] is not None:
            raise shows["error"]
        verdict: Verdict = shows["verdict"]
        found = Finding("login", verdict, "the script's answer")
        proved = verdict == "confirmed" and answer.generation == generation
        return (found, Finding(TAKEN_OVER, "confirmed", "came for it")) if proved else (found,)

    monkeypatch.setattr(Channel, "verify", verify)
    return shows


@pytest.mark.usefixtures("key", "checked")
def test_from_the_hand_over_to_the_vendors_answer(
    toolbox: MemoryToolbox, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = made(**OUTSIDE)
    waiting = {"state": "waiting_for_vendor", "generation": 0, "reasons": [SENT, OPENS, RECEIVE]}
    assert outs["status"] == status(outs) == waiting
    assert capsys.readouterr().out == f"{ID}: {RECEIVE}\n"
    assert drift(outs) == []
    assert set(opened(world) or {}) == {"url", "consumer_key", "consumer_secret"}
    receive(toolbox)
    assert drift(outs) == ["taken over: came for it"]
    done = [SENT, "verified here on 2026-01-01 00:00 UTC"]
    assert up(outs) == status(outs) == {"state": "acknowledged", "generation": 1, "reasons": done}
    assert drift(outs) == []
    assert len(world.mails) == 1


@pytest.mark.usefixtures("key")
def test_what_the_check_cannot_show_a_person_says(
    toolbox: MemoryToolbox, checked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    outs = made(**OUTSIDE)
    receive(toolbox)
    checked["verdict"] = "unverifiable"
    capsys.readouterr()
    assert up(outs)["state"] == "awaiting_person"
    assert capsys.readouterr().out == f"{ID}: {CONFIRM}; login: the script's answer\n"
    assert status(outs)["reasons"] == [SENT, OPENS, "its vendor's values are in Vault", CONFIRM]
    assert drift(outs) == [], "what cannot be seen is no drift"
    people.confirm_link(toolbox.operation(credential()), "hub", "Robin")
    assert status(outs)["reasons"] == [SENT, "confirmed by Robin on 2026-01-01 00:00 UTC"]
    assert drift(outs) == []


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("acknowledged", [True, False])
def test_a_login_that_is_refused_is_drift_and_the_next_run_tries_again(
    acknowledged: bool, toolbox: MemoryToolbox, checked: dict[str, Any]
) -> None:
    outs = made(**OUTSIDE)
    receive(toolbox)
    if acknowledged:
        up(outs)
    checked["verdict"] = "contradicted"
    assert drift(outs) == ["login: the script's answer"]
    refused = f"^{ID}: the user does not work with generation 1: login: the script's answer. If its vendor's values are"
    with pytest.raises(NotDone, match=refused):
        up(outs)
    receive(toolbox)
    checked["verdict"] = "confirmed"
    assert up(outs)["state"] == "acknowledged"
    assert drift(outs) == []


@pytest.mark.usefixtures("key")
def test_a_script_that_cannot_be_reached_changes_nothing(toolbox: MemoryToolbox, checked: dict[str, Any]) -> None:
    outs = made(**OUTSIDE)
    receive(toolbox)
    before = up(outs)
    outs["status"] = before
    checked["error"] = Unreachable("no connection", where="script.example")
    assert status(outs) == before | {"state": UNCHECKED, "reasons": ["script.example: no connection"]}
    assert drift(outs) == []
    with pytest.raises(NotDone, match="no connection"):
        up(outs)


@pytest.mark.usefixtures("key")
def test_a_login_that_reads_no_secret_keeps_what_was_decided(
    toolbox: MemoryToolbox,
    checked: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outs = made(**OUTSIDE)
    receive(toolbox)
    before = up(outs)
    checked["verdict"] = "contradicted"
    read = MemoryDocuments.read

    def denied(self: MemoryDocuments, path: str, *, version: int | None = None) -> Any:
        if not path.endswith("/journal"):
            raise VaultDenied("permission denied")
        return read(self, path, version=version)

    monkeypatch.setattr(MemoryDocuments, "read", denied)
    capsys.readouterr()
    assert status(outs) == status(outs) == before
    assert capsys.readouterr().out == "links are not checked: this login may read no secret\n"
    assert drift(outs) == []


def test_a_user_whose_proof_is_still_owed() -> None:
    stands = standing(ID, LinkEntry(life=1, place="spot", holds=1, connecting=1), 1, User(by_person=False))
    assert (stands.state, stands.drift) == ("connecting", "generation 1 is not yet taken over")


@pytest.mark.usefixtures("key")
def test_who_has_nothing_in_return_is_not_asked(toolbox: MemoryToolbox, checked: dict[str, Any]) -> None:
    outs = made(**OUTSIDE)
    people.confirm_link(toolbox.operation(credential()), "hub", "Robin")
    status(outs)
    up(outs)
    assert checked["tried"] == 0


def test_without_a_mail_server_a_person_hands_over(key: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    outs = made(**{word: value for word, value in OUTSIDE.items() if word != "mail"})
    line = f"on a terminal, `connections handover {ID}`"
    asked = {"state": "awaiting_person", "generation": 0, "reasons": [f"generation 1 is not handed over yet: {line}"]}
    assert outs["status"] == status(outs) == asked
    assert f"connections handover {ID}" in capsys.readouterr().out
    assert drift(outs) == [], "the next run cannot do it either"
    CREDENTIAL.update("id", key, key | {"rotation": {"number": 2, "since": "2026-01-01"}})
    assert drift(outs) == ["generation 2 is not handed over yet"]


@pytest.mark.usefixtures("key")
def test_what_was_prepared_and_not_sent_the_next_run_sends(world: World) -> None:
    world.pace = lambda step, faults: "transient" if step == "send" else ""
    with pytest.raises(NotDone, match="nothing was sent"):
        made(**OUTSIDE)
    world.pace = lambda step, faults: ""
    outs = link(**OUTSIDE)
    assert status(outs)["state"] == "connecting"
    assert drift(outs) == ["generation 1 is not handed over yet"]
    assert up(outs)["state"] == "waiting_for_vendor"
    assert [token.state for token in world.tokens.values()] == ["void", "waiting"]


@pytest.mark.usefixtures("key")
def test_another_receiver_gets_it_and_the_former_nothing(world: World) -> None:
    outs = made(**OUTSIDE)
    moved = outs | {"recipient": "desk@vendor.example"}
    assert drift(moved) == ["generation 1 is not handed over yet"]
    up(moved)
    assert "To: desk@vendor.example" in world.mails[-1]
    assert opened(world, 0) is None
    assert opened(world) is not None


@pytest.mark.usefixtures("key")
def test_the_end_of_a_link_voids_what_can_be_opened(toolbox: MemoryToolbox, world: World) -> None:
    outs = made(**OUTSIDE)
    receive(toolbox)
    # Whatever is declared by now.
    LINK.delete(ID, outs | {"to": "person", "recipient": "", "handover": "auto"})
    assert opened(world) is None
    assert "cart-canary" not in str(world.documents)


@pytest.mark.usefixtures("key")
def test_a_removal_that_was_killed_is_finished(toolbox: MemoryToolbox) -> None:
    outs = made()
    book = toolbox.book(credential())
    journal, version = book.journal()
    assert journal is not None
    unlinking = journal.with_link("hub", journal.links["hub"].model_copy(update={"state": "unlinking"}))
    book.decide(unlinking, version, run="x", at=toolbox.clock(), what="killed")
    assert (status(outs)["state"], drift(outs)) == ("unlinking", ["its removal was not finished"])
    assert up(outs)["state"] == "acknowledged"


@pytest.mark.parametrize(("recipient", "named"), [(OFFICE, OFFICE), ("", "whoever is at the terminal")])
def test_plain_text_is_said_in_every_preview(recipient: str, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    plain = link(**OUTSIDE | {"handover": "plain", "recipient": recipient})
    LINK.check({}, plain)
    LINK.check(plain, plain)
    line = f"{ID}: handed over in plain text: who reads it on its way to {named} has the key\n"
    assert capsys.readouterr().out == line * 2
    LINK.check({}, link(**OUTSIDE))
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("key", "checked")
def test_the_values_of_a_renamed_link_are_found(toolbox: MemoryToolbox) -> None:
    made(**OUTSIDE)
    receive(toolbox)
    renamed = link(**OUTSIDE | {"link": "desk", "link_was": "hub"})
    assert drift(renamed) == ["taken over: came for it"]
    assert up(renamed)["state"] == "acknowledged"
