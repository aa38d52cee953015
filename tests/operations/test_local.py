"""`make up` and `make down`, as a newcomer runs them: real engine, real Vault, real stores, in a folder of their own."""

import io
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from operations import local
from operations.local import LocalError, Place
from sandbox.client import Client

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def place(tmp_path: Path, engine_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in ("Pulumi.yaml", "__main__.py", "providers", "operations", "sandbox", "policies", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    port = free_port()
    for file in (tmp_path / "stacks" / "sandbox").glob("*.yaml"):
        file.write_text(file.read_text(encoding="utf-8").replace(":18443/", f":{port}/"), encoding="utf-8")
    for name, value in engine_environment.items():
        monkeypatch.setenv(name, value)
    where = Place(tmp_path, Console(file=io.StringIO(), width=120), vault_port=free_port())
    yield where
    local.stop(where, "sandbox")
    local.stop(where, "vault")


def run(place: Place, command: str) -> subprocess.CompletedProcess[str]:
    """As the script does it: a process of its own, which the servers outlive."""
    return subprocess.run(
        [sys.executable, "-m", "operations.local", command, "--vault-port", str(place.vault_port)],
        cwd=place.root,
        env={**os.environ, "COLUMNS": "140"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def client(place: Place) -> Client:
    port = local.store_port(place.stack)
    return Client(f"https://localhost:{port}", place.state / "sandbox" / "tls" / "ca.pem")


@pytest.mark.timeout(300)
def test_up_connects_every_version_and_down_revokes_it_all(place: Place) -> None:
    up = run(place, "up")
    assert up.returncode == 0, up.stdout + up.stderr
    assert "What to try next" in up.stdout
    with client(place) as stores:
        found = local.ours_and_others(stores)
    assert {name: len(ours) for name, (ours, _) in found.items()} == {
        "fresh-roast": 2,
        "acme-outdoor": 2,
        "acme-market": 1,
        "northside": 1,
        "old-mill": 1,
    }
    assert all(len(others) == 2 for _, others in found.values())
    pids = [local.running(place, name) for name in ("sandbox", "vault")]
    assert all(pids)

    # Again: what is there is taken up, and nothing is made twice.
    assert run(place, "up").returncode == 0
    assert [local.running(place, name) for name in ("sandbox", "vault")] == pids
    with client(place) as stores:
        assert local.ours_and_others(stores) == found
        # A store that goes down keeps `down` from ending, and nothing is stopped.
        rule = stores.add_fault("status", store="old-mill", status=503, times=None)
    down = run(place, "down")
    assert down.returncode != 0
    assert "Not finished: 1 keys of ours are alive" in down.stdout
    assert [local.running(place, name) for name in ("sandbox", "vault")] == pids
    with client(place) as stores:
        stores.remove_fault(rule)

    down = run(place, "down")
    assert down.returncode == 0, down.stdout + down.stderr
    assert "No key of ours is left at any store" in down.stdout
    assert "revoked and proved dead" in down.stdout
    assert [local.running(place, name) for name in ("sandbox", "vault")] == [None, None]


def test_down_without_an_up_has_nothing_to_do(place: Place) -> None:
    down = run(place, "down")
    assert (down.returncode, down.stderr) == (0, "")
    assert "nothing to do" in down.stdout


def test_any_other_stack_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_STACK", "production")
    refused = run(place, "up")
    assert refused.returncode == 1
    assert refused.stderr == "this acts on the stack sandbox alone, not on production. Unset PULUMI_STACK\n"


@pytest.mark.parametrize("what", ["sandbox", "vault"])
def test_a_taken_port_is_said(place: Place, what: str) -> None:
    port = local.store_port(place.stack) if what == "sandbox" else place.vault_port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        refused = run(place, "up")
    assert refused.returncode == 1
    assert f"port {port}, on which" in refused.stderr


def test_stores_at_two_ports_are_refused(place: Place) -> None:
    file = place.root / "stacks" / "sandbox" / "old-mill.yaml"
    port = local.store_port(place.stack)
    file.write_text(file.read_text(encoding="utf-8").replace(f":{port}/", f":{port + 1}/"), encoding="utf-8")
    with pytest.raises(LocalError, match="not all at one port"):
        local.store_port(place.stack)


def test_an_engine_that_cannot_open_the_stack_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place.root / "bin"
    folder.mkdir()
    (folder / "pulumi").write_text("#!/bin/sh\necho no backend >&2\nexit 1\n", encoding="utf-8")
    (folder / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(LocalError, match="could not open the stack sandbox: no backend"):
        local.select_stack(place, {})


def test_an_up_that_fails_says_nothing_of_what_comes_next(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place.root / "bin"
    folder.mkdir()
    (folder / "pulumi").write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
    (folder / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(local, "begin", lambda _: (SimpleNamespace(close=lambda: None), {}))

    assert local.up(place) == 9

    assert isinstance(place.console.file, io.StringIO)
    assert "What to try next" not in place.console.file.getvalue()


def test_a_number_that_another_process_has_now_is_not_ours(place: Place) -> None:
    place.state.mkdir()
    local.remember(place, "sandbox", os.getpid())
    assert local.running(place, "sandbox") is None
    local.stop(place, "sandbox")
    assert not (place.state / "sandbox.pid").exists()


def test_a_server_that_does_not_end_is_left_after_a_while(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.state.mkdir()
    program = "import signal, sys; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(place.state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        monkeypatch.setattr(local, "ENDS_WITHIN", 0.05)
        local.remember(place, "sandbox", process.pid)
        local.stop(place, "sandbox")
        assert process.poll() is None
        process.kill()
