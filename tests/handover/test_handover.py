"""What a hand-over says, to whom and by what way, and what is kept of it. Its steps and their order: tests/protocol."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pyrage
import pytest
from pyrage import x25519

from providers.core.errors import (
    ConnectionsError,
    PersonNeeded,
    Superseded,
    Transient,
    UnclearOutcome,
    VaultConflict,
    VaultSealed,
    VaultUnclear,
)
from providers.core.handover import Handover, Receipt, Terms, openable, was_sent
from providers.core.redaction import Secret
from tests.protocol.doubles import World
from tests.protocol.handing import OFFICE, MemoryCourier, opened, token_in

VALUES = {"store_hash": Secret("12e4567"), "access_token": Secret("access-canary")}
SEALED = Terms("sealed", OFFICE, what="API account", about=("For the order manager.",))
WHERE = "fresh-roast/orders/office"
EXPIRES = "2026-01-04T00:00:00+00:00"


@pytest.fixture
def world() -> World:
    return World()


class Kept:
    """A journal of one link: its receipts, and what was said of each."""

    def __init__(self, receipt: Receipt | None = None) -> None:
        self.receipts: list[dict[str, Any]] = [dict(receipt or {})]
        self.said: list[str] = []
        self.refuse = 0

    @property
    def last(self) -> dict[str, Any]:
        return self.receipts[-1]

    def note(self, receipt: Receipt, what: str) -> None:
        if self.refuse == len(self.receipts):
            raise VaultConflict("somebody else wrote first")
        assert "canary" not in json.dumps(dict(receipt)) + what
        self.receipts.append(dict(receipt))
        self.said.append(what)


def give(
    world: World, terms: Terms | None, kept: Kept | None = None, *, number: int = 1, again: str = "", **courier: bool
) -> Kept:
    kept = kept or Kept()
    handover = Handover(terms, MemoryCourier(world, **courier), world.clock, again)
    handover.give(WHERE, number, VALUES, kept.last, kept.note)
    return kept


def test_a_token_is_mailed_and_what_it_opens_is_not(world: World) -> None:
    kept = give(world, SEALED)
    (mail,) = world.mails
    assert mail.startswith(f"To: {OFFICE}\nSubject: API account (generation 1)\n\nFor the order manager.\n")
    assert "access-canary" not in mail
    assert "They open once, until 2026-01-04 00:00 UTC:\n" in mail
    assert f"\n  VAULT_ADDR=https://vault.example:8200 vault unwrap {token_in(mail)}\n" in mail
    assert "somebody else may have: say so at once" in mail
    assert opened(world) == {"store_hash": "12e4567", "access_token": "access-canary"}
    prepared = {
        "generation": "1",
        "how": "sealed",
        "to": OFFICE,
        "by": "mail",
        "accessor": "accessor-1",
        "expires": EXPIRES,
        "prepared_at": "2026-01-01T00:00:00+00:00",
    }
    assert kept.receipts[1:] == [prepared, prepared | {"sent_at": "2026-01-01T00:00:00+00:00"}]
    assert kept.said == [f"generation 1 is prepared for {OFFICE} (sealed)", "generation 1 handed over by mail"]


def test_a_receiver_with_a_key_needs_no_vault(world: World) -> None:
    receiver = x25519.Identity.generate()
    kept = give(world, dataclasses.replace(SEALED, key=str(receiver.to_public())))
    (mail,) = world.mails
    assert world.tokens == {}
    assert "accessor" not in kept.last
    begin = mail.index("-----BEGIN AGE")
    opened = pyrage.decrypt(mail[begin:].encode(), [receiver])
    assert json.loads(opened) == {"store_hash": "12e4567", "access_token": "access-canary"}
    assert "access-canary" not in mail


@pytest.mark.parametrize("terms", [Terms("plain", OFFICE, what="A"), Terms("person"), Terms("plain")])
def test_values_as_they_are_only_where_that_was_asked_for(terms: Terms, world: World) -> None:
    terminal = not terms.by_mail(mails=True)
    kept = give(world, terms, terminal=terminal)
    (text,) = world.mails
    assert text.endswith("\n\nstore_hash: 12e4567\naccess_token: access-canary\n")
    assert kept.last["by"] == ("terminal" if terminal else "mail")
    assert kept.last.get("to") == (terms.to or None)
    assert kept.said[0] == f"generation 1 is prepared for {terms.to or 'a person'} ({terms.how})"
    assert world.tokens == {}


WAYS: list[tuple[Terms, bool, bool, str]] = [
    (SEALED, True, False, "mail"),
    (SEALED, True, True, "terminal"),
    (SEALED, False, True, "terminal"),
    (SEALED, False, False, ""),
    (Terms("sealed"), True, False, ""),
    (Terms("person"), True, False, ""),
    (Terms("person", OFFICE), True, False, ""),
    (Terms("person", OFFICE), False, True, "terminal"),
    (Terms("plain", OFFICE), False, False, ""),
]


@pytest.mark.parametrize(("terms", "mails", "terminal", "by"), WAYS)
def test_the_way_it_goes(terms: Terms, mails: bool, terminal: bool, by: str, world: World) -> None:
    if by:
        assert give(world, terms, mails=mails, terminal=terminal).last["by"] == by
        return
    kept = Kept()
    with pytest.raises(PersonNeeded, match=f"Run `connections handover {WHERE}` there"):
        give(world, terms, kept, mails=mails, terminal=terminal)
    assert (world.tokens, kept.said) == ({}, []), "nothing was begun"


def test_without_terms_nothing_is_handed_over(world: World) -> None:
    assert give(world, None, again="all the same").said == []
    assert world.tokens == {}


DUE: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({"generation": "1", "to": OFFICE, "sent_at": "x"}, False),
    ({"generation": "1", "to": OFFICE}, True),
    ({"generation": "2", "to": OFFICE, "sent_at": "x"}, True),
    ({"generation": "1", "to": "desk@vendor.example", "sent_at": "x"}, True),
    ({"generation": "1", "sent_at": "x"}, True),
    ({"confirmed_by": "Robin"}, True),
]


@pytest.mark.parametrize(("receipt", "due"), DUE)
def test_what_is_due(receipt: dict[str, str], due: bool) -> None:
    assert SEALED.is_due(receipt, 1) is due
    assert was_sent(receipt, 1) is (receipt.get("generation") == "1" and "sent_at" in receipt)


def test_what_was_given_is_given_again_for_a_reason_and_for_each_once(world: World) -> None:
    kept = give(world, SEALED)
    give(world, SEALED, kept)
    assert len(world.mails) == 1
    for _ in range(2):
        give(world, SEALED, kept, again="the mail was lost")
    assert len(world.mails) == 2
    assert kept.last["reason"] == "the mail was lost"
    # Its reason stays, and does not keep the next generation back.
    give(world, SEALED, kept, number=2)
    assert "reason" not in kept.last
    assert [token.state for token in world.tokens.values()] == ["void", "void", "waiting"]


def test_a_token_of_before_is_voided_whatever_comes_after_it(world: World) -> None:
    kept = give(world, SEALED)
    give(world, Terms("person", OFFICE), kept, again="they cannot open it", terminal=True)
    assert world.tokens["accessor-1"].state == "void"
    assert openable(kept.last) == ()
    assert kept.receipts[-2]["former"] == "accessor-1", "until it was voided"


def test_everything_that_may_open_is_voided_at_the_end(world: World) -> None:
    courier = MemoryCourier(world)
    for _ in range(3):
        courier.wrap(VALUES, 60)
    handover = Handover(None, courier, world.clock)
    handover.end({"accessor": "accessor-3", "former": "accessor-1 accessor-2"})
    assert {token.state for token in world.tokens.values()} == {"void"}
    handover.end({})


FAILURES: list[tuple[str, str, type[ConnectionsError], int]] = [
    ("wrap", "lost", VaultUnclear, 0),
    ("wrap", "sealed", VaultSealed, 0),
    ("send", "transient", Transient, 0),
    ("send", "lost", UnclearOutcome, 1),
    ("token void", "sealed", VaultSealed, 1),
]


@pytest.mark.parametrize(("step", "fault", "error", "mails"), FAILURES)
def test_whatever_fails_the_next_run_hands_over(
    step: str, fault: str, error: type[ConnectionsError], mails: int, world: World
) -> None:
    kept = give(world, SEALED) if step == "token void" else Kept()
    world.pace = lambda at, faults: fault if at == step else ""
    with pytest.raises(error) as caught:
        give(world, SEALED, kept, again="once more" if step == "token void" else "")
    assert "canary" not in str(caught.value)
    assert len(world.mails) == mails
    world.pace = lambda at, faults: ""
    give(world, SEALED, kept)
    assert len(world.mails) == mails + 1
    last = kept.last["accessor"]
    known = {accessor for receipt in kept.receipts for accessor in openable(receipt)}
    assert [a for a in known if world.tokens[a].state == "waiting"] == [last]
    assert kept.last["sent_at"]
    assert "earlier" not in kept.last, "what was voided here was opened by nobody"


def test_what_was_opened_before_is_kept_until_somebody_was_told(world: World) -> None:
    kept = give(world, SEALED)
    opened(world)
    world.pace = lambda at, faults: "transient" if at == "send" else ""
    with pytest.raises(Transient):
        give(world, SEALED, kept, again="it did not open")
    world.pace = lambda at, faults: ""
    give(world, SEALED, kept)
    assert kept.last["earlier"] == "opened"


@pytest.mark.parametrize(("seconds", "earlier"), [(0.0, "opened"), (72 * 3600.0, None)])
def test_what_is_over_says_nothing(seconds: float, earlier: str | None, world: World) -> None:
    kept = give(world, SEALED)
    opened(world)
    world.pass_time(seconds)
    give(world, SEALED, kept, again="it did not open")
    assert kept.last.get("earlier") == earlier


def test_another_run_was_faster(world: World) -> None:
    kept = Kept()
    kept.refuse = 1
    with pytest.raises(VaultConflict):
        give(world, SEALED, kept)
    assert world.mails == []
    kept.refuse = 2
    with pytest.raises(Superseded, match=f"^{WHERE}: another run handed it over meanwhile"):
        give(world, SEALED, kept)
    assert len(world.mails) == 1
