"""Rotation and adoption: nobody who reads Vault ever meets a key that does not work."""

from __future__ import annotations

import threading
from typing import Any, Self

import pytest

from providers.core import loop, people
from providers.core.links import LinkRun, VaultReader
from providers.core.toolbox import wish_of
from tests.end_to_end.workbench import Workbench, until

pytestmark = [pytest.mark.xdist_group("rotation"), pytest.mark.timeout(400), pytest.mark.no_cover]


class Reader(threading.Thread):
    """Reads the `credential` document and uses the key at the store, all the time, as a consumer does."""

    def __init__(self, bench: Workbench, store: str, connection: str) -> None:
        super().__init__()
        self.bench, self.store, self.connection = bench, store, connection
        self.answers: list[tuple[str, int]] = []
        self._over = threading.Event()

    def run(self) -> None:
        # A pause, so that the engine gets its share of a small machine.
        while not self._over.wait(0.1):
            credential = self.bench.credential(self.connection)
            self.answers.append((credential["generation"], self.bench.answer(self.store, credential)))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def links(overlap: str) -> dict[str, Any]:
    return {"links": {"hub": {"to": "vault", "overlap": overlap}}}


def test_a_note_in_the_file_rotates_once_and_no_reader_is_ever_refused(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.add_store("shop")
    bench.declare("shop", {"orders": links("4s"), "stock": links("4s")})
    bench.applied()
    first = bench.credential("shop/orders")

    bench.declare("shop", {"orders": links("4s") | {"rotate": "seen in a screen share"}, "stock": links("4s")})
    shown = bench.preview().text
    link = shown.split("dynamic/core:Link: (update)")[1]
    assert "::shop/orders/hub]" in link
    assert "~ handle: {" in link
    assert "~ rotation: 1 => 2" in link
    assert '+ rotate  : "seen in a screen share"' in shown
    assert shown.count("(update)") == 3  # key, link and ledger
    with Reader(bench, "shop", "shop/orders") as reader:
        said = bench.applied().text
        assert "shop/orders: generation 1: overlap until" in said
        until(lambda: reader.answers[-1][0] == "2")
        # The overlap is over when a look says so; the old key goes in the `up` after that.
        until(lambda: "generation 1 is no longer needed" in bench.preview().text)
        bench.applied()
        known = len(reader.answers)
        until(lambda: len(reader.answers) > known)
    assert {status for _, status in reader.answers} == {200}
    assert {generation for generation, _ in reader.answers} == {"1", "2"}
    assert bench.states("shop/orders") == {"1": "revoked", "2": "current"}
    assert bench.answer("shop", first) == 401
    assert "generation 1 is revoked and proved dead" in [step["what"] for step in bench.journal("shop/orders")["steps"]]
    bench.settled()

    # By command: what it did is no diff, and the rotation counts on from there.
    monkeypatch.chdir(bench.root)
    toolbox = bench.toolbox()
    inputs = bench.outputs("shop/stock")
    operation = toolbox.operation(inputs)
    people.request_rotation(operation, "quarterly")
    asked = bench.preview().text
    assert "rotation asked for: quarterly: a new key is due" in asked
    loop.settle(operation, wish_of(inputs, operation.clock()))
    LinkRun(operation, "hub", VaultReader()).connect()
    toolbox.close()
    bench.declare("shop", {"orders": links("1h") | {"rotate": "seen in a screen share"}, "stock": links("1h")})
    until(lambda: bench.states("shop/stock") == {"1": "superseded", "2": "current"})
    bench.applied()
    bench.settled()
    assert bench.outputs("shop/stock")["rotation"]["number"] == 2
    assert bench.states("shop/stock")["2"] == "current"


def test_a_key_made_by_hand_is_taken_over_as_it_is(bench: Workbench) -> None:
    store = bench.add_store("shop")
    made = bench.sandbox.client.insert_key(
        store.served, description="Hub (set up by Sam)", permissions="read_write", user="pim-writer"
    )
    bench.secrets |= {made.consumer_key, made.consumer_secret}
    bench.put(
        bench.prepared.mounts.adopt,
        f"{store.url.removeprefix('https://')}/shop-hub",
        {"consumer_key": made.consumer_key, "consumer_secret": made.consumer_secret},
    )
    wrong = {"orders": {"rights": "read_write", "user": "pim-writer", "adopt": "shop-hup"}}
    bench.declare("shop", wrong)
    refused = bench.up()
    assert refused.code != 0
    line = "shop/orders: there is nothing to adopt under shop-hup. Put the hand-made key there, or take the `adopt` line out"
    assert sum(text.endswith(line) for text in refused.lines) >= 1, refused.text
    assert "Traceback" not in refused.text
    assert bench.keys("shop") == []

    bench.declare("shop", {"orders": wrong["orders"] | {"adopt": "shop-hub"}})
    bench.applied()
    (key,) = bench.keys("shop")
    assert key.key_id == made.key_id
    assert key.description.startswith("orders into the hub connections:")
    assert bench.credential("shop/orders")["consumer_secret"] == made.consumer_secret
    bench.settled()
    bench.declare("shop", {"orders": {"rights": "read_write", "user": "pim-writer"}})
    bench.settled()
    assert len(bench.foreign_keys("shop")) == 2


def test_a_freeze_lets_nothing_through_but_a_compromised_key(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.add_store("shop")
    frozen = {"freeze": {"until": "2999-12-31", "reason": "christmas sales"}}
    bench.declare("shop", {"orders": {}, "stock": {}})
    bench.applied()
    before = bench.credential("shop/orders")
    bench.declare(
        "shop", {"orders": {"rights": "read_write"} | frozen, "stock": {"rotate": "spring cleaning"} | frozen}
    )
    said = bench.applied().text
    assert "shop/orders: frozen: christmas sales" in said
    assert "shop/stock: frozen: christmas sales" in said
    assert bench.states("shop/stock") == {"1": "current"}
    assert {key.permissions for key in bench.keys("shop")} == {"read"}

    bench.declare("shop", {"orders": frozen, "stock": frozen})
    monkeypatch.chdir(bench.root)
    toolbox = bench.toolbox()
    people.compromise(toolbox.operation(bench.outputs("shop/orders")), "posted in a chat")
    toolbox.close()
    assert "compromised: posted in a chat: a new key is due" in bench.preview().text
    bench.applied()
    # At once: no overlap for a leaked key.
    assert bench.states("shop/orders") == {"1": "revoked", "2": "current"}
    assert bench.answer("shop", before) == 401
    assert bench.answer("shop", bench.credential("shop/orders")) == 200
    bench.settled()
