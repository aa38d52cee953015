"""Hand-overs behind single-use tokens, on a real server with the roles that make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from providers.core.errors import Refused, VaultDenied, VaultError, VaultUnclear
from providers.core.policies import ROLES, Role
from providers.core.redaction import Secret
from providers.core.vault import Login, Vault, VaultSettings, Wrapped
from sandbox.vault import Prepared, client
from tests.fixtures_vault import VaultAs
from tests.vault.stub import Reply, Stub

VALUES = {"client_secret": "wrapped-canary-ü", "store_hash": "12e4567"}
HANDING_OVER: tuple[Role, ...] = ("apply", "operator")


def wrapped(vault: Vault, seconds: int = 600) -> Wrapped:
    return vault.wrapping().wrap({name: Secret(value) for name, value in VALUES.items()}, seconds)


def unwrapped(prepared: Prepared, token: str) -> httpx.Response:
    """What a receiver gets, who has the token and nothing else."""
    with client(prepared.access, token) as http:
        return http.post("/sys/wrapping/unwrap")


@pytest.mark.parametrize("role", HANDING_OVER)
def test_a_hand_over_is_opened_once(role: Role, prepared: Prepared, vault_as: VaultAs) -> None:
    vault = vault_as(role)
    before = datetime.now(UTC)
    handed = wrapped(vault)
    assert timedelta(seconds=595) < handed.expires - before < timedelta(seconds=660)
    assert handed.expires.tzinfo is UTC
    assert vault.wrapping().state(handed.accessor) == "waiting"
    token = handed.token.reveal()
    assert token not in repr(handed)
    assert token != handed.accessor
    assert unwrapped(prepared, token).json()["data"] == VALUES
    assert vault.wrapping().state(handed.accessor) == "opened or expired"
    assert unwrapped(prepared, token).status_code == 400
    vault.wrapping().void(handed.accessor)


@pytest.mark.parametrize("role", HANDING_OVER)
def test_a_voided_hand_over_opens_nothing(role: Role, prepared: Prepared, vault_as: VaultAs) -> None:
    vault = vault_as(role)
    first, other = wrapped(vault), wrapped(vault)
    vault.wrapping().void(first.accessor)
    vault.wrapping().void(first.accessor)
    assert vault.wrapping().state(first.accessor) == "opened or expired"
    assert unwrapped(prepared, first.token.reveal()).status_code == 400
    assert vault.wrapping().state(other.accessor) == "waiting"
    assert unwrapped(prepared, other.token.reveal()).json()["data"] == VALUES


def test_the_token_can_do_nothing_else(prepared: Prepared, vault_as: VaultAs) -> None:
    handed = wrapped(vault_as("apply"))
    with client(prepared.access, handed.token.reveal()) as http:
        assert http.get(f"/{prepared.mounts.mount}/data/{prepared.base}/_sentinel").status_code == 403
        assert http.get(f"/{prepared.mounts.admins}/data/shop.example").status_code == 403


@pytest.fixture
def by_policy_alone(prepared: Prepared) -> Iterator[Callable[[Role], Vault]]:
    """A `Vault` with a role's policy and without Vault's default one, which lets everybody wrap."""
    made: list[Vault] = []

    def make(role: Role) -> Vault:
        body = {"policies": [f"{prepared.project}-{prepared.stack}-{role}"], "no_default_policy": True}
        with client(prepared.access) as http:
            token = http.post("/auth/token/create", json=body).json()["auth"]["client_token"]
        settings = VaultSettings(
            prepared.access.address, Login("token", Secret(token)), prepared.access.namespace, prepared.access.ca
        )
        made.append(Vault(settings))
        return made[-1]

    yield make
    for vault in made:
        vault.close()


@pytest.mark.parametrize("role", HANDING_OVER)
def test_the_committed_policy_suffices(role: Role, by_policy_alone: Callable[[Role], Vault]) -> None:
    vault = by_policy_alone(role)
    handed = wrapped(vault)
    assert vault.wrapping().state(handed.accessor) == "waiting"
    vault.wrapping().void(handed.accessor)
    assert vault.wrapping().state(handed.accessor) == "opened or expired"


@pytest.mark.parametrize("role", [role for role in ROLES if role not in HANDING_OVER])
def test_no_other_role_hands_over(role: Role, vault_as: VaultAs, by_policy_alone: Callable[[Role], Vault]) -> None:
    handed = wrapped(vault_as("apply"))
    with pytest.raises(VaultDenied):
        wrapped(by_policy_alone(role))
    for wrapping in (vault_as(role).wrapping(), by_policy_alone(role).wrapping()):
        for attempt in (wrapping.state, wrapping.void):
            with pytest.raises(VaultDenied):
                attempt(handed.accessor)
    assert vault_as("apply").wrapping().state(handed.accessor) == "waiting"


def test_nobody_is_logged_out_by_a_changed_journal(prepared: Prepared, vault_as: VaultAs) -> None:
    token = prepared.token("verify")
    with client(prepared.access, token) as http:
        accessor = http.get("/auth/token/lookup-self").json()["data"]["accessor"]
        wrapping = vault_as("operator").wrapping()
        for attempt in (wrapping.void, wrapping.state):
            with pytest.raises(Refused, match="not that of a hand-over"):
                attempt(accessor)
        assert http.get("/auth/token/lookup-self").status_code == 200


# --- answers that no real server gives ------------------------------------------------------------------------------

INFO = {"token": "hvs.canary", "accessor": "abc", "ttl": 60, "creation_time": "2026-05-04T12:00:00.123456789Z"}

GARBLED: list[object] = [
    None,
    "x",
    {**INFO, "token": ""},
    {**INFO, "token": 4711},
    {**INFO, "accessor": ""},
    {**INFO, "accessor": None},
    {**INFO, "ttl": "60"},
    {**INFO, "creation_time": 0},
    {**INFO, "creation_time": "yesterday"},
]


def test_what_vault_says_is_taken_over(stubbed: Stub, vault: Vault) -> None:
    stubbed.replies = [Reply(body={"wrap_info": INFO})]
    handed = wrapped(vault, 60)
    assert (handed.token.reveal(), handed.accessor) == ("hvs.canary", "abc")
    assert handed.expires == datetime(2026, 5, 4, 12, 1, 0, 123456, tzinfo=UTC)
    (request,) = stubbed.seen
    assert (request.path, request.headers["x-vault-wrap-ttl"]) == ("/v1/sys/wrapping/wrap", "60")


@pytest.mark.parametrize("info", GARBLED)
def test_a_garbled_token_is_unclear_and_not_shown(info: object, stubbed: Stub, vault: Vault) -> None:
    stubbed.replies = [Reply(body={"wrap_info": info})]
    with pytest.raises(VaultUnclear, match="names no token") as caught:
        wrapped(vault)
    assert "canary" not in str(caught.value)


def test_nothing_is_wrapped_a_second_time(stubbed: Stub, vault: Vault) -> None:
    stubbed.replies = [Reply(lost=True)]
    with pytest.raises(VaultUnclear):
        wrapped(vault)
    assert len(stubbed.seen) == 1


GONE = {"errors": ["1 error occurred:\n\t* invalid accessor\n\n"]}
ALIVE = {"data": {"path": "sys/wrapping/wrap"}}


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_token_that_is_no_more_whatever_the_status(status: int, stubbed: Stub, vault: Vault) -> None:
    stubbed.replies = [Reply(status, GONE)]
    assert vault.wrapping().state("abc") == "opened or expired"
    vault.wrapping().void("abc")
    assert {request.path for request in stubbed.seen} == {"/v1/auth/token/lookup-accessor"}


def test_a_token_that_ends_while_it_is_voided(stubbed: Stub, vault: Vault) -> None:
    stubbed.replies = [Reply(body=ALIVE), Reply(400, GONE)]
    vault.wrapping().void("abc")
    assert [request.path.rpartition("/")[2] for request in stubbed.seen] == ["lookup-accessor", "revoke-accessor"]


OTHERS: list[tuple[Reply, type[Exception]]] = [
    (Reply(400, {"errors": ["missing accessor"]}), VaultError),
    (Reply(body={"data": None}), Refused),
    (Reply(body={"data": {"path": "auth/approle/login"}}), Refused),
]


@pytest.mark.parametrize(("reply", "error"), OTHERS)
def test_any_other_answer_concludes_nothing(reply: Any, error: type[Exception], stubbed: Stub, vault: Vault) -> None:
    stubbed.replies = [reply]
    with pytest.raises(error):
        vault.wrapping().state("abc")
