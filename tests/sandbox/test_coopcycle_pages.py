"""The admin pages of a CoopCycle server: sheet coopcycle.md 2 and rows S1 to S6, S8 to S12 and S19 of 8.1."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from sandbox.client import Client
from sandbox.server_process import start
from tests.sandbox.browser import tls
from tests.sandbox.coop import ADMIN, APPS, NEW, PASSWORD, Coop, MakeCoop, alerts, parse, words

IDENTIFIER = re.compile(r"[0-9a-f]{32}\Z")
SECRET = re.compile(r"[0-9a-f]{128}\Z")
API_KEY = re.compile(r"ak_[0-9a-f]{40}\Z")
SHOP_NEW = "/admin/restaurants/3/api/new"


@pytest.fixture
def coop(make_coop: MakeCoop) -> Coop:
    return make_coop()


# --- S1: login ------------------------------------------------------------------------------------------------------


def test_a_login_leads_to_the_wanted_page(make_coop: MakeCoop) -> None:
    coop = make_coop(inside=False)
    assert coop.get(NEW).headers["location"] == f"{coop.server.url}/login"
    answer = coop.log_in()
    assert (answer.status_code, answer.headers["location"]) == (302, f"{coop.server.url}{NEW}")
    assert coop.get(NEW).status_code == 200


def test_a_login_leads_to_the_profile_otherwise(make_coop: MakeCoop) -> None:
    coop = make_coop(inside=False)
    answer = coop.log_in()
    assert answer.headers["location"] == f"{coop.server.url}/profile/"
    assert [coop.get(path).status_code for path in ("/", "/profile/", "/admin")] == [200, 200, 200]


def test_the_cookie_is_changed_by_a_login_and_holds_below_the_server_alone(make_coop: MakeCoop) -> None:
    coop, other = make_coop(inside=False), make_coop(inside=False)
    before = coop.get("/login").headers["set-cookie"]
    after = coop.log_in().headers["set-cookie"]
    assert before.partition(";")[0] != after.partition(";")[0]
    assert set(after.split("; ")[1:]) == {f"Path=/{coop.server.site}", "Secure", "HttpOnly", "SameSite=Lax"}
    value = after.partition(";")[0].partition("=")[2]
    assert other.with_cookie(APPS, value).status_code == 302


REFUSED_LOGINS: list[tuple[dict[str, str], str]] = [
    ({"password": "wrong"}, "Invalid credentials."),
    ({"username": "nobody"}, "Invalid credentials."),
    ({"_csrf_token": "wrong"}, "Invalid CSRF token."),
    ({"_csrf_token": ""}, "Invalid CSRF token."),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED_LOGINS)
def test_a_refused_login_leads_back_and_says_why_once(
    fields: dict[str, str], message: str, make_coop: MakeCoop
) -> None:
    coop = make_coop(inside=False)
    answer = coop.log_in(**fields)
    assert (answer.status_code, answer.headers["location"]) == (302, f"{coop.server.url}/login")
    assert alerts(coop.get("/login")) == [message]
    assert alerts(coop.get("/login")) == []
    assert coop.get(APPS).status_code == 302


def test_a_token_is_good_for_its_own_session_alone(make_coop: MakeCoop) -> None:
    coop, other = make_coop(inside=False), make_coop(inside=False)
    token = other.page("/login").xpath("//input[@name='_csrf_token']/@value")[0]
    coop.log_in(_csrf_token=str(token))
    assert alerts(coop.get("/login")) == ["Invalid CSRF token."]


@pytest.mark.parametrize("path", ["/login_check", "/login"])
def test_the_form_says_where_it_is_sent_to(path: str, make_coop: MakeCoop) -> None:
    coop = make_coop(inside=False, login_check_path=path)
    form = coop.page("/login").xpath("//form")[0]
    assert form.get("action") == f"/{coop.server.site}{path}"
    elsewhere = {"/login": "/login_check", "/login_check": "/login"}[path]
    fields = {
        "_username": ADMIN,
        "_password": PASSWORD,
        "_csrf_token": form.xpath(".//input[@type='hidden']/@value")[0],
    }
    assert coop.post(elsewhere, fields).status_code == 200
    assert coop.get(APPS).status_code == 302
    assert coop.log_in().status_code == 302
    assert coop.get(APPS).status_code == 200


def test_two_factors_are_in_the_way(make_coop: MakeCoop) -> None:
    coop = make_coop(inside=False)
    coop.control.put_user(coop.name, ADMIN, PASSWORD, two_factor=True)
    second_page = f"{coop.server.url}/2fa"
    assert coop.get("/2fa").headers["location"] == f"{coop.server.url}/login"
    assert coop.log_in().headers["location"] == second_page
    assert [coop.get(path).headers["location"] for path in (APPS, NEW, "/profile/")] == [second_page] * 3
    assert coop.regenerate("0" * 32).headers["location"] == second_page
    assert coop.page("/2fa").xpath("//input[@name='_auth_code']")
    assert coop.post("/2fa_check", {"_auth_code": "123456"}).headers["location"] == second_page
    assert alerts(coop.get("/2fa")) == ["The verification code is not valid."]


def test_a_code_without_a_login_leads_to_it(make_coop: MakeCoop) -> None:
    coop = make_coop(inside=False)
    assert coop.post("/2fa_check", {"_auth_code": "1"}).headers["location"] == f"{coop.server.url}/login"


@pytest.mark.parametrize("path", [APPS, NEW, f"{APPS}/1", SHOP_NEW, "/admin", "/admin/nowhere"])
def test_the_administration_is_for_administrators(path: str, make_coop: MakeCoop) -> None:
    coop = make_coop(inside=False)
    assert [coop.get(path).status_code, coop.post(path).status_code] == [302, 302]
    coop.log_in("rider")
    assert [coop.get(path).status_code, coop.post(path).status_code] == [403, 403]
    assert coop.control.apps(coop.name) == []


def test_a_logout_ends_the_session(coop: Coop) -> None:
    cookie = coop.http.cookies["PHPSESSID"]
    assert coop.get("/logout").headers["location"] == f"{coop.server.url}/"
    coop.http.cookies.clear()
    assert coop.with_cookie(APPS, cookie).status_code == 302


def test_sessions_end_by_other_hands(coop: Coop) -> None:
    assert coop.control.end_sessions(coop.name) == 1
    assert coop.get(APPS).status_code == 302
    coop.log_in()
    assert coop.get(APPS).status_code == 200


def test_a_user_who_lost_the_role_is_refused(coop: Coop) -> None:
    coop.control.put_user(coop.name, ADMIN, PASSWORD, admin=False)
    assert coop.get(APPS).status_code == 403


# --- S2, S3, S5: a new app ------------------------------------------------------------------------------------------


def test_a_new_app_leads_to_its_own_page(coop: Coop) -> None:
    answer = coop.save("Acme <Parts> & sons")
    assert (answer.status_code, answer.headers["location"]) == (302, f"/{coop.server.site}{APPS}/1")
    page = coop.page(f"{APPS}/1")
    assert words(page, "//h1") == ["Acme <Parts> & sons"]
    assert words(page, "//*[contains(@class, 'alert')]") == ["The app was created."]
    (made,) = coop.control.apps(coop.name)
    assert (made.id, made.name, made.type, made.store, made.shop) == (1, "Acme <Parts> & sons", "oauth", 1, None)
    assert (made.scopes, made.active, made.retired) == (("deliveries",), True, False)


def test_the_form(coop: Coop) -> None:
    page = coop.page(NEW)
    (form,) = page.xpath("//form[@name='api_app']")
    assert (form.get("method"), form.get("action")) == ("post", None)
    assert [element.get("id") for element in form.xpath(".//input[@type!='checkbox']|.//select")] == [
        "api_app_name",
        "api_app_type",
        "api_app_store",
        "api_app__token",
    ]
    assert form.xpath(".//select[@name='api_app[type]']/option/@value") == ["oauth", "api_key"]
    assert form.xpath(".//input[@name='api_app[scopes][]']/@value") == [
        "deliveries",
        "tasks",
        "orders:all",
        "tasks:all",
    ]
    stores = form.xpath(".//select[@name='api_app[store]']/option")
    assert [(option.get("value"), option.text) for option in stores] == [
        ("", None),
        ("1", "Acme Parts"),
        ("7", "Closed Shop"),
        ("2", "Fresh Roast"),
    ]


INVALID: list[dict[str, Any]] = [
    {"_token": ""},
    {"_token": "wrong"},
    {"name": ""},
    {"type": "password"},
    {"scopes": ["orders"]},
    {"scopes": ["deliveries", "everything"]},
    {"store": "99"},
    {"store": "Acme Parts"},
]


@pytest.mark.parametrize("status", [200, 422])
@pytest.mark.parametrize("fields", INVALID)
def test_a_form_with_errors_comes_again(fields: dict[str, Any], status: int, make_coop: MakeCoop) -> None:
    coop = make_coop(form_error_status=status)
    answer = coop.save(**fields)
    assert answer.status_code == status
    assert len(alerts(answer)) == 1
    assert parse(answer).xpath("//input[@id='api_app_name']/@value") == [fields.get("name", "Acme Parts web shop")]
    assert coop.control.apps(coop.name) == []


def test_every_page_shows_another_token_and_all_are_good(coop: Coop) -> None:
    first, second = coop.form_token(), coop.form_token()
    assert first != second
    assert [coop.create(_token=first), coop.create(_token=second)] == [1, 2]


def test_forms_of_secrets(coop: Coop) -> None:
    app, key_app = coop.create(), coop.create(type="api_key")
    shown = coop.credentials(app)
    assert list(shown) == ["api_app_client_id", "api_app_client_secret"]
    assert IDENTIFIER.match(shown["api_app_client_id"])
    assert SECRET.match(shown["api_app_client_secret"])
    assert coop.credentials(app) == shown
    key_shown = coop.credentials(key_app)
    assert list(key_shown) == ["api_app_apiKey"]
    assert API_KEY.match(key_shown["api_app_apiKey"])
    assert coop.credentials(key_app) == key_shown


# --- S4: where secrets stand ----------------------------------------------------------------------------------------


def test_the_list_holds_secrets_only_for_the_clipboard(coop: Coop) -> None:
    first, second = coop.create(), coop.create(name="All orders", store="", scopes=["orders:all"])
    third = coop.create(name="Keys", type="api_key", store="2")
    page = coop.page(APPS)
    rows = page.xpath("//tbody/tr")
    cells = [[" ".join(cell.text_content().split()) for cell in row.xpath("./td")] for row in rows]
    assert [row[:3] for row in cells] == [
        ["#1", "Acme Parts web shop", "Acme Parts"],
        ["#2", "All orders", "＊"],
        ["#3", "Keys", "Fresh Roast"],
    ]
    links = [row.xpath("./td[1]/a/@href")[0] for row in rows]
    assert links == [f"/{coop.server.site}{APPS}/{number}" for number in (first, second, third)]
    assert coop.http.get(coop.url_of(links[0])).status_code == 200
    expected = [list(coop.pair(first)), list(coop.pair(second)), [coop.credentials(third)["api_app_apiKey"]]]
    assert [row.xpath(".//@data-clipboard-text") for row in rows] == expected
    for _, secret in (coop.pair(first), coop.pair(second)):
        assert secret not in page.text_content()
    identifiers = [app.client.identifier for app in coop.control.apps(coop.name)]
    assert [row.xpath(".//form[@method='post']/input/@value") for row in rows] == [[name] for name in identifiers]
    assert page.xpath("//tbody//form//input/@name") == ["oauth2_client"] * 3


def test_the_page_of_an_app_shows_what_it_is(coop: Coop) -> None:
    page = coop.page(f"{APPS}/{coop.create(scopes=['tasks', 'deliveries'], store='2')}")
    assert page.xpath("//input[@checked]/@value") == ["deliveries", "tasks"]
    assert page.xpath("//select[@id='api_app_store']/option[@selected]/@value") == ["2"]


@pytest.mark.parametrize("path", [f"{APPS}/99", f"{APPS}/1/delete", "/admin/restaurants/99/api/new"])
def test_pages_that_are_not_there(path: str, coop: Coop) -> None:
    assert [coop.get(path).status_code, coop.post(path).status_code] == [404, 404]


@pytest.mark.parametrize("path", ["/admin/stores/1", "/nowhere", "/api/deliveries", "/oauth2/authorize"])
def test_what_the_sheet_does_not_say_is_refused(path: str, coop: Coop) -> None:
    for answer in (coop.get(path), coop.post(path)):
        assert (answer.status_code, "sandbox: unknown in the sheet" in answer.text) == (501, True)


# --- S6: the edit trap ----------------------------------------------------------------------------------------------

EDITS: list[tuple[dict[str, str], str]] = [
    ({"api_app[name]": "Another name"}, "Another name"),
    ({}, "Acme Parts web shop"),
    ({"api_app[_token]": "wrong", "api_app[store]": "2"}, "Acme Parts web shop"),
]


@pytest.mark.parametrize(("fields", "name"), EDITS)
def test_whatever_is_sent_to_an_app_makes_a_new_client(fields: dict[str, str], name: str, coop: Coop) -> None:
    app = coop.create(scopes=["deliveries", "tasks"])
    old = coop.pair(app)
    answer = coop.post(f"{APPS}/{app}", fields)
    assert (answer.status_code, answer.headers["location"]) == (302, f"/{coop.server.site}{APPS}/{app}")
    new = coop.pair(app)
    assert not set(old) & set(new)
    (made,) = coop.control.apps(coop.name)
    assert (made.name, made.store, made.scopes) == (name, 1, ("deliveries", "tasks"))
    clients = {client.identifier: client for client in coop.control.clients(coop.name)}
    assert [(clients[pair[0]].app, clients[pair[0]].active) for pair in (old, new)] == [(None, True), (app, True)]


def test_the_same_for_a_key(coop: Coop) -> None:
    app = coop.create(type="api_key")
    old = coop.credentials(app)["api_app_apiKey"]
    coop.post(f"{APPS}/{app}", {})
    new = coop.credentials(app)["api_app_apiKey"]
    assert API_KEY.match(new)
    assert [coop.call("/api/me", key).status_code for key in (old, new)] == [401, 200]


# --- S8, S9: regenerate ---------------------------------------------------------------------------------------------


def test_regenerate_needs_no_token_and_keeps_the_identifier(coop: Coop) -> None:
    app = coop.create()
    identifier, old = coop.pair(app)
    answer = coop.regenerate(identifier)
    assert (answer.status_code, answer.headers["location"]) == (302, f"/{coop.server.site}{APPS}")
    same, new = coop.pair(app)
    assert (same, SECRET.match(new) is not None, new != old) == (identifier, True, True)
    assert [coop.ask_token((identifier, secret)).status_code for secret in (old, new)] == [401, 200]


def test_regenerate_may_answer_with_the_list(make_coop: MakeCoop) -> None:
    coop = make_coop(regenerate_answer="page")
    app = coop.create()
    identifier, old = coop.pair(app)
    answer = coop.regenerate(identifier)
    assert answer.status_code == 200
    assert parse(answer).xpath("//tbody//@data-clipboard-text") == list(coop.pair(app))
    assert coop.pair(app)[1] != old


@pytest.mark.parametrize("identifier", ["0" * 32, ""])
def test_regenerating_nothing_is_an_error_of_the_server(identifier: str, coop: Coop) -> None:
    coop.create()
    assert coop.regenerate(identifier).status_code == 500
    assert [app.client.regenerated for app in coop.control.apps(coop.name)] == [0]


def test_a_post_to_the_list_without_a_client_shows_it(coop: Coop) -> None:
    assert coop.post(APPS, {"other": "field"}).status_code == 200


def test_an_orphan_can_be_regenerated(coop: Coop) -> None:
    app = coop.create()
    old = coop.pair(app)
    coop.post(f"{APPS}/{app}", {})
    assert coop.regenerate(old[0]).status_code == 302
    assert coop.ask_token(old).status_code == 401
    assert coop.ask_token(coop.pair(app)).status_code == 200


def test_retired_is_regenerated_and_not_used_since(coop: Coop) -> None:
    app = coop.create()
    identifier, _ = coop.pair(app)
    coop.regenerate(identifier)
    assert coop.control.app(coop.name, app).retired
    coop.ask_token(coop.pair(app))
    assert not coop.control.app(coop.name, app).retired


# --- S10 to S12, S19 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_nothing_deletes_an_app(method: str, coop: Coop) -> None:
    app = coop.create()
    for path in (APPS, f"{APPS}/{app}", f"{APPS}/{app}/delete"):
        assert coop.http.request(method, coop.server.url + path).status_code in {404, 405}
    assert coop.post(f"{APPS}/{app}/delete").status_code == 404
    assert len(coop.control.apps(coop.name)) == 1


def test_equal_apps_are_fine(coop: Coop) -> None:
    first, second = coop.create(), coop.create()
    rows = coop.control.apps(coop.name)
    assert [(row.id, row.name, row.store) for row in rows] == [(n, "Acme Parts web shop", 1) for n in (first, second)]
    assert [coop.ask_token(coop.pair(app)).status_code for app in (first, second)] == [200, 200]


@pytest.mark.parametrize(
    ("store", "scopes"),
    [("1", ["orders:all", "tasks:all"]), ("", ["deliveries", "tasks"]), ("1", ["deliveries", "orders:all"]), ("1", [])],
)
def test_scopes_are_not_held_against_the_store(store: str, scopes: list[str], coop: Coop) -> None:
    app = coop.control.app(coop.name, coop.create(store=store, scopes=scopes))
    assert (app.store, app.scopes) == (int(store) if store else None, tuple(scopes))


def test_the_shop_variant_forces_its_scope(coop: Coop) -> None:
    page = coop.page(SHOP_NEW)
    assert page.xpath("//form[@name='api_app']//*[@id]/@id") == ["api_app_name", "api_app__token"]
    app = coop.create(path=SHOP_NEW, scopes=["deliveries"], store="1", type="api_key")
    made = coop.control.app(coop.name, app)
    assert (made.type, made.store, made.shop, made.scopes) == ("oauth", None, 3, ("orders",))
    assert list(coop.credentials(app)) == ["api_app_client_id", "api_app_client_secret"]
    for fields in ({"_token": "wrong"}, {"name": ""}):
        assert coop.save(path=SHOP_NEW, **fields).status_code == 200
    assert len(coop.control.apps(coop.name)) == 1


# --- faults, the log, a restart -------------------------------------------------------------------------------------


def test_a_lost_answer_leaves_an_app_behind(coop: Coop, control: Client) -> None:
    rule = control.add_fault("drop_after", store=coop.server.site, operation="coop_create_app")
    with pytest.raises(httpx.RemoteProtocolError):
        coop.save()
    assert control.fault(rule).hits == 1
    assert [app.name for app in coop.control.apps(coop.name)] == ["Acme Parts web shop"]


def test_a_form_that_arrives_twice_makes_two_apps(coop: Coop, control: Client) -> None:
    control.add_fault("duplicate", store=coop.server.site, operation="coop_create_app")
    assert coop.create() == 2
    first, second = coop.control.apps(coop.name)
    assert (first.name, first.store) == (second.name, second.store)


def test_a_late_commit_had_its_login_when_it_came(coop: Coop, control: Client) -> None:
    rule = control.add_fault("late_commit", store=coop.server.site, operation="coop_create_app")
    with pytest.raises(httpx.RemoteProtocolError):
        coop.save()
    coop.control.end_sessions(coop.name)
    assert coop.control.apps(coop.name) == []
    control.release(rule)
    assert len(coop.control.apps(coop.name)) == 1


def test_a_lagging_list_lacks_the_newest(coop: Coop, control: Client) -> None:
    coop.create()
    coop.create(name="Newest")
    control.add_fault("list_lag", store=coop.server.site, operation="coop_list_apps", writes=1)
    assert words(coop.page(APPS), "//tbody/tr/td[2]") == ["Acme Parts web shop"]


def test_operations_and_the_log(coop: Coop, control: Client) -> None:
    app = coop.create()
    pair = coop.pair(app)
    bearer = coop.token(pair)
    coop.get(APPS)
    coop.regenerate(pair[0])
    coop.post(f"{APPS}/{app}", {})
    for path in ("/api", "/api/me", "/api/stores/1", "/api/nowhere", "/nowhere"):
        coop.call(path, bearer)
    assert coop.control.received(coop.name) == [
        *("coop_login_page", "coop_login", "coop_create_page", "coop_create_app", "coop_app_page", "coop_token"),
        *("coop_list_apps", "coop_regenerate", "coop_edit_app"),
        *("coop_entrypoint", "coop_me", "coop_store", "coop_api_other", "coop_other"),
    ]
    assert [row.operation for row in control.find_value(pair[1])] == ["coop_token"]
    assert "coop_me" in [row.operation for row in control.find_value(bearer)]


def test_a_server_survives_a_kill(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("coop")
    with start(directory) as first:
        made = first.client.coopcycle.create("northside", users=[{"username": ADMIN, "password": PASSWORD}])
        with httpx.Client(verify=tls(first.ca), trust_env=False) as http:
            before = Coop(first.client, made, http)
            before.log_in()
            app = before.create(store="")
            pair = before.pair(app)
            bearer = before.token(pair)
            cookies = dict(http.cookies)
        first.kill()
    with start(directory) as second, httpx.Client(verify=tls(second.ca), trust_env=False, cookies=cookies) as http:
        after = Coop(second.client, second.client.coopcycle.get("northside"), http)
        assert after.pair(app) == pair
        assert after.call("/api/me", bearer).json()["@id"] == f"/api/api_apps/{app}"
