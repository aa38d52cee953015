"""One check for each rule of protocol.md that a schedule alone would not single out. Each takes the code under test, so that
a planted fault can be shown to be caught by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from providers.core import errors
from providers.core.contract import Finding, Selector, StoreKey, Verdict
from providers.core.marker import Owner, make
from providers.core.redaction import Secret
from tests.protocol.core import Core
from tests.protocol.doubles import (
    STORE,
    Key,
    MemoryDocuments,
    MemoryKeyring,
    MemoryStore,
    Pace,
    World,
    capable,
    unhurried,
)
from tests.protocol.explorer import OWNER, Stage, delete_keys
from tests.protocol.handing import given_by_vendor, opened
from tests.protocol.watch import Watch

Check = Callable[[Core], None]
CHECKS: dict[str, Check] = {}


def rule(check: Check) -> Check:
    """A check of this collection, known by its name."""
    CHECKS[check.__name__] = check
    return check


def begin(core: Core, *, overlap: float = 0.0, **capabilities: Any) -> Stage:
    """An empty world, watched."""
    world = World(capabilities=capable(**capabilities))
    world.watchers.append(Watch(world, OWNER, overlap, {"read", "read_write"}, allowance=lambda: 1))
    return Stage(core, world)


def states(stage: Stage) -> dict[int, str]:
    """State of every generation."""
    return {number: generation.state for number, generation in stage.journal().generations.items()}


def alive(stage: Stage) -> dict[int, int]:
    """How many living keys the store has, by number."""
    return {number: len(keys) for number, keys in stage.world.alive(OWNER).items()}


def only(stage: Stage, number: int) -> Key:
    """The one living key of a number."""
    (key,) = stage.world.alive(OWNER)[number]
    return key


def suffer(stage: Stage, **faults: str) -> None:
    """Let the named steps (their first word) suffer a fault, once each."""
    left = dict(faults)

    def pace(step: str, possible: tuple[str, ...]) -> str:
        name = step.split(maxsplit=1)[0]
        return left.pop(name) if left.get(name) in possible and name in left else ""

    stage.world.pace = pace


def always(**faults: str) -> Pace:
    """The named steps suffer a fault every time."""
    return lambda step, possible: faults.get(step.split()[0], "")


def before(stage: Stage, step: str, act: Callable[[], object]) -> None:
    """Do something once, just before the next step whose name begins like this."""

    def pace(seen: str, possible: tuple[str, ...]) -> str:
        if seen.startswith(step):
            stage.world.pace = unhurried
            act()
        return ""

    stage.world.pace = pace


def words(outcome: Any) -> str:
    """Everything an outcome says."""
    return "; ".join([*map(str, outcome.problems), *getattr(outcome, "waiting", ()), *outcome.person])


def quiet(stage: Stage, act: Callable[[], object]) -> None:
    """The act writes nothing anywhere."""
    written = len(stage.world.writes)
    act()
    assert stage.world.writes[written:] == []


# --- facts (section 3) ----------------------------------------------------------------------------------------------


@rule
def foreign_keys_are_never_touched(core: Core) -> None:
    stage = begin(core)
    other = Owner("shops", "other", OWNER.connection)
    mine = make(MemoryKeyring(), OWNER, 1)
    labels = {
        "a person's": "orders",
        "another stack's": make(MemoryKeyring(), other, 1),
        "cut": mine[:-1],
        "a wrong MAC": mine[:-1] + ("0" if mine[-1] != "0" else "1"),
        "two markers": f"{mine} {make(MemoryKeyring(), OWNER, 2)}",
    }
    keys = [stage.store.add(label, {"rights": "read"}, "foreign") for label in labels.values()]
    stage.settle(stage.wish())
    stage.settle(stage.wish(rotation=2))
    stage.destroy()
    assert all(key.alive for key in keys)


@rule
def numbers_above_the_journal_are_an_alarm(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.store.add(f"orders {make(MemoryKeyring(), OWNER, 7)}", {"rights": "read"}, "foreign")
    acts: tuple[Callable[[], object], ...] = (partial(stage.settle, stage.wish(rotation=2)), stage.destroy)
    for act in acts:
        with pytest.raises(errors.VaultRolledBack, match="number 7"):
            act()
    assert alive(stage) == {1: 1, 7: 1}


@rule
def an_intended_key_without_document_and_current_missing_is_an_alarm(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    # Vault restored to a copy taken when 2 was intended; since then 2 became current and 1 was revoked.
    suffer(stage, issue="lost", find="")
    with pytest.raises(RuntimeError):
        before(stage, "write fresh-roast/orders/generations/2", _die)
        stage.settle(stage.wish(rotation=2))
    only(stage, 1).alive = False
    with pytest.raises(errors.VaultRolledBack, match="number 2"):
        stage.settle(stage.wish(rotation=2))
    assert alive(stage) == {2: 1}


def _die() -> None:
    raise RuntimeError("dies")


@rule
def no_alarm_where_the_current_was_missing_already(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    only(stage, 1).alive = False
    before(stage, "write fresh-roast/orders/generations/2", _die)
    with pytest.raises(RuntimeError):
        stage.settle(stage.wish())
    stage.world.pass_time(60)
    assert stage.settle(stage.wish()).state == "live"
    assert states(stage) == {1: "revoked", 2: "revoked", 3: "current"}


@rule
def recover_goes_on_above_the_highest_number(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    copy = {path: list(versions) for path, versions in stage.world.documents.items()}
    stage.settle(stage.wish(rotation=2))
    stage.settle(stage.wish(rotation=3))
    stage.world.watchers.clear()
    stage.world.documents = copy
    unknown = stage.core.people.unknown_keys(stage.operation())
    assert [found.number for found in unknown] == [3]
    assert "number 3: key 3" in stage.core.people.recovered_text(stage.operation(), unknown)[0]
    stage.core.people.recover(stage.operation(), [3], "Vault was restored")
    outcome = stage.settle(stage.wish(rotation=3))
    assert outcome.state == "live", words(outcome)
    assert alive(stage) == {4: 1}
    assert states(stage) == {1: "revoked", 3: "revoked", 4: "current"}
    quiet(stage, lambda: stage.settle(stage.wish(rotation=3)))


@rule
def recover_ends_an_alarm_over_an_intended_number(core: Core) -> None:
    stage = begin(core)
    an_intended = stage.settle(stage.wish())
    assert an_intended.state == "live"
    before(stage, "write fresh-roast/orders/generations/2", _die)
    with pytest.raises(RuntimeError):
        stage.settle(stage.wish(rotation=2))
    only(stage, 1).alive = False
    (unknown,) = stage.core.people.unknown_keys(stage.operation())
    assert unknown.number == 2
    stage.world.watchers[0].recovering = True  # type: ignore[attr-defined]
    stage.core.people.recover(stage.operation(), [2], "deleted by hand at the wrong moment")
    assert stage.settle(stage.wish(rotation=2)).state == "live"
    assert alive(stage) == {3: 1}


@rule
def recover_works_without_any_journal_and_after_the_end(core: Core) -> None:
    for closed in (False, True):
        stage = begin(core)
        if closed:
            stage.settle(stage.wish())
            stage.destroy()
        stage.world.watchers.clear()
        stage.store.add(f"orders {make(MemoryKeyring(), OWNER, 9)}", {"rights": "read"}, "hand")
        assert [found.number for found in stage.core.people.unknown_keys(stage.operation())] == [9]
        stage.core.people.recover(stage.operation(), [9], "Vault was lost")
        stage.destroy()
        assert alive(stage) == {}
        assert states(stage)[9] == "revoked"


@rule
def a_wrong_mount_concludes_nothing(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())

    class Wrong(MemoryDocuments):
        def read(self, path: str, *, version: int | None = None) -> Any:
            raise errors.VaultWrongPlace("the sentinel is not readable")

    stage.documents = Wrong(stage.world)
    acts: tuple[Callable[[], object], ...] = (partial(stage.settle, stage.wish()), stage.destroy)
    for act in acts:
        written = list(stage.world.writes)
        with pytest.raises(errors.VaultWrongPlace):
            act()
        assert stage.world.writes == written


@rule
def another_stacks_journal_is_refused(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    elsewhere = Stage(core, stage.world, replace(OWNER, stack="other"))
    with pytest.raises(errors.Refused, match="belongs to shops:test"):
        elsewhere.settle(stage.wish())
    stage.world.documents[f"{OWNER.connection}/journal"].append(None)
    stage.world.written[f"{OWNER.connection}/journal"].append(stage.world.now)
    with pytest.raises(errors.Refused, match="deleted in Vault"):
        stage.settle(stage.wish())


@rule
def a_store_that_moved_is_followed(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    moved = "https://new.example"
    before(
        stage, f"write {OWNER.connection}/journal", lambda: stage.core.people.request_rotation(stage.operation(), "x")
    )
    assert stage.settle(stage.wish(), store=moved).state == "live"
    assert stage.journal().store == moved
    quiet(stage, lambda: stage.settle(stage.wish(), store=moved))


@rule
def a_store_without_our_key_is_not_the_same_store(core: Core) -> None:
    for lists in (True, False):
        stage = begin(core, lists=lists)
        stage.settle(stage.wish())
        if lists:
            only(stage, 1).alive = False
        with pytest.raises(errors.Refused, match="does not have our key"):
            stage.settle(stage.wish(), store="https://new.example")
        assert stage.journal().store == STORE
    stage = begin(core)
    suffer(stage, issue="late")
    stage.settle(stage.wish())
    with pytest.raises(errors.Refused, match="does not have our key"):
        stage.settle(stage.wish(), store="https://new.example")


@rule
def an_address_may_change_while_nothing_lives_there(core: Core) -> None:
    stage = begin(core)
    stage.world.refusing = True
    stage.settle(stage.wish())
    stage.settle(stage.wish(frozen="no"))
    stage.world.refusing = False
    assert stage.settle(stage.wish(), store="https://new.example").state == "live"
    stage.destroy(store="https://new.example")
    assert stage.settle(stage.wish(), store="https://third.example").state == "live"


# --- what is due (section 4) ----------------------------------------------------------------------------------------


@rule
def two_keys_of_one_number_both_go(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    suffer(stage, issue="twice late")
    stage.settle(stage.wish(rotation=2))
    assert states(stage)[2] == "current"
    stage.world.arrive()
    assert alive(stage) == {2: 2}
    assert stage.settle(stage.wish(rotation=2)).state == "live"
    assert alive(stage) == {3: 1}


@rule
def a_doubled_request_is_given_up_before_it_is_current(core: Core) -> None:
    stage = begin(core)
    suffer(stage, issue="twice")
    stage.settle(stage.wish())
    assert states(stage)[1] in {"abandoned", "revoked"}
    assert alive(stage) == {2: 1}


@rule
def a_wrong_key_is_given_up_once_a_run(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.world.pace = always(issue="wide")
    outcome = stage.settle(stage.wish(rotation=2))
    assert "rights differs at the store" in words(outcome)
    assert outcome.state == "problem"
    assert len(stage.world.keys) == 2
    assert alive(stage) == {1: 1}
    assert stage.world.documents[f"{OWNER.connection}/credential"][-1]["generation"] == "1"  # type: ignore[index]


@rule
def what_the_store_shows_counts_even_where_the_proof_is_blind(core: Core) -> None:
    stage = begin(core)
    stage.store.verify = lambda secret, fields: [core_finding("confirmed", "recognised")]  # type: ignore[method-assign]
    suffer(stage, issue="wide")
    assert "rights differs at the store" in words(stage.settle(stage.wish()))
    assert alive(stage) == {}


@rule
def a_key_of_another_connection_is_not_adopted(core: Core) -> None:
    stage = begin(core)
    key = stage.store.add("made by hand", {"rights": "read", "purpose": "orders"}, "hand")
    key.label = make(MemoryKeyring(), replace(OWNER, connection="fresh-roast/stock"), 1)
    outcome = stage.settle(stage.wish(adopt="old"), entry=lambda _: key.secret)
    assert "belongs to test:fresh-roast/stock already" in words(outcome)
    assert key.alive


@rule
def an_adopted_key_gets_the_declared_rights(core: Core) -> None:
    stage = begin(core, revisable=frozenset({"rights", "purpose"}))
    key = stage.store.add("made by hand", {"rights": "read_write", "purpose": "orders"}, "hand")
    assert stage.settle(stage.wish(adopt="old"), entry=lambda _: key.secret).state == "live"
    assert states(stage) == {1: "current"}
    assert key.fields["rights"] == "read"


@rule
def the_journal_keeps_what_an_end_without_declaration_needs(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish(), inputs={"login": "none"})
    assert stage.journal().inputs == {"login": "none"}


@rule
def a_run_that_comes_late_ends_no_adopted_key(core: Core) -> None:
    stage = begin(core)
    key = stage.store.add("made by hand", {"rights": "read", "purpose": "orders"}, "hand")
    book = stage.core.journal.Book(stage.documents, OWNER)

    def adopted_beside(_: str) -> Any:
        # While this run looks for the key, another gives the number up and adopts the key as the next one.
        if stage.core.journal.Book(stage.documents, OWNER).journal()[0].intended == 1:
            stage.settle(stage.wish(adopt="old"), entry=lambda _: key.secret, lease=0.0)
        return key.secret

    stage.settle(stage.wish(adopt="old"), entry=adopted_beside, lease=0.0, book=book)
    assert key.alive


@rule
def an_id_with_another_tail_is_another_key(core: Core) -> None:
    stage, key, settle = adopted(core, capabilities={"relabels": False})
    key.fields["purpose"] = "orders"
    settle()
    # The store was set up anew and gave the same id to somebody else.
    key.value, key.made_by = "ck_" + "f" * 40, "foreign"
    settle()
    assert key.alive
    assert states(stage)[2] == "current"


@rule
def a_marker_of_another_stack_on_our_key_is_put_right(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    key = only(stage, 1)
    key.label = make(MemoryKeyring(), replace(OWNER, stack="other"), 7)
    assert stage.settle(stage.wish()).state == "live"
    assert only(stage, 1) is key
    assert states(stage) == {1: "current"}


@rule
def a_key_that_fails_its_proof_is_never_published(core: Core) -> None:
    stage = begin(core)
    stage.world.pace = always(verify="contradicted")
    outcome = stage.settle(stage.wish())
    assert "refused by its proof" in words(outcome)
    assert f"{OWNER.connection}/credential" not in stage.world.documents
    assert alive(stage) == {}
    stage.world.pass_time(60)
    stage.world.pace = unhurried
    assert stage.settle(stage.wish()).state == "live"


@rule
def an_unclear_proof_waits(core: Core) -> None:
    for fault, said in (("unverifiable", "could not be proved yet: recognised: seen"), ("transient", "busy")):
        stage = begin(core)
        stage.world.pace = always(verify=fault)
        assert said in words(stage.settle(stage.wish()))
        assert states(stage) == {1: "intended"}
        stage.world.pace = unhurried
        assert stage.settle(stage.wish()).state == "live"
        assert states(stage) == {1: "current"}


@rule
def a_store_that_says_nothing_proves_nothing(core: Core) -> None:
    stage = begin(core)
    stage.store.verify = lambda secret, fields: []  # type: ignore[method-assign]
    assert "the store said nothing" in words(stage.settle(stage.wish()))
    assert states(stage) == {1: "intended"}


@rule
def a_key_may_show_in_lists_a_little_later(core: Core) -> None:
    stage = begin(core)
    suffer(stage, issue="lag")
    assert stage.settle(stage.wish()).state == "live"
    assert states(stage) == {1: "current"}


@rule
def a_key_that_never_shows_is_given_up(core: Core) -> None:
    stage = begin(core)
    before(stage, "verify", unhurried_none)
    before(
        stage,
        f"write {OWNER.connection}/generations/1",
        lambda: delete_keys(stage.world),
    )
    outcome = stage.settle(stage.wish())
    assert "the key is not at the store" in words(outcome)
    assert states(stage) == {1: "revoked"}


def unhurried_none() -> None:
    """Nothing."""


@rule
def an_old_value_is_never_taken_again(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    first = only(stage, 1)
    real = stage.store.issue

    def issue(order: Any) -> Any:
        made = real(order)
        stage.world.keys[made.key_id].value = first.value
        return replace(made, secret=first.secret)

    stage.store.issue = issue  # type: ignore[method-assign]
    assert "was a credential of the connection before" in words(stage.settle(stage.wish(rotation=2)))
    assert states(stage)[1] == "current"


@rule
def what_an_earlier_run_made_wrong_is_made_anew(core: Core) -> None:
    stage = begin(core)

    def pace(step: str, _: tuple[str, ...]) -> str:
        if step == "find" and stage.world.keys:
            _die()
        return "wide" if step == "issue" else ""

    stage.world.pace = pace
    with pytest.raises(RuntimeError):
        stage.settle(stage.wish())
    stage.world.pace = unhurried
    stage.world.pass_time(60)
    assert stage.settle(stage.wish()).state == "live"
    assert alive(stage) == {2: 1}


@rule
def a_secret_put_in_by_hand_meanwhile_is_not_ours(core: Core) -> None:
    stage = begin(core)
    path = f"{OWNER.connection}/generations/1"
    foreign = {"consumer_key": "ck_x", "consumer_secret": "cs_x", "state": "live", "key_id": "77", "tail": "k_other"}
    before(stage, f"write {path}", lambda: stage.documents.put(path, foreign))
    assert "the key is not at the store" in words(stage.settle(stage.wish()))
    stage.world.pass_time(60)
    assert stage.settle(stage.wish()).state == "live"
    assert alive(stage) == {2: 1}


@rule
def what_only_a_person_knows_is_awaited(core: Core) -> None:
    stage = begin(core, lists=False, revoked_by="person")
    suffer(stage, issue="lost")
    outcome = stage.settle(stage.wish())
    assert states(stage) == {1: "abandoned"}
    assert "only a person knows" in words(outcome)
    assert "--deleted 1" in words(outcome)


@rule
def other_rights_make_another_key(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    assert stage.settle(stage.wish("read_write")).state == "live"
    assert states(stage) == {1: "revoked", 2: "current"}


@rule
def a_changed_wish_gives_up_what_was_intended(core: Core) -> None:
    stage = begin(core)
    stage.world.pace = always(verify="transient")
    stage.settle(stage.wish())
    stage.world.pace = unhurried
    stage.settle(stage.wish("read_write"))
    assert states(stage)[2] == "current"
    assert alive(stage) == {2: 1}
    stage.world.pace = always(verify="transient")
    stage.settle(stage.wish("read_write", rotation=2))
    stage.world.pace = unhurried
    assert stage.destroy().state == "closed"
    assert alive(stage) == {}


@rule
def what_changes_in_place_is_changed_and_read_back(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    outcome = stage.settle(stage.wish(purpose="stock"))
    assert outcome.state == "live"
    assert only(stage, 1).fields["purpose"] == "stock"
    assert stage.journal().generations[1].wished["purpose"] == "stock"
    only(stage, 1).fields["purpose"] = "edited by hand"
    assert stage.settle(stage.wish(purpose="stock")).state == "live"
    assert only(stage, 1).fields["purpose"] == "stock"
    quiet(stage, lambda: stage.settle(stage.wish(purpose="stock")))


@rule
def a_change_that_does_not_take_is_tried_once(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.store.revise = lambda key_id, order: stage.world.changed("revise")  # type: ignore[method-assign]
    stage.settle(stage.wish(purpose="stock"))
    assert stage.world.writes.count("revise") == 1


@rule
def the_rotation_number_only_goes_up(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish(rotation=5))
    quiet(stage, lambda: stage.settle(stage.wish(rotation=2)))
    stage.settle(stage.wish(rotation=6))
    assert states(stage) == {1: "revoked", 2: "current"}


@rule
def a_rotation_asked_for_by_command_happens_once(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.core.people.request_rotation(stage.operation(), "a person left")
    stage.settle(stage.wish())
    assert states(stage) == {1: "revoked", 2: "current"}
    assert stage.journal().generations[2].note == "rotation asked for: a person left"
    quiet(stage, lambda: stage.settle(stage.wish()))


@rule
def a_key_deleted_by_hand_is_made_anew_and_takes_nothing_from_anyone(core: Core) -> None:
    stage = begin(core, overlap=1000)
    wish = stage.wish(overlap=1000)
    stage.settle(wish)
    stage.link("erp").connect()
    only(stage, 1).alive = False
    stage.settle(wish)
    assert states(stage) == {1: "revoked", 2: "current"}, "nobody can use a key that is gone"


@rule
def a_superseded_key_waits_for_overlap_and_links(core: Core) -> None:
    stage = begin(core, overlap=100)
    wish = stage.wish(overlap=100)
    stage.settle(wish)
    stage.link("erp").connect()
    stage.core.links.LinkRun(stage.operation(), "reader", stage.core.links.VaultReader()).connect()
    stage.settle(again := replace(wish, rotation=2))
    outcome = stage.settle(again)
    assert states(stage) == {1: "superseded", 2: "current"}
    assert "overlap until" in words(outcome)
    assert "erp still holds generation 1" in words(outcome)
    assert outcome.state == "rotating"
    stage.world.pass_time(101)
    assert "reader" not in words(stage.settle(again))
    stage.link("erp").connect()
    assert stage.settle(again).state == "live"
    assert states(stage) == {1: "revoked", 2: "current"}


@rule
def a_link_that_is_being_removed_still_blocks(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.link("erp").connect()
    stage.world.consumers["erp"].vanished = True
    assert "does not answer" in words(stage.link("erp").disconnect())
    assert stage.journal().links["erp"].state == "unlinking"
    stage.settle(stage.wish(rotation=2))
    assert states(stage)[1] == "superseded"
    outcome = stage.destroy()
    assert stage.journal().phase == "open"
    assert "forget-link" in words(outcome)
    assert "does not answer" in words(stage.link("erp").connect())
    stage.core.people.forget_link(stage.operation(), "erp", "the shop is gone")
    assert stage.destroy().state == "closed"
    assert alive(stage) == {}


@rule
def three_keys_never_live_without_need(core: Core) -> None:
    stage = begin(core)
    watch = stage.world.watchers[0]
    watch.allowance = lambda: 0  # type: ignore[attr-defined]
    stage.settle(stage.wish())
    for rotation in (2, 3, 4):
        stage.link("erp").connect()
        stage.settle(stage.wish(rotation=rotation))
    assert watch.peak == 2  # type: ignore[attr-defined]


@rule
def a_freeze_begins_nothing(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish(frozen="sales week"))
    assert states(stage) == {}
    stage.settle(stage.wish())
    outcome = stage.settle(stage.wish(rotation=2, frozen="sales week"))
    assert states(stage) == {1: "current"}
    assert "frozen: sales week" in words(outcome)
    quiet(stage, lambda: stage.settle(stage.wish(purpose="stock", frozen="sales week")))


@rule
def a_leaked_key_goes_at_once(core: Core) -> None:
    stage = begin(core, overlap=1000)
    wish = stage.wish(overlap=1000, frozen="sales week")
    stage.settle(replace(wish, frozen=""))
    stage.link("erp").connect()
    stage.settle(replace(wish, frozen="", rotation=2))
    assert states(stage) == {1: "superseded", 2: "current"}
    stage.core.people.compromise(stage.operation(), "seen in a chat")
    assert stage.settle(wish).state == "live"
    assert states(stage) == {1: "revoked", 2: "revoked", 3: "current"}
    assert alive(stage) == {3: 1}


@rule
def a_leaked_key_dies_even_without_a_successor(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.core.people.compromise(stage.operation(), "seen in a chat")
    stage.world.refusing = True
    outcome = stage.settle(stage.wish())
    assert "the store refuses" in words(outcome)
    assert alive(stage) == {}
    assert stage.world.documents[f"{OWNER.connection}/credential"][-1]["state"] == "revoked"  # type: ignore[index]
    stage.world.refusing = False
    assert stage.settle(stage.wish()).state == "live"


@rule
def an_edited_published_copy_is_published_again(core: Core) -> None:
    edits: tuple[Mapping[str, Any], ...] = (
        {"consumer_key": "ck_edited"},
        {"extra": "value"},
        {"url": "https://evil.example"},
        {"generation": "77"},
        {"generation": 5},
        {"state": "revoked"},
        {"incarnation": "9"},
    )
    for edit in edits:
        stage = begin(core)
        stage.settle(stage.wish())
        path = f"{OWNER.connection}/credential"
        good = stage.world.documents[path][-1]
        assert good is not None
        changed = {**good, **edit}
        changed.pop("txn")
        stage.documents.put(path, changed)
        assert stage.core.observe.observe(stage.operation(), stage.wish()).drift, edit
        stage.world.watchers.clear()
        stage.settle(stage.wish())
        latest = stage.world.documents[path][-1]
        assert latest is not None
        assert {k: v for k, v in latest.items() if k not in {"txn", "published_at"}} == {
            k: v for k, v in good.items() if k not in {"txn", "published_at"}
        }
        quiet(stage, partial(stage.settle, stage.wish()))


@rule
def an_edited_generation_is_noticed_and_never_used(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    path = f"{OWNER.connection}/generations/1"
    stage.documents.put(path, {"consumer_key": "ck_edited", "consumer_secret": "cs_edited", "state": "live"})
    kept = stage.core.journal.Book(stage.documents, OWNER).kept(1)
    assert kept.edited
    assert kept.values["consumer_key"].reveal() == only(stage, 1).value


@rule
def a_lost_or_garbled_secret_makes_another_key(core: Core) -> None:
    for destroyed in (True, False):
        stage = begin(core)
        stage.settle(stage.wish())
        versions = stage.world.documents[f"{OWNER.connection}/generations/1"]
        first = versions[0]
        assert first is not None
        versions[0] = None if destroyed else {**first, "consumer_secret": "cs_garbled"}
        outcome = stage.settle(stage.wish())
        assert states(stage)[2] == "current"
        if destroyed:
            assert alive(stage) == {2: 1}
        else:
            assert "not the one that was issued" in words(outcome)
            assert states(stage)[1] == "retiring"
            assert outcome.state == "problem"


# --- abandoned and settling -----------------------------------------------------------------------------------------


@rule
def an_abandoned_number_gets_a_tombstone_and_time(core: Core) -> None:
    stage = begin(core)
    suffer(stage, issue="late")
    outcome = stage.settle(stage.wish())
    assert states(stage) == {1: "abandoned"}
    assert "a lost request may still make its key" in words(outcome)
    assert outcome.state == "problem"
    assert stage.world.documents[f"{OWNER.connection}/generations/1"] == [None]
    stage.world.pass_time(31)
    assert alive(stage) == {1: 1}
    assert stage.settle(stage.wish()).state == "live"
    assert alive(stage) == {2: 1}


@rule
def a_destroy_waits_for_late_requests(core: Core) -> None:
    stage = begin(core)
    suffer(stage, issue="late")
    stage.settle(stage.wish())
    outcome = stage.destroy()
    assert outcome.state == "closed", words(outcome)
    stage.world.arrive()
    assert alive(stage) == {}


@rule
def a_late_writer_finds_the_tombstone(core: Core) -> None:
    stage = begin(core)

    def others() -> None:
        stage.settle(stage.wish(), run="other")
        stage.world.pass_time(60)
        stage.settle(stage.wish(), run="other")

    before(stage, f"write {OWNER.connection}/generations/1", others)
    assert stage.settle(stage.wish()).state == "live"
    assert alive(stage) == {2: 1}
    assert stage.world.documents[f"{OWNER.connection}/generations/1"] == [None]


@rule
def a_late_writer_of_a_forgotten_number_ends_its_key(core: Core) -> None:
    stage = begin(core)

    def others() -> None:
        for rotation in range(1, core.acts.REVOKED_KEPT + 3):
            stage.world.pass_time(60)
            stage.settle(stage.wish(rotation=rotation), run="other")
        stage.destroy()
        stage.settle(stage.wish(rotation=rotation), run="other")

    before(stage, "issue", others)
    with pytest.raises(errors.Superseded):
        stage.settle(stage.wish())
    assert 1 not in stage.journal().generations
    assert list(alive(stage)) == [stage.journal().current]


@rule
def what_was_never_sent_need_not_settle(core: Core) -> None:
    stage = begin(core)
    stage.world.refusing = True
    stage.settle(stage.wish())
    assert states(stage) == {1: "revoked"}


@rule
def a_key_that_stays_listed_keeps_its_number_open(core: Core) -> None:
    stage = begin(core)
    suffer(stage, issue="lost")
    stage.world.revocable = False
    stage.settle(stage.wish())
    stage.world.pass_time(60)
    assert "still lists generation 1" in words(stage.settle(stage.wish()))
    assert states(stage)[1] == "abandoned"
    stage.world.revocable = True
    assert stage.settle(stage.wish()).state == "live"


@rule
def a_key_of_a_dead_number_is_revoked_on_sight(core: Core) -> None:
    for closed in (False, True):
        stage = begin(core)
        stage.settle(stage.wish())
        stage.settle(stage.wish(rotation=2))
        if closed:
            stage.destroy()
        stage.store.add(f"orders {make(MemoryKeyring(), OWNER, 1)}", {"rights": "read"}, "hand")
        stage.world.revocable = False
        act = stage.destroy if closed else partial(stage.settle, stage.wish(rotation=2))
        assert "still lists generation 1" in words(act())
        stage.world.revocable = True
        act()
        assert 1 not in alive(stage)
        quiet(stage, act)


@rule
def a_lost_reply_of_vault_is_read_back(core: Core) -> None:
    for fault, first in ((fault, first) for fault in ("lost", "unsent") for first in range(5)):
        stage = begin(core)
        seen: list[str] = []

        def pace(step: str, _: tuple[str, ...], fault: str = fault, first: int = first, seen: list[str] = seen) -> str:
            seen += [step] if step.startswith("write") else []
            return fault if step.startswith("write") and len(seen) == first + 1 else ""

        stage.world.pace = pace
        assert stage.settle(stage.wish()).state == "live"
        assert states(stage) == {1: "current"}
    stage = begin(core)
    stage.world.pace = always(write="unsent")
    outcome = stage.settle(stage.wish())
    assert "no reply" in words(outcome)
    assert outcome.state == "absent"


def _journal(core: Core, **values: Any) -> Any:
    names = {"project": OWNER.project, "stack": OWNER.stack, "connection": OWNER.connection, "store": STORE}
    return core.journal.Journal(**names, **values)


@rule
def decisions_are_never_reversed(core: Core) -> None:
    for state in ("current", "abandoned", "revoked"):
        journal = _journal(core, generations={1: core.journal.Generation(state=state)})
        with pytest.raises(AssertionError, match="cannot go from"):
            journal.moved(1, "intended", World().now)


# --- destroy, incarnations ------------------------------------------------------------------------------------------


@rule
def nothing_to_destroy_is_no_error(core: Core) -> None:
    stage = begin(core)
    quiet(stage, stage.destroy)
    assert stage.destroy().state == "absent"


@rule
def numbers_go_on_in_the_next_life(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.destroy()
    quiet(stage, stage.destroy)
    stage.settle(stage.wish())
    assert states(stage)[2] == "current"
    assert stage.journal().incarnation == 2


@rule
def an_up_finishes_a_destroy_first(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    before(stage, "revoke", _die)
    with pytest.raises(RuntimeError):
        stage.destroy()
    assert stage.journal().phase == "closing"
    assert stage.settle(stage.wish()).state == "live"
    assert alive(stage) == {2: 1}


@rule
def a_destroy_that_cannot_withdraw_revokes_nothing(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.world.pace = lambda step, _: "sealed" if step.endswith("/credential") and step.startswith("write") else ""
    outcome = stage.destroy()
    assert "sealed" in words(outcome)
    assert alive(stage) == {1: 1}
    assert "sealed" in words(stage.settle(stage.wish())), "an up that meets it says so as well"
    stage.world.pace = unhurried
    assert stage.destroy().state == "closed"


@rule
def a_run_of_an_ended_life_stops(core: Core) -> None:
    for reopened in (False, True):
        stage = begin(core)
        stage.settle(stage.wish())

        def others(stage: Stage = stage, reopened: bool = reopened) -> None:
            stage.destroy()
            if reopened:
                stage.settle(stage.wish())

        before(stage, f"write {OWNER.connection}/journal", others)
        with pytest.raises(errors.Superseded):
            stage.settle(stage.wish(rotation=2))


@rule
def a_publisher_from_before_the_end_fails(core: Core) -> None:
    """D is a tombstone already, of the life before: it is written again, so that a sleeping publisher's check fails."""
    stage = begin(core)
    stage.settle(stage.wish())
    stage.destroy()

    def others() -> None:
        stage.core.people.compromise(stage.operation(), "seen in a chat")
        stage.destroy()

    before(stage, f"write {OWNER.connection}/credential", others)
    with pytest.raises(errors.Superseded):
        stage.settle(stage.wish())
    assert stage.journal().phase == "closed"


