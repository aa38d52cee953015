"""`make up` and `make down`, as a newcomer runs them: real engine, real Vault, real stores, in a folder of their own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from operations.local import commands, people, servers, world
from operations.local.place import LocalError, Place
from sandbox.client import Client
from tests.operations.sandbox_place import busy, make_place

WOOCOMMERCE = {"fresh-roast": 2, "acme-outdoor": 2, "acme-market": 1, "northside": 1, "old-mill": 1}
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


def ours(place: Place) -> dict[str, list[str]]:
    """The API accounts in the panels that no other program has."""
    with client(place) as stores:
        found = {store.name: stores.bigcommerce.accounts(store.address) for store in place.stores("bigcommerce")}
    return {name: [row.title for row in rows if row.title not in world.OTHERS] for name, rows in found.items()}


@pytest.mark.timeout(3 * LONG)
def test_up_connects_every_store_and_down_revokes_it_all(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    up = make(place, "up")
    assert up.returncode == 0, up.stdout + up.stderr
    assert "What to try next" in up.stdout
    assert "A scripted visitor plays the owner of acme-parts here: makes 'acme-parts/stone-edge #1'" in up.stdout
    assert "Scripted people play the vendor's office here" in up.stdout
    assert "make key number 1 by hand, as `connections sheet westside/dispatch` says" in up.stdout
    assert " 10 modify, 2 read-only " in up.stdout
    found = states(place, monkeypatch)
    live = {name for name, entry in found.items() if entry["state"] == "live"}
    assert len(live) == sum(WOOCOMMERCE.values()) + 1
    assert {name: entry["state"] for name, entry in found.items() if name not in live} == {
        "westside/dispatch": "awaiting_person"
    }
    stone_edge = found["acme-parts/stone-edge"]
    assert len(stone_edge["rights"]) == 12
    (link,) = stone_edge["links"]
    assert (link["state"], link["generation"], link["confirmed_by"]) == ("acknowledged", 1, "")
    assert any(reason.startswith("verified here on ") for reason in link["reasons"]), link
    with client(place) as stores:
        keys = {row.name: [key.key_id for key in stores.keys(row.name)] for row in stores.stores()}
        assert set(stores.stone_edge.received("acme-parts")) == {"sendversion", "ordercount"}
    assert {name: len(found) - 2 for name, found in keys.items()} == WOOCOMMERCE
    assert ours(place) == {"acme-parts": ["acme-parts/stone-edge #1"], "westside": []}
    assert not list((place.state / "downloads").iterdir())
    pids = [servers.running(place, name) for name in ("sandbox", "vault")]
    assert all(pids)

    # Again: what is there is taken up, and nothing is made twice.
    again = make(place, "up")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "plays the owner" not in again.stdout
    assert [servers.running(place, name) for name in ("sandbox", "vault")] == pids
    with client(place) as stores:
        assert {row.name: [key.key_id for key in stores.keys(row.name)] for row in stores.stores()} == keys
        # A store that goes down keeps `down` from ending, and nothing is stopped.
        rule = stores.add_fault("status", store="old-mill", status=503, times=None)
    assert ours(place) == {"acme-parts": ["acme-parts/stone-edge #1"], "westside": []}
    down = make(place, "down")
    assert down.returncode != 0
    assert "Not finished: 1 keys of ours are alive" in down.stdout
    assert "A scripted visitor plays the owner of acme-parts here: deletes 'acme-parts/stone-edge #1'" in down.stdout
    assert "westside/dispatch: key number 1 is given up" in down.stdout
    assert [servers.running(place, name) for name in ("sandbox", "vault")] == pids
    assert ours(place) == {"acme-parts": [], "westside": []}
    with client(place) as stores:
        stores.remove_fault(rule)

    down = make(place, "down")
    assert down.returncode == 0, down.stdout + down.stderr
    assert "No key of ours is left at any store" in down.stdout
    ended = down.stdout[down.stdout.index("Keys that ended") :].splitlines()
    assert [
        name
        for name in ("acme-parts/stone-edge", "old-mill/catalogue")
        if not any(proved(name, line) for line in ended)
    ] == []
    assert any("westside/dispatch" in line and "was given up" in line for line in ended)
    assert [servers.running(place, name) for name in ("sandbox", "vault")] == [None, None]


def proved(name: str, line: str) -> bool:
    return name in line and "revoked and proved dead" in line


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
    lines = [
        line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith(("hubs:", "  mail:"))
    ]
    file.write_text("\n".join([*lines, ""]) + (f"hubs:\n{mail}" if mail else ""), encoding="utf-8")
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
