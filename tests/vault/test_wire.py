"""What every answer of Vault means, and what is repeated: against a stub, since no single server gives them all."""

import socket
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.core import errors
from providers.core.redaction import Secret
from providers.core.vault import Login, Vault, VaultSettings, wire
from tests.vault.conftest import TOKEN, Time
from tests.vault.stub import LOOKED_UP, Reply, Stub, stub

CANARY = "canary-of-a-secret"
MISMATCH = {"errors": [wire.CAS_MISMATCH]}
DOCUMENT = Reply(body={"data": {"data": {"key": CANARY}, "metadata": {"version": 3}}})
WRITTEN = Reply(body={"data": {"version": 4}})


def look(vault: Vault) -> object:
    return vault.documents("kv", "shops/test").read("shop/conn/journal")


def write(vault: Vault) -> object:
    return vault.documents("kv", "shops/test").write("shop/conn/journal", {"key": CANARY}, cas=3)


def log_in(vault: Vault) -> object:
    settings = vault.settings
    login = Login("approle", Secret(CANARY), "role", "approle")
    other = Vault(VaultSettings(settings.address, login, settings.namespace, settings.ca_file))
    try:
        return other.whoami()
    finally:
        other.close()


ACTS: dict[str, Callable[[Vault], object]] = {"look": look, "write": write, "login": log_in}

# status, the words of Vault, then the error of a look, of a write and of a login.
MEANINGS = [
    (400, "something", errors.VaultError, errors.VaultError, errors.VaultDenied),
    (400, wire.CAS_MISMATCH, errors.VaultConflict, errors.VaultConflict, errors.VaultDenied),
    (401, "", errors.VaultError, errors.VaultError, errors.VaultDenied),
    (403, "permission denied", errors.VaultDenied, errors.VaultDenied, errors.VaultDenied),
    (404, "no handler for route", errors.VaultWrongPlace, errors.VaultWrongPlace, errors.VaultWrongPlace),
    (404, "", errors.VaultWrongPlace, errors.VaultWrongPlace, errors.VaultDenied),
    (405, "", errors.VaultError, errors.VaultError, errors.VaultError),
    (408, "", errors.VaultError, errors.VaultUnclear, errors.VaultError),
    (412, "", errors.VaultStandby, errors.VaultStandby, errors.VaultStandby),
    (413, "", errors.VaultError, errors.VaultError, errors.VaultError),
    (418, "", errors.VaultError, errors.VaultError, errors.VaultError),
    (429, "", errors.VaultRateLimited, errors.VaultRateLimited, errors.VaultRateLimited),
    (472, "", errors.VaultStandby, errors.VaultStandby, errors.VaultStandby),
    (473, "", errors.VaultStandby, errors.VaultStandby, errors.VaultStandby),
    (500, "", errors.VaultError, errors.VaultUnclear, errors.VaultError),
    (501, "", errors.VaultSealed, errors.VaultUnclear, errors.VaultSealed),
    (502, "", errors.VaultError, errors.VaultUnclear, errors.VaultError),
    (503, "Vault is sealed", errors.VaultSealed, errors.VaultUnclear, errors.VaultSealed),
    (504, "", errors.VaultError, errors.VaultUnclear, errors.VaultError),
]
CASES = [
    pytest.param(act, status, words, error, id=f"{act}-{status}-{words[:9]}")
    for status, words, *meant in MEANINGS
    for act, error in zip(ACTS, meant, strict=True)
]
REPEATED = {412, 429, 472, 473, 500, 502, 504}
"""Statuses that a look tries to outlast."""


@pytest.mark.parametrize(("act", "status", "words", "error"), CASES)
@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
def test_every_status_has_a_meaning(
    act: str,
    status: int,
    words: str,
    error: type[errors.ConnectionsError],
    kind: str,
    vault: Vault,
    stubbed: Stub,
    time: Time,
) -> None:
    echo = f"{words} {CANARY} {TOKEN}"
    reply = Reply(status, {"errors": [echo] if words else []}, {"Content-Type": kind})
    stubbed.replies = [reply, LOOKED_UP] if act != "login" and status == 403 else [reply]
    with pytest.raises(errors.ConnectionsError) as caught:
        ACTS[act](vault)
    assert type(caught.value) is error
    shown = "".join(traceback.format_exception(caught.value)) + str(caught.value) + repr(caught.value)
    assert CANARY not in shown.replace("CANARY", "")
    assert TOKEN not in shown
    assert caught.value.do
    requests = [seen for seen in stubbed.seen if not seen.path.endswith(("lookup-self", "_sentinel"))]
    assert len(requests) == (wire.TRIES if act == "look" and status in REPEATED else 1)


