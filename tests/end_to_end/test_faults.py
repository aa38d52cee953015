"""Stores and Vault that do not answer, runs that are killed, destroys that stop half-way, stores that move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from providers.core import loop
from providers.core.marker import Owner
from providers.core.toolbox import wish_of
from sandbox.vault import VaultServer
from tests.end_to_end.workbench import Workbench

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(400), pytest.mark.no_cover]

POINTS: Mapping[str, Mapping[str, Any]] = {
    "before": {"effect": "hang", "operation": "create_key", "before": True},
    "after": {"effect": "hang", "operation": "create_key"},
    "proof": {"effect": "hang", "operation": "rest_probe"},
    "late": {"effect": "late_commit", "operation": "create_key"},
}
"""Where a run is killed: before its request is carried out, before the reply, before the proof; and before a request whose
reply was lost is carried out."""


def kill_while_making(bench: Workbench, **env: str) -> None:
    """Kill engine and providers while each store of `POINTS` makes a key; its requests are carried out afterwards."""
    client = bench.sandbox.client
    rules = {name: client.add_fault(store=bench.stores[name].served, **fault) for name, fault in POINTS.items()}
    process = bench.start("up", "--yes", "--skip-preview", "--non-interactive", env=env)
    for rule in rules.values():
        client.wait_for_fault(rule, timeout=60)
    bench.killed(process)
    for rule in rules.values():
        client.release(rule)
    client.clear_faults()
    # The lock of the killed run stays.
    locked = bench.up(env=env)
    assert locked.code != 0
    assert "pulumi cancel" in locked.text
    assert bench.pulumi("cancel", "--yes").code == 0


@pytest.fixture
def killed(bench: Workbench) -> Workbench:
    """A stack with one good connection and a store for each point."""
    for name in ("good", *POINTS):
        bench.add_store(name)
    bench.declare("good", {"orders": {}})
    bench.applied()
    for name in POINTS:
        bench.declare(name, {"orders": {}})
    return bench


def test_what_a_killed_run_made_is_ended_when_it_is_declared_no_more(killed: Workbench) -> None:
    bench = killed
    kill_while_making(bench)
    made = {name: len(bench.keys(name)) for name in POINTS}
    assert made == {"before": 1, "after": 1, "proof": 1, "late": 1}
    for name in POINTS:
        bench.undeclare(name)
    shown = bench.preview().text
    for name in POINTS:
        assert f"{name}/orders: a run began it and did not finish, and it is declared no more" in shown
    bench.applied()
    for name in POINTS:
        assert bench.keys(name) == []
        journal = bench.journal(f"{name}/orders")
        assert journal["phase"] == "closed"
        assert {entry["state"] for entry in journal["generations"].values()} == {"revoked"}
    bench.settled()
    assert len(bench.keys("good")) == 1


@pytest.mark.parametrize("skip", ["", "true"])
def test_a_killed_run_is_taken_up(killed: Workbench, skip: str) -> None:
    """Exactly one key lives afterwards, also where the engine wrote down nothing."""
    bench, env = killed, {"PULUMI_SKIP_CHECKPOINTS": skip}
    kill_while_making(bench, **env)
    bench.applied(env=env)
    for name in POINTS:
        (key,) = bench.keys(name)
        credential = bench.credential(f"{name}/orders")
        assert credential["key_id"] == str(key.key_id)
        assert bench.answer(name, credential) == 200
    kept = {resource["urn"].rpartition("::")[2] for resource in bench.state()["resources"]}
    assert {f"{name}/orders/hub" for name in POINTS} <= kept


def test_who_does_not_answer_ends_no_preview(bench: Workbench) -> None:
    client = bench.sandbox.client
    for name in ("good", "busy", "gone", "plain", "strips"):
        bench.add_store(name)
        bench.declare(name, {"orders": {}})
    bench.applied()
    client.edit_key(bench.stores["good"].served, bench.keys("good")[0].key_id, permissions="write")
    client.add_fault("status", store=bench.stores["busy"].served, status=503, times=None)
    client.add_fault("drop_before", store=bench.stores["gone"].served, times=None)
    # Two ways in which a good key is answered like none at all.
    client.change_settings(bench.stores["plain"].served, permalinks="plain")
    client.change_settings(bench.stores["strips"].served, strip_authorization=True)
    keys = {name: bench.same_keys(name) for name in bench.stores}
    seen = bench.preview()
    assert seen.code == 0
    assert '~ rights: "write" => "read"' in seen.text
    assert seen.text.count("(update)") == 1
    assert "strips/orders: not proved: recognised: " in seen.text
    for name in ("busy", "gone", "plain"):
        assert any(line.startswith(f"{name}/orders: not looked at: ") for line in seen.lines), seen.text
        assert '~ state  : "live" => "unchecked"' in seen.text
    # What is due elsewhere is done; nothing is ended or made anew for an answer that proves nothing.
    bench.applied()
    client.clear_faults()
    client.change_settings(bench.stores["plain"].served, permalinks="pretty")
    client.change_settings(bench.stores["strips"].served, strip_authorization=False)
    bench.settled()
    assert {name: bench.same_keys(name) for name in bench.stores} == keys

    access = bench.prepared.access
    if not isinstance(access, VaultServer):
        return
    access.seal()
    try:
        sealed = bench.preview("--expect-no-changes")
    finally:
        access.unseal()
    assert sealed.code == 0, sealed.text
    assert sum("not looked at: " in line and "sealed" in line for line in sealed.lines) == 1, sealed.text
    bench.settled()


def test_a_destroy_that_cannot_prove_is_unfinished_and_goes_on(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = bench.sandbox.client
    for name in ("good", "down"):
        bench.add_store(name)
        bench.declare(name, {"orders": {}})
    bench.applied()
    former = {name: bench.credential(f"{name}/orders") for name in ("good", "down")}
    # Made by a run whose engine lost its state: the engine does not know it, Vault does.
    monkeypatch.chdir(bench.root)
    toolbox = bench.toolbox()
    inputs = bench.outputs("good/orders") | {"connection": "good/stray"}
    operation = toolbox.operation(inputs)
    assert not loop.settle(operation, wish_of(inputs, operation.clock())).problems
    assert operation.owner == Owner("connections", bench.stack, "good/stray")
    toolbox.close()
    shown = bench.preview().text
    assert "good/stray is not declared: generation 1 is current" in shown

    rule = client.add_fault("status", store=bench.stores["down"].served, status=503, times=None)
    stopped = bench.destroy()
    assert stopped.code != 0
    assert any("error: NotDone: down/orders: not ended yet: " in line for line in stopped.lines), stopped.text
    assert "Traceback" not in stopped.text
    assert [key.description.split(":")[2] for key in bench.keys("good")] == ["good/stray"]
    # What cannot be looked at is left as it is: whoever uses the key goes on.
    assert bench.credential("down/orders") == former["down"]
    assert [resource["urn"].rpartition("::")[2] for resource in bench.state()["resources"] if resource["custom"]][
        1:
    ] == [
        "ledger",
        "down/orders",
    ]
    client.remove_fault(rule)

    ended = bench.destroy()
    assert ended.code == 0, ended.text
    assert bench.state().get("resources", []) == []
    for name, credential in former.items():
        assert bench.keys(name) == []
        assert bench.answer(name, credential) == 401
    assert all(bench.journal(name)["phase"] == "closed" for name in bench.connections())


def test_a_store_that_moved_is_followed_and_another_one_is_refused(bench: Workbench) -> None:
    client = bench.sandbox.client
    bench.settings(
        hosts={"private": {"localhost": ["127.0.0.0/8", "::1/128"], "127.0.0.1": ["127.0.0.0/8"]}, "ca_file": "ca.pem"}
    )
    store, other = bench.add_store("shop"), bench.add_store("other")
    bench.declare("shop", {"orders": {}})
    bench.applied()
    before, keys = bench.credential("shop/orders"), bench.same_keys("shop")

    bench.declare("shop", {"orders": {}}, url=other.url)
    assert f'"{store.url}" => "{other.url}"' in bench.preview().text
    refused = bench.up()
    assert refused.code != 0
    line = f"shop/orders: {other.url} does not have our key of {store.url}. Declare the new store in a file of its own"
    assert line in refused.text
    # Another host: no login lies under it, so none is sent there, although the one for localhost would be good.
    third = bench.add_store("third")
    bench.declare("shop", {"orders": {}}, url=third.url.replace("localhost", "127.0.0.1"))
    unknown = bench.up()
    assert unknown.code != 0
    assert "shop/orders: 127.0.0.1:" in unknown.text
    assert "login" not in {row.operation for row in client.requests(store=third.served)}
    assert bench.same_keys("shop") == keys

    served = f"{store.served}-new"
    client.rename_store(store.served, served)
    moved = store.url.replace(store.served, served)
    bench.give_login(moved)
    bench.stores["shop"] = type(store)("shop", served, moved, store.version)
    bench.declare("shop", {"orders": {}}, moved_from=store.url)
    seen = bench.preview()
    assert seen.code == 0
    assert f'"{store.url}" => "{moved}"' in seen.text
    bench.applied()
    bench.settled()
    assert bench.same_keys("shop") == keys
    after = bench.credential("shop/orders")
    assert (after["url"], after["consumer_secret"]) == (moved, before["consumer_secret"])
    assert bench.journal("shop/orders")["store"] == moved
    # The note about the move may go. A store that is called otherwise from now on is the same one too.
    bench.undeclare("shop")
    bench.stores["boutique"] = bench.stores["shop"]
    bench.declare("boutique", {"orders": {}}, was="shop")
    renamed = bench.preview()
    assert "(create)" not in renamed.text
    assert "(delete)" not in renamed.text
    bench.applied()
    bench.declare("boutique", {"orders": {}})
    bench.settled()
    assert bench.same_keys("boutique") == keys
    assert bench.credential("shop/orders") == after
    assert bench.destroy().code == 0
    assert bench.keys("boutique") == []
