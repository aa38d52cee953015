"""The API of a CoopCycle server and what the control API can do to it: sheet coopcycle.md 3 to 5, rows S7 to S20 of 8.1."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from sandbox.client import ControlError
from tests.sandbox.coop import APPS, RESTAURANTS, STORES, Coop, MakeCoop

HOUR = 3600
PAYLOAD = {"dropoff": {"address": "1 Main Street"}}


@pytest.fixture
def coop(make_coop: MakeCoop) -> Coop:
    return make_coop(inside=False)


def made(coop: Coop, *scopes: str, **order: Any) -> tuple[str, str]:
    """The pair of an app made by hand, bound to the first store."""
    return coop.control.make_app(coop.name, "An app", scopes=scopes or ("deliveries",), **({"store": 1} | order)).pair


def orphaned(coop: Coop, *scopes: str) -> tuple[str, str]:
    """A pair whose app was edited by somebody."""
    app = coop.control.make_app(coop.name, "An app", store=1, scopes=scopes or ("deliveries",))
    coop.control.edit_app(coop.name, app.id, app_name="Renamed")
    return app.pair


# --- S12, S13, S18, S20: tokens -------------------------------------------------------------------------------------


def test_the_entry_point_is_public(coop: Coop) -> None:
    answer = coop.call("/api", None)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/ld+json; charset=utf-8"
    assert answer.json()["@context"] == "/api/contexts/Entrypoint"


def test_a_token(coop: Coop) -> None:
    answer = coop.ask_token(made(coop))
    assert answer.status_code == 200
    document = answer.json()
    assert set(document) == {"token_type", "expires_in", "access_token"}
    assert (document["token_type"], document["expires_in"]) == ("Bearer", HOUR)


SCOPES: list[tuple[tuple[str, ...], str, int]] = [
    (("deliveries",), "deliveries", 200),
    (("deliveries",), "", 200),
    (("tasks",), "", 400),
    (("orders:all",), "", 400),
    (("deliveries", "tasks"), "deliveries tasks", 200),
    (("deliveries", "tasks"), "tasks", 200),
    (("deliveries",), "deliveries tasks", 400),
    (("deliveries",), "everything", 400),
]


@pytest.mark.parametrize(("granted", "asked", "status"), SCOPES)
def test_scopes_of_a_token(granted: tuple[str, ...], asked: str, status: int, coop: Coop) -> None:
    answer = coop.ask_token(made(coop, *granted), asked)
    assert answer.status_code == status
    assert answer.json().get("error") == (None if status == 200 else "invalid_scope")


def test_the_default_scope_is_deliveries(coop: Coop) -> None:
    pair = made(coop, "deliveries", "tasks:all")
    assert coop.statuses(coop.token(pair, ""), "/api/me", "/api/tasks") == [200, 403]


def test_an_app_without_scopes_gets_no_token(coop: Coop) -> None:
    pair = coop.control.make_app(coop.name, "An app", store=1, scopes=()).pair
    assert [coop.ask_token(pair, scope).status_code for scope in ("", "deliveries")] == [400, 400]


def test_a_bad_pair(coop: Coop) -> None:
    identifier, secret = made(coop)
    for pair in ((identifier, "wrong"), (identifier, ""), ("0" * 32, secret), ("", ""), (identifier, secret[:-1])):
        answer = coop.ask_token(pair)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")


def test_ways_to_send_a_pair(coop: Coop) -> None:
    identifier, secret = made(coop)
    form = {"grant_type": "client_credentials", "client_id": identifier, "client_secret": secret}
    assert coop.post("/oauth2/token", form).status_code == 200
    url = f"{coop.server.url}/oauth2/token"
    odd = coop.http.post(url, headers={"Authorization": "Basic !"}, data={"grant_type": "client_credentials"})
    assert odd.status_code == 401
    for grant in ("password", ""):
        answer = coop.http.post(url, auth=(identifier, secret), data={"grant_type": grant})
        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    assert coop.get("/oauth2/token").status_code == 405


# --- S8, S20: how long things live ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("offset", "status"), [(0, 200), (HOUR - 60, 200), (HOUR + 1, 401)])
def test_tokens_live_an_hour_and_outlive_a_regenerate(offset: int, status: int, coop: Coop) -> None:
    app = coop.control.make_app(coop.name, "An app", store=1)
    bearer = coop.token(app.pair)
    new = coop.control.regenerate(coop.name, app.id)
    assert (new.identifier, new.secret != app.secret) == (app.identifier, True)
    assert [coop.ask_token(pair).status_code for pair in (app.pair, new.pair)] == [401, 200]
    coop.control.change_settings(coop.name, clock_offset=offset)
    assert coop.statuses(bearer, "/api/me", "/api/stores/1") == [status, status]
    assert coop.ask_token(app.pair).status_code == 401


def test_tokens_of_a_later_clock_are_good_when_it_goes_back(coop: Coop) -> None:
    coop.control.change_settings(coop.name, clock_offset=10 * HOUR)
    bearer = coop.token(made(coop))
    assert coop.statuses(bearer, "/api/me") == [200]


# --- S15: binding ---------------------------------------------------------------------------------------------------


def test_who_one_is(coop: Coop) -> None:
    app = coop.control.make_app(coop.name, "Acme", store=1)
    answer = coop.call("/api/me", coop.token(app.pair))
    assert answer.headers["content-type"] == "application/ld+json; charset=utf-8"
    assert answer.json() == {
        "@context": "/api/contexts/ApiApp",
        "@id": f"/api/api_apps/{app.id}",
        "name": "Acme",
        "store": "/api/stores/1",
        "shop": None,
    }


def test_who_one_is_without_a_store(coop: Coop) -> None:
    document = coop.call("/api/me", coop.token(made(coop, store=None))).json()
    assert (document["store"], document["shop"]) == (None, None)
    shop = coop.control.make_app(coop.name, "Kitchen", shop=3, scopes=("orders",))
    document = coop.call("/api/me", coop.token(shop.pair, "orders")).json()
    assert (document["store"], document["shop"]) == (None, "/api/restaurants/3")


@pytest.mark.parametrize("refusal", [403, 404])
def test_the_own_store_and_no_other(refusal: int, make_coop: MakeCoop) -> None:
    coop = make_coop(inside=False, neighbour_refusal=refusal)
    bearer = coop.token(made(coop))
    assert coop.statuses(bearer, *(f"/api/stores/{n}" for n in (1, 2, 7, 8))) == [200, refusal, refusal, 404]
    store = coop.call("/api/stores/1", bearer).json()
    assert (store["@id"], store["name"]) == ("/api/stores/1", "Acme Parts")
    listed = coop.call("/api/stores", bearer).json()
    assert [row["@id"] for row in listed["hydra:member"]] == ["/api/stores/1"]


@pytest.mark.parametrize(("needed", "status"), [(False, 200), (True, 403)])
def test_reading_the_own_store_may_need_deliveries(needed: bool, status: int, make_coop: MakeCoop) -> None:
    coop = make_coop(inside=False, own_store_needs_deliveries=needed)
    assert coop.statuses(coop.token(made(coop, "tasks"), "tasks"), "/api/stores/1") == [status]
    assert coop.statuses(coop.token(made(coop)), "/api/stores/1") == [200]
    key = coop.control.make_app(coop.name, "Keys", store=1, app_type="api_key").api_key
    assert coop.statuses(str(key), "/api/stores/1") == [200]


def test_the_deep_check(coop: Coop) -> None:
    path = "/api/retail_prices/calculate"
    bearer = coop.token(made(coop, "deliveries", "tasks"))
    assert coop.call(path, bearer, "POST", json=PAYLOAD).status_code == 201
    for body in (b"{}", b"[]", b"no json"):
        assert coop.call(path, bearer, "POST", content=body).status_code == 400
    without = coop.token(made(coop, "tasks"), "tasks")
    assert coop.call(path, without, "POST", json=PAYLOAD).status_code == 403
    assert coop.call(path, coop.token(orphaned(coop)), "POST", json=PAYLOAD).status_code == 500
    assert coop.call(path, coop.jwt(), "POST", json=PAYLOAD).status_code == 201


# --- S7: orphans ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_an_orphan_half_works(status: int, make_coop: MakeCoop) -> None:
    coop = make_coop(inside=False, me_without_app=status)
    pair = orphaned(coop)
    answer = coop.ask_token(pair)
    assert answer.status_code == 200
    bearer = answer.json()["access_token"]
    assert coop.statuses(bearer, "/api/me", "/api/stores/1", "/api/stores/2", "/api/stores") == [status, 500, 500, 500]


def test_tokens_from_before_an_edit_are_orphaned_too(coop: Coop) -> None:
    app = coop.control.make_app(coop.name, "An app", store=1)
    bearer = coop.token(app.pair)
    assert coop.statuses(bearer, "/api/me") == [200]
    coop.control.edit_app(coop.name, app.id, app_name="Renamed")
    assert coop.statuses(bearer, "/api/me", "/api/stores/1") == [404, 500]


# --- S14: the wide scopes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403, 404])
def test_wide_scopes_do_not_say_who_one_is(status: int, make_coop: MakeCoop) -> None:
    coop = make_coop(inside=False, me_without_role=status)
    pair = made(coop, "orders:all", "tasks:all", store=None)
    both = coop.token(pair, "orders:all tasks:all")
    assert coop.statuses(both, "/api/me", "/api/orders", "/api/tasks") == [status, 200, 200]
    assert coop.statuses(coop.token(pair, "orders:all"), "/api/orders", "/api/tasks") == [200, 403]
    assert coop.statuses(coop.token(pair, "tasks:all"), "/api/orders", "/api/tasks") == [403, 200]


def test_a_plain_scope_beside_a_wide_one_does(coop: Coop) -> None:
    bearer = coop.token(made(coop, "deliveries", "orders:all"), "deliveries orders:all")
    assert coop.statuses(bearer, "/api/me", "/api/orders") == [200, 200]


@pytest.mark.parametrize(("opened", "status"), [(False, 403), (True, 200)])
def test_plain_scopes_may_list(opened: bool, status: int, make_coop: MakeCoop) -> None:
    coop = make_coop(inside=False, plain_scopes_list=opened)
    assert coop.statuses(coop.token(made(coop)), "/api/orders", "/api/tasks") == [403, 403]
    assert coop.statuses(coop.token(made(coop, "tasks"), "tasks"), "/api/orders", "/api/tasks") == [403, status]
    shop = coop.control.make_app(coop.name, "Kitchen", shop=3, scopes=("orders",))
    assert coop.statuses(coop.token(shop.pair, "orders"), "/api/orders") == [status]


# --- S10, S16, S17: people, keys, nobody ----------------------------------------------------------------------------


def test_an_api_key_is_a_bearer_and_no_regenerate_ends_it(make_coop: MakeCoop) -> None:
    coop = make_coop()
    app = coop.create(type="api_key", store="2")
    key = coop.credentials(app)["api_app_apiKey"]
    assert coop.statuses(key, "/api/me", "/api/stores/2", "/api/stores/1") == [200, 200, 403]
    assert coop.call("/api/me", key).json()["store"] == "/api/stores/2"
    row = coop.control.app(coop.name, app)
    assert coop.regenerate(row.client.identifier).status_code == 302
    after = coop.control.app(coop.name, app)
    assert after.client.secret_sha256 != row.client.secret_sha256
    assert after.api_key_sha256 == row.api_key_sha256 == hashlib.sha256(key.encode()).hexdigest()
    assert coop.statuses(key, "/api/me") == [200]
    assert coop.credentials(app)["api_app_apiKey"] == key


def test_a_failed_bearer(coop: Coop) -> None:
    good = coop.token(made(coop))
    ours, _, signature = good.rpartition(".")
    other = coop.control.make_app(coop.name, "Keys", store=1, app_type="api_key")
    bad = ["wrong", "", f"{ours}.", f"{ours}x.{signature}", "ak_" + "0" * 40, "ak_", str(other.api_key)[3:]]
    for bearer in bad:
        answer = coop.http.get(f"{coop.server.url}/api/me", headers={"Authorization": f"Bearer {bearer}".strip()})
        assert answer.status_code == 401, bearer
        assert answer.headers["content-type"] == "application/json"
        assert set(answer.json()) == {"code", "message"}
    assert coop.call("/api/me", None).status_code == 401
    assert coop.call("/api/me", good).status_code == 200


def test_a_token_of_another_server_is_none(make_coop: MakeCoop) -> None:
    coop, other = make_coop(inside=False), make_coop(inside=False)
    bearer = coop.token(made(coop))
    assert other.statuses(bearer, "/api/me") == [401]


def test_an_administrator_at_the_api(coop: Coop) -> None:
    app = coop.control.make_app(coop.name, "Acme", store=1)
    jwt = coop.jwt()
    paths = ("/api/me", "/api/stores", "/api/stores/2", "/api/stores/99", "/api/orders", "/api/tasks")
    assert coop.statuses(jwt, *paths) == [200, 200, 200, 404, 200, 200]
    assert len(coop.call("/api/stores", jwt).json()["hydra:member"]) == len(STORES)
    shown = coop.call(f"/api/api_apps/{app.id}", jwt)
    assert shown.status_code == 200
    assert set(shown.json()) == {"@context", "@id", "name", "store", "shop"}
    assert coop.statuses(jwt, "/api/api_apps/99", "/api/api_apps") == [404, 404]


def test_somebody_else_at_the_api(coop: Coop) -> None:
    app = coop.control.make_app(coop.name, "Acme", store=1)
    paths = ("/api/me", "/api/stores/1", "/api/orders", f"/api/api_apps/{app.id}")
    assert coop.statuses(coop.jwt("rider"), *paths) == [200, 403, 403, 403]
    assert coop.call("/api/stores", coop.jwt("rider")).json()["hydra:totalItems"] == 0
    assert coop.statuses(coop.token(app.pair), f"/api/api_apps/{app.id}") == [403]
    answer = coop.post("/api/login_check", {"_username": "rider", "_password": "wrong"})
    assert (answer.status_code, answer.json()["code"]) == (401, 401)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_api_changes_no_app(method: str, coop: Coop) -> None:
    app = coop.control.make_app(coop.name, "Acme", store=1)
    jwt = coop.jwt()
    for path in ("/api/api_apps", f"/api/api_apps/{app.id}"):
        assert coop.call(path, jwt, method).status_code in {404, 405}
    assert [row.id for row in coop.control.apps(coop.name)] == [app.id]


# --- other hands ----------------------------------------------------------------------------------------------------


def test_the_console_can_deactivate_a_client(coop: Coop) -> None:
    app = coop.control.make_app(coop.name, "An app", store=1)
    coop.control.set_client_active(coop.name, app.identifier, False)
    assert coop.ask_token(app.pair).json()["error"] == "invalid_client"
    assert not coop.control.app(coop.name, app.id).active
    coop.control.set_client_active(coop.name, app.identifier, True)
    assert coop.ask_token(app.pair).status_code == 200


def test_rows_can_be_dropped_in_the_database(coop: Coop) -> None:
    app = coop.control.make_app(coop.name, "An app", store=1)
    with pytest.raises(ControlError, match="foreign key"):
        coop.control.drop_client_row(coop.name, app.identifier)
    coop.control.drop_app_row(coop.name, app.id)
    bearer = coop.token(app.pair)
    assert coop.statuses(bearer, "/api/me") == [404]
    coop.control.drop_client_row(coop.name, app.identifier)
    assert coop.ask_token(app.pair).status_code == 401
    assert coop.control.clients(coop.name) == []
    assert coop.control.make_app(coop.name, "Next", store=1).id == app.id + 1


def test_rows_can_be_changed_in_the_database(coop: Coop) -> None:
    app = coop.control.make_app(coop.name, "An app", store=1)
    coop.control.update_app_row(coop.name, app.id, name="Renamed", store=2)
    document = coop.call("/api/me", coop.token(app.pair)).json()
    assert (document["name"], document["store"]) == ("Renamed", "/api/stores/2")
    for changes in ({"store": 99}, {"client": "x"}):
        with pytest.raises(ControlError):
            coop.control.update_app_row(coop.name, app.id, **changes)


def test_stores_come_and_go(coop: Coop) -> None:
    added = coop.control.add_store(coop.name, "New Store")
    assert added.id == max(STORES.values()) + 1
    pair = made(coop, store=added.id)
    coop.control.rename_store(coop.name, added.id, "Newer Store")
    assert coop.call(f"/api/stores/{added.id}", coop.token(pair)).json()["name"] == "Newer Store"
    with pytest.raises(ControlError, match="bound"):
        coop.control.delete_store(coop.name, added.id)
    coop.control.delete_store(coop.name, 7)
    assert [store.id for store in coop.control.get(coop.name).stores] == [1, 2, added.id]
    assert coop.control.add_restaurant(coop.name, "Southside Kitchen", 9).id == 9
    assert coop.server.store("Fresh Roast") == 2


def test_the_control_api_tells_no_secret(make_coop: MakeCoop) -> None:
    coop = make_coop()
    app, key_app = coop.create(), coop.create(type="api_key")
    _, secret = coop.pair(app)
    key = coop.credentials(key_app)["api_app_apiKey"]
    url = f"{coop.everything.url}/_control/coopcycle/{coop.name}"
    told = "".join(coop.http.get(url + path).text for path in ("", "/apps", "/clients"))
    assert hashlib.sha256(secret.encode()).hexdigest() in told
    for hidden in (secret, key, key.removeprefix("ak_"), "administrator-password"):
        assert hidden not in told
    hand_made = coop.control.make_app(coop.name, "By hand", store=1, app_type="api_key")
    assert hand_made.secret not in repr(hand_made)
    assert str(hand_made.api_key) not in repr(hand_made)


def test_servers_are_made_and_taken_away(coop: Coop) -> None:
    assert coop.server.name in [server.name for server in coop.control.all()]
    assert {shop.name: shop.id for shop in coop.server.restaurants} == RESTAURANTS
    with pytest.raises(ControlError, match="already"):
        coop.control.create(coop.name)
    coop.control.delete(coop.name)
    assert coop.get("/login").status_code == 404
    with pytest.raises(ControlError, match="there is no instance"):
        coop.control.get(coop.name)
    with pytest.raises(ControlError, match="small letters"):
        coop.control.create("Not A Name")


REFUSED_SETTINGS: list[dict[str, Any]] = [
    {"unknown": 1},
    {"regenerate_answer": "json"},
    {"me_without_app": 200},
    {"neighbour_refusal": 500},
    {"clock_offset": "soon"},
    {"latency": -1},
]


@pytest.mark.parametrize("settings", REFUSED_SETTINGS)
def test_settings_that_do_not_exist(settings: dict[str, Any], coop: Coop) -> None:
    with pytest.raises(ControlError):
        coop.control.change_settings(coop.name, **settings)
    assert coop.control.get(coop.name).settings == coop.server.settings


SENSELESS: list[tuple[str, tuple[Any, ...]]] = [
    ("edit_app", (99,)),
    ("regenerate", (99,)),
    ("drop_app_row", (99,)),
    ("set_client_active", ("0" * 32, False)),
    ("rename_store", (99, "Nothing")),
    ("add_store", ("Twice", 1)),
]


def test_control_calls_that_make_no_sense(coop: Coop) -> None:
    for call, arguments in SENSELESS:
        with pytest.raises(ControlError):
            getattr(coop.control, call)(coop.name, *arguments)
    assert coop.control.apps(coop.name) == []


def test_every_page_of_an_app_is_below_the_list(coop: Coop) -> None:
    coop.log_in()
    app = coop.control.make_app(coop.name, "By hand", store=1)
    assert coop.pair(app.id) == app.pair
    assert coop.page(f"{APPS}/{app.id}").xpath("//h1")[0].text == "By hand"