def test_a_look_outlasts_a_passing_failure(vault: Vault, stubbed: Stub, time: Time) -> None:
    stubbed.replies = [Reply(500), Reply(lost=True), Reply(412), DOCUMENT]
    assert vault.documents("kv", "shops/test").read("shop/conn/journal").version == 3
    assert time.waits == [0.1, 0.2, 0.4]


@pytest.mark.parametrize(
    ("told", "waited"), [("3", 3.0), ("9999", wire.LONGEST_WAIT), ("Wed, 21 Oct 2026", 0.1), ("-1", 0.1), ("", 0.1)]
)
def test_a_limit_is_waited_for_within_reason(vault: Vault, stubbed: Stub, time: Time, told: str, waited: float) -> None:
    stubbed.replies = [Reply(429, headers={"Retry-After": told}), DOCUMENT]
    look(vault)
    assert time.waits == [waited]


# --- lost replies and rubbish ---


def test_a_lost_reply_is_unclear_to_a_write_and_sent_once(vault: Vault, stubbed: Stub) -> None:
    stubbed.replies = [Reply(lost=True), WRITTEN]
    with pytest.raises(errors.VaultUnclear):
        write(vault)
    assert len(stubbed.seen) == 1
    stubbed.replies = [Reply(lost=True)]
    with pytest.raises(errors.VaultUnreachable):
        look(vault)
    assert len(stubbed.seen) == 1 + wire.TRIES


def test_an_error_being_handled_does_not_make_a_write_look_unsent(vault: Vault, stubbed: Stub) -> None:
    """Python ties a new error to the one that is being handled; that one was another request's."""
    stubbed.replies = [Reply(lost=True)]
    nowhere = Vault(VaultSettings(closed_port(), Login("token", Secret(TOKEN))), wait=lambda _: None)
    try:
        nowhere.whoami()
    except errors.VaultUnreachable:
        with pytest.raises(errors.VaultUnclear):
            write(vault)
    else:
        pytest.fail("a closed port answered")


RUBBISH = [b"", b"<html>", b"[]", b'"text"', b"\xff\xfe", b"{" * 100_000, b"null"]


@pytest.mark.parametrize("body", RUBBISH, ids=range(len(RUBBISH)))
def test_rubbish_is_no_answer(vault: Vault, stubbed: Stub, body: bytes) -> None:
    stubbed.replies = [Reply(200, body)]
    with pytest.raises(errors.VaultUnclear):
        write(vault)
    with pytest.raises(errors.VaultError):
        look(vault)
    with pytest.raises(errors.VaultError):
        vault.documents("kv", "shops/test").list("")
    with pytest.raises(errors.VaultError):
        vault.keyring("transit").mac("marker", ["text"])
    with pytest.raises(errors.VaultError):
        vault.whoami()
    with pytest.raises(errors.VaultError):
        log_in(vault)


GARBLED_DIGESTS = [
    {},
    {"data": {}},
    {"data": {"batch_results": []}},
    {"data": {"batch_results": [{"error": "no"}]}},
    {"data": {"batch_results": ["text"]}},
    {"data": {"batch_results": [{"hmac": "vault:v2:" + "A" * 43 + "="}]}},
    {"data": {"batch_results": [{"hmac": "vault:v1:%%%"}]}},
    {"data": {"batch_results": [{"hmac": "vault:v1:AAAA"}]}},
    {"data": {"batch_results": [{"hmac": "vault:v1:é"}]}},
]


@pytest.mark.parametrize("body", GARBLED_DIGESTS, ids=range(len(GARBLED_DIGESTS)))
def test_a_garbled_digest_is_none(vault: Vault, stubbed: Stub, body: object) -> None:
    stubbed.replies = [Reply(200, body)]
    with pytest.raises(errors.VaultError):
        vault.keyring("transit").mac("marker", ["text"])


