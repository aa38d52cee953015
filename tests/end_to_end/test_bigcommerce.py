"""A BigCommerce account for Stone Edge in the real engine: what a person, the vendor and a pipeline do, in their order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.mail.reader import InterceptedError, find_sealed
from tests.end_to_end.channel import LINK, NAME, PRINTED, ROWS, Channel
from tests.end_to_end.workbench import Workbench, proposed

pytestmark = [pytest.mark.xdist_group("bigcommerce"), pytest.mark.timeout(400), pytest.mark.no_cover]

UNSEEN = {"Customers login"}
"""Rows of the vendor's 25 that no call shows (bigcommerce.md 5.3)."""


@pytest.fixture
def channel(bench: Workbench) -> Iterator[Channel]:
    """A store of this test alone. Whatever the test did, no secret may stand anywhere afterwards."""
    with Channel.open(bench) as opened:
        yield opened


def test_a_whole_life(channel: Channel) -> None:
    with channel.bench.watched():
        _from_nothing_to_live(channel)
        _previews_are_cheap(channel)
        _another_right(channel)
        _destroyed(channel)


def _from_nothing_to_live(channel: Channel) -> None:
    bench = channel.bench
    said = bench.applied()
    assert "shop/stone-edge: make key number 1 by hand" in said.text
    assert "stone-edge asks for more than its function" in said.text
    assert channel.state() == ("awaiting_person", "awaiting_person")
    assert channel.asked(0) == []

    sheet = bench.command("sheet", NAME)
    assert sheet.code == 0
    assert channel.store.panel_url.removesuffix("/manage") in sheet.text
    assert re.findall(r"\[ \] (.+?) {2,}(\S.*)", sheet.text) == list(PRINTED.items())

    captured = channel.capture(channel.make(1))
    assert "key number 1 is proved and in Vault" in captured.text
    assert channel.mails() == []
    bench.applied()

    (letter,) = channel.mails()
    sealed = find_sealed(letter)
    opened = channel.opened()
    assert opened["store_hash"] == channel.store.hash
    assert {name: bench.credential(NAME)[name] for name in opened} == opened
    with pytest.raises(InterceptedError):
        channel.office.open(sealed)

    channel.receive(channel.answer())
    bench.applied()
    assert channel.state() == ("live", "acknowledged")
    assert len(channel.mails()) == 1
    receipt = bench.journal(NAME)["links"]["office"]["receipt"]
    assert "verified_at" in receipt
    assert "confirmed_by" not in receipt
    asked = bench.sandbox.client.stone_edge.received(bench.stack)
    assert set(asked) == {"sendversion", "ordercount"}

    matrix = channel.proof(1)
    verdicts = {label: matrix[label][0] for label in PRINTED}
    assert verdicts == {label: "unverifiable" if label in UNSEEN else "confirmed" for label in PRINTED}
    assert "contradicted" not in {verdict for verdict, _ in matrix.values()}
    assert {name for name, (verdict, _) in matrix.items() if verdict == "unverifiable"} >= {
        "client id",
        "client secret",
    }


def _previews_are_cheap(channel: Channel) -> None:
    bench, client = channel.bench, channel.bench.sandbox.client
    seq = client.last_seq()
    bench.settled()
    assert Counter(row.operation for row in channel.asked(seq)) == {"time": 1}
    seq = client.last_seq()
    seen = bench.preview("--expect-no-changes", role="preview")
    assert seen.code == 0, seen.text
    assert "this login may read no secret" in seen.text
    assert channel.asked(seq) == []
    # A day later every row is asked for again.
    bench.age_proof(NAME, days=1)
    seq = client.last_seq()
    bench.settled()
    operations = Counter(row.operation for row in channel.asked(seq))
    assert {"pages_read", "pages_write", "customers_read", "customers_write"} <= set(operations), operations
    assert set(operations.values()) <= {1, 2}


