"""Sheet 3 and 4.1: where wp-admin sends whom, logging in and out."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.client import Client
from tests.sandbox.browser import ADMIN_PASSWORD, VERSIONS, MakeBrowser, MakeStore, elements, one, parse

every_version = pytest.mark.parametrize("version", VERSIONS)


@every_version
def test_no_session(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version), None)
    answer = browser.keys_page(tab="api")
    target = urlsplit(answer.headers["location"])
    assert answer.status_code == 302
    assert target.path.endswith("/wp-login.php")
    fields = parse_qs(target.query)
    assert fields["reauth"] == ["1"]
    assert fields["redirect_to"] == [f"{browser.base}/wp-admin/admin.php?page=wc-settings&tab=api&section=keys"]
    ajax = browser.ajax("0123456789", description="x", user="1", permissions="read")
    assert (ajax.status_code, ajax.text) == (400, "0")


@pytest.mark.parametrize(("version", "page"), [("2.6.14", "wc-setup"), ("11.0.1", "wc-admin")])
def test_wizard_redirects_once(
    version: str, page: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(version)
    browser = make_browser(store)
    control.change_settings(store, wizard_pending=True)
    first = browser.keys_page("&create-key=1")
    assert (first.status_code, first.headers["location"].endswith(f"page={page}")) == (302, True)
    assert "key_description" in browser.keys_page("&create-key=1").text


def test_database_upgrade(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store()
    browser = make_browser(store)
    pair = browser.create().pair
    control.change_settings(store, database_upgrade_pending=True)
    answer = browser.keys_page()
    assert answer.status_code == 302
    assert "/wp-admin/upgrade.php" in answer.headers["location"]
    assert browser.get("/wp-admin/upgrade.php").status_code == 200
    assert browser.get("/wp-json/wc/v3/products", auth=pair).status_code == 200
    control.change_settings(store, database_upgrade_pending=False)
    assert browser.keys_page().status_code == 200


@every_version
def test_role_too_weak(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version), "customer")
    for tab in ("api", "advanced"):
        answer = browser.keys_page("&create-key=1", tab=tab)
        assert answer.status_code == 403
        assert "not allowed to access this page" in answer.text


@every_version
@pytest.mark.parametrize(("login", "landing"), [("connector", ""), ("shop-manager", ""), ("customer", "profile.php")])
def test_login(version: str, login: str, landing: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version), None)
    password = ADMIN_PASSWORD if login == "connector" else f"{login}-password"
    answer = browser.try_log_in(login, password)
    assert (answer.status_code, answer.headers["location"]) == (302, f"{browser.base}/wp-admin/{landing}")
    names = {header.partition("=")[0] for header in answer.headers.get_list("set-cookie")}
    hashes = {name.removeprefix("wordpress_logged_in_") for name in names if name.startswith("wordpress_logged_in_")}
    assert len(hashes) == 1
    assert names == {"wordpress_test_cookie", f"wordpress_{min(hashes)}", f"wordpress_logged_in_{min(hashes)}"}
    assert browser.get(f"/wp-admin/{landing}").status_code == 200


def test_test_cookie_comes_with_the_form_and_is_demanded(make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(), None)
    form = {"log": "connector", "pwd": ADMIN_PASSWORD, "testcookie": "1"}
    refused = browser.http.post(f"{browser.base}/wp-login.php", data=form)
    assert (refused.status_code, "login_error" in refused.text) == (200, True)
    page = browser.get("/wp-login.php")
    fields = {field.get("name") for field in elements(parse(page.text), "//form[@id='loginform']//input")}
    assert {"log", "pwd", "wp-submit", "redirect_to", "testcookie"} <= fields


BAD_LOGINS = [("connector", "wrong"), ("nobody", ADMIN_PASSWORD), ("", ""), ("connector", ""), ("<b>'", '"&')]


@pytest.mark.parametrize(("login", "password"), BAD_LOGINS)
@every_version
def test_bad_login_is_200(
    version: str, login: str, password: str, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    browser = make_browser(make_store(version), None)
    answer = browser.try_log_in(login, password)
    assert answer.status_code == 200
    one(parse(answer.text), "//div[@id='login_error']")
    assert [header.partition("=")[0] for header in answer.headers.get_list("set-cookie")] == ["wordpress_test_cookie"]
    assert browser.keys_page(tab="api").status_code == 302


def test_detour_to_confirm_the_mail_has_its_cookies(make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(settings={"confirm_admin_email": True}), None)
    answer = browser.try_log_in("connector", ADMIN_PASSWORD)
    assert "action=confirm_admin_email" in answer.headers["location"]
    assert browser.http.get(answer.headers["location"]).status_code == 200
    assert browser.keys_page(tab="advanced").status_code == 200
    customer = make_browser(make_store(settings={"confirm_admin_email": True}), "customer")
    assert customer.get("/wp-admin/profile.php").status_code == 200


def test_redirect_to_stays_on_the_site(make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(), None)
    answer = browser.try_log_in("connector", ADMIN_PASSWORD, redirect_to="https://elsewhere.example/")
    assert answer.headers["location"] == f"{browser.base}/wp-admin/"


@every_version
def test_logout_kills_the_session(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(version))
    link = one(parse(browser.keys_page().text), "//*[@id='wp-admin-bar-logout']//a").get("href", "")
    assert browser.http.get(link.partition("&")[0]).status_code == 403
    # The admin cookie exists twice, for two paths, as in WordPress.
    cookies = {cookie.name: cookie.value for cookie in browser.http.cookies.jar}
    answer = browser.http.get(link)
    assert answer.status_code == 302
    assert "loggedout=true" in answer.headers["location"]
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    again = browser.get(
        f"/wp-admin/admin.php?page=wc-settings&tab={browser.tab}&section=keys", headers={"Cookie": header}
    )
    assert again.status_code == 302
    assert "reauth=1" in again.headers["location"]


@pytest.mark.parametrize(
    ("settings", "mark"),
    [({"two_factor": True}, "authcode"), ({"captcha": True}, "login_error")],
)
def test_plugins_that_break_the_login(
    settings: dict[str, bool], mark: str, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    browser = make_browser(make_store(settings=settings), None)
    answer = browser.try_log_in("connector", ADMIN_PASSWORD)
    assert (answer.status_code, mark in answer.text) == (200, True)
    assert {cookie.name for cookie in browser.http.cookies.jar} == {"wordpress_test_cookie"}
    assert browser.keys_page(tab="advanced").status_code == 302


def test_login_limit(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(settings={"login_limit": 2})
    browser = make_browser(store, None)
    for _ in range(2):
        browser.try_log_in("connector", "wrong")
    assert browser.try_log_in("connector", ADMIN_PASSWORD).status_code == 200
    control.change_settings(store, login_limit=2)
    assert browser.try_log_in("connector", ADMIN_PASSWORD).status_code == 302


def test_sessions_can_be_ended(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store()
    browser = make_browser(store)
    assert control.end_sessions(store) == 1
    assert browser.keys_page().status_code == 302


def test_home_page_and_slashes(make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store(), None)
    assert browser.get("/").status_code == 200
    assert (browser.get("").status_code, browser.get("").headers["location"]) == (301, f"{browser.base}/")
    assert browser.get("/wp-admin").headers["location"] == f"{browser.base}/wp-admin/"
    assert browser.get("/no/such/page").status_code == 404
    assert browser.http.get(f"{browser.base}-unknown/").status_code == 404
