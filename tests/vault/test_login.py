"""The login: had once, renewed at half of its life, had again when it ended; on the stub by the minute, then for real."""

import base64
import dataclasses
import json
import time as real_time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from providers.core.errors import VaultDenied, VaultError, VaultUnreachable
from providers.core.redaction import Secret
from providers.core.vault import Login, Vault, VaultSettings
from sandbox.vault import Prepared, client
from tests.fixtures_vault import VaultAs
from tests.vault.conftest import Time
from tests.vault.stub import LOOKED_UP, Reply, Stub


def granted(token: str, seconds: object, *, renewable: bool = True) -> Reply:
    return Reply(body={"auth": {"client_token": token, "lease_duration": seconds, "renewable": renewable}})


ANSWER = Reply(body={"data": {"keys": ["journal"]}})
DENIED = Reply(403, {"errors": ["permission denied"]})


@pytest.fixture
def approle(stubbed: Stub, time: Time) -> Iterator[Vault]:
    login = Login("approle", Secret("the-secret-id"), "the-role", "company/approle")
    vault = Vault(
        VaultSettings(stubbed.address, login, ca_file=stubbed.ca), clock=time, wait=time.wait, draw=lambda: 0.0
    )
    yield vault
    stubbed.replies = [ANSWER]
    vault.close()


def use(vault: Vault) -> None:
    vault.documents("kv", "shops/test").list("")


def paths(stubbed: Stub) -> list[str]:
    """What was asked since the last look, in short: who logged in, which token did what."""
    words = {"/v1/auth/company/approle/login": "login", "/v1/auth/token/renew-self": "renew"}
    words |= {"/v1/auth/token/lookup-self": "lookup", "/v1/auth/token/revoke-self": "revoke"}
    asked = [(words.get(seen.path, "use"), seen.headers.get("x-vault-token", "")) for seen in stubbed.seen]
    stubbed.seen.clear()
    return [f"{word} {token}".strip() for word, token in asked]


def test_one_login_serves_until_half_of_its_life(approle: Vault, stubbed: Stub, time: Time) -> None:
    stubbed.replies = [granted("t1", 100), ANSWER]
    use(approle)
    time.now += 49
    use(approle)
    assert paths(stubbed) == ["login", "use t1", "use t1"]


def test_it_is_renewed_at_half_of_its_life(approle: Vault, stubbed: Stub, time: Time) -> None:
    stubbed.replies = [granted("t1", 100), ANSWER]
    use(approle)
    time.now += 50
    stubbed.replies = [granted("t1", 100), ANSWER]
    use(approle)
    time.now += 49
    use(approle)
    assert paths(stubbed) == ["login", "use t1", "renew t1", "use t1", "use t1"]


@pytest.mark.parametrize(
    ("renewal", "asked"),
    [
        (granted("t1", 10), ["renew t1", "login", "use t2"]),
        (DENIED, ["renew t1", "login", "use t2"]),
        (Reply(200, {"auth": {}}), ["renew t1", "login", "use t2"]),
    ],
    ids=["near its longest life", "refused", "garbled"],
)
def test_what_cannot_be_renewed_is_had_again(
    approle: Vault, stubbed: Stub, time: Time, renewal: Reply, asked: list[str]
) -> None:
    stubbed.replies = [granted("t1", 100), ANSWER]
    use(approle)
    paths(stubbed)
    time.now += 60
    stubbed.replies = [renewal, granted("t2", 100), ANSWER]
    use(approle)
    assert paths(stubbed) == asked


def test_a_token_that_cannot_be_renewed_is_had_again(approle: Vault, stubbed: Stub, time: Time) -> None:
    stubbed.replies = [granted("t1", 100, renewable=False), ANSWER]
    use(approle)
    time.now += 60
    stubbed.replies = [granted("t2", 100), ANSWER]
    use(approle)
    assert paths(stubbed) == ["login", "use t1", "login", "use t2"]