def _another_right(channel: Channel) -> None:
    bench = channel.bench
    former = bench.credential(NAME)
    channel.declare(excepted={"Marketing": "read-only"})
    shown = bench.preview().text
    assert re.findall(r"~ rights: \{\n((?: +[+~-] .*\n)*) +\}", shown) == ['          + Marketing: "read-only"\n'], (
        shown
    )
    assert "wider rights: Marketing: none => read-only" in shown
    said = bench.applied()
    assert "shop/stone-edge: make key number 2 by hand" in said.text

    # One row too many, one too few: each is named, and nothing takes the place of what works.
    wider = {**ROWS, "Marketing": "read-only", "Themes": "read-only"}
    for rows, label, other in ((wider, "Themes", "Marketing"), (ROWS, "Marketing", "Themes")):
        refused = channel.capture(channel.make(2, rows), code=5)
        assert f"the key does not do what is declared: {label}" in refused.text
        assert other not in refused.text
        channel.delete(2)
        assert bench.credential(NAME) == former
    assert bench.states(NAME) == {"1": "current", "2": "intended"}
    channel.capture(channel.make(2, {**ROWS, "Marketing": "read-only"}))
    assert len(channel.mails()) == 1
    bench.applied()
    assert bench.states(NAME) == {"1": "superseded", "2": "current"}
    assert len(channel.mails()) == 2
    assert "shop/stone-edge: generation 1: office still holds generation 1" in channel.reasons()
    assert channel.opened()["access_token"] == bench.credential(NAME)["access_token"] != former["access_token"]
    # The vendor did not say that it works with the new one: the old one goes on.
    assert channel.answers(former) == 200

    # What it gave in return once would look the same for both generations: a person says so.
    confirmed = bench.command("confirm", LINK, "--by", "sales at Stone Edge", "--generation", "2")
    assert confirmed.code == 0, confirmed.text
    receipt = bench.journal(NAME)["links"]["office"]["receipt"]
    assert receipt["confirmed_by"] == "sales at Stone Edge"
    assert "verified_at" not in receipt
    told = bench.applied()
    assert bench.states(NAME) == {"1": "retiring", "2": "current"}
    assert "shop/stone-edge: delete key" in told.text
    sheet = bench.command("sheet", NAME)
    assert "Delete the API account 'shop/stone-edge #1'" in sheet.text
    assert channel.answers(former) == 200
    channel.delete(1)
    bench.applied()
    assert bench.states(NAME) == {"1": "revoked", "2": "current"}
    assert channel.answers(former) == 401


def _destroyed(channel: Channel) -> None:
    bench = channel.bench
    credential = bench.credential(NAME)
    channel.listen(credential)
    stopped = bench.destroy()
    assert stopped.code != 0
    order = re.findall(r"- +pulumi-python:dynamic/(\w+:\w+) \S+ deleted", stopped.text)
    assert order == ["core:Link", "bigcommerce:ApiAccount"], stopped.text
    assert "vanishes: store/order/created to orders.agency.example" in stopped.text
    line = "error: NotDone: not ended yet: shop/stone-edge: generation 2 is retiring; only a person can end it"
    assert any(line in said for said in stopped.lines), stopped.text
    assert bench.states(NAME)["2"] == "retiring"
    assert "proved dead" not in bench.journal(NAME)["steps"][-1]["what"]
    assert channel.answers(credential) == 200
    # Its secret is kept for one purpose: to prove its death with it.
    assert set(bench.kept_secrets()) == {f"{NAME}/credential", f"{NAME}/generations/2"}
    assert bench.credential(NAME)["state"] == "revoked"
    assert "Delete the API account 'shop/stone-edge #2'" in bench.command("sheet", NAME).text

    channel.delete(2)
    ended = bench.destroy()
    assert ended.code == 0, ended.text
    assert bench.state().get("resources", []) == []
    assert set(bench.states(NAME).values()) == {"revoked"}
    assert bench.journal(NAME)["phase"] == "closed"
    assert "links" not in bench.journal(NAME)
    assert channel.answers(credential) == 401
    assert bench.kept_secrets() == []
    assert channel.titles() == ()


# --- drift ------------------------------------------------------------------------------------------------------------

EMPTY = '{"data":[],"meta":{}}'
REFUSED = '{"status":403,"title":"You don\'t have a required scope to access the endpoint","errors":{}}'
"""What a right answers, and what its lack does (bigcommerce.md 6)."""


