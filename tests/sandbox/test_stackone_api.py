"""StackOne's public API (sheet stackone.md): the trap rows of section 8 that are not the Hub's."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.client import ControlError
from sandbox.server_process import ServerProcess, start
from sandbox.stackone.client import ApiKeyValue
from tests.sandbox.browser import ADMIN_PASSWORD, tls
from tests.sandbox.stackone import USER_AGENT, MakeStackOne, StackOneApi


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


# --- T1, T24: what is not there -------------------------------------------------------------------------------------

ABSENT = [
    ("POST", "/accounts"),
    ("PUT", "/accounts/1"),
    ("POST", "/v2/accounts"),
    ("PATCH", "/v2/accounts/1"),
    ("DELETE", "/v2/accounts/1"),
    ("POST", "/webhooks"),
    ("GET", "/webhooks"),
    ("GET", "/nonsense"),
]


@pytest.mark.parametrize(("method", "path"), ABSENT)
def test_routes_that_do_not_exist(method: str, path: str, make_stackone: MakeStackOne) -> None:
    answer = make_stackone().call(method, path, json={})
    assert (answer.status_code, answer.json()["message"]) == (404, f"Cannot {method} {path}")


def test_an_account_appears_through_a_session_alone(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    token = api.session()["token"]
    assert api.list() == []
    assert api.send(token, api.values()).status_code == 201
    assert [account["status"] for account in api.list()] == ["active"]


# --- T2: the overwrite rule -----------------------------------------------------------------------------------------

SECOND: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {}, True),
    ({"label": "another"}, {}, True),
    ({"provider": None}, {}, True),
    ({"origin_owner_name": "Another name"}, {}, True),
    ({"origin_owner_name": "Another name"}, {"owner_key": "id_and_name"}, False),
    ({"multiple": True}, {}, False),
    ({"origin_owner_id": "other"}, {}, False),
]


@pytest.mark.parametrize(("fields", "settings", "overwrites"), SECOND)
def test_a_second_session_of_the_same_owner(
    fields: dict[str, Any], settings: dict[str, Any], overwrites: bool, make_stackone: MakeStackOne
) -> None:
    api = make_stackone(**settings)
    first, second = api.pair(), api.pair()
    one = api.link(pair=first)
    other = api.link(pair=second, **fields)
    assert (one == other) is overwrites
    assert api.held(one).consumer_secret_sha256 == digest((second if overwrites else first).consumer_secret)
    assert len(api.list()) == (1 if overwrites else 2)


def test_an_overwritten_account_keeps_id_and_creation_and_moves(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    before = api.read(api.link(label="north"))
    after = api.read(api.link(origin_owner_name="Renamed"))
    assert [before[name] for name in ("id", "created_at", "label")] == [
        after[name] for name in ("id", "created_at", "label")
    ]
    assert after["updated_at"] > before["updated_at"]
    assert after["origin_owner_name"] == "Renamed"


# --- Sessions -------------------------------------------------------------------------------------------------------


def test_a_session_answers_what_it_is_for(make_stackone: MakeStackOne, server: ServerProcess) -> None:
    api = make_stackone()
    session = api.session("acme", label="north", metadata={"team": "parts"}, expires_in=60)
    link = f"{server.url}/hub.stackone.com/connect?token={session['token']}"
    assert session["auth_link_url"] == link
    assert isinstance(session["id"], int)
    again = api.call("POST", "/connect_sessions/authenticate", json={"token": session["token"]}).json()
    assert again == {name: value for name, value in session.items() if name not in {"token", "auth_link_url"}}
    assert (again["label"], again["metadata"], again["provider"]) == ("north", {"team": "parts"}, "woocommerce")
    api.settings(clock_offset=61.0)
    assert api.call("POST", "/connect_sessions/authenticate", json={"token": session["token"]}).status_code == 401
    (row,) = api.control.stackone.sessions(api.organisation.name)
    assert (row.id, row.expired, row.linked_account) == (session["id"], True, None)


BAD_SESSIONS: list[tuple[dict[str, Any], int]] = [
    ({"origin_owner_id": ""}, 400),
    ({"origin_owner_name": None}, 400),
    ({"provider": 5}, 400),
    ({"expires_in": 0}, 400),
    ({"expires_in": "soon"}, 400),
    ({"provider_version": "1"}, 400),
    ({"account_id": "404"}, 404),
    ({"integration_id": "another"}, 404),
]


@pytest.mark.parametrize(("fields", "status"), BAD_SESSIONS)
def test_sessions_that_are_refused(fields: dict[str, Any], status: int, make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    body = {"origin_owner_id": "acme", "origin_owner_name": "Acme", "provider": "woocommerce"} | fields
    answer = api.call("POST", "/connect_sessions", json=body)
    assert (answer.status_code, api.control.stackone.sessions(api.organisation.name)) == (status, [])
    assert set(answer.json()) == {"statusCode", "message", "timestamp"}


def test_the_deprecated_version_may_be_ignored(make_stackone: MakeStackOne) -> None:
    """T8."""
    assert make_stackone(provider_version="ignored").session(provider_version="1")["token"]


def test_a_body_that_is_no_object(make_stackone: MakeStackOne) -> None:
    assert make_stackone().call("POST", "/connect_sessions", content=b"[]").status_code == 400


# --- T5, T6, T7: who may ask ----------------------------------------------------------------------------------------


def test_only_basic_with_a_key_and_an_empty_password_lets_in(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    url, agent = f"{api.organisation.api_url}/accounts", {"User-Agent": USER_AGENT}
    assert api.http.get(url, auth=(api.key, ""), headers=agent).status_code == 200
    assert api.http.get(f"{api.organisation.eu_api_url}/accounts", auth=(api.key, ""), headers=agent).status_code == 200
    refused = [
        api.http.get(url, headers=agent),
        api.http.get(url, auth=(api.key, "x"), headers=agent),
        api.http.get(url, auth=("v1.eu1.wrong", ""), headers=agent),
        api.http.get(url, headers=agent | {"Authorization": f"Bearer {api.key}"}),
        api.http.get(url, headers=agent | {"Authorization": "Basic !"}),
        api.http.get(url, headers=agent | {"x-hub-session-token": api.session()["token"]}),
    ]
    assert [answer.status_code for answer in refused] == [401] * len(refused)
    assert refused[0].json()["statusCode"] == 401


def test_a_revoked_key_is_a_bad_one(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    (key_id,) = api.control.stackone.get(api.organisation.name).keys
    api.control.stackone.delete_key(api.organisation.name, key_id)
    assert api.call("GET", "/accounts").status_code == 401


CALLS = {
    "session": ("POST", "/connect_sessions"),
    "list": ("GET", "/accounts"),
    "patch": ("PATCH", "/accounts/1"),
    "delete": ("DELETE", "/accounts/1"),
    "v2": ("GET", "/v2/accounts"),
    "connector": ("GET", "/connectors/meta/woocommerce"),
    "act": ("POST", "/actions/rpc"),
    "proxy": ("POST", "/unified/proxy"),
}
ALLOWED: list[tuple[tuple[str, ...], dict[str, Any], set[str]]] = [
    (("full",), {}, set(CALLS)),
    (("read_only",), {}, {"list", "v2", "connector"}),
    (("accounts",), {}, {"session", "list", "patch", "delete", "v2", "connector"}),
    (("actions",), {}, {"connector", "act", "proxy"}),
    (("accounts", "actions"), {}, set(CALLS)),
    (("accounts",), {"accounts_key_may_act": True}, set(CALLS)),
]


@pytest.mark.parametrize(("scopes", "settings", "allowed"), ALLOWED)
def test_scopes_of_keys(
    scopes: tuple[str, ...], settings: dict[str, Any], allowed: set[str], make_stackone: MakeStackOne
) -> None:
    api = make_stackone(*scopes, **settings)
    statuses = {name: api.call(*call, json={}).status_code for name, call in CALLS.items()}
    assert {name for name, status in statuses.items() if status != 403} == allowed


AGENTS = [("", 403), ("python-httpx/0.28", 403), ("curl/8.0", 403), ("Python/3.11 aiohttp/3.9", 403), (USER_AGENT, 200)]


@pytest.mark.parametrize(("agent", "status"), AGENTS)
def test_anonymous_clients(agent: str, status: int, make_stackone: MakeStackOne) -> None:
    api = make_stackone(refuse_anonymous=True)
    assert api.call("GET", "/accounts", headers={"User-Agent": agent}).status_code == status
    api.settings(refuse_anonymous=False)
    assert api.call("GET", "/accounts", headers={"User-Agent": agent}).status_code == 200


# --- T9, T10: lists and what they show ------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["bare", "data"])
def test_list_shapes_and_pages(shape: str, make_stackone: MakeStackOne) -> None:
    api = make_stackone(list_shape=shape, page_size=2)
    linked = [api.link(owner) for owner in ("one", "two", "three")]

    def ids(**query: Any) -> list[str]:
        document = api.list(**query)
        assert isinstance(document, list) is (shape == "bare")
        return [account["id"] for account in (document if shape == "bare" else document["data"])]

    assert [ids(), ids(page=2), ids(page=3)] == [linked[:2], linked[2:], []]
    assert ids(page_size=25) == linked
    assert api.call("GET", "/accounts?page=0").status_code == 400


def test_filters(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    one, two = api.link("one"), api.link("two")
    api.control.stackone.change_account(api.organisation.name, two, status="suspended")
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"origin_owner_id": "two"}, [two]),
        ({"origin_owner_ids": ["one", "two"]}, [one, two]),
        ({"provider": "woocommerce", "account_ids[]": one}, [one]),
        ({"providers": "shopify"}, []),
        ({"status": "active,error"}, [one]),
        ({"status[]": ["suspended"]}, [two]),
    ]
    assert [[account["id"] for account in api.list(**query)] for query, _ in cases] == [ids for _, ids in cases]


def test_no_secret_comes_back(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    pair = api.pair()
    account_id = api.link(pair=pair)
    answers = [api.call("GET", path) for path in (f"/accounts/{account_id}", "/accounts", f"/v2/accounts/{account_id}")]
    answers.append(api.call("PATCH", f"/accounts/{account_id}", json={"label": "north"}))
    for answer in answers:
        assert pair.consumer_key not in answer.text
        assert pair.consumer_secret not in answer.text
    assert answers[0].json()["credentials"] == {}
    assert answers[0].json()["setup_information"] == {"storeUrl": api.store_url}
    api.settings(placeholders_in_setup_information=True)
    shown = api.read(account_id)["setup_information"]["consumerSecret"]
    assert shown == f"__secretvalue:**redacted**{pair.consumer_secret[-4:]}"


# --- T14 to T17: what becomes of an account -------------------------------------------------------------------------


def test_late_error(make_stackone: MakeStackOne) -> None:
    api = make_stackone(late_error_after_reads=2)
    account_id = api.link()
    shown = [api.read(account_id), api.list()[0], api.read(account_id)]
    assert [account["status"] for account in shown] == ["active", "active", "error"]
    assert set(shown[2]["status_reasons"][0]) == {"code", "description", "timestamp"}
    assert shown[2]["updated_at"] > shown[0]["updated_at"]


@pytest.mark.parametrize(
    ("status", "expected"), [("suspended", 412), ("inactive", 412), ("active", 200), ("error", 200)]
)
def test_data_calls_by_status(status: str, expected: int, make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    account_id = api.link()
    api.control.stackone.change_account(api.organisation.name, account_id, status=status, reason="by hand")
    assert api.act(account_id).status_code == expected
    assert [reason["description"] for reason in api.read(account_id)["status_reasons"]] == ["by hand"]


def test_an_action_is_done_with_the_stores_key(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    pair = api.pair()
    account_id = api.link(pair=pair)
    assert api.act(account_id).json()["data"]
    proxied = api.call(
        "POST",
        "/unified/proxy",
        json={"path": "/wp-json/wc/v3/orders", "method": "get"},
        headers={"x-account-id": account_id},
    )
    assert proxied.status_code == 200
    assert [row.store for row in api.control.find_value(pair.consumer_secret)].count(api.store) == 3
    api.control.delete_key(api.store, pair.key_id)
    dead = api.act(account_id)
    assert (dead.status_code, dead.json()["provider_errors"][0]["status"]) == (401, 401)
    assert pair.consumer_secret not in dead.text
    api.settings(store_refusal_status=422)
    assert api.act(account_id).status_code == 422
    assert api.read(account_id)["status"] == "active"


def test_an_action_without_an_answer_of_the_store(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    account_id = api.link()
    api.control.add_fault("drop_before", store=api.store, times=None)
    answer = api.act(account_id)
    assert (answer.status_code, answer.json()["message"]) == (502, "the store does not answer")


ACTIONS = [
    ("woocommerce_list_products", 200),
    ("list_orders", 200),
    ("woocommerce_list_product_categories", 200),
    ("woocommerce_get_product", 200),
    ("woocommerce_create_product", 404),
    ("woocommerce_list_robots", 404),
]


@pytest.mark.parametrize(("action", "status"), ACTIONS)
def test_actions(action: str, status: int, make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    assert api.act(api.link(), action).status_code == status


@pytest.mark.parametrize(("header", "status"), [({}, 400), ({"x-account-id": "1"}, 404)])
def test_an_action_needs_an_account(header: dict[str, str], status: int, make_stackone: MakeStackOne) -> None:
    answer = make_stackone().call("POST", "/actions/rpc", json={"action": "list_products"}, headers=header)
    assert answer.status_code == status


PATCHES: list[tuple[dict[str, Any], str, bool, str, int]] = [
    # settings, bag, whether the new pair counts, status of the account, status of the answer
    ({}, "credentials", True, "active", 200),
    ({}, "secrets", False, "active", 200),
    ({"patch_bag": "secrets"}, "secrets", True, "active", 200),
    ({"patch_bag": "secrets"}, "credentials", False, "active", 200),
    ({"patch_bag": "either"}, "secrets", True, "active", 200),
    ({"patch_leaves_error": True}, "credentials", True, "error", 200),
]


@pytest.mark.parametrize("moves", [True, False])
@pytest.mark.parametrize(("settings", "bag", "counts", "status", "answered"), PATCHES)
def test_patch_of_credentials(
    settings: dict[str, Any],
    bag: str,
    counts: bool,
    status: str,
    answered: int,
    moves: bool,
    make_stackone: MakeStackOne,
) -> None:
    api = make_stackone(patch_moves_updated_at=moves, **settings)
    old, new = api.pair(), api.pair()
    account_id = api.link(pair=old)
    before = api.read(account_id)["updated_at"]
    answer = api.call("PATCH", f"/accounts/{account_id}", json={bag: api.values(new)})
    assert (answer.status_code, answer.json()["status"], answer.json()["credentials"]) == (answered, status, {})
    assert api.held(account_id).consumer_secret_sha256 == digest((new if counts else old).consumer_secret)
    assert (api.read(account_id)["updated_at"] > before) is moves


TESTED = [("none", 200, "active", True), ("reject", 400, "active", False), ("error", 200, "error", True)]


@pytest.mark.parametrize(("test", "answered", "status", "stored"), TESTED)
def test_patch_with_a_bad_pair(
    test: str, answered: int, status: str, stored: bool, make_stackone: MakeStackOne
) -> None:
    api = make_stackone(patch_test=test)
    account_id = api.link()
    bad = api.values(consumerSecret="cs_" + "0" * 40)
    answer = api.call("PATCH", f"/accounts/{account_id}", json={"credentials": bad})
    assert answer.status_code == answered
    assert api.read(account_id)["status"] == status
    assert (api.held(account_id).consumer_secret_sha256 == digest(bad["consumerSecret"])) is stored
    assert api.act(account_id).status_code == (401 if stored else 200)


def test_an_account_deleted_while_the_store_is_asked(make_stackone: MakeStackOne) -> None:
    api = make_stackone(patch_test="reject")
    account_id, values = api.link(), api.values()
    rule = api.control.add_fault("hang", store=api.store)
    with ThreadPoolExecutor(1) as pool:
        patch = pool.submit(api.call, "PATCH", f"/accounts/{account_id}", json={"credentials": values})
        api.control.wait_for_fault(rule)
        api.control.stackone.delete_account(api.organisation.name, account_id)
        api.control.release(rule)
        assert patch.result().status_code == 404
    assert api.list() == []


def test_patch_repairs_an_error_but_no_suspension(make_stackone: MakeStackOne) -> None:
    api = make_stackone(patch_test="error")
    account_id = api.link()
    for status, expected in (("error", "active"), ("expired", "active"), ("suspended", "suspended")):
        api.control.stackone.change_account(api.organisation.name, account_id, status=status, reason="broken")
        answer = api.call("PATCH", f"/accounts/{account_id}", json={"credentials": api.values()})
        assert answer.json()["status"] == expected


def test_patch_of_other_fields(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    account_id = api.link()
    body = {
        "label": "north",
        "origin_owner_name": "Acme Parts",
        "metadata": {"team": "parts"},
        "shared": True,
        "setup_information": {"storeUrl": f"{api.store_url}-moved"},
    }
    api.call("PATCH", f"/accounts/{account_id}", json=body)
    shown = api.read(account_id)
    assert {name: shown[name] for name in body} == body
    assert api.call("PATCH", f"/accounts/{account_id}", json={"provider": "shopify"}).status_code == 422
    api.link("other")
    assert api.call("PATCH", f"/accounts/{account_id}", json={"origin_owner_id": "other"}).status_code == 409
    assert api.call("PATCH", f"/accounts/{account_id}", json={"credentials": {"consumerKey": 1}}).status_code == 400


def test_a_placeholder_sent_back_breaks_the_account(make_stackone: MakeStackOne) -> None:
    """T11."""
    api = make_stackone()
    account_id = api.link()
    rubbish = "__secretvalue:**redacted**ab12"
    answer = api.call("PATCH", f"/accounts/{account_id}", json={"credentials": {"consumerSecret": rubbish}})
    assert (answer.status_code, answer.json()["status"]) == (200, "error")
    assert api.held(account_id).consumer_secret_sha256 == digest(rubbish)
    assert api.act(account_id).status_code == 401


def test_statuses_are_an_open_enumeration(make_stackone: MakeStackOne) -> None:
    """T17."""
    api = make_stackone(link_status="under_review")
    assert api.read(api.link())["status"] == "under_review"


# --- T19 to T22 -----------------------------------------------------------------------------------------------------


def test_delete_twice(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    account_id = api.link()
    deleted = api.call("DELETE", f"/accounts/{account_id}")
    assert (deleted.status_code, deleted.json()["id"]) == (200, account_id)
    assert [api.call(method, f"/accounts/{account_id}").status_code for method in ("GET", "DELETE", "PATCH")] == [
        404
    ] * 3
    assert api.list() == []


def test_a_delete_whose_answer_is_lost(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    account_id = api.link()
    api.control.add_fault("drop_after", store=api.organisation.site, operation="account_delete")
    with pytest.raises(httpx.TransportError):
        api.call("DELETE", f"/accounts/{account_id}")
    assert api.call("GET", f"/accounts/{account_id}").status_code == 404


@pytest.mark.parametrize("status", [408, 409, 422, 429, 501, 502])
def test_statuses_to_retry_or_not(status: int, make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    api.control.stackone.fail(api.organisation.name, status, "accounts_list", retry_after=7)
    refused = api.call("GET", "/accounts")
    assert (refused.status_code, refused.headers["retry-after"]) == (status, "7")
    assert (refused.json()["statusCode"], set(refused.json())) == (status, {"statusCode", "message", "timestamp"})
    assert api.call("GET", "/accounts").status_code == 200


@pytest.mark.parametrize(("connector", "active"), [("active", True), ("inactive", False), ("missing", None)])
def test_connectors(connector: str, active: bool | None, make_stackone: MakeStackOne) -> None:
    api = make_stackone(connector=connector)
    one, every = api.call("GET", "/connectors/meta/woocommerce"), api.call("GET", "/connectors/meta").json()
    assert one.status_code == (404 if active is None else 200)
    assert [entry["active"] for entry in every] == ([] if active is None else [active])
    assert "consumer" not in one.text.lower()
    assert api.call("GET", "/connectors/meta/shopify").status_code == 404


def test_meta_of_an_account(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    assert set(api.call("GET", f"/accounts/{api.link()}/meta").json()) == {"provider", "category", "models"}


V2_STATUSES = [("active", "active"), ("suspended", "suspended"), ("archived", "error"), ("under_review", "error")]


@pytest.mark.parametrize(("status", "expected"), V2_STATUSES)
def test_v2(status: str, expected: str, make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    account_id = api.link()
    api.control.stackone.change_account(api.organisation.name, account_id, status=status)
    one = api.call("GET", f"/v2/accounts/{account_id}").json()
    assert one["status"] == expected
    profile = one["connector_profile_id"]
    lists = [api.list("/v2/accounts", connector_profile_id=wanted)["data"] for wanted in (profile, "another")]
    assert [len(found) for found in lists] == [1, 0]
    api.settings(v2=False)
    assert [api.call("GET", f"/v2/accounts{rest}").status_code for rest in ("", f"/{account_id}")] == [404, 404]


def test_what_the_sheet_does_not_know(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    write = api.call("POST", "/unified/proxy", json={"path": "/orders", "method": "post"})
    assert [write.status_code, api.call("GET", "/requests/logs").status_code] == [501, 501]


# --- The control API ------------------------------------------------------------------------------------------------


def test_organisations_do_not_see_each_other(make_stackone: MakeStackOne) -> None:
    one, other = make_stackone(), make_stackone()
    account_id = one.link()
    assert other.list() == []
    assert other.call("GET", f"/accounts/{account_id}").status_code == 404
    assert (
        other.call("POST", "/connect_sessions/authenticate", json={"token": one.session()["token"]}).status_code == 401
    )


def test_control_shows_no_secret(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    pair = api.pair()
    api.link(pair=pair)
    key = api.control.stackone.create_key(api.organisation.name, "accounts", region="us1")
    assert key.value.startswith("v1.us1.")
    assert key.value not in repr(key)
    (row,) = api.control.stackone.accounts(api.organisation.name)
    assert (row.store_url, row.consumer_key_sha256) == (api.store_url, digest(pair.consumer_key))
    everything = repr((row, api.control.stackone.all(), api.control.stackone.sessions(api.organisation.name)))
    for secret in (api.key, key.value, pair.consumer_secret, pair.consumer_key):
        assert secret not in everything


def test_control_refuses_what_makes_no_sense(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    stackone, name = api.control.stackone, api.organisation.name
    account_id = api.link()
    refused: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
        (stackone.create, (name,), {}),
        (stackone.create, ("Bad Name",), {}),
        (stackone.create, ("another",), {"nonsense": 1}),
        (stackone.change_settings, (name,), {"field_keys": ["a", "a", "b"]}),
        (stackone.change_settings, (name,), {"list_shape": "odd"}),
        (stackone.create_key, (name, "everything"), {}),
        (stackone.delete_key, (name, 404), {}),
        (stackone.change_account, (name, account_id), {"secret": "x"}),
        (stackone.delete_account, (name, "404"), {}),
        (stackone.get, ("nobody",), {}),
    ]
    for call, arguments, options in refused:
        with pytest.raises(ControlError):
            call(*arguments, **options)


def test_an_account_deleted_by_hand_and_an_organisation_taken_away(make_stackone: MakeStackOne) -> None:
    api = make_stackone()
    account_id = api.link()
    api.control.stackone.delete_account(api.organisation.name, account_id)
    assert api.call("GET", f"/accounts/{account_id}").status_code == 404
    token = api.session()["token"]
    api.control.stackone.delete(api.organisation.name)
    assert api.call("GET", "/accounts").status_code == 401
    assert api.hub(token, "GET", "/settings").status_code == 401


def test_everything_outlives_the_process(tmp_path: Path) -> None:
    with start(tmp_path) as first, httpx.Client(verify=tls(first.ca), trust_env=False) as http:
        port = int(first.url.rpartition(":")[2])
        url = first.client.create_store("shop", "11.0.1", ADMIN_PASSWORD)
        organisation = first.client.stackone.create("acme", list_shape="data")
        key: ApiKeyValue = first.client.stackone.create_key("acme", "full")
        api = StackOneApi(http, first.client, organisation, key.value, "shop", url)
        account_id, token = api.link(), api.session()["token"]
        first.kill()
    with start(tmp_path, port) as second, httpx.Client(verify=tls(second.ca), trust_env=False) as http:
        api = StackOneApi(http, second.client, second.client.stackone.get("acme"), key.value, "shop", url)
        assert [account["id"] for account in api.list()["data"]] == [account_id]
        assert api.hub(token, "GET", "/settings").status_code == 200
        assert api.act(account_id).status_code == 200
