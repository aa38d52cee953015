"""Real servers that are sealed, killed, restarted and parted into namespaces; and what the sandbox's own one keeps safe."""

import os
import resource
import stat
import threading
from pathlib import Path

import pytest

from providers.core.errors import VaultDenied, VaultError, VaultSealed, VaultUnclear, VaultUnreachable, VaultWrongPlace
from providers.core.redaction import Secret
from providers.core.vault import Login, Vault, VaultSettings
from sandbox import vault as sandbox_vault
from sandbox.vault import Access, Prepared, RemoteVault, VaultFailedError, client, namespace, prepare, start
from tests.fixtures_vault import policies_for, settings_for

JOURNAL = "shop/conn/journal"
CANARY = "canary-1f0c/of+a=secret"


def prepared_on(access: Access) -> Prepared:
    mounts = sandbox_vault.Mounts()
    return prepare(access, "shops", "test", policies_for("shops", "test", mounts), mounts)


def quick(prepared: Prepared) -> Vault:
    return Vault(settings_for(prepared, "apply"), wait=lambda _: None)


def test_a_server_is_sealed_unsealed_and_killed(tmp_path: Path) -> None:
    with start(tmp_path, storage="inmem") as server:
        prepared = prepared_on(server)
        vault = quick(prepared)
        documents = vault.documents("kv", prepared.base)
        documents.write(JOURNAL, {"a": "1"}, cas=0)
        assert vault.health().state == "active"
        server.seal()
        assert vault.health().state == "sealed"
        assert "unsealed by its administrators" in vault.health().words
        with pytest.raises(VaultSealed):
            documents.read(JOURNAL)
        with pytest.raises(VaultSealed):
            quick(prepared).whoami()
        with pytest.raises(VaultUnclear):
            documents.write(JOURNAL, {"a": "2"}, cas=1)
        server.unseal()
        assert documents.read(JOURNAL).version == 1
        server.kill()
        assert server.pid is None
        assert vault.health().state == "unreachable"
        with pytest.raises(VaultUnreachable):
            documents.read(JOURNAL)
        with pytest.raises(VaultError):
            documents.write(JOURNAL, {"a": "2"}, cas=1)
        vault.close()
        with pytest.raises(VaultFailedError, match="in memory"):
            server.restart()


def test_a_server_on_disk_keeps_all_but_shows_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "vault"
    server = start(directory)
    try:
        prepared = prepared_on(server)
        vault = quick(prepared)
        documents = vault.documents("kv", prepared.base)
        documents.write("shop/conn/generations/1", {"key": CANARY}, cas=0)
        marker = vault.keyring("transit").mac("marker", ["text"])
        address, key, token = server.address, server._unseal_key, server.root_token

        # What it shows, and to whom.
        assert token not in repr(server) + repr(prepared) + str(server)
        assert prepared.roles["apply"].secret_id not in repr(prepared)
        assert key not in repr(server)
        for name, mode in (("vault-keys.json", 0o600), ("vault-data", 0o700), ("tls/ca-key.pem", 0o600)):
            assert stat.S_IMODE((directory / name).stat().st_mode) == mode
        process = Path("/proc") / str(server.pid)
        environment = (process / "environ").read_bytes()
        # The launcher of a Python wheel adds LC_CTYPE.
        names = {entry.partition(b"=")[0] for entry in environment.split(b"\0") if entry}
        assert names - {b"LC_CTYPE"} == {b"PATH", b"HOME"}
        assert resource.prlimit(server.pid or 0, resource.RLIMIT_CORE) == (0, 0)
        assert not any(path.name.startswith(".vault-token") for path in directory.rglob("*"))

        # A power cut, and a whole new start in the same directory.
        server.kill()
        server.restart()
        assert documents.read("shop/conn/generations/1").data == {"key": CANARY}
        server.stop()
        server.stop()
        server = start(directory)
        assert (server.address, server.root_token) == (address, token)
        again = quick(prepared_on(server))
        assert again.documents("kv", prepared.base).read("shop/conn/generations/1").data == {"key": CANARY}
        assert again.keyring("transit").mac("marker", ["text"]) == marker
        again.close()
        vault.close()
    finally:
        server.stop()
    written = server.audit_log.read_text(encoding="utf-8")
    assert "shop/conn/generations/1" in written
    for secret in (CANARY, token, key, *(role.secret_id for role in prepared.roles.values())):
        assert secret not in written
        assert secret not in server.log.read_text(encoding="utf-8")


def test_a_server_that_was_left_behind_is_followed(tmp_path: Path) -> None:
    """The program that started it was killed: the next start in that directory goes on with its data."""
    left = start(tmp_path)
    prepared = prepared_on(left)
    quick(prepared).documents("kv", prepared.base).write(JOURNAL, {"a": "1"}, cas=0)
    reaper = threading.Thread(target=left._process.wait if left._process else None)
    reaper.start()
    with start(tmp_path) as server:
        reaper.join()
        assert server.address == left.address
        assert quick(prepared).documents("kv", prepared.base).read(JOURNAL).version == 1
    (tmp_path / "vault.pid").write_text(str(os.getpid()), encoding="ascii")
    start(tmp_path).stop()


def test_a_server_that_cannot_start_says_where_to_look(tmp_path: Path) -> None:
    with start(tmp_path / "one", storage="inmem") as server:
        port = int(server.address.rpartition(":")[2])
        with pytest.raises(VaultFailedError, match=r"vault\.log"):
            start(tmp_path / "two", port, storage="inmem")


def test_without_a_program_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(VaultFailedError, match="on PATH"):
        start(tmp_path / "vault")


def test_two_namespaces_know_nothing_of_each_other(vault_server: Access) -> None:
    """OpenBao, Vault Enterprise: the same mounts, stack and policies twice, and logins that do not cross."""
    root = RemoteVault(vault_server.address, vault_server.ca, vault_server.root_token)
    with client(root) as http:
        if http.request("LIST", "/sys/namespaces").status_code not in {200, 404}:
            pytest.skip("this Vault has no namespaces")
    with namespace(root, "north") as north, namespace(root, "south") as south:
        here, there = prepared_on(north), prepared_on(south)
        first, second = quick(here), quick(there)
        documents = first.documents("kv", here.base)
        documents.write(JOURNAL, {"a": "north"}, cas=0)
        assert second.documents("kv", there.base).read(JOURNAL).state == "absent"
        texts = ["text"]
        assert first.keyring("transit").mac("marker", texts) != second.keyring("transit").mac("marker", texts)
        login = here.roles["apply"]
        crossed = Login("approle", Secret(login.secret_id), login.role_id, login.mount)
        for place in ("south", "", "nowhere"):
            with pytest.raises(VaultDenied):
                Vault(VaultSettings(root.address, crossed, place, root.ca)).whoami()
        # A token of all namespaces, in one whose stack was never set up.
        with client(south) as http:
            http.delete(f"/kv/metadata/{there.base}/_sentinel").raise_for_status()
        everywhere = Vault(VaultSettings(root.address, Login("token", Secret(root.root_token)), "south", root.ca))
        with pytest.raises(VaultWrongPlace):
            everywhere.documents("kv", there.base).read(JOURNAL)
        for vault in (first, second, everywhere):
            vault.close()