def test_drift_is_named_row_by_row(channel: Channel) -> None:
    """Accounts that were there before are taken over, each proved; then each drifts in its own way."""
    bench, client = channel.bench, channel.bench.sandbox.client
    orders, carts = {"Orders": "read-only"}, {"Orders": "read-only", "Carts": "read-only"}
    made = {name: channel.by_hand(f"made for {name}", rows) for name, rows in (("wide", carts), ("narrow", orders))}
    made |= {name: channel.by_hand(f"made for {name}", orders) for name in ("gained", "edited", "dead")}
    declared = {name: {"rights": carts if name == "narrow" else orders, "adopt": name} for name in made}
    channel.offer(made)
    channel.declare_all(declared)

    refused = bench.up()
    assert refused.code != 0
    for name in ("wide", "narrow"):
        assert f"shop/{name}: generation 1 was refused by its proof and is given up: Carts: " in refused.text
        assert bench.credential(f"shop/{name}") == {}
    # Refused, not harmed: they are somebody's.
    assert all(channel.answers({"access_token": account.access_token}) == 200 for account in made.values())
    good = {name: declared[name] for name in ("gained", "edited", "dead")}
    assert all(bench.states(f"shop/{name}") == {"1": "current"} for name in good)
    channel.declare_all(good)
    bench.applied()
    bench.settled()

    before = bench.credential("shop/edited")
    path = f"{bench.prepared.base}/shop/edited/credential"
    bench.put(bench.prepared.mounts.mount, path, {**before, "access_token": made["wide"].access_token})
    channel.panel.delete_account("made for dead")
    # No account ever changes: that one row opens and another closes is for the platform to do.
    client.add_fault("status", store=channel.store.hash, operation="themes_read", status=200, body=EMPTY, times=None)
    client.add_fault("status", store=channel.store.hash, operation="orders_*", status=403, body=REFUSED, times=None)
    bench.age_proof("shop/gained", days=1)
    shown = bench.preview().text
    told = {
        "gained": ("Themes: declared none; reads", "Orders: declared read-only; does not read"),
        "edited": ("the value in Vault was edited",),
        "dead": ("the store refuses the key: a new key is due",),
    }
    for name, words in told.items():
        found = proposed(shown, f"shop/{name}")
        assert {other for other, lines in told.items() if any(line in found for line in lines)} == {name}, shown
        assert all(line in found for line in words), shown

    repaired = bench.up()
    assert repaired.code != 0
    assert "shop/gained: the key does not do what is declared: " in repaired.text
    assert bench.credential("shop/edited")["access_token"] == before["access_token"]
    assert "shop/dead: make key number 2 by hand" in repaired.text
    assert {name: bench.states(f"shop/{name}")["1"] for name in good} == dict.fromkeys(good, "current")


# --- kills ------------------------------------------------------------------------------------------------------------


def test_killed_runs_hand_over_once_and_forget_nothing(channel: Channel) -> None:
    """Killed before a mail was taken, after it, and while death is proved: one hand-over opens, nothing is forgotten."""
    bench, client = channel.bench, channel.bench.sandbox.client
    receivers = {name: f"{name}-{bench.stack}@stoneedge.example" for name in ("near", "far")}
    rights = {"Orders": "read-only"}
    links = {name: {"office": {"to": "stone-edge", "recipient": receiver}} for name, receiver in receivers.items()}
    channel.declare_all({name: {"rights": rights, "links": links[name]} for name in receivers})
    bench.applied()
    for name in receivers:
        made = channel.panel.create_account(f"shop/{name} #1", rights)
        channel.remember(made)
        assert bench.command("capture", f"shop/{name}", given=made.text).code == 0
    rules = [
        client.add_fault("hang", store="_mail", operation="mail_content", before=True),
        client.add_fault("hang", store="_mail", operation="mail_content"),
    ]
    process = bench.start("up", "--yes", "--skip-preview", "--non-interactive")
    for rule in rules:
        client.wait_for_fault(rule, timeout=60)
    bench.killed(process)
    for rule in rules:
        client.release(rule)
    client.clear_faults()
    assert bench.pulumi("cancel", "--yes").code == 0
    bench.applied()
    for name, receiver in receivers.items():
        tokens = channel.tokens(receiver)
        assert 1 <= len(tokens) <= 2
        assert [bench.opens(token) for token in tokens] == [False] * (len(tokens) - 1) + [True], name
    bench.settled()

    rule = client.add_fault("hang", store=channel.store.hash, operation="time", before=True)
    process = bench.start("destroy", "--yes", "--skip-preview", "--non-interactive")
    client.wait_for_fault(rule, timeout=60)
    bench.killed(process)
    client.release(rule)
    client.clear_faults()
    assert bench.pulumi("cancel", "--yes").code == 0
    credentials = [bench.document(f"shop/{name}/generations/1") for name in receivers]
    stopped = bench.destroy()
    assert stopped.code != 0
    assert "only a person can end it" in stopped.text
    assert all(channel.answers(credential) == 200 for credential in credentials)
    # Nobody opens what is to end.
    assert not [token for receiver in receivers.values() for token in channel.tokens(receiver) if bench.opens(token)]
    for name in receivers:
        channel.panel.delete_account(f"shop/{name} #1")
    assert bench.destroy().code == 0
    assert bench.kept_secrets() == []
    assert all(bench.journal(f"shop/{name}")["phase"] == "closed" for name in receivers)