# --- proof of death (section 6) -------------------------------------------------------------------------------------


@rule
def death_needs_every_part_of_its_proof(core: Core) -> None:
    rows: tuple[tuple[str, dict[str, str]], ...] = (
        ("could not show that it tells good", {"control": "unverifiable"}),
        ("no clear meaning", {"probe": "unknown"}),
    )
    for said, faults in rows:
        stage = begin(core)
        stage.settle(stage.wish())
        stage.world.pace = always(**faults)
        outcome = stage.settle(stage.wish(rotation=2))
        assert said in words(outcome)
        assert outcome.state == "problem"
        assert states(stage)[1] == "retiring"
        stage.world.pace = unhurried
        stage.settle(stage.wish(rotation=2))
        assert states(stage)[1] == "revoked"


@rule
def one_refusal_is_not_death(core: Core) -> None:
    stage = begin(core, lists=False, settle=0.0)
    stage.settle(stage.wish())
    stage.world.revocable = False
    answers: list[str] = []
    real = stage.store.probe

    def probe(secret: Any) -> Any:
        answers.append("refused" if not len(answers) % 2 else real(secret))
        return answers[-1]

    stage.store.probe = probe  # type: ignore[method-assign]
    assert "still accepts it" in words(stage.settle(stage.wish(rotation=2)))
    assert states(stage)[1] == "retiring"


