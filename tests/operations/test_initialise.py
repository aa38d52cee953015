"""`connections init`: files, and commands that really set up a Vault."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from providers.core.policies import ROLES
from providers.core.redaction import Secret
from providers.core.vault import Login, Vault, VaultSettings
from sandbox.vault import client, start
from tests.operations.conftest import call

BACKEND = ("--backend", "s3://states")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without a stack, in the present folder."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: shops\nruntime: python\n")
    monkeypatch.chdir(root)
    return root


def test_a_new_stack(files: Path) -> None:
    called = call("init", "production", *BACKEND, "--json")
    assert called.code == 0, called.err
    document = called.json
    assert document.keys() == {"stack", "files", "vault_commands", "engine_commands", "exit_code"}
    written = [f"stacks/production/vault/{role}.hcl" for role in ROLES]
    assert document["files"] == ["stacks/production/_stack.yaml", "stacks/Pulumi.production.yaml", *written]
    assert "config:" not in (files / "stacks/Pulumi.production.yaml").read_text().partition("No ")[0]
    assert "kv/data/shops/production/" in (files / "stacks/production/vault/apply.hcl").read_text()
    assert "export PULUMI_BACKEND_URL='s3://states'" in document["engine_commands"]
    checked = call("check")
    assert (checked.code, checked.out) == (
        0,
        "production: 0 stores, 0 connections, 0 links; nothing is wrong with the files\n",
    )
    assert call("new", "fresh-roast", "--platform", "woocommerce", "--url", "https://fresh-roast.example").code == 0
    assert call("check").code == 0


def test_nothing_is_written_over(files: Path) -> None:
    assert call("init", "production", *BACKEND).code == 0
    settings = files / "stacks/production/_stack.yaml"
    settings.write_text("mine")
    for path in ("stacks/Pulumi.production.yaml", "stacks/production/vault/apply.hcl"):
        (files / path).unlink()
    called = call("init", "production", *BACKEND)
    assert called.code == 5
    assert "already there: stacks/production/_stack.yaml, " in called.err
    assert settings.read_text() == "mine"
    assert not (files / "stacks/Pulumi.production.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("No", *BACKEND), 1),
        (("schema", *BACKEND), 1),
        (("production",), 1),
        (("production", "--backend", "file:///tmp/state"), 5),
        (("production", "--backend", "ftp://states"), 1),
        (("production", "--backend", "s3://it's"), 1),
        (("production", *BACKEND, "--mount", "../other"), 5),
    ],
)
def test_what_is_refused_leaves_nothing(files: Path, arguments: tuple[str, ...], code: int) -> None:
    called = call("init", *arguments)
    assert called.code == code
    assert len(called.err.splitlines()) == 1
    assert not (files / "stacks").exists()


def test_local_state_is_an_explicit_word(files: Path) -> None:
    assert call("init", "trial", "--backend", "file:///tmp/state", "--local-state").code == 0


def test_the_backend_is_asked_for_on_a_terminal(files: Path) -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave) as stream:
        os.write(master, b"s3://states\n")
        called = call("init", "production", stdin=stream)
    os.close(master)
    assert called.code == 0, called.err
    assert "Where the engine keeps its state" in called.err
    assert "PULUMI_BACKEND_URL='s3://states'" in called.out


def test_an_administrator_runs_what_is_printed(files: Path, tmp_path: Path) -> None:
    """On a Vault without anything: afterwards a role logs in, and the stack's place is known."""
    program = shutil.which("vault") or str(Path(sys.executable).parent / "bao")
    printed = call("init", "production", *BACKEND, "--quiet").out.partition("# Whoever works")[0]
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "vault").symlink_to(program)
    with start(tmp_path / "vault", storage="inmem") as server:
        environment = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            **{f"{maker}_ADDR": server.address for maker in ("VAULT", "BAO")},
            **{f"{maker}_CACERT": str(server.ca) for maker in ("VAULT", "BAO")},
            **{f"{maker}_TOKEN": server.root_token for maker in ("VAULT", "BAO")},
        }
        done = subprocess.run(
            ["sh", "-eux"], input=printed, cwd=files, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        with client(server) as http:
            role = "/auth/approle/role/shops-production-apply"
            role_id = http.get(f"{role}/role-id").json()["data"]["role_id"]
            secret_id = http.post(f"{role}/secret-id").json()["data"]["secret_id"]
        vault = Vault(
            VaultSettings(server.address, Login("approle", Secret(secret_id), role_id, "approle"), "", server.ca)
        )
        assert vault.documents("kv", "shops/production").read("a/b/journal").state == "absent"
        assert len(vault.keyring("transit").mac("marker", ["a"])[0]) == 64
        assert len(vault.keyring("transit").mac("fingerprint", ["a"])[0]) == 64
        vault.close()
