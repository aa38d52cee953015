"""The provider of links over doubles, at consumers that can be asked: drift, other places, the end of a former key, and
what a run that was killed began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from providers.core import kinds, ledger, people, provider
from providers.core.contract import TAKEN_OVER, Finding, Link, LinkKind, LinkTools
from providers.core.errors import PersonNeeded, Refused, Transient
from providers.core.provider import CredentialProvider, LedgerProvider, LinkProvider, NotDone
from providers.core.redaction import Secret
from providers.core.toolbox import Toolbox
from tests.engine.conftest import OUTSIDE, VAULT, MemoryToolbox, credential, link
from tests.engine.conftest import ledger as ledger_inputs
from tests.protocol.doubles import Consumer, MemoryLink, World

LINK, CREDENTIAL, LEDGER = LinkProvider(), CredentialProvider(), LedgerProvider()
ID = "fresh-roast/orders/shop"
SITE = "https://shop.example"


class Site(MemoryLink):
    """A consumer that can be asked, and whose place is declared."""

    def __init__(self, world: World, inputs: Mapping[str, Any], tools: LinkTools) -> None:
        super().__init__(world, inputs["connection"], inputs["link"], inputs["site"])
        self.tools = tools

    def check(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        assert secret["url"].reveal() == self.world.address
        fits = self.place != "https://unfit.example"
        return [Finding("fits", "confirmed" if fits else "contradicted", "it was looked at")]

    def disconnect(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        super().disconnect(secret)
        return [f"look after {self.place}"]


class Hub(Site):
    """A consumer that a person completes, by a link that ends."""

    def connect(self, generation: int, secret: Mapping[str, Secret]) -> None:
        inbound = self.tools.inbound()
        if inbound is None or inbound.generation != generation or inbound.values["link"].reveal() == "ended":
            self.tools.receive({"link": Secret(f"https://hub.example/{generation}")}, generation)
        if not self._done(secret):
            raise PersonNeeded("a person goes on", do="Follow the link")
        self.tools.note({"account": "a1", "owner": ""})

    def _done(self, secret: Mapping[str, Secret]) -> bool:
        return self.consumer.value == secret["consumer_key"].reveal()

    def observe(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        if self._done(secret):
            return [Finding(TAKEN_OVER, "confirmed", "the account is active")]
        inbound = self.tools.inbound()
        ended = inbound is not None and inbound.values["link"].reveal() == "ended"
        return [Finding("link", "contradicted" if ended else "unverifiable", "it has ended" if ended else "it waits")]


class Desk(Site):
    """A consumer that a person tends, who is handed the values with the boxes to tick."""

    def __init__(self, world: World, inputs: Mapping[str, Any], tools: LinkTools) -> None:
        super().__init__(world, inputs, tools)
        self.acknowledges = "person"

    def connect(self, generation: int, secret: Mapping[str, Secret]) -> None:
        """The hand-over did it."""

    def observe(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        return ()

    def verify(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        return ()


def kind(world: World, made: type[Site], **words: Any) -> LinkKind:
    def build(inputs: Mapping[str, Any], tools: LinkTools) -> Link:
        built: Link = made(world, inputs, tools)
        return built

    return LinkKind(build, **words)


@pytest.fixture(autouse=True)
def consumers(world: World, toolbox: MemoryToolbox, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Consumer]:
    known = {
        "site": kind(world, Site),
        "hub": kind(world, Hub, shown=("link",)),
        "desk": kind(world, Desk, what="A key for the desk", given=("boxes",)),
    }
    monkeypatch.setattr(kinds, "EVERYWHERE", {**kinds.EVERYWHERE, **known})
    return world.consumers


@pytest.fixture
def key() -> dict[str, Any]:
    return settle(overlap=0.0)


def settle(**words: Any) -> dict[str, Any]:
    outs = CREDENTIAL.create(CREDENTIAL.check({}, credential(**words)).inputs).outs
    assert outs is not None
    return outs


def rotated(key: dict[str, Any], number: int = 2) -> dict[str, Any]:
    outs = CREDENTIAL.update("id", key, key | {"rotation": {"number": number, "since": "2026-01-01"}}).outs
    assert outs is not None
    return outs


def declared(**words: Any) -> dict[str, Any]:
    return link(**{"link": "shop", "to": "site", "site": SITE, "vault": VAULT} | words)


def made(**words: Any) -> dict[str, Any]:
    outs = LINK.create(LINK.check({}, declared(**words)).inputs).outs
    assert outs is not None
    return outs


def updated(olds: dict[str, Any], **words: Any) -> dict[str, Any]:
    outs = LINK.update(ID, olds, LINK.check(olds, {**olds, **words}).inputs).outs
    assert outs is not None
    return outs


def drift(outs: dict[str, Any]) -> list[str]:
    seen = LINK.read(ID, outs)
    assert seen.inputs is not None
    return list(seen.inputs.get("drift", []))


def journal(toolbox: MemoryToolbox) -> Any:
    found, _ = toolbox.book(credential()).journal()
    assert found is not None
    return found


# --- what a consumer shows ---


@pytest.mark.usefixtures("key")
def test_what_a_consumer_lost_is_drift_and_given_again(consumers: Mapping[str, Consumer]) -> None:
    outs = made()
    assert drift(outs) == []
    consumers[SITE].value = ""
    assert drift(outs) == ["what it holds: seen"]
    updated(outs)
    assert consumers[SITE].value
    assert drift(outs) == []


@pytest.mark.usefixtures("key")
def test_a_link_that_changes_while_it_is_looked_at_is_looked_at_again(
    toolbox: MemoryToolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    made()
    run = toolbox.link_run(declared())
    real, others = run.book.slot, iter([True])

    def slot(digest: str) -> Any:
        if next(others, False):
            people.note_of_link(toolbox.link_operation(declared()), "shop", {"account": "a2"})
        return real(digest)

    monkeypatch.setattr(run.book, "slot", slot)
    entry = run.connect().entry
    assert entry is not None
    assert (entry.acknowledged, entry.notes) == (1, {"account": "a2"})


@pytest.mark.usefixtures("key")
def test_a_consumer_that_is_down_is_no_drift(consumers: Mapping[str, Consumer]) -> None:
    outs = made()
    consumers[SITE].vanished = True
    assert drift(outs) == []
    seen = LINK.read(ID, outs)
    assert seen.outs is not None
    assert seen.outs["status"]["state"] == provider.UNCHECKED
    with pytest.raises(NotDone, match="the consumer does not answer"):
        updated(outs)


def test_what_is_due_is_due_whoever_does_not_answer(
    key: dict[str, Any], consumers: Mapping[str, Consumer], capsys: pytest.CaptureFixture[str]
) -> None:
    outs = made()
    rotated(key)
    consumers[SITE].vanished = True
    capsys.readouterr()
    assert drift(outs) == ["generation 2 is not yet taken over"]
    assert "fresh-roast/orders/shop: not looked at: the consumer does not answer" in capsys.readouterr().out
    with pytest.raises(NotDone, match="the consumer does not answer"):
        updated(outs)


@pytest.mark.usefixtures("key")
def test_a_lost_secret_says_nothing_of_the_consumer(world: World) -> None:
    outs = made()
    world.documents["fresh-roast/orders/generations/1"][0] = None
    assert drift(outs) == []


@pytest.mark.usefixtures("key")
def test_what_does_not_serve_its_user_is_never_given(consumers: Mapping[str, Consumer]) -> None:
    with pytest.raises(NotDone, match="generation 1 does not serve its user: fits: it was looked at"):
        made(site="https://unfit.example")
    assert consumers["https://unfit.example"].value == ""


# --- places ---


def test_another_place_takes_the_place_of_the_former(
    key: dict[str, Any], consumers: Mapping[str, Consumer], capsys: pytest.CaptureFixture[str]
) -> None:
    outs = made()
    moved = updated(outs, site="https://new.example")
    assert (consumers[SITE].value, bool(consumers["https://new.example"].value)) == ("", True)
    assert capsys.readouterr().out == f"{ID}: look after {SITE}\n"
    # A run that was killed before the engine noted the new place: what is known now counts.
    LINK.delete(ID, outs)
    assert consumers["https://new.example"].value == ""
    assert drift(moved) == ["it is not connected"]


@pytest.mark.usefixtures("key")
def test_a_former_place_that_does_not_answer_is_not_left(consumers: Mapping[str, Consumer]) -> None:
    outs = made()
    consumers[SITE].vanished = True
    with pytest.raises(NotDone, match="the consumer does not answer"):
        updated(outs, site="https://new.example")
    consumers[SITE].vanished = False
    updated(outs, site="https://new.example")
    assert consumers[SITE].value == ""


@pytest.mark.usefixtures("key")
def test_another_word_of_the_same_place_is_given_anew(toolbox: MemoryToolbox, world: World) -> None:
    outs = made()
    before = journal(toolbox).steps[-1]
    assert updated(outs, hosts={"private": {}, "ca_file": "other.pem"})["status"]["generation"] == 1
    assert journal(toolbox).steps[-1] == before
    updated(outs, title="Fresh Roast")
    assert journal(toolbox).links["shop"].words["title"] == "Fresh Roast"
    assert journal(toolbox).steps[-1].what == "link shop: acknowledged generation 1"


def test_a_renamed_link_owns_its_place(
    key: dict[str, Any], toolbox: MemoryToolbox, consumers: Mapping[str, Consumer]
) -> None:
    made()
    # Whoever was renamed, and killed before the place had its new name, may still be cleared.
    run = toolbox.link_run(declared(link="store", link_was="shop"))
    found, version = run.book.journal()
    assert found is not None
    entry = found.links["shop"].model_copy(update={"life": 1})
    renamed = found.with_link("shop", None).with_link("store", entry)
    run.book.decide(renamed, version, run="killed", at=toolbox.clock(), what="renamed")
    LINK.delete(ID, declared(link="store"))
    assert consumers[SITE].value == ""
    assert journal(toolbox).links == {}


def test_a_rename_during_a_rotation_goes_on(key: dict[str, Any], consumers: Mapping[str, Consumer]) -> None:
    made()
    rotated(key)
    outs = made(link="store", link_was="shop")
    assert outs["status"] == {"state": "acknowledged", "generation": 2}
    assert consumers[SITE].generation == 2
    LINK.delete(ID, outs)
    assert consumers[SITE].value == ""


HANDED = OUTSIDE | {"link": "shop", "to": "desk", "site": SITE, "vault": VAULT, "boxes": ["Products"]}


def test_whoever_is_to_get_other_values_gets_them_anew(key: dict[str, Any], toolbox: MemoryToolbox) -> None:
    outs = made(**HANDED)
    sent = journal(toolbox).links["shop"].receipt
    people.confirm_link(toolbox.operation(key), "shop", "Robin")
    unchanged = updated(outs, settle={"overlap": 60.0}, proof="other")
    assert (journal(toolbox).links["shop"].receipt["sent_at"], unchanged["status"]["state"]) == (
        sent["sent_at"],
        "acknowledged",
    )
    again = updated(outs, boxes=["Products", "Orders"])
    entry = journal(toolbox).links["shop"]
    assert (again["status"]["state"], entry.acknowledged, entry.holds) == ("awaiting_person", 0, 1)
    assert entry.receipt["accessor"] != sent["accessor"]
    assert len(toolbox.world.mails) == 2
    states = [token.state for token in toolbox.world.tokens.values()]
    assert states == ["void", "waiting"]


def test_a_link_of_an_earlier_version_is_cleared_by_what_the_engine_knows(
    key: dict[str, Any], toolbox: MemoryToolbox, consumers: Mapping[str, Consumer]
) -> None:
    outs = made()
    book = toolbox.book(credential())
    found, version = book.journal()
    assert found is not None
    bare = found.with_link("shop", found.links["shop"].model_copy(update={"words": {}}))
    book.decide(bare, version, run="earlier", at=toolbox.clock(), what="as before")
    assert updated(outs, to="vault")["status"]["state"] == "acknowledged"
    assert consumers[SITE].value == ""


# --- the end of a former key ---


def test_the_last_link_to_move_ends_the_former_key(
    key: dict[str, Any], toolbox: MemoryToolbox, consumers: Mapping[str, Consumer]
) -> None:
    first, second = made(), made(link="uk", site="https://uk.example")
    consumers["https://uk.example"].vanished = True
    rotated(key)
    updated(first)
    assert journal(toolbox).generations[1].state == "superseded"
    with pytest.raises(NotDone, match=r"^fresh-roast/orders/uk: the consumer does not answer$"):
        LINK.update(ID, second, second)
    consumers["https://uk.example"].vanished = False
    LINK.update(ID, second, second)
    assert journal(toolbox).generations[1].state == "revoked"
    assert CREDENTIAL.read("fresh-roast/orders", key).inputs is not None
    assert "drift" not in (CREDENTIAL.read("fresh-roast/orders", key).inputs or {})


WAITING: Sequence[tuple[dict[str, Any], str]] = [
    ({"overlap": 3600.0}, "superseded"),
    ({"freeze": {"until": "2026-02-01", "reason": "sales"}}, "superseded"),
    ({"freeze": {"until": "2025-12-01", "reason": "sales"}}, "revoked"),
    ({}, "revoked"),
]


@pytest.mark.parametrize(("wait", "state"), WAITING, ids=[str(row[0]) for row in WAITING])
def test_a_former_key_lives_on_where_it_may(
    wait: dict[str, Any], state: str, key: dict[str, Any], toolbox: MemoryToolbox
) -> None:
    outs = made()
    rotated(key)
    updated(outs, settle=wait)
    assert journal(toolbox).generations[1].state == state


def test_a_former_key_that_cannot_end_now_is_no_fault_of_the_link(
    key: dict[str, Any], toolbox: MemoryToolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = made()
    rotated(key)
    toolbox.broken["find"] = Transient("the store is busy")
    assert updated(outs)["status"]["generation"] == 2
    assert capsys.readouterr().out.endswith(f"{ID}: the former generation is not ended yet: the store is busy\n")
    toolbox.broken.clear()
    assert journal(toolbox).generations[1].state == "superseded"


# --- a person goes on at the consumer ---


@pytest.mark.usefixtures("key")
def test_a_person_completes_a_link(
    toolbox: MemoryToolbox, consumers: Mapping[str, Consumer], capsys: pytest.CaptureFixture[str]
) -> None:
    outs = made(to="hub")
    follow = f"generation 1 waits for a person: `connections link {ID} --show` on a terminal"
    assert outs["status"] == {"state": "awaiting_person", "generation": 0, "reasons": [follow]}
    assert capsys.readouterr().out == f"{ID}: a person goes on. Follow the link\n"
    assert drift(outs) == []
    first = journal(toolbox).links["shop"].inbound
    assert updated(outs)["status"] == outs["status"]
    assert journal(toolbox).links["shop"].inbound == first, "one link is enough"
    # What ended is renewed, and the former one destroyed.
    toolbox.world.documents[f"fresh-roast/orders/inbound/{first}"][0]["link"] = "ended"  # type: ignore[index]
    assert drift(outs) == ["link: it has ended"]
    updated(outs)
    assert journal(toolbox).links["shop"].inbound == first + 1
    assert toolbox.world.documents[f"fresh-roast/orders/inbound/{first}"] == [None]
    consumers[SITE].value = next(iter(toolbox.world.keys.values())).value
    assert drift(outs) == ["taken over: the account is active"]
    assert updated(outs)["status"] == {"state": "acknowledged", "generation": 1}
    assert journal(toolbox).links["shop"].notes == {"account": "a1"}
    LINK.delete(ID, outs)
    assert toolbox.world.documents[f"fresh-roast/orders/inbound/{first + 1}"] == [None]


# --- what a run that was killed began ---


def refresh(key: dict[str, Any]) -> None:
    """What the engine looks at before it acts: all it knows."""
    LEDGER.read("connections/test", ledger_inputs(status={}))
    CREDENTIAL.read("fresh-roast/orders", key)


def test_a_link_that_no_state_and_no_file_has_is_cleared(
    key: dict[str, Any], toolbox: MemoryToolbox, consumers: Mapping[str, Consumer]
) -> None:
    made()
    refresh(key)
    inputs = LEDGER.check(ledger_inputs(), ledger_inputs(links=[])).inputs
    assert inputs["ends"] == [f"{ID}: a run began it and did not finish, and it is declared no more"]
    assert "links" not in inputs
    outs = LEDGER.update("connections/test", ledger_inputs(), inputs).outs
    assert outs is not None
    assert outs["status"] == {"state": "pending", "reasons": [f"{ID}: look after {SITE}"]}
    assert consumers[SITE].value == ""
    assert journal(toolbox).links == {}
    # Once more, and beside a run that did it first.
    assert ledger.end_links(toolbox, ledger_inputs(), [ID, "fresh-roast/never/shop"]) == ()


@pytest.mark.parametrize("known", ["declared", "in state", "not looked at"])
def test_a_link_that_somebody_knows_is_left(known: str, key: dict[str, Any], consumers: Mapping[str, Consumer]) -> None:
    outs = made()
    if known != "not looked at":
        refresh(key)
    if known == "in state":
        LINK.read(ID, outs)
    inputs = LEDGER.check(ledger_inputs(), ledger_inputs(links=[ID] if known == "declared" else [])).inputs
    assert "ends" not in inputs
    LEDGER.update("connections/test", ledger_inputs(), inputs)
    assert consumers[SITE].value


def test_a_link_of_a_renamed_connection_is_known_by_its_new_name(key: dict[str, Any]) -> None:
    made()
    renamed = key | {"connection": "boutique/orders", "was": "fresh-roast/orders"}
    CREDENTIAL.update("fresh-roast/orders", key, renamed)
    LEDGER.read("connections/test", ledger_inputs(status={}))
    # Its id in the engine stays the first one.
    CREDENTIAL.read("fresh-roast/orders", renamed)
    inputs = LEDGER.check(ledger_inputs(), ledger_inputs(links=["boutique/orders/shop"])).inputs
    assert "ends" not in inputs


def test_a_link_that_cannot_be_cleared_is_said(key: dict[str, Any], consumers: Mapping[str, Consumer]) -> None:
    made()
    refresh(key)
    consumers[SITE].vanished = True
    outs = LEDGER.update(
        "connections/test", ledger_inputs(), LEDGER.check(ledger_inputs(), ledger_inputs()).inputs
    ).outs
    assert outs is not None
    assert outs["status"]["reasons"] == [f"{ID}: the consumer does not answer"]


def test_a_destroy_clears_what_was_begun(key: dict[str, Any], consumers: Mapping[str, Consumer]) -> None:
    made()
    CREDENTIAL.delete("fresh-roast/orders", key)
    assert consumers[SITE].value == ""


def test_a_connection_that_is_declared_no_more_clears_its_links(
    key: dict[str, Any], toolbox: MemoryToolbox, consumers: Mapping[str, Consumer]
) -> None:
    made()
    assert ledger.end_strays(toolbox, ledger_inputs(declared={}), ()) == ()
    assert consumers[SITE].value == ""
    assert journal(toolbox).phase == "closed"


# --- what is lent to a link ---


class Vaulted(Toolbox):
    """A toolbox whose Vault is two dictionaries."""

    class Entries:
        @staticmethod
        def admin_login(mount: str, host: str, path: str) -> Mapping[str, Secret]:
            return {"place": Secret(f"{mount}/{host}/{path}")}

        @staticmethod
        def secret(mount: str, name: str) -> Mapping[str, Secret]:
            return {"place": Secret(f"{mount}/{name}")}


def lent(toolbox: Toolbox, *, looking: bool = False, **words: Any) -> LinkTools:
    tools: LinkTools = toolbox.link_run(declared(**words), looking=looking).link.tools  # type: ignore[attr-defined]
    return tools


def test_a_link_is_lent_logins(toolbox: MemoryToolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(toolbox), "vault", Vaulted.Entries())
    tools = lent(toolbox)
    found = (tools.admin_login("shop.example", "blog"), tools.hub("stackone"))
    assert [entry["place"].reveal() for entry in found if entry] == ["admins/shop.example/blog", "hubs/stackone"]
    assert tools.clock() == toolbox.clock()


def test_a_value_is_told_by_its_generation(key: dict[str, Any], toolbox: MemoryToolbox, world: World) -> None:
    tools = lent(toolbox)
    secret = next(iter(world.keys.values())).secret
    assert tools.generation_of(secret) == 1
    assert tools.generation_of({"consumer_key": Secret("ck_other")}) is None


def test_before_there_is_anything_nothing_is_known(toolbox: MemoryToolbox) -> None:
    tools = lent(toolbox)
    assert (tools.notes(), tools.inbound(), tools.generation_of({"token": Secret("t")})) == ({}, None, None)


@pytest.mark.usefixtures("key")
def test_a_look_writes_nothing(toolbox: MemoryToolbox) -> None:
    tools = lent(toolbox, looking=True)
    with pytest.raises(AssertionError, match="writes nothing"):
        tools.note({"a": "b"})
    with pytest.raises(AssertionError, match="writes nothing"):
        tools.receive({"a": Secret("b")}, 1)


@pytest.mark.usefixtures("key")
def test_the_same_note_is_not_written_twice(toolbox: MemoryToolbox) -> None:
    made()
    operation = toolbox.link_operation(declared())
    for _ in range(2):
        people.note_of_link(operation, "shop", {"account": "a1"})
    assert [step.what for step in journal(toolbox).steps].count("link shop: noted account") == 1


@pytest.mark.usefixtures("key")
def test_two_links_on_one_place_are_refused_by_the_slot() -> None:
    made()
    with pytest.raises(NotDone, match="is taken by fresh-roast/orders/shop"):
        made(link="other")
    assert Refused.exit_code == 5


def test_a_day_later_the_overlap_is_over(key: dict[str, Any], world: World, toolbox: MemoryToolbox) -> None:
    outs = made()
    rotated(key)
    updated(outs, settle={"overlap": 3600.0})
    world.now += timedelta(days=1)
    consumers = world.consumers[SITE]
    consumers.value = ""
    updated(outs, settle={"overlap": 3600.0})
    assert journal(toolbox).generations[1].state == "revoked"
