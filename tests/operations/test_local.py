"""`make up` and `make down`, as a newcomer runs them: real engine, real Vault, real stores, in a folder of their own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from operations.local import commands, people, prepare, servers, world
from operations.local.place import LocalError, Place
from operations.local.prepare import OTHERS
from operations.local.world import World
from sandbox.client import Client
from tests.operations.sandbox_place import busy, make_place

OURS = {
    "acme-market": 1,
    "acme-outdoor": 3,
    "fresh-roast": 3,
    "northside": 1,
    "old-mill": 2,
    "acme-parts": 3,
    "westside": 0,
    "northside-coop": 4,
    "acme-sites": 1,
    "westside-sites": 0,
}
"""How many keys each store has of ours once everybody who is here has done their part."""

PLAYED = {
    ("woocommerce", "api_key", "stackone"),
    ("woocommerce", "api_key", "pimworks"),
    ("coopcycle", "api_app", "wordpress"),
    ("coopcycle", "api_app", "person"),
    ("surecart", "api_token", "wordpress"),
    ("bigcommerce", "api_account", "stone-edge"),
    ("bigcommerce", "storefront_token", "vault"),
}
"""Credentials with their users, one of every job that the product is for: each is live somewhere."""

LONG = 400
"""Seconds: a whole `up` runs the engine three times, on a machine that may be busy with other tests."""


@pytest.fixture
def place(tmp_path: Path, engine_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name, value in engine_environment.items():
        monkeypatch.setenv(name, value)
    where = make_place(tmp_path)
    yield where
    servers.stop(where, "sandbox")
    servers.stop(where, "vault")


def run(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As the script does it: a process of its own, which the servers outlive."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=place.root,
        env={**os.environ, "COLUMNS": "140"},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )


def make(place: Place, command: str) -> subprocess.CompletedProcess[str]:
    return run(place, "operations.local", command, "--vault-port", str(place.vault_port))


def client(place: Place) -> Client:
    return Client(f"https://localhost:{place.store_port}", place.state / "sandbox" / "tls" / "ca.pem")


def states(place: Place, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `connections status --json` says, by connection; its exit code says that a person is awaited."""
    text = (place.state / "environment").read_text(encoding="utf-8")
    for line in text.splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        monkeypatch.setenv(name, value.strip("'"))
    shown = run(place, "operations", "--stack", "sandbox", "status", "--json")
    assert shown.returncode == 4, shown.stderr
    return {entry["name"]: entry for entry in json.loads(shown.stdout)["connections"]}


def seen(place: Place) -> Mapping[str, commands.Keys]:
    """The keys of every store, as its administrator sees them."""
    stores, access = servers.start(place)
    here = World(place, stores, access, {})
    try:
        return commands.keys(here)
    finally:
        here.close()


def accounts(place: Place) -> dict[str, list[str]]:
    """The API accounts in the panels that no other program has."""
    with client(place) as stores:
        found = {store.name: stores.bigcommerce.accounts(store.address) for store in place.stores("bigcommerce")}
    return {name: [row.title for row in rows if row.title not in OTHERS] for name, rows in found.items()}


