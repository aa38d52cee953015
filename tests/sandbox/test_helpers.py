"""Sheet 4.9, 10 and 14.3.11: what helps within a session, application passwords, languages and addresses."""

from __future__ import annotations

import re

import pytest

from sandbox.client import Client
from sandbox.woocommerce.texts import LANGUAGES
from tests.sandbox.browser import API, VERSIONS, Browser, MakeBrowser, MakeStore

every_version = pytest.mark.parametrize("version", VERSIONS)


def rest_nonce(browser: Browser) -> dict[str, str]:
    answer = browser.get("/wp-admin/admin-ajax.php?action=rest-nonce")
    assert re.fullmatch(r"[0-9a-f]{10}", answer.text)
    return {"X-WP-Nonce": answer.text}


@every_version
def test_rest_nonce(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(version)
    browser = make_browser(store)
    me = "/wp-json/wp/v2/users/me?context=edit"
    nonce = rest_nonce(browser)
    document = browser.get(me, headers=nonce).json()
    assert (document["id"], document["username"], document["roles"]) == (1, "connector", ["administrator"])
    assert document["capabilities"]["manage_woocommerce"]
    # Cookies without a nonce are nobody; a nonce of another session is refused.
    assert browser.get(me).status_code == 401
    assert browser.get(me, headers={"X-WP-Nonce": "0123456789"}).status_code == 403
    assert make_browser(store).get(me, headers=nonce).json()["code"] == "rest_cookie_invalid_nonce"
    stranger = make_browser(store, None).get("/wp-admin/admin-ajax.php?action=rest-nonce")
    assert (stranger.status_code, stranger.text) == (400, "0")


@pytest.mark.parametrize(
    ("search", "logins"),
    [("shop-manager", ["shop-manager", "shop-manager-2"]), ("customer", ["customer"]), ("nobody", [])],
)
def test_users_search(
    search: str, logins: list[str], control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store()
    control.add_user(store, "shop-manager-2", "shop_manager")
    browser = make_browser(store)
    path = f"/wp-json/wp/v2/users?context=edit&search={search}&_fields=id,username,roles"
    answer = browser.get(path, headers=rest_nonce(browser))
    assert sorted(user["username"] for user in answer.json()) == logins
    assert all(set(user) == {"id", "username", "roles"} for user in answer.json())
    assert answer.headers["x-wp-total"] == str(len(logins))
    customer = make_browser(store, "customer")
    assert customer.get(path, headers=rest_nonce(customer)).status_code == 403
    assert make_browser(store, None).get(path).status_code == 401


def test_one_user(make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store())
    nonce = rest_nonce(browser)
    assert browser.get("/wp-json/wp/v2/users/3?context=edit", headers=nonce).json()["roles"] == ["customer"]
    assert browser.get("/wp-json/wp/v2/users/99?context=edit", headers=nonce).status_code == 404


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_system_status_by_session(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version))
    path = f"/wp-json/wc/{API[version]}/system_status"
    environment = browser.get(path, headers=rest_nonce(browser)).json()["environment"]
    assert (environment["version"], environment["site_url"]) == (version, browser.base)
    assert browser.get(path).status_code == 401


@every_version
def test_application_passwords(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(version)
    browser = make_browser(store)
    path, nonce = "/wp-json/wp/v2/users/me/application-passwords", rest_nonce(browser)
    made = browser.post(path, headers=nonce, json={"name": "robot"})
    document = made.json()
    assert (made.status_code, document["name"], document["last_used"]) == (201, "robot", None)
    pair = ("connector", document["password"])
    robot = make_browser(store, None)
    # They open REST, the shop's included, but neither wp-admin nor admin-ajax.
    assert robot.get("/wp-json/wp/v2/users/me?context=edit", auth=pair).json()["username"] == "connector"
    assert robot.get(f"/wp-json/wc/{API[version]}/products", auth=pair).status_code == 200
    answer = robot.get("/wp-admin/admin.php?page=wc-settings", auth=pair)
    assert (answer.status_code, "wp-login.php" in answer.headers["location"]) == (302, True)
    answer = robot.post("/wp-admin/admin-ajax.php", data={"action": "woocommerce_update_api_key"}, auth=pair)
    assert (answer.status_code, answer.text) == (400, "0")
    one = f"{path}/{document['uuid']}"
    listed = robot.get(one, auth=pair).json()
    assert listed["last_used"] is not None
    assert "password" not in listed
    assert robot.post(one, auth=pair, json={"name": "other"}).json()["name"] == "other"
    assert [row["name"] for row in robot.get(path, auth=pair).json()] == ["other"]
    assert robot.call("DELETE", one, auth=pair).json()["deleted"]
    assert robot.get(path, auth=pair).status_code == 401
    assert browser.get(one, headers=nonce).status_code == 404


def test_application_password_needs_https(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store()
    browser = make_browser(store)
    path = "/wp-json/wp/v2/users/me/application-passwords"
    password = browser.post(path, headers=rest_nonce(browser), json={"name": "robot"}).json()["password"]
    control.change_settings(store, scheme="http")
    assert make_browser(store, None).get(path, auth=("connector", password)).status_code == 401


def test_languages_say_the_same_things() -> None:
    english, german = LANGUAGES["en"], LANGUAGES["de"]
    assert english.keys() == german.keys()
    for name, text in english.items():
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", german[name]), name


@every_version
def test_german_store(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version, settings={"language": "de"}))
    made = browser.create("Abgleich", permissions="read_write")
    assert browser.rows()[0].permissions == "Lesen/Schreiben"
    assert browser.rows()[0].last_access == browser.form(made.key_id).last_access == "Unbekannt"
    assert browser.form(made.key_id).permissions == "read_write"
    assert browser.save("")["data"]["message"] == "Die Beschreibung fehlt."
    browser.get(f"/wp-json/wc/{API[version]}/products", auth=made.pair)
    assert re.fullmatch(r"\d{1,2}\. \w+ \d{4} um \d{1,2}:\d\d", browser.rows()[0].last_access)
    document = browser.get(f"/wp-json/wc/{API[version]}/products").json()
    assert document["code"] == "woocommerce_rest_cannot_view"
    assert document["message"].startswith("Du darfst")
    assert browser.revoke(made.key_id).status_code == 302


def test_moved_host(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store()
    made = make_browser(store).create("moves along")
    moved = control.rename_store(store, f"{store}-moved")
    assert moved.url.endswith("-moved")
    assert make_browser(store, None).get("/wp-json/").status_code == 404
    browser = make_browser(moved.name)
    assert browser.get("/wp-json/").json()["home"] == browser.base == moved.url
    assert browser.rows()[0].key_id == made.key_id
    assert browser.get("/wp-json/wc/v3/products", auth=made.pair).status_code == 200


def test_alias_serves_both(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store()
    control.alias_store(store, f"{store}-too")
    made = make_browser(store).create("seen twice")
    browser = make_browser(f"{store}-too")
    assert browser.rows()[0].key_id == made.key_id
    ids = {
        make_browser(name, None).get("/wp-json/wc/v3/system_status", auth=made.pair).json()["environment"]["store_id"]
        for name in (store, f"{store}-too")
    }
    assert len(ids) == 1


def test_home_of_its_own(make_store: MakeStore, make_browser: MakeBrowser) -> None:
    """Every link in a page leads to where WordPress believes to be, not to where it was asked."""
    browser = make_browser(make_store(settings={"home": "https://coffee.example/shop"}), None)
    assert browser.get("/wp-json/").json()["home"] == "https://coffee.example/shop"
    answer = browser.keys_page(tab="advanced")
    assert answer.headers["location"].startswith("https://coffee.example/shop/wp-login.php")
