"""Keyed digests, and the documents that people put into Vault: logins, hub keys, keys to adopt."""

import hashlib
import hmac

import pytest

from providers.core.contract import Keyring
from providers.core.errors import VaultConflict, VaultDenied, VaultError
from providers.core.redaction import Secret
from providers.core.vault import Login, Vault, VaultSettings
from sandbox.vault import Prepared, client
from tests.fixtures_vault import VaultAs


def test_digests_are_keyed_repeatable_and_in_order(prepared: Prepared, vault_as: VaultAs) -> None:
    keyring: Keyring = vault_as("apply").keyring(prepared.mounts.transit)
    texts = ["marker:a:b:c/d:1", "", "zweitens: ü"]
    digests = keyring.mac("marker", texts)
    assert [keyring.mac("marker", [text])[0] for text in texts] == list(digests)
    assert len({*digests, *keyring.mac("fingerprint", texts)}) == 6
    assert all(len(digest) == 64 and digest == digest.lower() and int(digest, 16) for digest in digests)
    assert digests[1] != hmac.new(b"", b"", hashlib.sha256).hexdigest()
    assert keyring.mac("marker", []) == ()


def test_turning_the_key_changes_no_digest(prepared: Prepared, vault_as: VaultAs) -> None:
    """Markers at stores would look like somebody else's."""
    keyring = vault_as("apply").keyring(prepared.mounts.transit)
    before = keyring.mac("fingerprint", ["text"])
    key = f"/{prepared.mounts.transit}/keys/connections-fingerprint"
    with client(prepared.access) as http:
        http.post(f"{key}/rotate").raise_for_status()
        assert keyring.mac("fingerprint", ["text"]) == before
        http.post(f"{key}/config", json={"min_encryption_version": 2}).raise_for_status()
        try:
            with pytest.raises(VaultError):
                keyring.mac("fingerprint", ["text"])
        finally:
            http.post(f"{key}/config", json={"min_encryption_version": 0}).raise_for_status()
    assert keyring.mac("fingerprint", ["text"]) == before


def test_the_keys_cannot_leave_vault(prepared: Prepared) -> None:
    with client(prepared.access) as http:
        for key in ("connections-marker", "connections-fingerprint"):
            for kind in ("hmac-key", "encryption-key"):
                answer = http.get(f"/{prepared.mounts.transit}/export/{kind}/{key}")
                assert answer.status_code == 400
            assert http.get(f"/{prepared.mounts.transit}/backup/{key}").status_code >= 400


def root(prepared: Prepared) -> Vault:
    login = Login("token", Secret(prepared.access.root_token))
    return Vault(VaultSettings(prepared.access.address, login, prepared.access.namespace, prepared.access.ca))


@pytest.mark.parametrize("mount", ["no-such-mount", "kv"])
def test_a_wrong_transit_mount_is_said(prepared: Prepared, mount: str) -> None:
    place = prepared.mounts.mount if mount == "kv" else mount
    vault = root(prepared)
    with pytest.raises(VaultError):
        vault.keyring(place).mac("marker", ["text"])
    vault.close()


def test_a_login_lies_under_its_host_and_path(prepared: Prepared, vault_as: VaultAs) -> None:
    admins = prepared.mounts.admins
    admin, apply = vault_as("admin"), vault_as("apply")
    values = {"username": Secret("keeper"), "password": Secret("pass word-ü")}
    host = f"localhost:18443/{prepared.stack}"
    assert apply.admin_login(admins, host) is None
    assert admin.write_secret(admins, host, values, cas=0) == 1
    login = apply.admin_login(admins, host)
    assert login is not None
    assert {name: value.reveal() for name, value in login.items()} == {
        "username": "keeper",
        "password": "pass word-ü",
    }
    assert apply.admin_login(admins, host, "shop-2") is None
    admin.write_secret(admins, f"{host}/shop-2", values, cas=0)
    assert apply.admin_login(admins, host, "shop-2") is not None
    assert "pass word" not in repr(login)


def test_a_field_that_is_no_text_is_said_without_its_value(prepared: Prepared, vault_as: VaultAs) -> None:
    hubs, path = prepared.mounts.hubs, prepared.stack
    with client(prepared.access) as http:
        http.post(f"/{hubs}/data/{path}", json={"options": {"cas": 0}, "data": {"key": 4711}}).raise_for_status()
    with pytest.raises(VaultError, match="no text") as caught:
        vault_as("apply").secret(hubs, path)
    assert "4711" not in str(caught.value)


def test_an_operator_writes_what_he_cannot_read(prepared: Prepared, vault_as: VaultAs) -> None:
    operator, apply = vault_as("operator"), vault_as("apply")
    adopt, path = prepared.mounts.adopt, f"{prepared.stack}-hub"
    assert operator.write_secret(adopt, path, {"consumer_key": Secret("ck_0123456789")}, cas=0) == 1
    with pytest.raises(VaultDenied):
        operator.secret(adopt, path)
    with pytest.raises(VaultConflict):
        operator.write_secret(adopt, path, {"consumer_key": Secret("ck_another")}, cas=0)
    adopted = apply.secret(adopt, path)
    assert adopted is not None
    assert adopted["consumer_key"].reveal() == "ck_0123456789"
    with client(prepared.access) as http:
        http.delete(f"/{adopt}/data/{path}").raise_for_status()
    assert apply.secret(adopt, path) is None