@pytest.mark.parametrize("body", [{"data": {"keys": "text"}}, {"data": {}}, {"data": []}, {}])
def test_a_garbled_list_is_not_an_empty_one(vault: Vault, stubbed: Stub, body: object) -> None:
    stubbed.replies = [Reply(200, body)]
    with pytest.raises(errors.VaultError):
        vault.documents("kv", "shops/test").list("")


def test_an_answer_without_bounds_is_not_read(vault: Vault, stubbed: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 100_000)
    stubbed.replies = [Reply(200, b" " * 1_000_000 + b"{}")]
    with pytest.raises(errors.VaultError):
        look(vault)


# --- no connection ---


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"https://127.0.0.1:{probe.getsockname()[1]}"


def at(vault: Vault, time: Time, address: str, ca: Path | None) -> wire.Wire:
    settings = VaultSettings(address, vault.settings.login, ca_file=ca)
    return wire.Wire(settings, wait=time.wait)


@pytest.mark.parametrize("kind", ["look", "write", "login"])
def test_what_was_never_sent_is_not_unclear(vault: Vault, stubbed: Stub, time: Time, kind: wire.Kind) -> None:
    nowhere = at(vault, time, closed_port(), stubbed.ca)
    with pytest.raises(errors.VaultUnreachable, match="cannot be reached"):
        nowhere.call(kind, "do it", lambda hvac: hvac.adapter.post("/v1/any", json={}), token=None)
    assert len(time.waits) == (wire.TRIES - 1 if kind == "look" else 0)


@pytest.mark.parametrize("kind", ["look", "write"])
def test_an_untrusted_certificate_is_said_and_nothing_is_sent(
    vault: Vault, stubbed: Stub, time: Time, kind: wire.Kind
) -> None:
    untrusting = at(vault, time, stubbed.address, None)
    with pytest.raises(errors.VaultUnreachable, match="certificate"):
        untrusting.call(kind, "do it", lambda hvac: hvac.adapter.post("/v1/any", json={}), token=Secret(TOKEN))
    assert stubbed.seen == []
    assert time.waits == []


def test_a_ca_file_of_something_else_is_said(vault: Vault, stubbed: Stub, time: Time, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate", encoding="ascii")
    with pytest.raises(errors.VaultUnreachable, match="no TLS"):
        at(vault, time, stubbed.address, file).call("look", "look", wire.look_at_health, token=None)
    with pytest.raises(errors.VaultUnclear):
        at(vault, time, stubbed.address, file).call("write", "write", wire.look_at_health, token=None)


# --- redirects, headers, threads ---


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300])
def test_a_redirect_is_not_followed(act: str, status: int, vault: Vault, stubbed: Stub, stub_authority: Path) -> None:
    with stub(stub_authority) as elsewhere:
        elsewhere.replies = [DOCUMENT]
        stubbed.replies = [Reply(status, headers={"Location": f"{elsewhere.address}/v1/kv/data/any"})]
        with pytest.raises(errors.VaultError, match="redirect"):
            ACTS[act](vault)
        assert elsewhere.seen == []


def test_what_every_request_carries(vault: Vault, stubbed: Stub) -> None:
    stubbed.replies = [DOCUMENT, WRITTEN]
    look(vault)
    write(vault)
    assert vault._wire._client().adapter.token == ""
    for seen in stubbed.seen:
        assert seen.headers["x-vault-token"] == TOKEN
        assert seen.headers["x-vault-namespace"] == "team"
        assert seen.headers["x-vault-request"] == "true"
    assert [seen.headers.get("x-vault-forward") for seen in stubbed.seen] == ["active-node", None]


def test_nothing_comes_from_home_or_from_the_environment(
    vault: Vault, stubbed: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".vault-token").write_text("from-home", encoding="ascii")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b", encoding="ascii")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VAULT_TOKEN", "from-environment")
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, closed_port())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "no-such-file"))
    stubbed.replies = [Reply(403)]
    with pytest.raises(errors.VaultDenied):
        log_in(vault)
    assert "x-vault-token" not in stubbed.seen[0].headers
    assert "authorization" not in stubbed.seen[0].headers


