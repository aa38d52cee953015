"""A stack's life: up, nothing to do, every kind of drift shown and repaired by one `up`, destroy with proof."""

import pytest

from tests.end_to_end.workbench import Workbench, proposed

pytestmark = [pytest.mark.xdist_group("life"), pytest.mark.timeout(400), pytest.mark.no_cover]


def test_every_drift_is_shown_and_repaired_by_one_up(bench: Workbench) -> None:
    """The issue's list in one stack: each connection drifts in its own way."""
    client = bench.sandbox.client
    for name, version in (("new", "11.0.1"), ("old", "3.2.5"), ("market", "3.4.2")):
        store = bench.add_store(name, version)
        client.add_user(store.served, "leaver", "shop_manager")
    ways = ("deleted", "narrowed", "reassigned", "relabelled", "unmarked", "edited", "lost")
    bench.declare("new", {name: {"purpose": f"for {name}"} for name in ways} | {"left": {"user": "leaver"}})
    bench.declare("old", {"ghost": {"user": "leaver"}})
    bench.declare("market", {"spared": {"purpose": "for spared"}, "copied": {}})
    foreign = {name: bench.foreign_keys(name) for name in bench.stores}

    first = bench.applied()
    assert "+ 35 created" in first.text
    bench.settled()
    before = {name: bench.credential(f"new/{name}") for name in (*ways, "left")}
    elsewhere = {"ghost": "old/ghost", "spared": "market/spared", "copied": "market/copied"}
    before |= {name: bench.credential(path) for name, path in elsewhere.items()}
    assert all(bench.answer("new", before[name]) == 200 for name in ways)

    served = bench.stores["new"].served
    ids = {name: int(credential["key_id"]) for name, credential in before.items()}
    client.delete_key(served, ids["deleted"])
    client.edit_key(served, ids["narrowed"], permissions="write")
    client.edit_key(served, ids["reassigned"], user="pim-writer")
    client.edit_key(served, ids["relabelled"], description="somebody's words")
    client.edit_key(served, ids["unmarked"], description="for unmarked")
    mount, base = bench.prepared.mounts.mount, bench.prepared.base
    edited = {**before["edited"], "consumer_secret": "cs_" + "0" * 40}
    bench.put(mount, f"{base}/new/edited/credential", edited)
    bench.vault("POST", f"/{mount}/destroy/{base}/new/lost/generations/1", {"versions": [1]}).raise_for_status()
    for name in ("new", "old"):
        client.delete_user(bench.stores[name].served, "leaver")
    # Whoever carries our whole marker is a key that a request made twice; whoever only has our words is not ours.
    market = bench.stores["market"].served
    marked = next(key.description for key in bench.keys("market") if int(key.key_id) == ids["copied"])
    copy = client.insert_key(market, description=marked)
    words = client.insert_key(market, description="for spared connections:other:market/spared:1:0123456789abcdef0123")
    bench.secrets |= {copy.consumer_key, copy.consumer_secret, words.consumer_key, words.consumer_secret}

    shown = bench.preview().text
    told = {
        "new/deleted": ("the key is gone from the store: a new key is due", "~ rotation: 1 => 2"),
        "new/narrowed": ('~ rights: "write" => "read"',),
        "new/reassigned": ('~ user: "pim-writer" => "hub-reader"',),
        "new/relabelled": ('~ purpose: "somebody\'s words" => "for relabelled"',),
        "new/unmarked": ("the key does not carry our marker",),
        "new/edited": ("the value in Vault was edited",),
        "new/lost": ("its secret in Vault is lost or is not the one that was issued: a new key is due",),
        "new/left": ("the key is gone from the store: a new key is due",),
        "market/copied": ("the store has two keys of one request: a new key is due",),
        "old/ghost": ('~ user: "ghost (#', '=> "leaver"'),
    }
    for name, lines in told.items():
        found = proposed(shown, name)
        assert all(line in found for line in lines), f"{name}:\n{found or shown}"
    assert proposed(shown, "market/spared") == ""

    # The same user comes back with another number: the keys follow.
    for name in ("new", "old"):
        client.add_user(bench.stores[name].served, "leaver", "shop_manager")
    bench.applied()
    bench.settled()
    after = {name: bench.credential(f"new/{name}") for name in (*ways, "left")}
    after |= {name: bench.credential(path) for name, path in elsewhere.items()}
    renewed = {name for name in after if after[name]["key_id"] != before[name]["key_id"]}
    assert renewed == {"deleted", "lost", "left", "copied"}
    same = {name for name in after if after[name]["consumer_secret"] == before[name]["consumer_secret"]}
    assert same == set(after) - renewed
    assert all(bench.answer("new", after[name]) == 200 for name in (*ways, "left"))
    # What was replaced although it may still be in use goes on for the overlap, and a preview is empty meanwhile.
    assert bench.answer("new", before["lost"]) == 200
    assert bench.states("new/lost") == {"1": "superseded", "2": "current"}
    rows = {key.key_id: key for key in bench.keys("new")}
    assert len(rows) == len(ways) + 2
    assert {(row.permissions, row.login) for row in rows.values()} == {("read", "hub-reader"), ("read", "leaver")}

    foreign["market"] += [key for key in client.keys(market) if key.key_id == words.key_id]
    assert len(foreign["market"]) == 3
    ended = bench.destroy()
    assert ended.code == 0, ended.text
    assert bench.state().get("resources", []) == []
    for name in bench.stores:
        left = client.keys(bench.stores[name].served)
        assert left == foreign[name]
    assert {bench.answer("new", both[name]) for name in (*ways, "left") for both in (before, after)} == {401}
    for name in (*ways, "left"):
        journal = bench.journal(f"new/{name}")
        assert journal["phase"] == "closed"
        assert {entry["state"] for entry in journal["generations"].values()} == {"revoked"}
        assert bench.credential(f"new/{name}")["state"] == "revoked"
