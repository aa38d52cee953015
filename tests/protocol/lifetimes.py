"""One check for each rule about credentials that end by themselves and that no list shows; as in `directed`."""

from __future__ import annotations

from typing import Any

import pytest

from providers.core import errors
from providers.core.contract import Finding
from tests.protocol.core import Core
from tests.protocol.directed import CHECKS, alive, always, before, begin, only, rule, states, suffer, words
from tests.protocol.doubles import Key, unhurried
from tests.protocol.explorer import OWNER, Stage

__all__ = ["CHECKS"]

LIFE = 3600.0


def of_tokens(core: Core, **capabilities: Any) -> Stage:
    """A store that makes credentials by a call, shows them nowhere, and ends them by themselves alone."""
    token: dict[str, Any] = {"made_by": "api", "lists": False, "relabels": False, "lifetime": "life"}
    return begin(core, **(token | {"revisable": frozenset()} | capabilities))


def for_a_while(stage: Stage, rotation: int = 1, **changes: Any) -> Any:
    """A wish for a credential that lives for `LIFE`."""
    fields = {"rights": "read", "purpose": "orders", "life": LIFE}
    return stage.core.due.Wish(fields, rotation=rotation, **changes)


def lost(core: Core) -> Stage:
    """A token whose reply was lost, and one in its place."""
    stage = of_tokens(core)
    suffer(stage, issue="lost")
    assert "no reply" in words(stage.settle(for_a_while(stage)))
    return stage


@rule
def a_lost_token_is_waited_for_until_it_is_over(core: Core) -> None:
    stage = lost(core)
    outcome = stage.settle(for_a_while(stage))
    assert outcome.problems == ()
    assert "it ends by itself by 2026-01-01 01:00" in words(outcome)
    assert states(stage) == {1: "abandoned", 2: "current"}
    seen = stage.core.observe.observe(stage.operation(), for_a_while(stage))
    assert seen.drift == ()
    assert any("it ends by itself by 2026-01-01 01:00" in line for line in seen.waiting)
    stage.world.pass_time(LIFE + 29)
    stage.settle(for_a_while(stage))
    assert states(stage)[1] == "abandoned", "a request may have been carried out late"
    stage.world.pass_time(2)
    assert stage.core.observe.observe(stage.operation(), for_a_while(stage)).drift
    stage.settle(for_a_while(stage))
    assert states(stage)[1] == "revoked"


@rule
def a_lost_token_is_gone_by_a_persons_word(core: Core) -> None:
    stage = lost(core)
    stage.world.pass_time(31)
    only(stage, 1).alive = False
    stage.core.people.confirm_deleted(stage.operation(), 1, "the vendor ended it")
    assert stage.settle(for_a_while(stage)).state == "live"
    assert states(stage) == {1: "revoked", 2: "current"}


@rule
def a_destroy_waits_for_a_lost_token(core: Core) -> None:
    stage = lost(core)
    outcome = stage.destroy()
    assert f"`connections confirm {OWNER.connection} --deleted 1 --reason TEXT`" in words(outcome)
    assert (outcome.problems, stage.journal().phase) == ((), "closing")
    stage.world.pass_time(LIFE + 31)
    assert stage.destroy().state == "closed"
    assert alive(stage) == {}


@rule
def a_life_counts_from_its_decision(core: Core) -> None:
    stage = of_tokens(core)

    journals: list[str] = []

    def pace(step: str, possible: tuple[str, ...]) -> str:
        if step == f"write {OWNER.connection}/journal":
            journals.append(step)
            if len(journals) == 2:
                # It sleeps between its decision and its request.
                stage.world.pass_time(1000)
        return "lost" if step == "issue" else ""

    stage.world.pace = pace
    stage.settle(for_a_while(stage))
    stage.world.pace = unhurried
    stage.world.pass_time(LIFE - 1000 + 31)
    assert stage.destroy().state == "closed"
    assert alive(stage) == {}


@rule
def what_was_not_sent_is_not_waited_for(core: Core) -> None:
    stage = of_tokens(core)
    suffer(stage, issue="refused")
    stage.settle(for_a_while(stage))
    assert states(stage) == {1: "revoked"}


@rule
def what_is_not_ready_is_not_begun(core: Core) -> None:
    stage = of_tokens(core)
    stage.world.unready = "its account is not live yet"
    outcome = stage.settle(for_a_while(stage))
    assert (outcome.problems, states(stage)) == ((), {})
    assert "its account is not live yet" in words(outcome)
    stage.world.unready = ""
    assert stage.settle(for_a_while(stage)).state == "live"
    assert states(stage) == {1: "current"}