def test_a_client_certificate_is_shown(vault: Vault, stubbed: Stub, time: Time, stub_authority: Path) -> None:
    """The stub does not ask for one; a file that is none shows that it was taken."""
    pair = (stub_authority / "stub.pem", stub_authority / "stub-key.pem")
    settings = VaultSettings(stubbed.address, vault.settings.login, "", stubbed.ca, pair)
    assert Vault(settings).whoami().name == "someone"
    wrong = (pair[1], pair[0])
    with pytest.raises(errors.VaultUnreachable):
        Vault(VaultSettings(stubbed.address, vault.settings.login, "", stubbed.ca, wrong), wait=time.wait).whoami()


FORWARDING_OFF = Reply(400, {"errors": ["forwarding via header X-Vault-Forward disabled in configuration"]})


def test_a_node_that_does_not_forward_is_asked_plainly(vault: Vault, stubbed: Stub) -> None:
    """Community Vault answers so to every request with the header; its standbys hand on by themselves."""
    stubbed.replies = [FORWARDING_OFF, Reply(body={"sealed": False}), DOCUMENT]
    look(vault)
    look(vault)
    assert [seen.headers.get("x-vault-forward") for seen in stubbed.seen] == ["active-node", None, None, None]
    assert stubbed.seen[1].path.startswith("/v1/sys/health?")
    assert "x-vault-token" not in stubbed.seen[1].headers


def test_a_performance_standby_that_does_not_forward_is_no_base_for_decisions(vault: Vault, stubbed: Stub) -> None:
    stubbed.replies = [FORWARDING_OFF, Reply(body={"sealed": False, "performance_standby": True})]
    with pytest.raises(errors.VaultStandby, match="allow_forwarding_via_header"):
        look(vault)


def test_threads_have_connections_of_their_own_and_one_login(vault: Vault, stubbed: Stub) -> None:
    login = Login("approle", Secret(CANARY), "role", "approle")
    shared = Vault(VaultSettings(stubbed.address, login, ca_file=stubbed.ca))
    stubbed.replies = [
        Reply(body={"auth": {"client_token": "hvs.new", "lease_duration": 0, "renewable": False}}),
        DOCUMENT,
    ]
    failures: list[BaseException] = []
    together = threading.Barrier(8)

    def work() -> None:
        try:
            together.wait(10)
            for _ in range(5):
                look(shared)
        except BaseException as failure:  # noqa: BLE001
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shared.close()
    assert failures == []
    assert [seen.path for seen in stubbed.seen].count("/v1/auth/approle/login") == 1


# --- health in words ---

HEALTHS = [
    ({"initialized": False, "sealed": True}, "uninitialised", False),
    ({"initialized": True, "sealed": True}, "sealed", False),
    ({"initialized": True, "sealed": False, "replication_dr_mode": "secondary"}, "secondary", False),
    (
        {"initialized": True, "sealed": False, "standby": True, "performance_standby": True},
        "performance_standby",
        False,
    ),
    ({"initialized": True, "sealed": False, "standby": True}, "standby", True),
    ({"initialized": True, "sealed": False, "standby": False, "version": "2.0.1"}, "active", True),
]


@pytest.mark.parametrize(("body", "state", "usable"), HEALTHS)
def test_health_in_words(vault: Vault, stubbed: Stub, body: dict[str, object], state: str, usable: bool) -> None:
    stubbed.replies = [Reply(body=body)]
    health = vault.health()
    assert (health.state, health.usable, health.version) == (state, usable, body.get("version", ""))
    assert vault.settings.host in health.words
    assert "x-vault-namespace" not in stubbed.seen[0].headers


def test_no_health_is_said_too(vault: Vault, stubbed: Stub) -> None:
    stubbed.replies = [Reply(lost=True)]
    health = vault.health()
    assert health.state == "unreachable"
    assert not health.usable
    assert "did not answer" in health.words


@pytest.mark.parametrize("reply", [Reply(404, {"errors": []}), Reply(200, {"status": "ok"}), Reply(200, b"<html>")])
def test_the_health_of_something_else_is_not_that_of_vault(vault: Vault, stubbed: Stub, reply: Reply) -> None:
    stubbed.replies = [reply]
    health = vault.health()
    assert health.state == "unreachable"
    assert "not one of Vault" in health.words


def test_a_path_vault_does_not_know_is_said(vault: Vault, stubbed: Stub) -> None:
    stubbed.replies = [Reply(404, {"errors": []})]
    with pytest.raises(errors.VaultError, match="no such path"):
        vault.whoami()
