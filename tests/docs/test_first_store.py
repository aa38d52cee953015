"""The first real store of README.md, command by command: a new Vault, a store of the sandbox, the real engine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.server_process import ServerProcess
from sandbox.vault import VaultServer, client, start
from tests.docs.conftest import Shell, environment_of
from tests.docs.markdown import ROOT, blocks, missing

pytestmark = [pytest.mark.xdist_group("docs-first-store"), pytest.mark.no_cover]

SESSIONS = ("first-store", "vault-admin")
SERVED = "docs-fresh-roast"
PASSWORD = "canary-password-of-the-store"


@dataclass
class Walk:
    """A reader's folder, with the two people's shells."""

    root: Path
    vault: VaultServer
    stores: ServerProcess
    shells: dict[str, Shell] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    last: str = ""
    role_id: str = ""

    @property
    def instead(self) -> dict[str, str]:
        """What stands in the page for what only the reader has -> what this test has."""
        return {
            "script/bootstrap\n": ":  # it ran before the tests\n",
            "init production --backend s3://acme-state": f"init production --backend file://{self.root}/state --local-state",
            "s3://acme-state": f"file://{self.root}/state",
            "https://vault.example:8200": self.vault.address,
            "VAULT_ROLE_ID=...": f"VAULT_ROLE_ID={self.role_id}",
            "fresh-roast.example": f"{self.stores.url.removeprefix('https://')}/{SERVED}",
        }

    def here(self, text: str) -> str:
        """A text of the page with this test's values."""
        for word, value in self.instead.items():
            if word in text:
                self.replaced.add(word)
                text = text.replace(word, value)
        return text

    def after(self, session: str, output: str) -> None:
        """What people do that no block says: the administrator runs what was printed, and hands out the role id."""
        if "# An administrator of Vault runs" in output:
            commands = output.partition("# An administrator of Vault runs")[2].partition("# Whoever works")[0]
            self.shells["vault-admin"].run("#" + commands)
            settings = self.root / "stacks" / "production" / "_stack.yaml"
            # The sandbox's stores are on this machine and have an authority of their own.
            private = 'hosts: {private: {localhost: [127.0.0.0/8, "::1/128"]}, ca_file: ca.pem}\n'
            settings.write_text(settings.read_text(encoding="utf-8") + private, encoding="utf-8")
        if session == "vault-admin" and not self.role_id:
            self.role_id = output.split(maxsplit=1)[0]


@pytest.fixture
def walk(tmp_path: Path, stores: ServerProcess) -> Iterator[Walk]:
    root = tmp_path / "checkout"
    (root / "stacks").mkdir(parents=True)
    (root / ".local").mkdir()
    (root / "state").mkdir()
    for name in ("Pulumi.yaml", "__main__.py", "providers", "operations", "policies", "sandbox", "script", ".venv"):
        (root / name).symlink_to(ROOT / name)
    engine = shutil.which("pulumi")
    assert engine is not None
    (root / ".local" / "engine").write_text(str(Path(engine).parent), encoding="utf-8")
    (root / ".local" / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    (root / "ca.pem").write_bytes(stores.ca.read_bytes())
    programs = tmp_path / "bin"
    programs.mkdir()
    program = shutil.which("vault") or str(Path(sys.executable).parent / "bao")
    (programs / "vault").symlink_to(program)
    users = [{"login": "hub-reader", "role": "shop_manager"}]
    stores.client.create_store(SERVED, "11.0.1", PASSWORD, users=users)
    with start(tmp_path / "vault", storage="inmem") as vault:
        made = Walk(root, vault, stores)
        path = f"{programs}:{os.environ['PATH']}"
        admin = {f"{maker}_{word}": value for maker in ("VAULT", "BAO") for word, value in _admin(vault).items()}
        made.shells = {
            "first-store": Shell(
                root, environment_of(root, VAULT_CACERT=str(vault.ca), PULUMI_HOME=str(tmp_path / "home"))
            ),
            "vault-admin": Shell(root, environment_of(root, **admin, PATH=path)),
        }
        yield made
        for shell in made.shells.values():
            shell.close()
    stores.client.delete_store(SERVED)


def _admin(vault: VaultServer) -> dict[str, str]:
    return {"ADDR": vault.address, "CACERT": str(vault.ca), "TOKEN": vault.root_token}


@pytest.mark.timeout(300)
def test_a_reader_connects_rotates_and_ends_a_first_store(walk: Walk) -> None:
    steps = [block for block in blocks(ROOT / "README.md") if block.what in SESSIONS or block.kind in {"file", "shown"}]
    assert {block.what for block in steps} >= set(SESSIONS)
    secrets = {PASSWORD, walk.vault.root_token}
    key = ""
    for block in steps:
        if block.kind == "shell":
            walk.last = walk.shells[block.what].run(walk.here(block.text))
            walk.after(block.what, walk.last)
            if "-field=consumer_key" in block.text:
                key = walk.last.strip()
        elif block.kind == "file":
            target = walk.root / block.what
            assert target.exists(), f"{block}: `connections new` wrote another file"
            target.write_text(walk.here(block.text), encoding="utf-8")
        elif block.what == "last":
            assert missing(block.text, walk.last) == [], f"{block}: the real output is\n{walk.last}"
    assert walk.replaced == walk.instead.keys()
    assert key.startswith("ck_")
    everything = "".join(walk.shells["first-store"].transcript)
    assert [secret[:6] for secret in (*secrets, key) if secret in everything] == []
    # The end is an end: nothing of ours is left at the store, and Vault says so.
    left = [row.description for row in walk.stores.client.keys(SERVED)]
    assert len(left) == 2
    assert not any("connections:production" in description for description in left)
    with client(walk.vault) as http:
        path = "/kv/data/connections/production/fresh-roast/orders-hub/credential"
        assert http.get(path).json()["data"]["data"]["state"] == "revoked"