@rule
def a_token_is_replaced_before_it_is_over(core: Core) -> None:
    stage = of_tokens(core)
    assert stage.settle(for_a_while(stage)).state == "live"
    stage.world.pass_time(LIFE * 0.6)
    assert stage.core.observe.observe(stage.operation(), for_a_while(stage)).drift == ()
    stage.world.pass_time(LIFE * 0.1)
    seen = stage.core.observe.observe(stage.operation(), for_a_while(stage))
    assert seen.drift == ("it expires on 2026-01-01: a new key is due",)
    outcome = stage.settle(for_a_while(stage, overlap=60.0))
    assert outcome.problems == ()
    assert states(stage) == {1: "superseded", 2: "current"}
    assert stage.journal().generations[2].note == "it expires on 2026-01-01"
    stage.world.pass_time(61)
    assert stage.settle(for_a_while(stage, overlap=60.0)).state == "live"
    assert alive(stage) == {2: 1}


@rule
def a_freeze_lets_a_token_end(core: Core) -> None:
    stage = of_tokens(core)
    stage.settle(for_a_while(stage))
    stage.world.pass_time(LIFE * 0.7)
    outcome = stage.settle(for_a_while(stage, frozen="sales"))
    assert (outcome.problems, states(stage)) == ((), {1: "current"})
    assert "frozen: sales; it expires on 2026-01-01" in words(outcome)
    seen = stage.core.observe.observe(stage.operation(), for_a_while(stage, frozen="sales"))
    assert (seen.drift, seen.waiting) == ((), ("frozen: sales; it expires on 2026-01-01",))


@rule
def tokens_that_are_over_too_soon_are_not_made_in_a_row(core: Core) -> None:
    stage = of_tokens(core)
    real = stage.store.verify
    soon = Finding("lasts", "contradicted", "it expires on 2026-01-01")
    stage.store.verify = lambda secret, fields: [*real(secret, fields)[:2], soon]  # type: ignore[method-assign]
    assert "it expires on 2026-01-01" in words(stage.settle(for_a_while(stage)))
    assert states(stage) == {1: "revoked"}
    assert alive(stage) == {}


def with_one_by_hand(core: Core) -> tuple[Stage, Key]:
    """A token that somebody made by hand. The watch would take it for a stranger's."""
    stage = of_tokens(core)
    stage.world.watchers.clear()
    return stage, stage.store.add("by hand", {"rights": "read", "purpose": "orders", "life": LIFE}, "hand")


@rule
def an_adopted_token_that_is_soon_over_is_taken_and_replaced(core: Core) -> None:
    stage, key = with_one_by_hand(core)
    stage.world.pass_time(LIFE * 0.7)
    outcome = stage.settle(for_a_while(stage, adopt="old"), entry={"old": key.secret}.get)
    assert outcome.state == "live", words(outcome)
    assert (states(stage), key.alive) == ({1: "revoked", 2: "current"}, False)


@rule
def an_adopted_token_without_an_id_is_revoked_by_itself(core: Core) -> None:
    for revoked in (True, False):
        stage, key = with_one_by_hand(core)
        stage.settle(for_a_while(stage, adopt="old"), entry={"old": key.secret}.get)
        assert stage.journal().generations[1].key_id == ""
        assert stage.destroy(revoke_adopted=revoked).state == "closed"
        assert key.alive != revoked


@rule
def an_adopted_token_that_is_not_taken_is_left_alone(core: Core) -> None:
    stage, key = with_one_by_hand(core)
    key.fields["rights"] = "read_write"
    outcome = stage.settle(for_a_while(stage, adopt="old"), entry={"old": key.secret}.get)
    assert "was refused by its proof" in words(outcome)
    assert (states(stage), key.alive) == ({1: "revoked"}, True)


@rule
def a_revocation_may_take_its_time(core: Core) -> None:
    stage = of_tokens(core)
    stage.settle(for_a_while(stage))
    stage.world.revocation_delay = 600.0
    outcome = stage.settle(for_a_while(stage, rotation=2))
    assert outcome.problems == ()
    assert "not proved dead: the store still accepts it; it ends by itself by 2026-01-01 01:00" in words(outcome)
    assert states(stage) == {1: "retiring", 2: "current"}
    stage.world.pass_time(601)
    assert stage.settle(for_a_while(stage, rotation=2)).state == "live"
    assert stage.journal().steps[-1].what == "generation 1 is revoked and proved dead"


