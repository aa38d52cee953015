"""Accounts and what they own: the table of scopes, the rules of saving, webhooks that vanish, the control API."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sandbox.bigcommerce import scopes
from sandbox.bigcommerce.state import CREATE, DELETE, LIST, NotPermittedError, State, StateError, Store
from sandbox.client import Client, ControlError
from sandbox.server_process import ServerProcess, start
from tests.sandbox.gateway import EVERYTHING, LEVELS, STONE_EDGE, MakeApi, title

HOOK = {"scope": "store/order/*", "destination": "https://acme-parts.example/hook"}


@pytest.fixture
def state(tmp_path: Path) -> Any:
    state = State(tmp_path / "bigcommerce.sqlite", b"key")
    yield state
    state.close()


@pytest.fixture
def store(state: State) -> Store:
    return state.create_store("freshroast")


# The table


def test_table_of_scopes() -> None:
    with scopes.SOURCE.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 101
    assert [row.position for row in scopes.PANEL_ROWS] == list(range(1, 26))
    assert {row.label: row.words[1:] for row in scopes.PANEL_ROWS} == LEVELS
    assert {row.words[0] for row in scopes.PANEL_ROWS} == {"none"}


@pytest.mark.parametrize(
    ("label", "level", "parameter"),
    [
        ("Content", "none", ""),
        ("Checkout content", "modify", "store_content_checkout"),
        ("Themes", "modify", "store_themes_manage"),
        ("Carts", "read-only", "store_cart_read_only"),
        ("Store logs", "read-only", "store_logs_read_only"),
        ("Metafields access", "full", "store_metafield_write_all"),
    ],
)
def test_parameters(label: str, level: str, parameter: str) -> None:
    assert scopes.ROWS[label].parameter(level) == parameter


def test_grant_of_the_stone_edge_account(state: State, store: Store) -> None:
    state.change_settings(store, {"metafields": False})
    made = state.create_account(store, "Stone Edge", STONE_EDGE)
    assert made.account.parameters == (
        "store_v2_content_read_only",
        "store_content_checkout",
        "store_v2_customers",
        "store_v2_orders",
        "store_v2_transactions",
        "store_v2_products",
        "store_cart",
        "store_checkout",
        "store_locations_read_only",
        "store_inventory",
        "store_fulfillment_methods_manage",
        "store_order_fulfillment_manage",
    )
    assert list(made.account.levels) == [row.label for row in scopes.PANEL_ROWS]


def test_every_level_of_every_row(state: State, store: Store) -> None:
    state.change_settings(store, dict.fromkeys(scopes.SWITCHABLE, True) | {"account_limit": 200})
    offered = {row.label for row in store.rows}
    for row in scopes.ROWS.values():
        for level in row.levels:
            if row.label not in offered:
                with pytest.raises(StateError, match="no row"):
                    state.create_account(store, "one row", {row.label: level.word})
                continue
            account = state.create_account(store, "one row", {row.label.upper(): level.word.title()}).account
            assert account.levels[row.label] == level.word
            others = {label: word for label, word in account.levels.items() if label != row.label}
            assert set(others.values()) <= {"none", "standard"}
            assert account.parameters.count(level.parameter) == (1 if level.parameter else 0)


@pytest.mark.parametrize(
    ("switches", "number"),
    [
        ({"metafields": False}, 25),
        ({}, 27),
        ({"translations": True}, 28),
        ({"b2b": True}, 28),
        ({"infrastructure": True}, 30),
    ],
)
def test_newer_rows(switches: dict[str, bool], number: int, state: State, store: Store) -> None:
    state.change_settings(store, switches)
    assert len(store.rows) == number
    levels = state.create_account(store, "nothing chosen", {}).account.levels
    assert levels.get("Metafields access") == (None if switches.get("metafields") is False else "standard")
    assert {word for label, word in levels.items() if label != "Metafields access"} == {"none"}


# Saving

REFUSED = [
    ("abc", {}, "at least 4"),
    ("  abc  ", {}, "at least 4"),
    ("a name that is too long", {}, "at most 20"),
    ("good name", {"Catalog": "modify"}, "no row 'Catalog'"),
    ("good name", {"Content": "manage"}, "none, read-only, modify"),
    ("good name", {"Content": "modify", "content": "modify"}, "twice"),
    ("good name", {"Store logs": "modify"}, "none, read-only"),
    ("good name", {"App extensions": "manage"}, "no row"),
]


@pytest.mark.parametrize(("name", "rows", "message"), REFUSED)
def test_what_cannot_be_saved(name: str, rows: dict[str, str], message: str, state: State, store: Store) -> None:
    state.change_settings(store, {"title_maximum": 20})
    with pytest.raises(StateError, match=message):
        state.create_account(store, name, rows)
    assert state.accounts(store) == []


def test_token_types(state: State, store: Store) -> None:
    with pytest.raises(StateError, match="token type"):
        state.create_account(store, "good name", {}, token_type="App token")
    made = state.create_account(store, "stencil", {"Content": "modify"}, token_type="Stencil-CLI token")
    assert (made.account.token_type, made.account.levels) == ("Stencil-CLI token", {})


def test_limit(state: State, store: Store) -> None:
    accounts = [state.create_account(store, f"account {number}", {}).account for number in range(50)]
    with pytest.raises(StateError, match="at most 50"):
        state.create_account(store, "one too many", {})
    state.delete_account(store, accounts[7].id)
    state.create_account(store, "fits again", {})
    assert len(state.accounts(store)) == 50


def test_permissions(state: State, store: Store) -> None:
    owner = state.add_user(store, {"mail": "owner@acme-parts.example", "password": "x", "role": "owner"})
    users = {
        permission: state.add_user(
            store, {"mail": f"{permission}@acme-parts.example", "password": "x", "permissions": [permission]}
        )
        for permission in (CREATE, LIST, DELETE)
    }
    account = state.create_account(store, "by the owner", {}, by=owner).account
    for permission, user in users.items():
        deeds: dict[str, Callable[[], object]] = {
            CREATE: partial(state.create_account, store, "by a user", {}, by=user),
            LIST: partial(state.accounts, store, by=user),
            DELETE: partial(state.delete_account, store, account.id, by=user),
        }
        for needed, deed in deeds.items():
            if needed == permission:
                deed()
            else:
                with pytest.raises(NotPermittedError, match=needed):
                    deed()
    assert [one.title for one in state.accounts(store, by=owner)] == ["by a user"]


def test_sessions(state: State, store: Store) -> None:
    other = state.create_store("acmeparts")
    state.add_user(store, {"mail": "Owner@acme-parts.example", "password": "right", "role": "owner"})
    assert state.log_in(store, "owner@acme-parts.example", "wrong") is None
    assert state.log_in(other, "owner@acme-parts.example", "right") is None
    session = state.log_in(store, "OWNER@acme-parts.example", "right")
    assert session is not None
    assert state.session(store, session.token) == session
    assert state.session(other, session.token) is None
    state.log_out(session)
    assert state.session(store, session.token) is None


BAD_USERS: list[tuple[dict[str, Any], str]] = [
    ({"mail": "nobody", "password": "x"}, "mail address"),
    ({"mail": "a@b.example"}, "password"),
    ({"mail": "a@b.example", "password": "x", "role": "king"}, "role"),
    ({"mail": "a@b.example", "password": "x", "permissions": ["Everything"]}, "permissions"),
]


@pytest.mark.parametrize(("user", "message"), BAD_USERS)
def test_bad_users(user: dict[str, Any], message: str, state: State) -> None:
    with pytest.raises(StateError, match=message):
        state.create_store("acmeparts", users=[user])
    assert state.store_at("acmeparts") is None
    assert state.create_store("acmeparts").store_hash == "acmeparts"


def test_secrets_are_kept_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "bigcommerce.sqlite"
    state = State(path, b"key")
    made = state.create_account(state.create_store("freshroast"), "Stone Edge", {})
    state.close()
    with sqlite3.connect(path) as database:
        held = "\n".join(database.iterdump())
    database.close()
    assert made.client_id in held
    for secret in (made.client_secret, made.access_token):
        assert secret not in held
        assert secret not in repr(made)
    again = State(path, b"key")
    found = again.account_of(made.access_token)
    assert found is not None
    assert (found[0].store_hash, found[1]) == ("freshroast", made.account)
    again.close()


# What accounts own


def test_webhooks_belong_to_their_account_and_vanish_with_it(make_api: MakeApi) -> None:
    api = make_api()
    other = api.other({})
    made = api.post("/v3/hooks", HOOK).json()["data"]
    other.post("/v3/hooks", HOOK)
    assert (made["client_id"], made["scope"]) == (api.account.client_id, HOOK["scope"])
    assert api.get("/v3/hooks").json()["data"] == [made]
    assert other.get(f"/v3/hooks/{made['id']}").status_code == 404
    assert other.call("DELETE", f"/v3/hooks/{made['id']}").status_code == 404
    assert [hook.account_id for hook in api.client.hooks(api.hash)] == [
        api.account.account_id,
        other.account.account_id,
    ]
    api.delete_account()
    assert [hook.account_id for hook in api.client.hooks(api.hash)] == [other.account.account_id]


def test_webhooks_change(make_api: MakeApi) -> None:
    api = make_api()
    path = f"/v3/hooks/{api.post('/v3/hooks', HOOK).json()['data']['id']}"
    assert api.call("PUT", path, {"is_active": False}).json()["data"]["is_active"] is False
    assert api.get(path).json()["data"]["is_active"] is False
    assert api.call("PUT", path, {"destination": "http://plain.example"}).status_code == 422
    assert api.post("/v3/hooks", {}).json()["errors"].keys() == {"scope", "destination"}
    assert api.call("DELETE", path).status_code == 200
    assert (api.get(path).status_code, api.get("/v3/hooks").json()["data"]) == (404, [])


METAFIELDS = "/v3/catalog/products/17/metafields"
METAFIELD = {"namespace": "erp", "key": "sku", "value": "1"}
SCRIPT = {"name": "tag", "src": "https://acme-parts.example/tag.js"}


def test_metafields_and_scripts_have_one_editor(make_api: MakeApi) -> None:
    rows = {"Products": "modify", "Content": "modify", "Metafield ownership": "manage"}
    api = make_api(rows)
    other = api.other(rows)
    field = api.post(METAFIELDS, METAFIELD).json()["data"]
    script = api.post("/v3/content/scripts", SCRIPT).json()["data"]
    assert field["owner_client_id"] == api.account.client_id
    assert api.get(f"/v3/content/scripts/{script['uuid']}").status_code == 200
    paths = (f"{METAFIELDS}/{field['id']}", f"/v3/content/scripts/{script['uuid']}")
    for path in paths:
        assert api.call("PUT", path, {"value": "2"}).json()["data"]["value"] == "2"
        assert other.call("PUT", path, {"value": "3"}).status_code == 403
    api.delete_account()
    # They stay, and nobody can edit them.
    assert [other.call("PUT", path, {"value": "3"}).status_code for path in paths] == [403, 403]
    (left,) = other.get(METAFIELDS).json()["data"]
    assert (left["value"], left["owner_client_id"]) == ("2", api.account.client_id)
    assert other.call("PUT", f"{METAFIELDS}/999999", {}).status_code == 404
    variables = {"input": {"newClientId": other.account.client_id, "metafieldIds": [field["id"]]}}
    query = "mutation M($input: I!) { metafield { reassignMetafieldsOwner(input: $input) { errors } } }"
    assert "errors" not in other.post("/graphql", {"query": query, "variables": variables}).json()
    assert other.call("PUT", paths[0], {"value": "3"}).status_code == 200


def test_admin_graphql_without_the_scope(make_api: MakeApi) -> None:
    """Its look is a setting (sheet 14.4)."""
    api = make_api(EVERYTHING)
    answer = api.post("/graphql", {"query": "{ store { id } }"})
    assert (answer.status_code, answer.json()["data"]) == (200, None)
    api.settings(graphql_missing_scope="403")
    assert api.post("/graphql", {}).status_code == 403
    other = api.other({"Metafield ownership": "manage"})
    assert "knows reassignMetafieldsOwner only" in other.post("/graphql", {"query": "{ store { id } }"}).text


# The control API


def test_accounts_by_hand(control: Client, make_api: MakeApi) -> None:
    api = make_api(STONE_EDGE)
    (row,) = api.client.accounts(api.hash)
    assert (row.id, row.title, row.client_id) == (api.account.account_id, "an account", api.account.client_id)
    assert row.levels == dict.fromkeys(LEVELS, "none") | STONE_EDGE | {
        "Metafield ownership": "none",
        "Metafields access": "standard",
    }
    assert api.account.api_path == f"https://api.bigcommerce.com/stores/{api.hash}/v3/"
    for refused in (
        lambda: api.client.make_account(api.hash, "abc", {}),
        lambda: api.client.delete_account(api.hash, 0),
    ):
        with pytest.raises(ControlError):
            refused()
    store = f"/bigcommerce/stores/{api.hash}"
    told = "".join(
        control._http.get(path).text
        for path in (
            "/health",
            "/requests",
            "/bigcommerce/stores",
            *(f"{store}/{name}" for name in ("accounts", "hooks", "resources", "users", "quota", "storefront-tokens")),
        )
    )
    assert api.account.client_id in told
    assert [secret for secret in (api.account.client_secret, api.token) if secret in told + repr(api.account)] == []


def test_accounts_cannot_be_edited(control: Client, make_api: MakeApi) -> None:
    """The vendor has no such thing, and neither has the hand from outside."""
    api = make_api()
    path = f"/bigcommerce/stores/{api.hash}/accounts/{api.account.account_id}"
    for method in ("PUT", "PATCH", "POST"):
        answer = control._http.request(method, path, json={"rows": EVERYTHING})
        assert (answer.status_code, "the control API has no" in answer.text) == (400, True)
    assert api.get("/v2/pages").status_code == 403


BAD_STORES: list[tuple[dict[str, Any], str]] = [
    ({"hash": "store-abc"}, "store hash"),
    ({"hash": "ABCDEF"}, "store hash"),
    ({"hash": "abcdef", "colour": 1}, "colour"),
    ({"hash": "abcdef", "settings": {"colour": 1}}, "colour"),
    ({"hash": "abcdef", "settings": {"quota": "many"}}, "takes a int"),
    ({"hash": "abcdef", "settings": {"quota": True}}, "takes a int"),
    ({"hash": "abcdef", "settings": {"foreign_token": "418"}}, "one of 401, 403"),
    ({"hash": "abcdef", "settings": {"accepting": ["nothing"]}}, "no operation"),
]


@pytest.mark.parametrize(("order", "message"), BAD_STORES)
def test_bad_stores(order: dict[str, Any], message: str, control: Client) -> None:
    answer = control._http.post("/bigcommerce/stores", json=order)
    assert (answer.status_code, message in answer.json()["error"]) == (400, True)
    assert "abcdef" not in [store.hash for store in control.bigcommerce.stores()]


def test_stores_come_and_go(control: Client, make_api: MakeApi) -> None:
    api = make_api(EVERYTHING, plan_level="Pro")
    listed = {store.hash: store for store in control.bigcommerce.stores()}
    assert listed[api.hash].settings == {"plan_level": "Pro", "quota": 100_000}
    with pytest.raises(ControlError, match="already"):
        control.bigcommerce.create_store(api.hash)
    user = control.bigcommerce.add_user(api.hash, "owner@acme-parts.example", "x", role="owner")
    assert user > 0
    with pytest.raises(ControlError, match="already"):
        control.bigcommerce.add_user(api.hash, "Owner@acme-parts.example", "x")
    assert control.bigcommerce.end_sessions(api.hash) == 0
    control.bigcommerce.delete_store(api.hash)
    assert api.get("/v2/time").status_code == 401
    assert api.http.get(f"{api.store.panel_url}/dashboard").status_code == 404
    with pytest.raises(ControlError, match="no store"):
        control.bigcommerce.accounts(api.hash)


def test_stores_survive_a_crash(tmp_path: Path) -> None:
    with start(tmp_path / "data") as first:
        first.client.bigcommerce.create_store("freshroast", quota=7)
        first.client.bigcommerce.make_account("freshroast", "Stone Edge", STONE_EDGE)
        before = first.client.bigcommerce.accounts("freshroast")
        first.kill()
    with start(tmp_path / "data") as second:
        assert second.client.bigcommerce.accounts("freshroast") == before
        assert second.client.bigcommerce.quota("freshroast").left == 7
        assert second.client.health()["bigcommerce_stores"] == 1


def test_panel_and_login_host_are_served(server: ServerProcess, make_api: MakeApi) -> None:
    api = make_api()
    answer = api.http.get(f"{api.store.panel_url}/settings/auth/api-accounts")
    assert (answer.status_code, answer.headers["location"].startswith(f"/store-{api.hash}.")) == (302, True)
    deep_link = f"{server.url}/login.bigcommerce.com/deep-links/settings/auth/api-accounts"
    assert api.http.get(deep_link).status_code == 302
    assert title(api.get("/v2/store"))
