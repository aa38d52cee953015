"""Storefront, private and impersonation tokens: given out once, used at the storefront, revoked, expired."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import httpx
import pytest

from tests.sandbox.gateway import EVERYTHING, MISSING_SCOPE, Api, MakeApi, title

ORIGIN = "https://fresh-roast.example"
TOKEN = "/v3/storefront/api-token"
PATHS = {"storefront": TOKEN, "private": f"{TOKEN}-private", "impersonation": f"{TOKEN}-customer-impersonation"}
LIFETIME = 3600
QUERY = {"query": "query { site { settings { storeHash } } }"}


def good(kind: str = "storefront") -> dict[str, Any]:
    body: dict[str, Any] = {"channel_id": 1, "expires_at": int(time.time()) + LIFETIME}
    if kind == "storefront":
        body["allowed_cors_origins"] = [ORIGIN]
    if kind == "private":
        body["scopes"] = ["Unauthenticated"]
    return body


def make(api: Api, kind: str = "storefront", **changes: Any) -> str:
    answer = api.post(PATHS[kind], good(kind) | changes)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["token"])


def use(api: Api, jwt: str, origin: str | None = ORIGIN, body: Any = QUERY) -> httpx.Response:
    headers = {"Authorization": f"Bearer {jwt}"} | ({"Origin": origin} if origin else {})
    return api.http.post(f"{api.store.storefront_url}/graphql", json=body, headers=headers)


def revoke(api: Api, jwt: str) -> httpx.Response:
    return api.call("DELETE", TOKEN, headers={"Sf-Api-Token": jwt})


def claims(jwt: str) -> dict[str, Any]:
    part = jwt.split(".")[1]
    document: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return document


@pytest.mark.parametrize("kind", PATHS)
def test_life_of_a_token(kind: str, make_api: MakeApi) -> None:
    api = make_api(EVERYTHING)
    first, second = make(api, kind), make(api, kind)
    assert first != second
    assert [use(api, jwt).status_code for jwt in (first, second)] == [200, 200]
    assert use(api, first).json() == {"data": {"site": {"settings": {"storeHash": api.hash}}}}
    assert (revoke(api, first).status_code, revoke(api, first).status_code) == (200, 200)
    assert [use(api, jwt).status_code for jwt in (first, second)] == [401, 200]
    rows = api.client.storefront_tokens(api.hash)
    assert [(row.kind, row.revoked is None) for row in rows] == [(kind, False), (kind, True)]


@pytest.mark.parametrize("claim", ["eat", "exp"])
def test_claims_can_be_read(claim: str, make_api: MakeApi) -> None:
    api = make_api(EVERYTHING, expiry_claim=claim, channels=[1, 7])
    expires = int(time.time()) + LIFETIME
    jwt = make(api, channel_ids=[1, 7], expires_at=expires)
    held = claims(jwt)
    assert (held[claim], held["cid"], held["corsOrigins"]) == (expires, [1, 7], [ORIGIN])
    assert held["sub"] == api.account.client_id


MISTAKES: list[tuple[str, dict[str, Any], set[str]]] = [
    ("storefront", {"channel_id": None}, {"channel_id"}),
    ("storefront", {"channel_id": 2}, {"channel_id"}),
    ("storefront", {"channel_ids": []}, {"channel_id"}),
    ("storefront", {"channel_ids": [1, 2]}, {"channel_id"}),
    ("storefront", {"expires_at": None}, {"expires_at"}),
    ("storefront", {"expires_at": "tomorrow"}, {"expires_at"}),
    ("storefront", {"expires_at": True}, {"expires_at"}),
    ("storefront", {"expires_at": 1_700_000_000}, {"expires_at"}),
    ("storefront", {"allowed_cors_origins": []}, {"allowed_cors_origins"}),
    ("storefront", {"allowed_cors_origins": [ORIGIN] * 3}, {"allowed_cors_origins"}),
    ("storefront", {"allowed_cors_origins": ORIGIN}, {"allowed_cors_origins"}),
    ("storefront", {"allowed_cors_origins": [f"{ORIGIN}/path"]}, {"allowed_cors_origins"}),
    ("storefront", {"allowed_cors_origins": ["fresh-roast.example"]}, {"allowed_cors_origins"}),
    ("private", {"scopes": []}, {"scopes"}),
    ("private", {"scopes": None}, {"scopes"}),
    ("private", {"scopes": ["Everything"]}, {"scopes"}),
    ("private", {"allowed_cors_origins": [1]}, {"allowed_cors_origins"}),
    ("impersonation", {"channel_id": None, "expires_at": None}, {"channel_id", "expires_at"}),
]


@pytest.mark.parametrize(("kind", "changes", "fields"), MISTAKES)
def test_bodies_that_are_refused(kind: str, changes: dict[str, Any], fields: set[str], make_api: MakeApi) -> None:
    api = make_api(EVERYTHING)
    answer = api.post(PATHS[kind], good(kind) | changes)
    assert (answer.status_code, set(answer.json()["errors"])) == (422, fields)
    assert api.client.storefront_tokens(api.hash) == []


def test_private_tokens_and_origins(make_api: MakeApi) -> None:
    """The sheet does not say whether a private token needs origins: a setting."""
    api = make_api(EVERYTHING)
    jwt = make(api, "private", allowed_cors_origins=[ORIGIN])
    assert [use(api, jwt, origin).status_code for origin in (None, ORIGIN)] == [200, 200]
    api.settings(private_token_origins="required")
    assert api.post(PATHS["private"], good("private")).status_code == 422
    assert make(api, "private", allowed_cors_origins=[ORIGIN])


MANAGE = {"Storefront API tokens": "manage"}
IMPERSONATE = {"Storefront API customer impersonation tokens": "manage"}


@pytest.mark.parametrize(
    ("rows", "opened"),
    [({}, set()), (MANAGE, {"storefront", "private", "revoke"}), (IMPERSONATE, {"impersonation"})],
)
def test_rights_of_the_account(rows: dict[str, str], opened: set[str], make_api: MakeApi) -> None:
    api = make_api(rows)
    answers = {kind: api.post(path, {}) for kind, path in PATHS.items()} | {"revoke": api.call("DELETE", TOKEN)}
    for name, answer in answers.items():
        if name in opened:
            assert answer.status_code == 422
        else:
            assert (answer.status_code, title(answer)) == (403, MISSING_SCOPE)
    api.token = "unknown"
    assert {api.post(path, good(kind)).status_code for kind, path in PATHS.items()} == {401}


def test_revoke_needs_a_token_of_this_store(make_api: MakeApi) -> None:
    api, other = make_api(EVERYTHING), make_api(EVERYTHING)
    jwt = make(other)
    assert api.call("DELETE", TOKEN).status_code == 422
    assert (revoke(api, "no jwt").status_code, revoke(api, jwt).status_code) == (422, 422)
    assert use(other, jwt).status_code == 200
    assert use(api, jwt).status_code == 401


def test_revocation_that_takes_its_time(make_api: MakeApi) -> None:
    api = make_api(EVERYTHING, storefront_revocation_delay=600)
    jwt = make(api)
    assert (revoke(api, jwt).status_code, use(api, jwt).status_code) == (200, 200)
    api.settings(clock_offset=601)
    assert use(api, jwt).status_code == 401


def test_expiry(make_api: MakeApi) -> None:
    api = make_api(EVERYTHING)
    jwt = make(api)
    api.settings(clock_offset=LIFETIME - 60)
    assert use(api, jwt).status_code == 200
    api.settings(clock_offset=LIFETIME)
    assert use(api, jwt).status_code == 401


@pytest.mark.parametrize(("die", "status"), [(False, 200), (True, 401)])
def test_whether_it_dies_with_its_account(die: bool, status: int, make_api: MakeApi) -> None:
    api = make_api(EVERYTHING, storefront_tokens_die_with_account=die)
    jwt = make(api)
    api.delete_account()
    assert use(api, jwt).status_code == status


def test_origins_are_checked(make_api: MakeApi) -> None:
    """A plain token is for browsers: other origins and servers (no origin) are refused, dead tokens before that."""
    api = make_api(EVERYTHING)
    plain, private = make(api), make(api, "private")
    assert use(api, plain).headers["access-control-allow-origin"] == ORIGIN
    assert [use(api, plain, origin).status_code for origin in (None, "https://elsewhere.example")] == [403, 403]
    assert [use(api, private, origin).status_code for origin in (None, "https://elsewhere.example")] == [200, 200]
    api.settings(graphql_refusal="401")
    assert use(api, plain, None).status_code == 401
    api.settings(storefront_server_use=True)
    assert use(api, plain, None).status_code == 200
    revoke(api, plain)
    assert use(api, plain, "https://elsewhere.example").status_code == 401


def test_what_is_no_query(make_api: MakeApi) -> None:
    api = make_api(EVERYTHING)
    jwt = make(api)
    url = f"{api.store.storefront_url}/graphql"
    bodies: tuple[Any, ...] = ({}, [], None)
    assert [use(api, jwt, body=body).status_code for body in bodies] == [400] * 3
    assert api.http.get(url, headers={"Authorization": f"Bearer {jwt}", "Origin": ORIGIN}).status_code == 400
    assert api.http.post(url, json=QUERY).status_code == 401
    assert api.http.post(url, json=QUERY, headers={"Authorization": f"Basic {jwt}"}).status_code == 401
    assert api.http.get(f"{api.store.storefront_url}/").status_code == 404


def test_every_channel_has_a_host_of_its_own(make_api: MakeApi) -> None:
    """As public code calls the GraphQL API: only tokens of the channel are good there, and the panel is elsewhere."""
    api = make_api(EVERYTHING, channels=[1, 7])
    plain, seventh = make(api), make(api, channel_id=7)
    host = api.store.storefront_url.replace(f"store-{api.hash}.", f"store-{api.hash}-7.")

    def status(jwt: str) -> int:
        headers = {"Authorization": f"Bearer {jwt}", "Origin": ORIGIN}
        return api.http.post(f"{host}/graphql", json=QUERY, headers=headers).status_code

    assert (status(plain), status(seventh)) == (401, 200)
    assert use(api, seventh).status_code == 200
    assert api.http.get(f"{host}/manage").status_code == 404
    assert api.http.post(f"{host.replace('-7.', '-8.')}/graphql", json=QUERY).status_code == 404
