"""The ledger over doubles: rails, strays, what waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from providers.core import ledger as rules
from providers.core import marker, people, provider
from providers.core.errors import Refused, Unreachable, VaultConflict, VaultDenied, VaultSealed
from providers.core.marker import Owner
from providers.core.provider import UNCHECKED, CredentialProvider, LedgerProvider, LinkProvider, NotDone
from tests.engine.conftest import BY_PERSON, MemoryToolbox, StackDocuments, credential, ledger, link
from tests.protocol.doubles import MemoryKeyring, MemoryStore, World

LEDGER, CREDENTIAL = LedgerProvider(), CredentialProvider()
ID = "connections/test"


@pytest.fixture(autouse=True)
def _doubles(toolbox: MemoryToolbox) -> MemoryToolbox:
    return toolbox


def make(name: str = "fresh-roast/orders", **words: Any) -> dict[str, Any]:
    outs = CREDENTIAL.create(CREDENTIAL.check({}, credential(connection=name, **words)).inputs).outs
    assert outs is not None
    return outs


def made(**words: Any) -> dict[str, Any]:
    created = LEDGER.create(LEDGER.check({}, ledger(**words)).inputs)
    assert created.id == ID
    assert created.outs is not None
    return created.outs


def drift(outs: dict[str, Any]) -> list[str]:
    seen = LEDGER.read(ID, outs)
    assert seen.inputs is not None
    found: list[str] = seen.inputs.get("drift", [])
    return found


def named(count: int, note: str = "") -> dict[str, str]:
    return {f"shop/c{number:02}": note for number in range(count)}


# --- rails ---


@pytest.mark.parametrize(
    ("before", "after", "already", "refused"),
    [
        ({}, named(50), 0, ""),
        (named(1), {}, 0, ""),
        (named(2), {}, 0, "this ends 2 and renews 0 of 2 credentials (shop/c00, shop/c01); "),
        (named(2), named(1), 0, ""),
        (named(2), named(2, "all"), 0, "this ends 0 and renews 2 of 2 credentials"),
        (named(9), named(1), 0, ""),
        (named(9), {}, 0, "this ends 9 and renews 0 of 9 credentials"),
        (named(9), named(2), 2, "this ends 7 and renews 0 of 9 credentials, after 2 today"),
        (named(10), named(7), 0, ""),
        (named(10), named(6), 0, "this ends 4 and renews 0 of 10 credentials"),
        (named(10), named(10) | named(4, "leaked"), 0, "this ends 0 and renews 4 of 10 credentials"),
        (named(10), named(9) | named(2, "leaked"), 1, "this ends 1 and renews 2 of 10 credentials, after 1 today"),
        (named(10, "old note"), named(10), 0, ""),
        (named(40), named(20), 0, "shop/c29, ...); if that is meant, run with CONNECTIONS_OVERRIDE=20"),
    ],
)
def test_too_much_at_once(
    before: dict[str, str], after: dict[str, str], already: int, refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = rules.too_much(before, after, already)
    assert refused in words
    assert bool(words) is bool(refused)
    for permitted, enough in (("all", False), ("3", False), ("40", True)):
        monkeypatch.setenv(rules.OVERRIDE, permitted)
        assert bool(rules.too_much(before, after, already)) is (bool(refused) and not enough) or permitted == "3"


def test_the_refusal_shows_in_the_preview() -> None:
    result = LEDGER.check(ledger(declared=named(4)), ledger(declared={}))
    (failure,) = result.failures
    assert failure.property == "declared"
    assert failure.reason.startswith("this ends 4 and renews 0 of 4 credentials")


def test_many_small_changes_of_one_day_are_counted(world: World) -> None:
    outs = made(declared=named(3))

    def rotate(*names: str) -> None:
        LEDGER.update(ID, outs | {"declared": named(3)}, ledger(declared=named(3) | dict.fromkeys(names, "why")))

    rotate("shop/c00")
    rotate("shop/c01")
    with pytest.raises(NotDone, match="after 2 today"):
        rotate("shop/c02")
    world.pass_time(86400)
    rotate("shop/c02")


def test_two_runs_count_together(toolbox: MemoryToolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = StackDocuments(toolbox.world)
    write, refusals = documents.write, iter([True])

    def contended(path: str, data: Any, *, cas: int) -> int:
        if next(refusals, False):
            documents.put("_ledger", {"day": "2026-01-01", "touched": "shop/a shop/b"})
            raise VaultConflict("somebody else wrote first")
        return write(path, data, cas=cas)

    monkeypatch.setattr(documents, "write", contended)
    monkeypatch.setattr(toolbox, "documents", lambda _: documents)
    with pytest.raises(Refused, match="after 2 today"):
        rules.count_today(toolbox, ledger(declared=named(3) | {"shop/c00": "why"}), named(3))


# --- strays ---


def test_what_is_declared_is_no_stray() -> None:
    make()
    outs = made()
    assert outs["status"] == {"state": "settled", "reasons": []}
    seen = LEDGER.read(ID, outs)
    assert seen.outs == outs
    assert seen.inputs == {name: value for name, value in outs.items() if name != "status"}


def test_a_stray_is_shown_and_ended(world: World) -> None:
    make("fresh-roast/forgotten")
    LinkProvider().create(link(connection="fresh-roast/forgotten"))
    make()
    outs = ledger()
    assert drift(outs) == ["fresh-roast/forgotten is not declared: generation 1 is current, link hub is linked"]
    LEDGER.update(ID, outs, outs)
    assert [key.label.split(":")[2] for key in world.keys.values() if key.alive] == ["fresh-roast/orders"]
    assert drift(outs) == []


def test_a_stray_that_was_only_begun_is_a_stray_too(toolbox: MemoryToolbox, world: World) -> None:
    world.refusing = True
    with pytest.raises(NotDone):
        make("fresh-roast/forgotten")
    world.pass_time(60)
    make_nothing = drift(ledger())
    assert make_nothing[0].startswith("fresh-roast/forgotten is not declared: ")
    made()
    assert drift(ledger()) == []


def test_what_the_engine_ends_itself_is_left_to_it(world: World) -> None:
    make("fresh-roast/leaving")
    make()
    before = ledger(declared={"fresh-roast/orders": "", "fresh-roast/leaving": ""})
    LEDGER.update(ID, before, ledger())
    assert all(key.alive for key in world.keys.values())


def test_what_the_engine_never_knew_is_named_in_the_preview_and_ended(world: World) -> None:
    leaving = make("fresh-roast/leaving")
    make("fresh-roast/killed")
    make("fresh-roast/orders")
    names = ("orders", "leaving", "killed", "another")
    before = ledger(declared={f"fresh-roast/{name}": "" for name in names})
    news = ledger(declared={"fresh-roast/orders": "", "fresh-roast/another": ""})
    # Without a look nobody can tell what the engine knows.
    assert "ends" not in LEDGER.check(before, news).inputs
    LEDGER.read(ID, before)
    CREDENTIAL.read("fresh-roast/leaving", leaving)
    inputs = LEDGER.check(before, news).inputs
    assert inputs["ends"] == ["fresh-roast/killed: a run began it and did not finish, and it is declared no more"]
    outs = LEDGER.update(ID, before, inputs).outs
    assert outs is not None
    alive = {key.label.split(":")[2] for key in world.keys.values() if key.alive}
    assert alive == {"fresh-roast/leaving", "fresh-roast/orders"}
    # Said once: the next look forgets it.
    seen = LEDGER.read(ID, outs)
    assert seen.inputs is not None
    assert "ends" not in seen.inputs


def reasons(outs: Mapping[str, Any]) -> str:
    assert outs["status"]["state"] == "pending"
    return " ".join(outs["status"]["reasons"])


def test_a_stray_that_cannot_be_ended_keeps_nobody_waiting_and_stays_in_sight(
    world: World, toolbox: MemoryToolbox
) -> None:
    make("fresh-roast/forgotten")
    world.revocable = False
    outs = made()
    assert "fresh-roast/forgotten: generation 1 is not proved dead" in reasons(outs)
    seen = LEDGER.read(ID, outs)
    assert seen.inputs is not None
    assert "fresh-roast/forgotten is not declared" in seen.inputs["drift"][0]
    toolbox.broken["operation"] = Unreachable("no answer")
    assert "fresh-roast/forgotten: no answer" in reasons(made())


def test_a_link_of_which_too_little_is_known_is_in_the_way(toolbox: MemoryToolbox) -> None:
    outs = make("fresh-roast/forgotten")
    LinkProvider().create(link(connection="fresh-roast/forgotten", to="person"))
    book = toolbox.book(outs)
    journal, version = book.journal()
    assert journal is not None
    # So an earlier version left it.
    bare = journal.with_link("hub", journal.links["hub"].model_copy(update={"words": {}}))
    book.decide(bare, version, run="earlier", at=toolbox.clock(), what="as before")
    assert "link hub still uses it" in reasons(made())


def test_most_of_what_vault_holds_is_not_ended_as_strays(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        make(f"fresh-roast/c{number}")
    words = "3 connections that Vault holds are not declared here, and 0 are"
    with pytest.raises(NotDone, match=words):
        LEDGER.create(ledger(declared={}))
    monkeypatch.setenv("CONNECTIONS_OVERRIDE", "3")
    assert made(declared={})["status"] == {"state": "settled", "reasons": []}


def test_a_repeated_run_touches_nothing_more(toolbox: MemoryToolbox) -> None:
    declared = named(30)
    fewer = dict(list(declared.items())[:22])
    for _ in range(2):
        rules.count_today(toolbox, ledger(declared=fewer), declared)
    with pytest.raises(Refused, match="after 8 today"):
        rules.count_today(toolbox, ledger(declared=dict(list(fewer.items())[:21])), fewer)


def test_a_key_that_vault_never_heard_of_keeps_the_end_open(world: World, toolbox: MemoryToolbox) -> None:
    outs = made()
    owner = Owner(outs["project"], outs["stack"], "fresh-roast/unknown")
    MemoryStore(world).add(marker.make(MemoryKeyring(), owner, 1), {"rights": "read", "purpose": "orders"}, "hand")
    with pytest.raises(NotDone, match="fresh-roast/unknown: the store still has key"):
        LEDGER.delete(ID, outs)


def test_a_stray_of_a_person_is_kept_in_sight_and_no_drift(
    world: World, toolbox: MemoryToolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    world.capabilities = BY_PERSON
    outs = make("fresh-roast/forgotten")
    key = MemoryStore(world).add("", outs, "hand")
    people.capture(toolbox.operation(outs), key.secret)
    CREDENTIAL.update("id", outs, outs)
    told = made()
    words = "fresh-roast/forgotten waits for a person: generation 1 is retiring"
    assert told["status"] == {"state": "pending", "reasons": [words]}
    assert f"{words}\n" in capsys.readouterr().out
    assert drift(told) == []
    ends = "^not ended yet: fresh-roast/forgotten: generation 1 is retiring; only a person can end it: "
    with pytest.raises(NotDone, match=ends):
        LEDGER.delete(ID, told)
    # Once the person has deleted it, the next run proves it; whoever may read no secret sees nothing of it.
    key.alive = False
    toolbox.broken["operation"] = VaultDenied("no")
    assert drift(told) == []
    del toolbox.broken["operation"]
    assert drift(told) == ["fresh-roast/forgotten is not declared: generation 1 is retiring"]
    ended = LEDGER.update(ID, told, LEDGER.check(told, ledger()).inputs).outs
    assert ended is not None
    assert ended["status"]["state"] == "settled"


def unknown(world: World, name: str = "fresh-roast/orders", number: int = 7, stack: str = "test") -> None:
    """A key with our marker that Vault never heard of."""
    mark = marker.make(MemoryKeyring(), Owner("connections", stack, name), number)
    MemoryStore(world).add(f"words {mark}", {}, "hand")


def test_a_key_that_vault_does_not_know_is_reported_and_never_touched(world: World) -> None:
    make("fresh-roast/forgotten")
    unknown(world, "fresh-roast/forgotten")
    unknown(world, "fresh-roast/gone")
    unknown(world, "fresh-roast/gone", stack="another")
    outs = made()
    reasons = outs["status"]["reasons"]
    assert [reason.partition(";")[0] for reason in reasons] == [
        "fresh-roast/forgotten: the store has key 2 (number 7), which Vault does not know",
        "fresh-roast/gone: the store has key 3 (number 7), which Vault does not know",
    ]
    assert all(key.alive for key in world.keys.values())
    assert drift(outs) == []


def test_what_a_sleeper_made_after_the_end_is_found(world: World) -> None:
    CREDENTIAL.delete("id", make("fresh-roast/ended"))
    assert drift(ledger()) == []
    unknown(world, "fresh-roast/ended", number=1)
    assert drift(ledger()) == ["fresh-roast/ended is not declared: nothing was made yet"]
    made()
    assert not any(key.alive for key in world.keys.values())


@pytest.mark.parametrize("error", [Unreachable("no answer"), VaultDenied("not allowed")])
def test_a_store_that_cannot_be_looked_at_is_left_out(toolbox: MemoryToolbox, error: Exception) -> None:
    make("fresh-roast/forgotten")
    toolbox.broken["find"] = error
    assert len(drift(ledger())) == 1


def test_a_store_without_a_list_is_left_out(world: World) -> None:
    world.capabilities = BY_PERSON
    assert drift(ledger()) == []


def test_a_document_without_a_journal_is_nothing(world: World) -> None:
    StackDocuments(world).put("fresh-roast/odd/credential", {"state": "live"})
    assert drift(ledger()) == []


# --- renames, destroy, looks ---


def test_a_renamed_connection_is_no_stray() -> None:
    make("fresh-roast/former")
    make("fresh-roast/orders", was="fresh-roast/former")
    outs = made()
    assert drift(outs) == []
    assert rules.held(provider.TOOLBOX.documents(outs), outs)[0].declared


def test_a_rename_ends_nothing(world: World) -> None:
    make("fresh-roast/former")
    LEDGER.read(ID, ledger())
    before = ledger(declared={"fresh-roast/former": "", "fresh-roast/first": ""})
    news = ledger(
        declared={"fresh-roast/orders": "", "fresh-roast/second": ""},
        former=["fresh-roast/former", "fresh-roast/first"],
    )
    result = LEDGER.check(before, news)
    assert result.failures == []
    assert {"former", "ends"}.isdisjoint(result.inputs)
    LEDGER.update(ID, before, result.inputs)
    assert all(key.alive for key in world.keys.values())


def test_destroy_ends_what_the_engine_did_not_know_and_is_finished_only_then(world: World) -> None:
    make("fresh-roast/orders")
    outs = made()
    world.revocable = False
    with pytest.raises(NotDone, match="^not ended yet: fresh-roast/orders: "):
        LEDGER.delete(ID, outs)
    world.revocable = True
    LEDGER.delete(ID, outs)
    assert not any(key.alive for key in world.keys.values())
    LEDGER.delete(ID, outs)


@pytest.mark.parametrize("part", ["documents", "issuer", "keyring", "find"])
@pytest.mark.parametrize("error", [VaultSealed("Vault is sealed"), RuntimeError("boom")])
def test_a_look_never_raises(toolbox: MemoryToolbox, part: str, error: Exception) -> None:
    make()
    outs = made()
    toolbox.broken[part] = error
    seen = LEDGER.read(ID, outs)
    assert seen.inputs == {name: value for name, value in outs.items() if name != "status"}
    assert seen.outs is not None
    assert seen.outs["status"]["state"] == UNCHECKED