def test_while_it_lives_a_token_serves_without_renewal(approle: Vault, stubbed: Stub, time: Time) -> None:
    stubbed.replies = [granted("t1", 100), ANSWER]
    use(approle)
    time.now += 60
    stubbed.replies = [DENIED, Reply(400), ANSWER]
    use(approle)
    time.now += 1
    use(approle)
    assert paths(stubbed) == ["login", "use t1", "renew t1", "login", "use t1", "use t1"]
    time.now += 5
    stubbed.replies = [granted("t1", 100), ANSWER]
    use(approle)
    assert paths(stubbed) == ["renew t1", "use t1"]


def test_an_ended_token_is_not_sent(approle: Vault, stubbed: Stub, time: Time) -> None:
    stubbed.replies = [granted("t1", 100), ANSWER]
    use(approle)
    time.now += 96
    stubbed.replies = [granted("t2", 100), ANSWER]
    use(approle)
    assert paths(stubbed) == ["login", "use t1", "login", "use t2"]


def test_a_token_revoked_early_is_had_again_once(approle: Vault, stubbed: Stub) -> None:
    stubbed.replies = [granted("t1", 100), ANSWER]
    use(approle)
    paths(stubbed)
    stubbed.replies = [DENIED, DENIED, granted("t2", 100), ANSWER]
    use(approle)
    assert paths(stubbed) == ["use t1", "lookup t1", "login", "use t2"]


def test_a_refusal_by_policy_is_no_reason_to_log_in(approle: Vault, stubbed: Stub) -> None:
    stubbed.replies = [granted("t1", 100), DENIED, LOOKED_UP]
    with pytest.raises(VaultDenied, match="does not allow"):
        use(approle)
    assert paths(stubbed) == ["login", "use t1", "lookup t1"]


def test_another_thread_was_quicker(approle: Vault, stubbed: Stub) -> None:
    stubbed.replies = [granted("t1", 100), ANSWER]
    use(approle)
    assert approle._session.replaced(Secret("t0")) is approle._session.token()


def test_closing_ends_a_login_of_ours(approle: Vault, stubbed: Stub, time: Time) -> None:
    approle.close()
    stubbed.replies = [granted("t1", 100), ANSWER, Reply(500)]
    use(approle)
    approle.close()
    assert paths(stubbed)[:3] == ["login", "use t1", "revoke t1"]
    stubbed.replies = [granted("t2", 100), ANSWER]
    use(approle)
    time.now += 200
    approle.close()
    assert paths(stubbed) == ["login", "use t2"]


# --- a token from outside ---


