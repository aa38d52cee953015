"""One stack with every platform in the real engine: live, rotated while systems fail, repaired, killed, and ended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.end_to_end.systems import COURIER, HUBS, NAMES, ROWS, SHOP, SITES, STONE_EDGE, Systems, Users
from tests.end_to_end.workbench import Workbench, proposed

pytestmark = [pytest.mark.xdist_group("every-platform"), pytest.mark.timeout(600), pytest.mark.no_cover]


@pytest.fixture
def systems(bench: Workbench) -> Iterator[Systems]:
    """A stack of this test alone. Whatever the test did, no secret may stand anywhere afterwards."""
    with Systems.open(bench) as opened:
        yield opened
        assert opened.leaks() == []


def test_a_whole_life(systems: Systems) -> None:
    bench = systems.bench
    _from_nothing_to_live(systems)
    with bench.watched(), Users(systems) as users:
        _rotated_while_systems_fail(systems, users)
        _repaired(systems)
    users.check({"blog": {1}} | {who: {1, 2} for who in ("stackone", "pimworks", "shop", "main", "uk")})
    _deleted_at_the_cloud(systems)
    with Users(systems) as users:
        users.leave("blog")
        _killed(systems)
    users.check({"main": {3, 4}, "uk": {3, 4}} | {who: {2, 4} for who in ("stackone", "pimworks", "shop")})
    _destroyed(systems)


def _from_nothing_to_live(systems: Systems) -> None:
    """Three runs, between which people do what they are asked for."""
    channel = systems.channel
    systems.up()
    assert {name: state for name, (state, _) in systems.states().items()} == {
        **dict.fromkeys((HUBS, STONE_EDGE, SITES, COURIER), "awaiting_person"),
        SHOP: "live",
    }
    channel.capture(channel.make(1, ROWS))
    systems.capture_token(1)
    systems.follow()
    systems.enter_in_pimworks()
    systems.develop()
    systems.up()
    channel.opened()
    channel.receive(channel.answer())
    systems.up()
    _all_live(systems)


def _all_live(systems: Systems) -> None:
    """Every connection is live, and each user has its current generation."""
    for name, (state, links) in systems.states().items():
        current = systems.current(name)
        assert (state, set(links.values())) == ("live", {("acknowledged", current)}), name


# --- rotation ---------------------------------------------------------------------------------------------------------


def _rotated_while_systems_fail(systems: Systems, users: Users) -> None:
    """A key of two hubs while one of them fails, a token of three sites while one of them is down, and an app by its name;
    while that goes on a site is replaced by another, and a link renamed."""
    bench, client = systems.bench, systems.sandbox.client
    key, pair, row = systems.generations(HUBS)[1], systems.generations(SHOP)[1], systems.key_id(SHOP)
    systems.words = {HUBS: {"rotate": "quarterly"}, SITES: {"rotate": "quarterly"}, SHOP: {"name": "Web shop"}}
    systems.declare()
    fails = client.stackone.fail(systems.name, 503, times=None)
    said = systems.up(well=False)
    assert "error: NotDone: market/hubs/stackone: " in said.text
    assert "StackOne answers 503" in said.text
    assert systems.uses(HUBS) == {"stackone": ("connecting", 1), "pimworks": ("awaiting_person", 1)}
    assert bench.answer("market", key) == 200
    # Another name is another app: the plugin has it, the former one is dead, and nobody saved its form.
    assert _ended(SHOP, 1, row) in said.text, said.text
    assert systems.uses(SHOP) == {"shop": ("acknowledged", 2)}
    assert {(app.name.partition(" connections:")[0], app.retired) for app in systems.apps()} == {
        ("couriers shop", True),
        ("couriers developer", False),
        ("Web shop", False),
    }
    assert systems.site("shop").options["coopcycle_api_key"] == systems.generations(SHOP)[2]["identifier"]
    assert not systems.takes(pair)
    assert "coop_edit_app" not in systems.received()

    systems.enter_in_pimworks()
    systems.capture_token(2)
    client.remove_fault(fails)
    down = client.add_fault("drop_before", store=systems.site("uk").site, times=None)
    _two_links_on_one_site(systems)
    _another_site_and_another_name(systems)
    users.leave("blog")
    said = systems.up(well=False)
    assert re.search(r"error: NotDone: cloud/sites/uk: .*the connection broke", said.text), said.text
    assert systems.uses(SITES) == {"www": ("acknowledged", 2), "uk": ("connecting", 1), "blog": ("acknowledged", 2)}
    assert (systems.holding(1), systems.holding(2)) == (["uk"], ["main", "news"])
    assert systems.site("blog").token == "emptied"
    assert systems.sheets(SITES) == "No person is awaited.\n"
    assert "market/hubs/stackone: a person gives StackOne" in said.text

    # Whoever connects does so, and then StackOne stops the account.
    systems.follow()
    client.stackone.change_account(systems.name, systems.account().id, status="suspended", reason="billing")
    client.remove_fault(down)
    said = systems.up()
    assert re.search(r"market/hubs/stackone: .*it is suspended: .*billing", said.text), said.text
    assert systems.uses(HUBS) == {"stackone": ("awaiting_person", 1), "pimworks": ("acknowledged", 2)}
    assert bench.answer("market", key) == 200
    assert (systems.holding(1), systems.holding(2)) == ([], ["main", "uk", "news"])
    assert "Delete the secret token 'cloud/sites #1'" in systems.sheets(SITES)


def _ended(name: str, number: int, row: str) -> str:
    """What is said of an app that ended: its row, and what goes on working."""
    return (
        f"{name}: generation {number} is ended; #{row} stays listed at the store and opens nothing; access tokens that"
        " were given out before go on working for up to an hour"
    )


def _two_links_on_one_site(systems: Systems) -> None:
    """Refused before anybody is asked for anything."""
    good, client = systems.links, systems.sandbox.client
    systems.links = {**good, "again": good["main"]}
    systems.declare()
    before = client.last_seq()
    said = systems.bench.command("check")
    assert said.code != 0
    assert re.search(r"cloud/sites/main \(.*\) fills the same place at wordpress; two links would", said.text), (
        said.text
    )
    # The others are looked at all the time.
    assert client.requests(since=before, store=systems.site("main").site) == []
    systems.links = good


def _another_site_and_another_name(systems: Systems) -> None:
    systems.add_site("news")
    systems.links = {
        "www": {**systems.links["main"], "was": "main"},
        "uk": systems.links["uk"],
        "blog": {**systems.links["blog"], "site": systems.site("news").url},
    }
    systems.declare()
    shown = systems.bench.preview().text
    assert re.search(r'~ link +: "main" => "www"', proposed(shown, f"{SITES}/www")), shown
    moved = f'"{systems.site("blog").url}" => "{systems.site("news").url}"'
    assert re.search(rf"~ site +: {re.escape(moved)}", proposed(shown, f"{SITES}/blog")), shown
    assert "(create)" not in shown
    assert "(delete)" not in shown


def _repaired(systems: Systems) -> None:
    """One run ends what the failures held up."""
    bench, client = systems.bench, systems.sandbox.client
    key, token = systems.generations(HUBS)[1], systems.generations(SITES)[1]
    client.stackone.change_account(systems.name, systems.account().id, status="active")
    systems.delete_token(1)
    systems.up()
    assert bench.states(HUBS) == bench.states(SITES) == bench.states(SHOP) == {"1": "revoked", "2": "current"}
    assert (bench.answer("market", key), systems.taken(token["token"])) == (401, False)
    _all_live(systems)
    bench.settled()
    # No plugin was ever refused by the cloud: that would have cost its site the token.
    calls = [call for name in (*NAMES, "news") for call in client.wordpress.calls(systems.served(name))]
    assert {call.status for call in calls if call.plugin == "surecart"} <= {200, 201}, calls


# --- what others do -----------------------------------------------------------------------------------------------------


def _deleted_at_the_cloud(systems: Systems) -> None:
    """A site vanishes, and somebody deletes the token that the others use."""
    bench, client = systems.bench, systems.sandbox.client
    client.wordpress.delete(systems.served("news"))
    del systems.links["blog"]
    systems.declare()
    said = bench.command("forget-link", f"{SITES}/blog", "--reason", "the site is gone")
    assert said.code == 0, said.text
    systems.delete_token(2)
    assert "the store refuses the key: a new key is due" in proposed(bench.preview().text, SITES)
    said = systems.up(well=False)
    assert "cloud/sites: make key number 3 by hand" in said.text
    systems.capture_token(3)
    systems.up()
    assert systems.holding(3) == ["main", "uk"]
    assert systems.works("main")
    assert systems.works("uk")
    assert systems.uses(SITES) == dict.fromkeys(("www", "uk"), ("acknowledged", 3))


# --- kills --------------------------------------------------------------------------------------------------------------


def _killed(systems: Systems) -> None:
    """Killed while everything rotates: while keys are made and tokens given, then while they are handed over and ended."""
    bench, client = systems.bench, systems.sandbox.client
    said = bench.command("rotate", SITES, "--reason", "again", role="apply")
    assert said.code == 4, said.text
    systems.capture_token(4)
    systems.words = {HUBS: {"rotate": "again"}, SHOP: {"name": "Shop orders"}}
    systems.declare()
    courier, hub = client.coopcycle.get(systems.name).site, client.stackone.get(systems.name).site
    _kill(
        systems,
        {"store": bench.stores["market"].served, "operation": "create_key"},
        {"store": courier, "operation": "coop_create_app"},
        {"store": systems.site("main").site, "operation": "surecart_settings_write"},
        {"store": systems.site("uk").site, "operation": "surecart_settings_write", "before": True},
    )
    _kill(
        systems,
        {"store": hub, "operation": "session_create"},
        {"store": "_mail", "operation": "mail_content", "before": True},
        {"store": courier, "operation": "coop_regenerate"},
    )
    for name in (HUBS, SHOP):
        systems.age_request(name, 3)
    systems.up()
    systems.follow()
    systems.enter_in_pimworks()
    systems.delete_token(3)
    systems.up()
    _all_live(systems)
    bench.settled()
    # Whatever lives is in a journal, and nothing else of ours lives.
    assert [str(key.key_id) for key in bench.keys("market")] == [systems.key_id(HUBS)]
    living = {str(row.id) for row in systems.apps() if not row.retired}
    assert living == {systems.key_id(SHOP), systems.key_id(COURIER)}
    assert [token.name for token in client.surecart.tokens(systems.name)] == [f"{SITES} #4"]
    assert len(client.stackone.accounts(systems.name)) == 1
    assert systems.holding(4) == ["main", "uk"]
    assert "coop_edit_app" not in systems.received()


def _kill(systems: Systems, *faults: Mapping[str, Any]) -> None:
    """Kill a run when each of these requests hangs; they go on afterwards."""
    bench, client = systems.bench, systems.sandbox.client
    rules = [client.add_fault("hang", **fault) for fault in faults]
    process = bench.start("up", "--yes", "--skip-preview", "--non-interactive")
    for rule in rules:
        client.wait_for_fault(rule, timeout=60)
    bench.killed(process)
    for rule in rules:
        client.release(rule)
    client.clear_faults()
    assert bench.pulumi("cancel", "--yes").code == 0


# --- the end ------------------------------------------------------------------------------------------------------------


def _destroyed(systems: Systems) -> None:
    bench, client = systems.bench, systems.sandbox.client
    pairs = [values for name in (SHOP, COURIER) for values in systems.generations(name).values()]
    apps = {name: (systems.current(name), systems.key_id(name)) for name in (SHOP, COURIER)}
    key, account = systems.generations(HUBS)[systems.current(HUBS)], bench.credential(STONE_EDGE)
    assert all(systems.takes(pair) for pair in pairs)
    # What is looked for in every file and text at the end is all that there ever was.
    assert {pair["secret"] for pair in pairs} <= bench.secrets
    assert {key["consumer_secret"], account["access_token"]} <= bench.secrets
    stopped = bench.destroy()
    assert stopped.code != 0
    for name, (number, row) in apps.items():
        assert _ended(name, number, row) in stopped.text, stopped.text
    assert "PIMworks: under Channels > Manage channels > WooCommerce, take out the store Market" in stopped.text
    assert [systems.takes(pair) for pair in pairs] == [False] * len(pairs)
    assert all(row.retired for row in systems.apps())
    # The plugin has no values and says no more that it is connected.
    options = systems.site("shop").options
    assert not any(options.get(f"coopcycle_{name}") for name in ("base_url", "api_key", "api_secret", "app_name"))
    assert client.stackone.accounts(systems.name) == []
    assert bench.keys("market") == []
    assert bench.answer("market", key) == 401
    # What only persons can end is still alive, and said.
    assert [systems.site(name).token for name in ("main", "uk")] == ["emptied", "emptied"]
    assert systems.channel.answers(account) == 200
    assert "Delete the secret token 'cloud/sites #4'" in systems.sheets(SITES)
    systems.channel.delete(1)
    systems.delete_token(4)

    ended = bench.destroy()
    assert ended.code == 0, ended.text
    assert bench.state().get("resources", []) == []
    assert bench.kept_secrets() == []
    assert {bench.journal(name)["phase"] for name in bench.connections()} == {"closed"}
    assert (systems.channel.answers(account), systems.channel.titles()) == (401, ())
    assert client.surecart.tokens(systems.name) == []
    assert client.surecart.webhook_endpoints(systems.name) == []