@rule
def a_listed_key_is_not_dead(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.store.probe = lambda secret: "refused"  # type: ignore[method-assign]
    stage.world.revocable = False
    assert "still lists it" in words(stage.settle(stage.wish(rotation=2)))
    assert states(stage)[1] == "retiring"


@rule
def a_lagging_list_is_asked_again(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    suffer(stage, revoke="lag")
    stage.settle(stage.wish(rotation=2))
    assert states(stage)[1] in {"retiring", "revoked"}
    stage.world.pass_time(3)
    stage.settle(stage.wish(rotation=2))
    assert states(stage)[1] == "revoked"


@rule
def a_garbled_value_proves_nothing_at_destroy(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    versions = stage.world.documents[f"{OWNER.connection}/generations/1"]
    assert versions[0] is not None
    versions[0] = {**versions[0], "consumer_secret": "cs_garbled"}
    stage.world.revocable = False
    stage.store.find = lambda selector, fresh=True: []  # type: ignore[method-assign,misc]
    outcome = stage.destroy()
    assert "not the one that was issued" in words(outcome)
    assert stage.journal().phase == "closing"
    stage.core.people.confirm_deleted(stage.operation(), 1, "looked in the shop")
    assert stage.destroy().state == "closed"


@rule
def a_destroyed_document_counts_as_proof_obtained(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    before(stage, f"destroy {OWNER.connection}/generations/1", unhurried_none)
    taken: list[str] = []

    def pace(step: str, _: tuple[str, ...]) -> str:
        if taken and step.startswith("write"):
            raise RuntimeError("dies")
        if step == f"destroy {OWNER.connection}/generations/1":
            taken.append(step)
        return ""

    stage.world.pace = pace
    with pytest.raises(RuntimeError):
        stage.settle(stage.wish(rotation=2))
    stage.world.pace = always(probe="unknown")
    assert stage.settle(stage.wish(rotation=2)).state == "live"
    assert states(stage)[1] == "revoked"


# --- stores without a list, people who make and delete --------------------------------------------------------------


@rule
def a_store_without_a_list_is_probed(core: Core) -> None:
    stage = begin(core, lists=False)
    stage.settle(stage.wish())
    only(stage, 1).alive = False
    stage.settle(stage.wish())
    assert states(stage) == {1: "revoked", 2: "current"}
    stage.settle(stage.wish(rotation=2))
    assert alive(stage) == {3: 1}
    assert stage.destroy().state == "closed"
    assert alive(stage) == {}


@rule
def an_abandoned_key_without_a_list_needs_a_person(core: Core) -> None:
    stage = begin(core, lists=False)
    suffer(stage, issue="lost")
    stage.settle(stage.wish())
    stage.world.pass_time(60)
    assert "--deleted 1" in words(stage.settle(stage.wish()))
    assert states(stage)[1] == "abandoned"
    only(stage, 1).alive = False
    stage.core.people.confirm_deleted(stage.operation(), 1, "looked")
    assert stage.settle(stage.wish()).state == "live"


def by_person(core: Core, **capabilities: Any) -> Stage:
    """A store where a person makes the keys."""
    person: dict[str, Any] = {"made_by": "person", "revoked_by": "person", "lists": False}
    return begin(core, **(person | capabilities))


def made_by_hand(stage: Stage, rights: str = "read") -> Key:
    """The key a person makes."""
    return stage.store.add("made in the panel", {"rights": rights}, "hand")


@rule
def a_person_makes_the_key(core: Core) -> None:
    stage = by_person(core)
    for _ in range(2):
        outcome = stage.settle(stage.wish())
        assert outcome.state == "awaiting_person"
        assert "key number 1 by hand" in words(outcome)
    quiet(stage, lambda: stage.settle(stage.wish()))
    key = made_by_hand(stage)
    stage.core.people.capture(stage.operation(), key.secret, key.key_id)
    with pytest.raises(errors.Refused, match="already put in"):
        stage.core.people.capture(stage.operation(), made_by_hand(stage).secret)
    assert stage.settle(stage.wish()).state == "live"
    with pytest.raises(errors.Blocked, match="no key is awaited"):
        stage.core.people.capture(stage.operation(), key.secret)
    stage.settle(stage.wish(rotation=2))
    with pytest.raises(errors.Refused, match="the key of generation 1"):
        stage.core.people.capture(stage.operation(), key.secret)
    with pytest.raises(errors.Refused, match="does not do what is declared"):
        stage.core.people.capture(stage.operation(), made_by_hand(stage, "read_write").secret)
    second = made_by_hand(stage)
    stage.core.people.capture(stage.operation(), second.secret, second.key_id)
    outcome = stage.settle(stage.wish(rotation=2))
    assert states(stage) == {1: "retiring", 2: "current"}
    assert f"delete key {key.key_id} at the store" in words(outcome)
    key.alive = False
    assert stage.settle(stage.wish(rotation=2)).state == "live"
    assert states(stage) == {1: "revoked", 2: "current"}


@rule
def an_end_that_a_person_brought_is_noticed(core: Core) -> None:
    """A look says when a key that a person is to delete is gone, so that the next run proves it."""
    stage = by_person(core)
    keys = []
    for number in (1, 2):
        stage.settle(stage.wish(rotation=number))
        keys.append(made_by_hand(stage))
        stage.core.people.capture(stage.operation(), keys[-1].secret, keys[-1].key_id)
        stage.settle(stage.wish(rotation=number))
    assert states(stage) == {1: "retiring", 2: "current"}

    def drift() -> tuple[str, ...]:
        found: tuple[str, ...] = stage.core.observe.observe(stage.operation(), stage.wish(rotation=2)).drift
        return found

    def unreachable(_secret: Any) -> Any:
        raise errors.Unreachable("no connection")

    due = ("generation 1 is to be revoked and is not yet proved dead",)
    assert drift() == ()
    stage.core.people.confirm_deleted(stage.operation(), 1, "deleted in the panel")
    assert drift() == due
    outcome = stage.settle(stage.wish(rotation=2))
    assert "does not hold" in words(outcome)
    assert drift() == ()
    keys[0].alive = False
    assert drift() == due
    vars(stage.store)["probe"] = unreachable
    assert drift() == ()
    vars(stage.store).pop("probe")
    # A run that is killed once it has proved the end.
    before(stage, f"destroy {OWNER.connection}/generations/1", _die)
    with pytest.raises(RuntimeError):
        stage.settle(stage.wish(rotation=2))
    vars(stage.store)["probe"] = unreachable
    assert drift() == due
    vars(stage.store).pop("probe")
    stage.settle(stage.wish(rotation=2))
    assert states(stage) == {1: "revoked", 2: "current"}
    assert drift() == ()


@rule
def a_person_says_that_a_key_is_gone(core: Core) -> None:
    stage = by_person(core)
    stage.settle(stage.wish())
    key = made_by_hand(stage)
    stage.core.people.capture(stage.operation(), key.secret, key.key_id)
    stage.settle(stage.wish())
    with pytest.raises(errors.Blocked, match="does not wait for its end"):
        stage.core.people.confirm_deleted(stage.operation(), 1, "not yet")
    outcome = stage.destroy()
    assert "--deleted 1" in words(outcome)
    assert stage.journal().phase == "closing"
    stage.core.people.confirm_deleted(stage.operation(), 1, "deleted in the panel")
    outcome = stage.destroy()
    assert "the word that key number 1 is gone does not hold: the store still accepts it" in words(outcome)
    assert stage.journal().generations[1].confirmed == ""
    stage.core.people.confirm_deleted(stage.operation(), 1, "deleted in the panel")
    key.alive = False
    assert stage.destroy().state == "closed"
    assert stage.journal().steps[-2].what == "generation 1 is revoked and proved dead"


DAY = 86400.0


def proved_by_hand(core: Core, **capabilities: Any) -> tuple[Stage, Key, list[str]]:
    """A key made by a person whose proofs are dear, and every proof that was made of it."""
    stage = by_person(core, **capabilities)
    proofs: list[str] = []
    verify = stage.store.verify

    def counted(secret: Any, fields: Any) -> Any:
        proofs.append("proof")
        return verify(secret, fields)

    stage.store.verify = counted  # type: ignore[method-assign]
    stage.settle(stage.wish(), proof_age=DAY)
    key = made_by_hand(stage)
    stage.core.people.capture(stage.operation(), key.secret, key.key_id)
    assert stage.settle(stage.wish(), proof_age=DAY).state == "live"
    proofs.clear()
    return stage, key, proofs


def seen(stage: Stage, **changes: Any) -> Any:
    return stage.core.observe.observe(stage.operation(proof_age=DAY, **changes), stage.wish())


@rule
def a_proof_is_repeated_when_it_is_old(core: Core) -> None:
    stage, _, proofs = proved_by_hand(core)
    quiet(stage, lambda: seen(stage))
    quiet(stage, lambda: stage.settle(stage.wish(), proof_age=DAY))
    assert [f.verdict for f in seen(stage).findings] == ["confirmed", "confirmed"]
    assert proofs == []
    stage.world.pass_time(DAY)
    quiet(stage, lambda: seen(stage))
    assert proofs == ["proof"]
    assert stage.settle(stage.wish(), proof_age=DAY).state == "live"
    assert stage.journal().steps[-1].what == "generation 1 is proved again"
    seen(stage)
    assert proofs == ["proof", "proof"]


@rule
def a_key_that_died_since_its_proof_is_noticed(core: Core) -> None:
    stage, key, _ = proved_by_hand(core)
    key.alive = False
    assert any("refuses the key" in word for word in seen(stage).drift)


@rule
def a_proof_is_of_the_fields_it_was_made_for(core: Core) -> None:
    stage, _, proofs = proved_by_hand(core, revisable=frozenset({"rights"}))
    stage.core.observe.observe(stage.operation(proof_age=DAY), stage.wish(rights="read_write"))
    assert proofs == ["proof"]


@rule
def a_key_is_held_to_what_it_was_made_for(core: Core) -> None:
    """Other rights are declared, a person is asked for another key, and the present one does what it was made for."""
    stage, key, proofs = proved_by_hand(core)
    outcome = stage.settle(stage.wish(rights="read_write"), proof_age=DAY)
    assert (outcome.problems, outcome.state) == ((), "awaiting_person")
    assert states(stage) == {1: "current", 2: "intended"}
    assert proofs == []
    stage.world.pass_time(DAY)
    assert stage.settle(stage.wish(rights="read_write"), proof_age=DAY).problems == ()
    assert proofs == ["proof"]
    key.fields["rights"] = "read_write"
    stage.world.pass_time(DAY)
    assert "rights" in words(stage.settle(stage.wish(rights="read_write"), proof_age=DAY))


@rule
def a_proof_made_for_its_own_sake_is_kept(core: Core) -> None:
    stage, key, proofs = proved_by_hand(core)
    stage.world.pass_time(DAY)
    people, operation = stage.core.people, stage.operation(proof_age=DAY)
    fields = stage.wish().fields
    findings = stage.store.verify(key.secret, fields)
    people.note_proof(operation, 1, fields, findings)
    proofs.clear()
    seen(stage)
    assert proofs == []
    quiet(stage, lambda: people.note_proof(operation, 1, {}, [core_finding("contradicted", "rights")]))
    quiet(stage, lambda: people.note_proof(operation, 1, {}, [core_finding("confirmed", "rights")]))
    with pytest.raises(errors.Blocked, match="no longer the current one"):
        people.note_proof(operation, 2, fields, findings)


@rule
def a_proof_beside_another_decision_undoes_nothing(core: Core) -> None:
    stage, _, proofs = proved_by_hand(core)
    stage.world.pass_time(DAY)
    journal = f"write {OWNER.connection}/journal"
    before(stage, journal, lambda: stage.core.people.request_rotation(stage.operation(), "beside"))
    outcome = stage.settle(stage.wish(), proof_age=DAY)
    assert "key number 2 by hand" in words(outcome)
    assert stage.journal().generations[1].proof.at == stage.world.now
    assert proofs == ["proof", "proof"]


@rule
def a_captured_key_given_up_lives_until_the_store_refuses_it(core: Core) -> None:
    stage = by_person(core)
    stage.settle(stage.wish())
    key = made_by_hand(stage)
    stage.core.people.capture(stage.operation(), key.secret, key.key_id)
    outcome = stage.settle(stage.wish(rights="read_write"))
    assert states(stage) == {1: "abandoned", 2: "intended"}
    assert f"delete key {key.key_id} at the store" in words(outcome)
    quiet(stage, lambda: stage.settle(stage.wish(rights="read_write")))
    key.alive = False
    stage.settle(stage.wish(rights="read_write"))
    assert states(stage) == {1: "revoked", 2: "intended"}
    assert stage.documents.read(f"{OWNER.connection}/generations/1").state == "destroyed"


@rule
def what_goes_with_a_key_is_told_before_a_person_deletes_it(core: Core) -> None:
    stage = by_person(core)
    people, operation = stage.core.people, stage.operation()
    assert people.losses(operation) == ()
    stage.settle(stage.wish())
    key = made_by_hand(stage)
    people.capture(stage.operation(), key.secret, key.key_id)
    stage.settle(stage.wish())
    stage.store.losses = lambda secret: ["a webhook vanishes"]  # type: ignore[method-assign]
    assert people.losses(operation) == ()
    stage.destroy()
    assert people.losses(operation) == ("before key number 1 is deleted: a webhook vanishes",)

    def unreachable(secret: object) -> list[str]:
        raise errors.Unreachable("no connection")

    stage.store.losses = unreachable  # type: ignore[method-assign]
    assert people.losses(operation) == ()
    key.alive = False
    stage.destroy()
    assert people.losses(operation) == ()
    made_by_store = begin(core)
    made_by_store.settle(made_by_store.wish())
    made_by_store.destroy()
    assert people.losses(made_by_store.operation()) == ()


@rule
def a_persons_word_holds_where_nothing_can_be_seen(core: Core) -> None:
    stage = by_person(core)
    stage.settle(stage.wish())
    key = made_by_hand(stage)
    stage.core.people.capture(stage.operation(), key.secret, key.key_id)
    stage.settle(stage.wish())
    stage.destroy()
    stage.core.people.confirm_deleted(stage.operation(), 1, "the shop was closed for good")

    def unreachable(secret: object) -> str:
        raise errors.Unreachable("no connection")

    stage.store.probe = unreachable  # type: ignore[method-assign,assignment]
    assert stage.destroy().state == "closed"
    assert stage.journal().steps[-2].what == "generation 1 is gone by a person's word, not by proof: no connection"


@rule
def a_lost_capture_asks_for_the_next_number(core: Core) -> None:
    stage = by_person(core)
    with pytest.raises(errors.Blocked, match="nothing was ever made"):
        stage.core.people.capture_lost(stage.operation(), "never")
    stage.settle(stage.wish())
    stage.core.people.capture_lost(stage.operation(), "closed the page too early")
    outcome = stage.settle(stage.wish())
    assert "key number 2 by hand" in words(outcome)
    assert states(stage) == {1: "revoked", 2: "intended"}
    outcome = stage.destroy()
    assert stage.journal().phase == "open", "while a key is awaited its fate is a person's to say"
    assert "--lost" in words(outcome)
    stage.core.people.capture_lost(stage.operation(), "never made")
    assert stage.destroy().state == "closed"
    with pytest.raises(errors.Blocked, match="no key is awaited"):
        stage.core.people.capture_lost(stage.operation(), "never")


@rule
def a_persons_key_with_wrong_rights_is_given_up_and_revoked(core: Core) -> None:
    stage = by_person(core, lists=True, revoked_by="store")
    stage.settle(stage.wish())
    key = made_by_hand(stage)
    stage.core.people.capture(stage.operation(), key.secret, key.key_id)
    key.fields["rights"] = "read_write"
    assert "rights differs at the store" in words(stage.settle(stage.wish()))
    assert states(stage)[1] == "revoked"
    assert not key.alive


@rule
def a_leaked_key_of_a_person_goes_before_the_next_is_made(core: Core) -> None:
    stage = by_person(core, revoked_by="store")
    stage.settle(stage.wish())
    key = made_by_hand(stage)
    stage.core.people.capture(stage.operation(), key.secret, key.key_id)
    stage.settle(stage.wish())
    stage.core.people.compromise(stage.operation(), "sent by mail")
    outcome = stage.settle(stage.wish())
    assert states(stage) == {1: "revoked", 2: "intended"}
    assert "key number 2 by hand" in words(outcome)
    assert not key.alive


# --- adopt ----------------------------------------------------------------------------------------------------------


def adopted(core: Core, **changes: Any) -> tuple[Stage, Key, Callable[..., Any]]:
    """A hand-made key whose value lies under the adopt prefix, and how to settle with it."""
    capabilities = changes.pop("capabilities", {})
    stage = begin(core, **capabilities)
    key = stage.store.add("made by hand", {"rights": "read", "purpose": "?"}, "hand")
    entry: Mapping[str, Secret] | None = changes.pop("value", key.secret)

    def settle(**wish: Any) -> Any:
        return stage.settle(stage.wish(adopt="old-key", **wish), entry=lambda name: entry, **changes)

    return stage, key, settle


@rule
def a_hand_made_key_is_adopted_once(core: Core) -> None:
    stage, key, settle = adopted(core)
    assert settle().state == "live"
    assert states(stage) == {1: "current"}
    assert stage.journal().generations[1].source == "old-key"
    assert only(stage, 1) is key, "it carries our marker now"
    quiet(stage, settle)
    settle(rotation=2)
    assert not key.alive, "a rotation ends it"
    assert stage.journal().generations[2].made_by == "store"


@rule
def an_unmarked_adopted_key_is_only_forgotten(core: Core) -> None:
    for revoke in (False, True):
        stage, key, settle = adopted(core, capabilities={"relabels": False})
        key.fields["purpose"] = "orders"
        settle()
        quiet(stage, settle)
        assert stage.destroy(revoke_adopted=revoke).state == "closed"
        assert key.alive is not revoke
        assert not any(stage.world.documents[f"{OWNER.connection}/generations/1"])
        quiet(stage, partial(stage.destroy, revoke_adopted=revoke))


@rule
def what_cannot_be_adopted_is_said(core: Core) -> None:
    stage, key, settle = adopted(core, value=None)
    assert "nothing to adopt" in words(settle())
    stage, key, settle = adopted(core)
    key.alive = False
    assert "no key at the store ends like" in words(settle())
    stage, key, settle = adopted(core)
    stage.store.add("twin", {}, "foreign").value = key.value
    assert "2 keys at the store end" in words(settle()).replace("ends", "end")
    assert states(stage)[1] == "revoked"
    assert key.alive


@rule
def an_adopted_key_with_wrong_rights_is_left_alone(core: Core) -> None:
    stage, key, settle = adopted(core)
    key.fields["rights"] = "everything"
    assert "rights differs" in words(settle())
    assert key.alive
    assert states(stage)[1] == "revoked"


@rule
def a_key_is_adopted_without_a_list_too(core: Core) -> None:
    stage, key, settle = adopted(core, capabilities={"lists": False})
    assert settle().state == "live"
    assert stage.destroy().state == "closed"
    assert key.alive


# --- links ----------------------------------------------------------------------------------------------------------


@rule
def no_link_without_a_credential(core: Core) -> None:
    stage = begin(core)
    with pytest.raises(errors.Blocked, match="no credential to link"):
        stage.link("erp").connect()
    assert stage.link("erp").disconnect().entry is None
    stage.world.refusing = True
    stage.settle(stage.wish())
    assert "no current credential" in words(stage.link("erp").connect())
    assert stage.journal().links == {}
    stage.world.refusing = False
    stage.settle(stage.wish())
    stage.destroy()
    assert "no current credential" in words(stage.link("erp").connect())


@rule
def a_connected_link_is_left_alone(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    assert stage.link("erp").connect().entry.acknowledged == 1
    quiet(stage, stage.link("erp").connect)
    stage.world.consumers["erp"].value = ""
    stage.link("erp").connect(again=True)
    assert stage.world.consumers["erp"].value == only(stage, 1).value


@rule
def a_user_that_fails_its_proof_is_not_acknowledged(core: Core) -> None:
    for fault, said in (("transient", "does not answer"), ("contradicted", "does not work with generation 2")):
        stage = begin(core)
        stage.settle(stage.wish())
        stage.link("erp").connect()
        stage.settle(stage.wish(rotation=2))
        stage.world.pace = always(consumer=fault) if fault == "transient" else unhurried
        link = stage.link("erp")
        if fault == "contradicted":
            link.link.verify = lambda generation, secret: [core_finding("contradicted")]
        assert said in words(link.connect())
        stage.settle(stage.wish(rotation=2))
        assert stage.journal().links["erp"].holds == 1
        assert states(stage)[1] == "superseded"


def core_finding(verdict: Verdict, check: str = "through the consumer") -> Finding:
    return Finding(check, verdict, "seen")


@rule
def a_lost_secret_is_not_given(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.world.documents[f"{OWNER.connection}/generations/1"][0] = None
    assert "secret in Vault is lost" in words(stage.link("erp").connect())
    assert stage.world.consumers["erp"].value == ""


@rule
def a_person_takes_over(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    with pytest.raises(errors.Blocked, match="given nothing yet"):
        stage.core.people.confirm_link(stage.operation(), "desk", "a person")
    link = stage.core.links.LinkRun(stage.operation(), "desk", stage.core.links.PersonReader())
    assert "take over generation 1" in words(link.connect())
    stage.settle(stage.wish(rotation=2))
    stage.core.links.LinkRun(stage.operation(), "desk", stage.core.links.PersonReader()).connect()
    assert states(stage)[1] == "superseded"
    with pytest.raises(errors.Blocked, match="generation 2"):
        stage.core.people.confirm_link(stage.operation(), "desk", "a person", 1)
    stage.core.people.confirm_link(stage.operation(), "desk", "a person", 2)
    stage.settle(stage.wish(rotation=2))
    assert states(stage)[1] == "revoked"
    assert stage.journal().links["desk"].receipt["confirmed_by"] == "a person"


@rule
def readers_of_vault_need_no_place(core: Core) -> None:
    stage = begin(core, overlap=10)
    stage.settle(stage.wish(overlap=10))
    reader = stage.core.links.VaultReader()
    assert not (*reader.check(1, {}), *reader.observe(1, {}))
    link = stage.core.links.LinkRun(stage.operation(), "reports", reader)
    assert link.connect().entry.reads
    assert not any(path.startswith("_slots") for path in stage.world.documents)
    stage.settle(stage.wish(rotation=2, overlap=10))
    stage.world.pass_time(11)
    stage.settle(stage.wish(rotation=2, overlap=10))
    assert states(stage)[1] == "revoked", "time moves a reader, not an acknowledgement"
    assert stage.core.links.LinkRun(stage.operation(), "reports", reader).disconnect().entry is None


@rule
def two_links_cannot_fill_one_place(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.link("erp", "spot").connect()
    other = Stage(core, stage.world, replace(OWNER, connection="fresh-roast/stock"))
    other.settle(stage.wish())
    for rival in (stage, other):
        with pytest.raises(errors.Refused, match="is taken by fresh-roast/orders/erp"):
            rival.link("web", "spot").connect()
    assert stage.world.consumers["spot"].owner == "fresh-roast/orders/erp"
    stage.link("web", "spot").disconnect()
    assert stage.world.consumers["spot"].value, "who does not own the place does not clear it"
    stage.link("erp", "spot").disconnect()
    assert other.link("web", "spot").connect().entry.acknowledged == 1
    with pytest.raises(errors.Refused, match="is taken by fresh-roast/stock/web"):
        stage.link("erp", "spot").connect()
    assert stage.world.consumers["spot"].owner == "fresh-roast/stock/web"


@rule
def a_place_whose_owner_never_was_is_free(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    link = stage.link("erp", "spot")
    slot = stage.core.journal.Slot(connection="fresh-roast/gone", link="erp", incarnation=1, life=1)
    stage.core.journal.Book(stage.documents, OWNER).take_slot(link._digest("spot"), slot, 0)
    assert link.connect().entry.acknowledged == 1


@rule
def a_newer_life_takes_its_place_again(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    for life in (1, 2, 3):
        assert stage.link("erp").connect().entry.life == life
        stage.link("erp").disconnect()
        if life == 2:
            stage.destroy()
            stage.settle(stage.wish())


@rule
def a_removed_link_is_not_given_anything(core: Core) -> None:
    """A connect that slept before its last look stops where its life was ended meanwhile."""
    for rejoined in (False, True):
        for step in ("read _slots", "write _slots", f"read {OWNER.connection}/generations"):
            stage = begin(core)
            stage.settle(stage.wish())

            def others(stage: Stage = stage, rejoined: bool = rejoined) -> None:
                stage.link("erp").disconnect()
                if rejoined:
                    stage.link("erp").connect()

            before(stage, step, others)
            with pytest.raises(errors.Superseded):
                stage.link("erp").connect()
            slept_too_late = step.endswith("generations")
            assert bool(stage.world.consumers["erp"].value) is (rejoined or slept_too_late)


@rule
def a_link_that_has_not_begun_stops_too(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())

    def others() -> None:
        stage.destroy()
        stage.settle(stage.wish())

    before(stage, f"write {OWNER.connection}/journal", others)
    with pytest.raises(errors.Superseded):
        stage.link("erp").connect()
    assert stage.journal().links == {}


@rule
def a_link_stops_where_its_connection_ended(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())

    def others() -> None:
        stage.link("erp").disconnect()
        stage.destroy()
        stage.settle(stage.wish())

    before(stage, "read _slots", others)
    with pytest.raises(errors.Superseded):
        stage.link("erp").connect()


@rule
def an_interrupted_removal_is_finished_before_connecting(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.link("erp").connect()
    before(stage, "consumer disconnect", _die)
    with pytest.raises(RuntimeError):
        stage.link("erp").disconnect()
    assert stage.link("erp").connect().entry.life == 2


@rule
def a_link_beside_a_removal_stops(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.link("erp").connect()
    stage.settle(stage.wish(rotation=2))

    def others() -> None:
        stage.world.consumers["erp"].vanished = True
        stage.link("erp").disconnect()

    before(stage, "write fresh-roast/orders/journal", others)
    with pytest.raises(errors.Superseded, match="removing this link"):
        stage.link("erp").connect()


@rule
def two_removals_beside_each_other_end_well(core: Core) -> None:
    for step in ("write fresh-roast/orders/journal", "read _slots", "consumer disconnect"):
        stage = begin(core)
        stage.settle(stage.wish())
        stage.link("erp").connect()
        before(stage, step, stage.link("erp").disconnect)
        assert stage.link("erp").disconnect().entry is None
        assert stage.journal().links == {}


@rule
def decisions_beside_endless_others_give_up(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.link("erp").connect()
    stage.settle(stage.wish(rotation=2))
    real = stage.documents.write

    def write(path: str, data: Mapping[str, Any], *, cas: int) -> int:
        if path.endswith("journal"):
            raise errors.VaultConflict("somebody else wrote first")
        return real(path, data, cas=cas)

    stage.documents.write = write  # type: ignore[method-assign]
    for act in (
        stage.link("erp").connect,
        stage.link("erp").disconnect,
        lambda: stage.core.people.request_rotation(stage.operation(), "x"),
    ):
        with pytest.raises(errors.Blocked, match="kept changing"):
            act()
    with pytest.raises(AssertionError, match="does not come to rest"):
        stage.settle(stage.wish(rotation=3))


# --- people's words -------------------------------------------------------------------------------------------------


@rule
def peoples_words_need_something_to_be_about(core: Core) -> None:
    stage = begin(core)
    stage.world.refusing = True
    stage.settle(stage.wish())
    with pytest.raises(errors.Blocked, match="no live key"):
        stage.core.people.compromise(stage.operation(), "x")
    with pytest.raises(errors.Blocked, match="no link erp"):
        stage.core.people.forget_link(stage.operation(), "erp", "x")
    stage.world.refusing = False
    stage.settle(stage.wish())
    stage.destroy()
    with pytest.raises(errors.Blocked, match="is closed"):
        stage.core.people.request_rotation(stage.operation(), "x")


# --- leases and looking ---------------------------------------------------------------------------------------------


@rule
def another_run_is_waited_for_out_of_courtesy(core: Core) -> None:
    stage = begin(core)
    before(stage, "issue", _die)
    with pytest.raises(RuntimeError):
        stage.settle(stage.wish(), lease=10.0)
    assert stage.core.observe.observe(stage.operation(lease=10.0), stage.wish()).waiting[0].endswith("is at work")
    began = stage.world.now
    stage.settle(stage.wish(), lease=10.0)
    assert timedelta(seconds=10) <= stage.world.now - began < timedelta(seconds=11)
    assert states(stage)[2] == "current"


def _unexpected(secret: Any, fields: Any) -> Any:
    raise errors.Unexpected("an answer we do not know")


@rule
def looking_writes_nothing(core: Core) -> None:
    stage = begin(core)
    wish = stage.wish()

    def look(**changes: Any) -> Any:
        seen: list[Any] = []
        quiet(stage, lambda: seen.append(stage.core.observe.observe(stage.operation(), replace(wish, **changes))))
        return seen[0]

    assert look().state == "absent"
    stage.world.refusing = True
    stage.settle(wish)
    assert "no credential yet" in look().drift[0]
    assert look().fields == {}
    stage.world.refusing = False
    stage.settle(wish)
    calm = look()
    assert (calm.state, calm.drift, calm.fields, calm.unverifiable) == ("live", (), wish.fields, ())
    assert look(fields={"rights": "read_write", "purpose": "orders"}).drift == ()
    assert look(fields={"rights": "read", "purpose": "stock"}).drift == ()
    only(stage, 2).fields["rights"] = "read_write"
    changed = look()
    assert (changed.drift, changed.fields["rights"]) == ((), "read_write"), "the diff of a field, and no drift besides"
    only(stage, 2).fields["rights"] = "read"
    suffer(stage, verify="unverifiable")
    assert look().unverifiable == ("recognised: seen",)
    suffer(stage, verify="transient")
    with pytest.raises(errors.Transient):
        look()
    real, stage.store.verify = stage.store.verify, _unexpected  # type: ignore[method-assign]
    assert "an answer we do not know" in look().drift[0]
    stage.store.verify = real  # type: ignore[method-assign]
    quiet(stage, lambda: stage.core.observe.observe(stage.operation(), wish, proof=False))
    only(stage, 2).alive = False
    gone = look()
    assert "gone from the store" in gone.drift[0]
    assert gone.fields == {}
    stage.destroy()
    assert look().state == "closed"


@rule
def a_persons_steps_are_no_drift(core: Core) -> None:
    stage = by_person(core)
    stage.settle(stage.wish())
    key = made_by_hand(stage)
    stage.core.people.capture(stage.operation(), key.secret, key.key_id)
    stage.settle(stage.wish())
    stage.settle(stage.wish(rotation=2))
    second = made_by_hand(stage)
    stage.core.people.capture(stage.operation(), second.secret, second.key_id)
    stage.settle(stage.wish(rotation=2))
    seen = stage.core.observe.observe(stage.operation(), stage.wish(rotation=2))
    assert seen.state == "awaiting_person"
    assert seen.drift == ()


@rule
def a_refused_key_is_called_refused(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    only(stage, 1).fields["rights"] = "read_write"
    stage.store.find = lambda selector, fresh=True, real=stage.store.find: [  # type: ignore[method-assign,misc]
        replace(key, fields={"rights": "read", "purpose": "orders"}) for key in real(selector)
    ]
    outcome = stage.settle(stage.wish())
    assert "does not do what is declared: rights" in words(outcome)
    assert outcome.state == "problem"


@rule
def states_in_words(core: Core) -> None:
    stage = begin(core)
    operation = stage.core.operation.Operation.on(stage.documents, OWNER, MemoryKeyring(), stage.store, STORE)
    assert stage.core.observe.observe(operation, stage.wish()).state == "absent"
    assert stage.core.loop.settle(operation, stage.wish()).state == "live"
    stage.world.pace = always(control="unverifiable")
    stage.settle(stage.wish(rotation=2))
    word = stage.core.operation.status_word
    assert word(stage.journal(), False, False) == "retiring"


@rule
def acts_are_only_done_when_due(core: Core) -> None:
    stage = begin(core)
    run = stage.core.run.Run(stage.operation(), None)
    act = stage.core.due.Act
    facts = run.look()
    with pytest.raises(AssertionError, match="before the journal"):
        stage.core.acts.ACTS[act.CLOSE](run, stage.core.due.Step(act.CLOSE), facts)
    stage.settle(stage.wish())
    facts = run.look()
    for each, said in ((act.ISSUE, "without a wish"), (act.REVISE, "only a key that is there")):
        with pytest.raises(AssertionError, match=said):
            stage.core.acts.ACTS[each](run, stage.core.due.Step(each, 1), facts)


@rule
def a_renamed_connection_keeps_its_documents(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.link("erp").connect()
    renamed = replace(OWNER, connection="fresh-roast/sales")

    def settle(owner: Owner, was: str) -> Any:
        return stage.settle(stage.wish(), book=stage.core.journal.Book(stage.documents, owner, was=was))

    assert settle(renamed, OWNER.connection).state == "live"
    quiet(stage, lambda: settle(renamed, OWNER.connection))
    quiet(stage, lambda: settle(renamed, ""))
    assert stage.core.journal.Book(stage.documents, renamed).journal()[0].known_as == renamed.connection
    with pytest.raises(errors.Refused, match="by a rename"):
        settle(OWNER, "")
    later = replace(OWNER, connection="fresh-roast/third")
    assert settle(later, renamed.connection).state == "live"
    assert settle(renamed, later.connection).state == "live", "and back"
    assert settle(replace(OWNER, connection="fresh-roast/new"), "fresh-roast/never").state == "live"
    assert list(alive(stage)) == [1]


@rule
def a_renamed_link_keeps_what_it_holds(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    stage.link("erp", "spot").connect()
    stage.settle(stage.wish(rotation=2))
    operation = stage.core.links.LinkOperation(stage.core.journal.Book(stage.documents, OWNER), stage.world.clock)
    consumer = stage.link("shop", "spot").link
    run = stage.core.links.LinkRun(operation, "shop", consumer, was="erp")
    before(stage, "write", lambda: stage.core.people.request_rotation(stage.operation(), "x"))
    assert run.connect().entry.acknowledged == 2
    assert list(stage.journal().links) == ["shop"]
    assert stage.journal().requested is not None


# --- hand-overs -----------------------------------------------------------------------------------------------------


def handed_over(core: Core) -> Stage:
    """A connection whose first generation was handed over to a user outside."""
    stage = begin(core)
    stage.settle(stage.wish())
    assert "connections receive" in words(stage.channel("office").connect())
    assert len(stage.world.mails) == 1
    return stage


def waiting_tokens(stage: Stage) -> list[str]:
    """Accessors of the tokens that open."""
    return [token.accessor for token in stage.world.tokens.values() if token.state == "waiting"]


@rule
def a_token_is_known_before_it_leaves(core: Core) -> None:
    for step, sent in (("write", False), ("send", False), ("write sent", True)):
        stage = begin(core)
        stage.settle(stage.wish())
        run = stage.channel("office")
        if sent:
            before(stage, "send", partial(before, stage, "write", _die))
        else:
            before(stage, "wrap", partial(before, stage, step, _die))
        with pytest.raises(RuntimeError):
            run.connect()
        assert len(stage.world.mails) == sent
        assert waiting_tokens(stage) == ["accessor-1"]
        stage.channel("office").connect()
        assert len(stage.world.mails) == 1 + sent
        known = step != "write"
        # What never reached the journal, nobody ever saw: it expires.
        assert waiting_tokens(stage) == (["accessor-2"] if known else ["accessor-1", "accessor-2"])
        assert stage.journal().links["office"].receipt["accessor"] == "accessor-2"
        assert "earlier" not in stage.journal().links["office"].receipt
        assert opened(stage.world) is not None


@rule
def a_repeated_hand_over_voids_the_one_before(core: Core) -> None:
    stage = handed_over(core)
    quiet(stage, stage.channel("office").connect)
    stage.channel("office", "the mail was lost").connect(again=True)
    assert waiting_tokens(stage) == ["accessor-2"]
    assert opened(stage.world, 0) is None
    quiet(stage, lambda: stage.channel("office", "the mail was lost").connect(again=True))
    assert stage.journal().links["office"].receipt["reason"] == "the mail was lost"


@rule
def a_killed_repetition_leaves_nothing_behind(core: Core) -> None:
    stage = handed_over(core)
    before(stage, "token void", _die)
    with pytest.raises(RuntimeError):
        stage.channel("office", "once more").connect(again=True)
    assert waiting_tokens(stage) == ["accessor-1", "accessor-2"]
    stage.channel("office").connect()
    assert waiting_tokens(stage) == ["accessor-3"]
    assert "former" not in stage.journal().links["office"].receipt


@rule
def who_opened_before_is_said(core: Core) -> None:
    stage = handed_over(core)
    assert opened(stage.world) is not None
    before(stage, "send", _die)
    with pytest.raises(RuntimeError):
        stage.channel("office", "it did not open").connect(again=True)
    # The killed run told nobody.
    stage.channel("office").connect()
    assert stage.journal().links["office"].receipt["earlier"] == "opened"
    stage.channel("office", "another desk").connect(again=True)
    assert "earlier" not in stage.journal().links["office"].receipt
    stage.world.pass_time(72 * 3600.0 + 1)
    opened(stage.world)
    stage.channel("office", "too late").connect(again=True)
    assert "earlier" not in stage.journal().links["office"].receipt, "what is over says nothing"


@rule
def what_was_sent_is_noted_whoever_writes_beside(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    before(stage, "send", lambda: stage.core.people.receive(stage.operation(), "office", given_by_vendor()))
    outcome = stage.channel("office").connect()
    assert len(stage.world.mails) == 1
    assert outcome.entry.acknowledged == 1, "what came meanwhile counts"
    assert outcome.entry.receipt["verified_at"]


@rule
def a_run_hands_over_once(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    before(stage, "send", lambda: stage.channel("office").connect())
    with pytest.raises(errors.Superseded, match="another run handed it over meanwhile"):
        stage.channel("office").connect()
    assert len(stage.world.mails) == 2
    assert waiting_tokens(stage) == ["accessor-2"]
    assert stage.journal().links["office"].receipt["sent_at"]


@rule
def a_run_that_was_faster_is_left_alone(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    before(stage, "wrap", lambda: stage.channel("office").connect())
    assert stage.channel("office").connect().problems == ()
    assert len(stage.world.mails) == 1


@rule
def a_removed_link_leaves_nothing_to_open(core: Core) -> None:
    stage = handed_over(core)
    stage.core.people.receive(stage.operation(), "office", given_by_vendor())
    assert stage.channel("office").disconnect().entry is None
    assert waiting_tokens(stage) == []
    assert stage.world.documents[f"{OWNER.connection}/inbound/1"] == [None]
    # A later life of the link counts on.
    stage.channel("office").connect()
    stage.core.people.receive(stage.operation(), "office", given_by_vendor())
    assert stage.journal().links["office"].inbound == 2


@rule
def what_comes_late_for_a_removed_link_finds_a_tombstone(core: Core) -> None:
    stage = handed_over(core)
    act = partial(stage.core.people.receive, stage.operation(), "office", given_by_vendor())
    before(stage, f"write {OWNER.connection}/inbound", stage.channel("office").disconnect)
    with pytest.raises(errors.Blocked, match="removed meanwhile"):
        act()
    assert "cart-canary" not in str(stage.world.documents)
    for step in (f"write {OWNER.connection}/journal", "read"):
        stage = handed_over(core)
        late = stage.channel("office").disconnect
        before(stage, f"write {OWNER.connection}/inbound", partial(before, stage, step, late))
        with pytest.raises(errors.Blocked, match="removed meanwhile"):
            stage.core.people.receive(stage.operation(), "office", given_by_vendor())
        assert "cart-canary" not in str(stage.world.documents)


@rule
def what_came_for_a_forgotten_link_ends_with_its_connection(core: Core) -> None:
    stage = handed_over(core)
    stage.core.people.receive(stage.operation(), "office", given_by_vendor())
    stage.core.people.forget_link(
        stage.operation(), "office", "it is gone", stage.channel("office").handover.courier.void
    )
    assert waiting_tokens(stage) == []
    assert "cart-canary" in str(stage.world.documents)
    assert stage.destroy().state == "closed"
    assert "cart-canary" not in str(stage.world.documents)


@rule
def an_answer_proves_the_first_hand_over_and_no_later_one(core: Core) -> None:
    stage = handed_over(core)
    stage.core.people.receive(stage.operation(), "office", given_by_vendor())
    assert stage.channel("office").connect().entry.receipt["verified_at"]
    stage.settle(stage.wish(rotation=2))
    stage.channel("office").connect()
    stage.core.people.receive(stage.operation(), "office", given_by_vendor())
    assert "connections confirm" in words(stage.channel("office").connect())
    stage.settle(stage.wish(rotation=2))
    assert states(stage)[1] == "superseded", "the vendor may still use it"
    stage.core.people.confirm_link(stage.operation(), "office", "a person", 2)
    receipt = stage.journal().links["office"].receipt
    assert (receipt["confirmed_by"], receipt.get("verified_at")) == ("a person", None)
    stage.settle(stage.wish(rotation=2))
    assert states(stage)[1] == "revoked"


@rule
def what_was_not_handed_over_is_not_confirmed(core: Core) -> None:
    stage = handed_over(core)
    stage.core.people.confirm_link(stage.operation(), "office", "a person")
    stage.settle(stage.wish(rotation=2))
    stage.world.pace = always(send="transient")
    assert "nothing was sent" in words(stage.channel("office").connect())
    stage.world.pace = unhurried
    with pytest.raises(errors.Blocked, match="generation 2 was not handed over yet"):
        stage.core.people.confirm_link(stage.operation(), "office", "a person")
    stage.channel("office").connect()
    stage.core.people.confirm_link(stage.operation(), "office", "a person")


@rule
def an_answer_needs_something_to_answer(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    people = stage.core.people
    for act in (people.check_receivable, partial(people.receive, values=given_by_vendor())):
        with pytest.raises(errors.Blocked, match="given nothing yet"):
            act(stage.operation(), "office")
    assert stage.journal().inbounds == 0
    stage.channel("office").connect()
    quiet(stage, partial(people.check_receivable, stage.operation(), "office"))


@rule
def what_changes_beside_a_link_is_looked_at_again(core: Core) -> None:
    journal = f"{OWNER.connection}/journal"

    def receive(stage: Stage) -> None:
        stage.core.people.receive(stage.operation(), "office", given_by_vendor())

    # Between its intent and what it gives; while the vendor's values are checked; when what was sent is noted.
    stage = begin(core)
    stage.settle(stage.wish())
    before(stage, f"write {journal}", lambda: before(stage, f"read {journal}", partial(receive, stage)))
    assert stage.channel("office").connect().entry.acknowledged == 1
    stage = handed_over(core)
    receive(stage)
    before(stage, "channel verify", partial(receive, stage))
    assert stage.channel("office").connect().entry.inbound == 2
    stage = begin(core)
    stage.settle(stage.wish())
    ask = partial(stage.core.people.request_rotation, stage.operation(), "x")
    before(stage, "send", partial(before, stage, f"write {journal}", ask))
    assert stage.channel("office").connect().entry.receipt["sent_at"]
    assert len(stage.world.mails) == 1


@rule
def two_runs_that_connect_one_link_are_one_link(core: Core) -> None:
    for step in (f"write {OWNER.connection}/journal", "read _slots"):
        stage = begin(core)
        stage.settle(stage.wish())
        before(stage, step, stage.link("erp").connect)
        assert stage.link("erp").connect().entry.acknowledged == 1
        assert stage.journal().lives == {"erp": 1}


@rule
def a_tombstone_holds_nothing_and_replaces_nothing(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    book = stage.core.journal.Book(stage.documents, OWNER)
    quiet(stage, partial(book.bury, 1))
    assert book.kept(1).state == "present"
    book.bury(2)
    assert book.kept(2).state == "destroyed"


@rule
def given_once_more_it_stays_acknowledged(core: Core) -> None:
    stage = handed_over(core)
    stage.core.people.confirm_link(stage.operation(), "office", "a person")
    outcome = stage.channel("office", "a new desk").connect(again=True)
    assert (outcome.person, outcome.entry.acknowledged) == ((), 1)
    assert stage.journal().links["office"].receipt["confirmed_by"] == "a person"


@rule
def a_renamed_link_takes_its_hand_over_along(core: Core) -> None:
    stage = handed_over(core)
    stage.core.people.receive(stage.operation(), "office", given_by_vendor())
    run = stage.channel("desk")
    run.was = "office"
    assert run.connect().entry.acknowledged == 1
    assert len(stage.world.mails) == 1
    assert stage.channel("desk").disconnect().entry is None
    assert waiting_tokens(stage) == []
    assert "cart-canary" not in str(stage.world.documents)


@rule
def nothing_goes_out_before_it_is_published(core: Core) -> None:
    stage = begin(core)
    stage.settle(stage.wish())
    before(stage, f"write {OWNER.connection}/credential", _die)
    with pytest.raises(RuntimeError):
        stage.settle(stage.wish(rotation=2))
    assert "generation 2 is not published yet" in words(stage.channel("office").connect())
    stage.settle(stage.wish(rotation=2))
    stage.channel("office").connect()
    assert (opened(stage.world) or {})["url"] == STORE


# --- cost -----------------------------------------------------------------------------------------------------------


@rule
def a_change_costs_few_writes(core: Core) -> None:
    stage = begin(core)
    costs: dict[str, int] = {}

    def count(name: str, act: Callable[[], object]) -> None:
        written = len(stage.world.writes)
        act()
        vault = [w for w in stage.world.writes[written:] if w.split()[0] in {"write", "destroy"}]
        costs[name] = len(vault)

    count("create", lambda: stage.settle(stage.wish()))
    count("no change", lambda: stage.settle(stage.wish()))
    count("connect", stage.link("erp").connect)
    count("rotate", lambda: stage.settle(stage.wish(rotation=2)))
    count("move the link", stage.link("erp").connect)
    count("retire", lambda: stage.settle(stage.wish(rotation=2)))
    count("unlink", stage.link("erp").disconnect)
    count("destroy", stage.destroy)
    assert costs == {
        "create": 5,
        "no change": 0,
        "connect": 3,
        "rotate": 4,
        "move the link": 2,
        "retire": 4,
        "unlink": 2,
        "destroy": 7,
    }


# --- stores that delete nothing ---------------------------------------------------------------------------------------


@rule
def what_stays_listed_is_named_and_left_alone(core: Core) -> None:
    stage = begin(core, residual=True, lingers="tokens work for an hour")
    stage.settle(stage.wish())
    told = stage.settle(stage.wish(rotation=2)).told
    assert told == ("generation 1 is ended; #1 stays listed at the store and opens nothing; tokens work for an hour",)
    assert (states(stage), stage.journal().residual.keys()) == ({1: "revoked", 2: "current"}, {"1"})
    quiet(stage, lambda: stage.settle(stage.wish(rotation=2)))
    assert stage.destroy().state == "closed"
    assert (alive(stage), stage.journal().residual.keys()) == ({}, {"1", "2"})
    quiet(stage, stage.destroy)
    assert stage.settle(stage.wish()).state == "live"


@rule
def a_row_that_was_given_up_is_ended_and_left(core: Core) -> None:
    stage = begin(core, residual=True)
    suffer(stage, issue="lost")
    stage.settle(stage.wish())
    stage.world.pass_time(60)
    stage.settle(stage.wish())
    assert states(stage) == {1: "revoked", 2: "current"}
    assert (stage.journal().residual.keys(), alive(stage)) == ({"1"}, {2: 1})


@rule
def a_late_row_of_a_dead_number_is_ended_once(core: Core) -> None:
    stage = begin(core, residual=True)
    stage.settle(stage.wish())
    stage.settle(stage.wish(rotation=2))
    late = stage.store.add(f"orders {make(MemoryKeyring(), OWNER, 1)}", {"rights": "read"}, "request")
    stage.settle(stage.wish(rotation=2))
    assert not late.alive
    assert stage.journal().residual.keys() == {"1", late.key_id}
    quiet(stage, lambda: stage.settle(stage.wish(rotation=2)))


@rule
def a_row_that_opens_something_again_is_ended_again(core: Core) -> None:
    stage = begin(core, residual=True)
    stage.settle(stage.wish())
    stage.settle(stage.wish(rotation=2))
    row = stage.world.keys["1"]
    row.value, row.alive = "ck_" + "1" * 40, True
    stage.settle(stage.wish(rotation=2))
    assert not row.alive
    quiet(stage, lambda: stage.settle(stage.wish(rotation=2)))


@rule
def what_a_store_does_not_show_counts_as_it_was_made(core: Core) -> None:
    stage = begin(core, revisable=frozenset({"purpose"}))
    stage.store = store = Silent(stage.world)
    stage.settle(stage.wish())
    quiet(stage, lambda: stage.settle(stage.wish()))
    stage.settle(stage.wish("read_write"))
    assert states(stage)[2] == "current"
    assert store.world.keys["2"].fields["rights"] == "read_write"


@rule
def a_row_that_only_a_person_ends_is_left_by_a_persons_word(core: Core) -> None:
    stage = begin(core, residual=True, revoked_by="person")
    stage.settle(stage.wish())
    assert stage.destroy().state == "awaiting_person"
    key = only(stage, 1)
    stage.core.people.confirm_deleted(stage.operation(), 1, "deactivated at the console")
    # The store's answer counts more.
    assert "still accepts it" in words(stage.destroy())
    key.alive = False
    assert stage.destroy().state == "closed"
    assert stage.journal().residual.keys() == {"1"}


@rule
def a_given_up_row_without_a_secret_is_left_by_a_persons_word(core: Core) -> None:
    stage = begin(core, residual=True, revoked_by="person")
    suffer(stage, issue="lost")
    stage.settle(stage.wish())
    stage.world.pass_time(60)
    assert "still lists generation 1" in words(stage.settle(stage.wish()))
    stage.core.people.confirm_deleted(stage.operation(), 1, "deactivated at the console")
    stage.settle(stage.wish())
    assert states(stage)[1] == "revoked"
    assert stage.journal().residual.keys() == {"1"}


@rule
def another_secret_in_the_place_of_ours_needs_a_new_one(core: Core) -> None:
    stage = begin(core, residual=True)
    stage.settle(stage.wish())
    # Somebody had the store make another secret for our row.
    only(stage, 1).value = "ck_" + "0" * 40
    assert "another secret in its place" in "".join(stage.core.observe.observe(stage.operation(), stage.wish()).drift)
    stage.settle(stage.wish())
    stage.settle(stage.wish())
    assert states(stage) == {1: "revoked", 2: "current"}
    assert alive(stage) == {2: 1}


# --- what a credential opens ------------------------------------------------------------------------------------------


class Silent(MemoryStore):
    """A store that shows everything of a key but its rights."""

    def find(self, selector: Selector, *, fresh: bool = True) -> Sequence[StoreKey]:
        found = super().find(selector, fresh=fresh)
        return [replace(key, fields={n: v for n, v in key.fields.items() if n != "rights"}) for key in found]


class Opening(MemoryStore):
    """A store that tells which place a credential opens."""

    place = "account-1"

    def verify(self, secret: Mapping[str, Secret], fields: Mapping[str, Any]) -> Sequence[Finding]:
        return [*super().verify(secret, fields), Finding("account", "confirmed", "acme", pins=self.place)]


@rule
def what_the_first_proof_saw_every_later_one_must_see(core: Core) -> None:
    stage = begin(core)
    stage.store = store = Opening(stage.world)
    stage.settle(stage.wish())
    assert stage.journal().pinned == {"account": "account-1"}
    store.place = "account-2"
    assert "acme: it opens account-2, not account-1" in words(stage.settle(stage.wish(rotation=2)))
    assert states(stage)[1] == "current"
    store.place = "account-1"
    stage.settle(stage.wish(rotation=2))
    assert (stage.journal().current, stage.journal().pinned) == (3, {"account": "account-1"})


@rule
def a_captured_key_is_held_to_what_is_pinned(core: Core) -> None:
    stage = begin(core, made_by="person", revoked_by="person", lists=False)
    stage.store = store = Opening(stage.world)
    stage.settle(stage.wish())
    stage.core.people.capture(stage.operation(), store.add("", {"rights": "read"}, "hand").secret)
    stage.settle(stage.wish())
    stage.settle(stage.wish(rotation=2))
    key = store.add("", {"rights": "read"}, "hand")
    store.place = "account-2"
    with pytest.raises(errors.Refused, match="does not do what is declared: account"):
        stage.core.people.capture(stage.operation(), key.secret)
    store.place = "account-1"
    stage.core.people.capture(stage.operation(), key.secret)
    stage.settle(stage.wish(rotation=2))
    assert stage.journal().current == 2


@rule
def a_renamed_place_is_known_by_what_is_pinned(core: Core) -> None:
    stage = begin(core, made_by="person", revoked_by="person", lists=False)
    stage.store = store = Opening(stage.world)
    stage.settle(stage.wish())
    stage.core.people.capture(stage.operation(), store.add("", {"rights": "read"}, "hand").secret)
    stage.settle(stage.wish())
    store.place = "account-2"
    with pytest.raises(errors.Refused, match="does not have our key"):
        stage.settle(stage.wish(), store="renamed")
    store.place = "account-1"
    assert stage.settle(stage.wish(), store="renamed").state == "live"
    assert stage.journal().store == "renamed"