def test_a_token_file_is_read_again_when_its_token_ended(stubbed: Stub, time: Time, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("t1\n", encoding="ascii")
    vault = Vault(VaultSettings(stubbed.address, Login("token", file), ca_file=stubbed.ca), clock=time)
    known = Reply(body={"data": {"ttl": 100, "renewable": False}})
    stubbed.replies = [known, ANSWER]
    use(vault)
    time.now += 60
    use(vault)
    file.write_text("t2\n", encoding="ascii")
    time.now += 40
    stubbed.replies = [known, ANSWER]
    use(vault)
    vault.close()
    assert paths(stubbed) == ["lookup t1", "use t1", "use t1", "lookup t2", "use t2"]


def test_a_given_token_is_renewed_for_as_long_as_vault_allows(stubbed: Stub, time: Time) -> None:
    login = Login("token", Secret("t1"))
    vault = Vault(VaultSettings(stubbed.address, login, ca_file=stubbed.ca), clock=time, wait=time.wait)
    stubbed.replies = [Reply(body={"data": {"ttl": 100, "renewable": True}}), ANSWER]
    use(vault)
    time.now += 60
    stubbed.replies = [granted("t1", 20), ANSWER]
    use(vault)
    time.now += 4
    use(vault)
    time.now += 12
    stubbed.replies = [DENIED]
    with pytest.raises(VaultDenied, match="does not know the token"):
        use(vault)
    assert paths(stubbed) == ["lookup t1", "use t1", "renew t1", "use t1", "use t1", "lookup t1"]


@pytest.mark.parametrize("text", ["", "  \n", "two words", "\x00", "é", None])
def test_a_file_without_a_login_is_said_and_not_shown(stubbed: Stub, tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "secret-id"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    login = Login("approle", file, "role", "approle")
    with pytest.raises(VaultDenied, match="secret-id"):
        use(Vault(VaultSettings(stubbed.address, login, ca_file=stubbed.ca)))
    assert stubbed.seen == []


# --- a real server ---


def test_a_role_logs_in_works_and_logs_out(prepared: Prepared, vault_as: VaultAs) -> None:
    vault = vault_as("apply")
    me = vault.whoami()
    assert f"shops-{prepared.stack}-apply" in me.policies
    assert me.ends_in is not None
    assert 3500 < me.ends_in <= 3600
    assert me.renewable
    token = vault._session.token().reveal()
    vault.close()
    with client(prepared.access, token) as http:
        assert http.get("/auth/token/lookup-self").status_code == 403


def test_a_real_token_is_renewed_and_replaced(prepared: Prepared, vault_as: VaultAs) -> None:
    time = Time()
    vault = vault_as("apply", clock=time)
    documents = vault.documents(prepared.mounts.mount, prepared.base)
    documents.list("")
    first = vault._session.token()
    time.now += 1900
    documents.list("")
    assert vault._session.token().same(first)
    with client(prepared.access) as http:
        http.post("/auth/token/revoke", json={"token": first.reveal()}).raise_for_status()
    documents.write("shop/conn/journal", {"a": "1"}, cas=0)
    assert not vault._session.token().same(first)
    assert documents.read("shop/conn/journal").version == 1


@pytest.mark.parametrize("wrong", ["secret_id", "role_id", "mount"])
def test_a_wrong_login_is_denied(prepared: Prepared, wrong: str) -> None:
    role = dataclasses.replace(prepared.roles["apply"], **{wrong: "not-this-one"})
    login = Login("approle", Secret(role.secret_id), role.role_id, role.mount)
    access = prepared.access
    vault = Vault(VaultSettings(access.address, login, access.namespace, access.ca))
    with pytest.raises(VaultDenied, match="refuses the login|nobody can log in"):
        vault.whoami()


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(key: ec.EllipticCurvePrivateKey, claims: dict[str, object]) -> str:
    head = encoded(json.dumps({"alg": "ES256", "typ": "JWT"}).encode())
    text = f"{head}.{encoded(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def test_a_workload_logs_in_by_its_identity(prepared: Prepared, tmp_path: Path) -> None:
    """As a CI job does: the role is bound to audience, repository and environment (vault.md 7.4)."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    mount = f"ci-{prepared.stack}"
    bound = {"repository": "acme/connections", "environment": "production"}
    with client(prepared.access) as http:
        http.post(f"/sys/auth/{mount}", json={"type": "jwt"}).raise_for_status()
        http.post(f"/auth/{mount}/config", json={"jwt_validation_pubkeys": [public.decode()]}).raise_for_status()
        role = {
            "role_type": "jwt",
            "user_claim": "repository",
            "bound_audiences": ["connections"],
            "bound_claims": bound,
            "token_policies": [f"shops-{prepared.stack}-apply"],
        }
        http.post(f"/auth/{mount}/role/apply", json=role).raise_for_status()
    now = int(real_time.time())
    claims = {"aud": "connections", "iat": now, "nbf": now, "exp": now + 600, "sub": "job", **bound}
    file = tmp_path / "jwt"
    access = prepared.access
    settings = VaultSettings(access.address, Login("jwt", file, "apply", mount), access.namespace, access.ca)
    file.write_text(signed(key, claims), encoding="ascii")
    vault = Vault(settings)
    assert f"shops-{prepared.stack}-apply" in vault.whoami().policies
    vault.close()
    file.write_text(signed(key, {**claims, "environment": "elsewhere"}), encoding="ascii")
    with pytest.raises(VaultDenied, match="refuses the login"):
        Vault(settings).whoami()


# --- settings ---

ROLE = {"VAULT_ADDR": "https://vault.example:8200/", "VAULT_ROLE_ID": "role", "VAULT_SECRET_ID": "id"}
TOKENED = {"VAULT_ADDR": "https://vault.example", "VAULT_TOKEN": "t1"}

GOOD = [
    (ROLE, "approle", "approle"),
    ({**ROLE, "VAULT_APPROLE_MOUNT": "machines"}, "approle", "machines"),
    (TOKENED, "token", ""),
    ({"VAULT_ADDR": "https://[::1]:8200", "VAULT_TOKEN_FILE": "/run/token"}, "token", ""),
    ({"VAULT_ADDR": "http://127.0.0.1:8200", "VAULT_TOKEN": "t1"}, "token", ""),
    ({"VAULT_ADDR": "http://[::1]:8200", "VAULT_TOKEN": "t1"}, "token", ""),
    ({"VAULT_ADDR": "http://localhost:8200", "VAULT_TOKEN": "t1"}, "token", ""),
    ({"VAULT_ADDR": "https://Vault.example", "VAULT_JWT_ROLE": "ci", "VAULT_JWT_FILE": "/run/jwt"}, "jwt", "jwt"),
    ({**TOKENED, "VAULT_NAMESPACE": "/team/", "VAULT_ROLE_ID": " ", "UNRELATED": "x"}, "token", ""),
]


@pytest.mark.parametrize(("environ", "method", "mount"), GOOD)
def test_settings_from_the_environment(environ: dict[str, str], method: str, mount: str) -> None:
    settings = VaultSettings.from_environment(environ)
    assert (settings.login.method, settings.login.mount) == (method, mount)
    assert settings.address == environ["VAULT_ADDR"].rstrip("/")
    assert settings.namespace == ("team" if "VAULT_NAMESPACE" in environ else "")
    assert "t1" not in repr(settings)


BAD = [
    ({}, "VAULT_ADDR is not set"),
    ({**TOKENED, "VAULT_ADDR": "vault.example"}, "not the address"),
    ({**TOKENED, "VAULT_ADDR": "ftp://vault.example"}, "not the address"),
    ({**TOKENED, "VAULT_ADDR": "https://"}, "not the address"),
    ({**TOKENED, "VAULT_ADDR": "https://user:word@vault.example"}, "not the address"),
    ({**TOKENED, "VAULT_ADDR": "https://vault.example/v1?x=1"}, "not the address"),
    ({**TOKENED, "VAULT_ADDR": "https://vault.example:port"}, "not the address"),
    ({**TOKENED, "VAULT_ADDR": "https://vault.example#"}, "not the address"),
    ({**TOKENED, "VAULT_ADDR": "http://vault.example"}, "only spoken to by https"),
    ({**TOKENED, "VAULT_ADDR": "http://127.0.0.1.example"}, "only spoken to by https"),
    ({**TOKENED, "VAULT_ADDR": "http://192.0.2.1"}, "only spoken to by https"),
    ({**TOKENED, "VAULT_CACERT": "/no/such/file"}, "not there"),
    ({**TOKENED, "VAULT_CLIENT_CERT": "/no/such/file"}, "belong together"),
    ({**TOKENED, "VAULT_CLIENT_CERT": "/no/such/file", "VAULT_CLIENT_KEY": "/no/other"}, "not there"),
    ({"VAULT_ADDR": "https://vault.example"}, "no login"),
    ({**TOKENED, **ROLE}, "more than one login"),
    ({**TOKENED, "VAULT_TOKEN_FILE": "/run/token"}, "both set"),
    ({"VAULT_ADDR": "https://vault.example", "VAULT_ROLE_ID": "role"}, "without VAULT_SECRET_ID"),
    ({"VAULT_ADDR": "https://vault.example", "VAULT_JWT_ROLE": "ci"}, "without VAULT_JWT_FILE"),
    ({**TOKENED, "VAULT_TOKEN": "secret words"}, "holds characters"),
]


@pytest.mark.parametrize(("environ", "words"), BAD)
def test_what_is_missing_is_named(environ: dict[str, str], words: str) -> None:
    with pytest.raises(VaultError, match=words) as caught:
        VaultSettings.from_environment(environ)
    shown = str(caught.value)
    assert "\n" not in shown
    assert caught.value.do
    assert not any(secret in shown for secret in ("secret words", "t1", "user:word"))


def test_nothing_is_asked_of_vault_before_it_is_needed() -> None:
    vault = Vault(VaultSettings("https://127.0.0.1:1", Login("token", Secret("t1"))), wait=lambda _: None)
    documents = vault.documents("kv", "shops/test")
    vault.keyring("transit")
    with pytest.raises(VaultUnreachable):
        documents.list("")
    vault.close()