@pytest.mark.timeout(3 * LONG)
def test_up_connects_every_store_and_down_revokes_it_all(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    up = make(place, "up")
    assert up.returncode == 0, up.stdout + up.stderr
    assert "What to try next" in up.stdout
    for said in (
        "A scripted visitor plays the owner of acme-parts here: makes 'acme-parts/stone-edge #1'",
        "A scripted visitor plays the owner of acme-sites here: makes 'acme-sites/sites #1'",
        "Scripted people play the vendor's office here",
        "A scripted visitor plays the agency here: enters fresh-roast in PIMworks",
        "A scripted developer here: opens the mail to dev@fresh-roast.example",
        "A scripted visitor plays whoever connects a store here: follows the link of fresh-roast/hubs/stackone",
        "make key number 1 by hand, as `connections sheet westside/dispatch`",
        "`connections link acme-outdoor/unified/stackone --show` on a terminal",
        " 10 modify, 2 read-only ",
    ):
        assert said in up.stdout
    # The token is made in the round after the one in which its account came, and not before.
    waits, comes = (up.stdout.index(f"StorefrontToken acme-parts/shop-front {what}") for what in ("created", "updated"))
    assert waits < up.stdout.index("plays the owner of acme-parts") < comes
    assert_everybody_is_where_they_should_be(place, monkeypatch)
    found = seen(place)
    assert {name: len(keys.ours) for name, keys in found.items()} == OURS
    assert all(found[store.name].others for store in place.stack.stores if store.platform != "coopcycle")
    assert not list((place.state / "downloads").iterdir())
    pids = [servers.running(place, name) for name in ("sandbox", "vault")]
    assert all(pids)

    # Again: what is there is taken up, and nothing is made twice.
    again = make(place, "up")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "cripted" not in again.stdout
    assert [servers.running(place, name) for name in ("sandbox", "vault")] == pids
    assert seen(place) == found
    with client(place) as stores:
        # A store that goes down keeps `down` from ending, and nothing is stopped.
        rule = stores.add_fault("status", store="old-mill", status=503, times=None)
    assert accounts(place) == {"acme-parts": ["acme-parts/stone-edge #1", "acme-parts/token-maker #1"], "westside": []}
    down = make(place, "down")
    assert down.returncode != 0
    assert "Not finished: 2 keys of ours are alive" in down.stdout
    assert "A scripted visitor plays the owner of acme-parts here: deletes 'acme-parts/stone-edge #1'" in down.stdout
    assert "A scripted visitor plays the owner of acme-sites here: deletes 'acme-sites/sites #1'" in down.stdout
    for name in ("westside/dispatch", "westside-sites/sites"):
        assert f"{name}: key number 1 is given up" in down.stdout
    assert [servers.running(place, name) for name in ("sandbox", "vault")] == pids
    assert accounts(place) == {"acme-parts": [], "westside": []}
    with client(place) as stores:
        stores.remove_fault(rule)
        # CoopCycle deletes no app: what is left of ours opens nothing any more.
        apps = stores.coopcycle.apps("northside")
        assert [app.retired for app in apps] == [True] * OURS["northside-coop"]
        linked = stores.stackone.accounts(prepare.STACKONE)
    assert linked == []
    left = seen(place)
    assert {name: len(keys.ours) for name, keys in left.items()} == dict.fromkeys(OURS, 0) | {"old-mill": 2}
    assert {name: keys.others for name, keys in left.items()} == {name: keys.others for name, keys in found.items()}
    assert left["acme-sites"].others == left["westside-sites"].others == ["Newsletter"]

    down = make(place, "down")
    assert down.returncode == 0, down.stdout + down.stderr
    assert "No key of ours is left at any store" in down.stdout
    ended = down.stdout[down.stdout.index("Keys that ended") :]
    played = [entry.name for entry in place.stack.connections if entry.name.startswith("old-mill/")]
    assert [name for name in played if not proved(name, ended)] == []
    table = rows(ended[ended.index("Every store, as its administrator sees it") :])
    assert table["old-mill"] == ["2", "0", "2", "2"]
    assert {name: cells[1] for name, cells in table.items()} == dict.fromkeys(OURS, "0")
    assert [servers.running(place, name) for name in ("sandbox", "vault")] == [None, None]


def assert_everybody_is_where_they_should_be(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind of credential with every kind of user is live; those who are away are awaited, and named."""
    found = states(place, monkeypatch)
    assert {name: entry["state"] for name, entry in found.items()} == {
        entry.name: "awaiting_person" if entry.name in people.AWAY else "live" for entry in place.stack.connections
    }
    live = [entry for entry in place.stack.connections if entry.name not in people.AWAY]
    assert {(entry.platform, entry.kind, link.to) for entry in live for link in entry.links} >= PLAYED
    for name, entry in found.items():
        users = [(user["state"], user["generation"]) for user in entry["links"]]
        expected = ("acknowledged", 1)
        assert name in people.AWAY or users == [expected] * len(users)
        assert name not in people.AWAY or expected not in users
        assert bool(entry["reasons"]) == (name in people.AWAY)
    stone_edge = found["acme-parts/stone-edge"]
    assert len(stone_edge["rights"]) == 12
    (link,) = stone_edge["links"]
    assert link["confirmed_by"] == ""
    assert any(reason.startswith("verified here on ") for reason in link["reasons"]), link
    (pimworks,) = [user for user in found["fresh-roast/hubs"]["links"] if user["name"] == "pimworks"]
    assert pimworks["confirmed_by"] == "catalogue@agency.example"
    with client(place) as stores:
        assert set(stores.stone_edge.received("acme-parts")) == {"sendversion", "ordercount"}
        (account,) = stores.stackone.accounts(prepare.STACKONE)
        assert (account.status, account.origin_owner_name) == ("active", "Fresh Roast")


def proved(name: str, text: str) -> bool:
    return any(name in line and "revoked and proved dead" in line for line in text.splitlines())


def rows(text: str) -> dict[str, list[str]]:
    """The rows of a drawn table, by their first cell."""
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if "│" in line]
    return {first: others for first, *others in cells}


def test_down_without_an_up_has_nothing_to_do(place: Place) -> None:
    down = make(place, "down")
    assert (down.returncode, down.stderr) == (0, "")
    assert "nothing to do" in down.stdout


def test_any_other_stack_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_STACK", "production")
    refused = make(place, "up")
    assert refused.returncode == 1
    assert refused.stderr == "this acts on the stack sandbox alone, not on production. Unset PULUMI_STACK\n"


@pytest.mark.parametrize("what", ["store_port", "mail_port", "vault_port"])
def test_a_taken_port_is_said_and_nothing_is_started(place: Place, what: str) -> None:
    port = getattr(place, what)
    with busy(port):
        refused = make(place, "up")
    assert refused.returncode == 1
    assert f"port {port}, on which" in refused.stderr
    assert [servers.running(place, name) for name in ("sandbox", "vault")] == [None, None]


def test_stores_at_two_ports_are_refused(place: Place) -> None:
    file = place.root / "stacks" / "sandbox" / "old-mill.yaml"
    port = place.store_port
    file.write_text(file.read_text(encoding="utf-8").replace(f":{port}/", f":{port + 1}/"), encoding="utf-8")
    with pytest.raises(LocalError, match="not all at one port"):
        _ = Place(place.root, place.console).store_port


@pytest.mark.parametrize("mail", ["", "  mail: {server: localhost, from: integrations@agency.example}\n"])
def test_a_mail_server_without_its_port_is_refused(place: Place, mail: str) -> None:
    file = place.root / "stacks" / "sandbox" / "_stack.yaml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(mail if line.startswith("  mail:") else line for line in lines), encoding="utf-8")
    with pytest.raises(LocalError, match="names no mail server with its port"):
        _ = Place(place.root, place.console).mail_port


def pretend(place: Place, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Another engine."""
    folder = place.root / "bin"
    folder.mkdir()
    (folder / "pulumi").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_an_engine_that_cannot_open_the_stack_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(place, monkeypatch, "echo no backend >&2\nexit 1")
    with pytest.raises(LocalError, match="could not open the stack sandbox: no backend"):
        world.select_stack(place)


@pytest.mark.parametrize(
    ("engine", "status", "code", "said"), [(9, 0, 9, False), (0, 2, 2, False), (0, 4, 0, True), (0, 0, 0, True)]
)
def test_what_comes_next_is_said_after_an_up_that_went_well(
    place: Place, monkeypatch: pytest.MonkeyPatch, engine: int, status: int, code: int, said: bool
) -> None:
    asked: list[str] = []

    def connections(_role: str, *words: str) -> int:
        asked.extend(words)
        return status

    here = SimpleNamespace(pulumi=lambda *_: engine, connections=connections, close=lambda: None)
    monkeypatch.setattr(commands, "begin", lambda _: here)
    monkeypatch.setattr(people, "do_their_part", lambda _: False)

    assert commands.up(place) == code

    assert asked == ["status"]
    assert isinstance(place.console.file, io.StringIO)
    assert ("What to try next" in place.console.file.getvalue()) == said


def test_a_number_that_another_process_has_now_is_not_ours(place: Place) -> None:
    place.state.mkdir()
    servers.remember(place, "sandbox", os.getpid())
    assert servers.running(place, "sandbox") is None
    servers.stop(place, "sandbox")
    assert not (place.state / "sandbox.pid").exists()


def test_a_server_that_does_not_end_is_left_after_a_while(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.state.mkdir()
    program = "import signal, sys; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(place.state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        monkeypatch.setattr(servers, "ENDS_WITHIN", 0.05)
        servers.remember(place, "sandbox", process.pid)
        servers.stop(place, "sandbox")
        assert process.poll() is None
        process.kill()