@rule
def a_token_that_cannot_be_revoked_is_over_in_time(core: Core) -> None:
    stage = of_tokens(core)
    stage.settle(for_a_while(stage))
    stage.world.revocable = False
    assert "still accepts it" in words(stage.settle(for_a_while(stage, rotation=2)))
    stage.world.pace = always(control="unverifiable")

    def gone(*_: Any) -> Any:
        raise errors.Unauthorized("the account is gone")

    stage.store.revoke = gone  # type: ignore[method-assign,assignment]
    stage.world.pass_time(LIFE + 31)
    stage.settle(for_a_while(stage, rotation=2))
    assert states(stage)[1] == "revoked"
    last = [step.what for step in stage.journal().steps if "generation 1" in step.what][-1]
    assert "has ended by itself, its time being over, not by proof" in last


@rule
def a_token_that_is_over_needs_no_look(core: Core) -> None:
    stage = of_tokens(core)
    stage.settle(for_a_while(stage))

    def unreachable(*_: Any) -> Any:
        raise errors.Unreachable("no connection")

    stage.store.probe = unreachable  # type: ignore[method-assign,assignment]
    assert "no connection" in words(stage.destroy())
    stage.world.pass_time(LIFE + 31)
    assert stage.destroy().state == "closed"


@rule
def a_token_that_outlives_its_time_is_not_dead(core: Core) -> None:
    stage = of_tokens(core)
    stage.settle(for_a_while(stage))
    stage.world.revocable = False
    only(stage, 1).expires = None
    stage.world.pass_time(LIFE + 31)
    outcome = stage.destroy()
    assert "still accepts it" in words(outcome)
    assert len(outcome.problems) == 1
    assert states(stage) == {1: "retiring"}


@rule
def a_token_whose_secret_is_lost_is_not_said_to_be_dead(core: Core) -> None:
    stage = of_tokens(core)
    stage.settle(for_a_while(stage))
    path = f"{OWNER.connection}/generations/1"
    stage.world.documents[path] = [None]
    outcome = stage.settle(for_a_while(stage))
    assert states(stage) == {1: "retiring", 2: "current"}
    assert "its secret is lost" in words(outcome)
    stage.world.pass_time(LIFE + 31)
    stage.settle(for_a_while(stage))
    assert states(stage)[1] == "revoked"
    assert alive(stage).keys() == {3}


def die() -> None:
    """The run is killed."""
    raise RuntimeError("dies")


@rule
def a_proof_without_a_list_outlives_a_crash(core: Core) -> None:
    stage = of_tokens(core)
    stage.settle(for_a_while(stage))
    taken: list[str] = []

    def pace(step: str, _: tuple[str, ...]) -> str:
        if taken and step.startswith("write"):
            die()
        if step == f"destroy {OWNER.connection}/generations/1":
            taken.append(step)
        return ""

    stage.world.pace = pace
    with pytest.raises(RuntimeError):
        stage.settle(for_a_while(stage, rotation=2))
    assert states(stage)[1] == "retiring"
    stage.world.pace = always(probe="unknown")
    assert stage.settle(for_a_while(stage, rotation=2)).state == "live"
    assert states(stage)[1] == "revoked"


@rule
def a_token_that_was_given_up_is_revoked_by_itself(core: Core) -> None:
    stage = of_tokens(core)
    suffer(stage, verify="transient")
    stage.settle(for_a_while(stage))
    assert states(stage) == {1: "intended"}
    stage.world.revocation_delay = 60.0
    outcome = stage.destroy()
    assert "the store still accepts it; it ends by itself" in words(outcome)
    stage.world.pass_time(61)
    taken: list[str] = []

    def pace(step: str, _: tuple[str, ...]) -> str:
        if taken and step.startswith("write"):
            die()
        if step == f"destroy {OWNER.connection}/generations/1":
            taken.append(step)
        return ""

    stage.world.pace = pace
    with pytest.raises(RuntimeError):
        stage.destroy()
    stage.world.pace = unhurried
    assert stage.destroy().state == "closed"
    assert alive(stage) == {}


@rule
def a_late_token_is_revoked_by_itself(core: Core) -> None:
    stage = of_tokens(core)
    before(stage, f"write {OWNER.connection}/generations/1", lambda: stage.settle(for_a_while(stage)))
    stage.settle(for_a_while(stage))
    assert alive(stage) == {2: 1}
