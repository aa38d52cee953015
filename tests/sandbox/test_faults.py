"""The faults that tests can order, and waiting for them without sleeping."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest

from sandbox.client import Client, ControlError
from tests.sandbox.browser import MakeBrowser, MakeStore

FIELDS = {"key_id": "0", "description": "ours", "user": "1", "permissions": "read"}


@pytest.fixture
def store(make_store: MakeStore) -> str:
    return make_store(foreign_keys=[])


def test_status_skips_and_counts(control: Client, store: str, make_browser: MakeBrowser) -> None:
    rule = control.add_fault(
        "status",
        store=store,
        operation="rest_index",
        skip=1,
        times=2,
        status=429,
        headers={"Retry-After": "7"},
        body="slow",
    )
    browser = make_browser(store, None)
    answers = [browser.get("/wp-json/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert (answers[1].headers["retry-after"], answers[1].text) == ("7", "slow")
    assert (control.fault(rule).seen, control.fault(rule).hits) == (4, 2)


@pytest.mark.parametrize(("effect", "kept"), [("drop_before", 0), ("drop_after", 1), ("status", 0)])
def test_lost_replies(effect: Any, kept: int, control: Client, store: str, make_browser: MakeBrowser) -> None:
    browser = make_browser(store)
    nonce = browser.nonce()
    control.add_fault(effect, store=store, operation="create_key")
    if effect == "status":
        assert browser.ajax(nonce, **FIELDS).status_code == 503
    else:
        with pytest.raises(httpx.RemoteProtocolError):
            browser.ajax(nonce, **FIELDS)
    assert len(control.keys(store)) == kept
    assert browser.ajax(nonce, **FIELDS).json()["success"]


def test_late_commit_waits_for_its_release(control: Client, store: str, make_browser: MakeBrowser) -> None:
    browser = make_browser(store)
    nonce = browser.nonce()
    rule = control.add_fault("late_commit", store=store, operation="create_key")
    with pytest.raises(httpx.RemoteProtocolError):
        browser.ajax(nonce, **FIELDS)
    assert (control.keys(store), control.fault(rule).pending) == ([], 1)
    # The login was checked when the request came; logging out does not stop it any more.
    control.end_sessions(store)
    state = control.release(rule)
    assert (state.committed, state.pending, len(control.keys(store))) == (1, 0, 1)


def test_late_commit_after_a_delay(control: Client, store: str, make_browser: MakeBrowser) -> None:
    browser = make_browser(store)
    nonce = browser.nonce()
    rule = control.add_fault("late_commit", store=store, operation="create_key", delay=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        browser.ajax(nonce, **FIELDS)
    control.wait_for_fault(rule, committed=1, timeout=5)
    assert len(control.keys(store)) == 1


def test_duplicate_delivery(control: Client, store: str, make_browser: MakeBrowser) -> None:
    browser = make_browser(store)
    nonce = browser.nonce()
    control.add_fault("duplicate", store=store, operation="create_key")
    assert browser.ajax(nonce, **FIELDS).json()["success"]
    assert [key.description for key in control.keys(store)] == ["ours", "ours"]


def test_list_lags_behind_writes(control: Client, store: str, make_browser: MakeBrowser) -> None:
    browser = make_browser(store)
    first = browser.create("first")
    rule = control.add_fault("list_lag", store=store, operation="list_keys", writes=1)
    second = browser.create("second")
    assert [row.key_id for row in browser.rows()] == [first.key_id]
    browser.revoke(first.key_id)
    assert [row.key_id for row in browser.rows()] == [second.key_id, first.key_id]
    browser.save("renamed", key_id=second.key_id)
    assert [row.description for row in browser.rows()] == ["second"]
    # Other pages tell the truth.
    assert browser.form(second.key_id).description == "renamed"
    control.release(rule)
    assert [row.description for row in browser.rows()] == ["renamed"]


@pytest.mark.parametrize("before", [False, True])
def test_hanging_reply(before: bool, control: Client, store: str, make_browser: MakeBrowser) -> None:
    browser = make_browser(store)
    nonce = browser.nonce()
    rule = control.add_fault("hang", store=store, operation="create_key", before=before)
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(browser.ajax(nonce, **FIELDS)))
    thread.start()
    control.wait_for_fault(rule, 1, timeout=5)
    assert (len(control.keys(store)), answers) == (0 if before else 1, [])
    control.release(rule)
    thread.join(5)
    assert (answers[0].status_code, len(control.keys(store))) == (200, 1)


def test_hang_ends_by_itself(control: Client, store: str, make_browser: MakeBrowser) -> None:
    control.add_fault("hang", store=store, operation="rest_index", delay=0.2)
    start = time.monotonic()
    assert make_browser(store, None).get("/wp-json/").status_code == 200
    assert 0.2 <= time.monotonic() - start < 5


def test_truncated_reply(control: Client, store: str, make_browser: MakeBrowser) -> None:
    browser = make_browser(store, None)
    whole = browser.get("/wp-json/").content
    control.add_fault("truncate", store=store, operation="rest_index", length=20)
    with pytest.raises(httpx.RemoteProtocolError):
        browser.get("/wp-json/")
    control.add_fault("truncate", store=store, operation="rest_index", length=20, keep_length=False)
    assert browser.get("/wp-json/").content == whole[:20]
    assert browser.get("/wp-json/").content == whole


def test_rules_match_by_method_and_path(control: Client, store: str, make_browser: MakeBrowser) -> None:
    control.add_fault("status", store=store, method="POST", path="__probe$", times=None)
    control.add_fault("status", store=store, operation="rest_probe*", status=500, times=1)
    browser = make_browser(store, None)
    statuses = [
        browser.post("/wp-json/wc/v3/__probe").status_code,
        browser.call("OPTIONS", "/wp-json/wc/v3/products").status_code,
        browser.call("OPTIONS", "/wp-json/wc/v3/products").status_code,
        browser.post("/wp-json/wc/v3/__probe").status_code,
    ]
    assert statuses == [503, 500, 200, 503]


def test_faults_of_one_store_leave_the_others_alone(
    control: Client, store: str, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    rule = control.add_fault("status", store=store, times=None)
    assert make_browser(make_store(), None).get("/wp-json/").status_code == 200
    control.remove_fault(rule)
    assert make_browser(store, None).get("/wp-json/").status_code == 200


def test_waiting_times_out(control: Client, store: str) -> None:
    rule = control.add_fault("status", store=store)
    with pytest.raises(TimeoutError):
        control.wait_for_fault(rule, 1, timeout=0.05)


@pytest.mark.parametrize(
    "order", [{"effect": "explode"}, {"effect": "hang", "path": "("}, {"effect": "hang", "skip": "x"}]
)
def test_senseless_rules_are_refused(order: dict[str, Any], control: Client) -> None:
    effect = order.pop("effect")
    with pytest.raises(ControlError):
        control.add_fault(effect, **order)


def test_latency(control: Client, store: str, make_browser: MakeBrowser) -> None:
    browser = make_browser(store, None)
    browser.get("/wp-json/")
    for seconds, of_store in ((0.1, 0.0), (0.0, 0.1), (0.05, 0.05)):
        control.set_latency(seconds)
        control.set_latency(of_store, store)
        start = time.monotonic()
        browser.get("/wp-json/")
        assert 0.1 <= time.monotonic() - start < 5


OPERATIONS: list[tuple[str, str, dict[str, str], str]] = [
    ("GET", "/", {}, "home"),
    ("GET", "/wp-login.php", {}, "login_page"),
    ("POST", "/wp-login.php", {"log": "x"}, "login"),
    ("GET", "/wp-login.php?action=logout", {}, "logout"),
    ("GET", "/wp-admin/", {}, "admin_page"),
    ("GET", "/wp-admin/admin.php?page=wc-settings", {}, "settings_page"),
    ("GET", "/wp-admin/admin.php?page=wc-settings&tab=api&section=keys", {}, "list_keys"),
    ("GET", "/wp-admin/admin.php?page=wc-settings&tab=api&section=keys&create-key=1", {}, "nonce_page"),
    ("GET", "/wp-admin/admin.php?page=wc-settings&tab=api&section=keys&edit-key=1", {}, "edit_page"),
    ("GET", "/wp-admin/admin.php?page=wc-settings&tab=api&section=keys&revoke-key=1", {}, "revoke_key"),
    ("GET", "/wp-admin/admin.php?page=wc-settings&tab=api&section=keys&action=revoke", {}, "bulk_revoke"),
    ("POST", "/wp-admin/admin.php?page=wc-settings&section=keys", {"wp_screen_options[option]": "x"}, "screen_option"),
    ("POST", "/wp-admin/admin-ajax.php", {"action": "woocommerce_update_api_key", "key_id": "0"}, "create_key"),
    ("POST", "/wp-admin/admin-ajax.php", {"action": "woocommerce_update_api_key", "key_id": "5"}, "update_key"),
    ("GET", "/wp-admin/admin-ajax.php?action=rest-nonce", {}, "rest_nonce"),
    ("GET", "/wp-json/", {}, "rest_index"),
    ("GET", "/wp-json/wc/v3", {}, "rest_namespace"),
    ("GET", "/wp-json/wc/v3/products", {}, "rest_probe"),
    ("GET", "/?rest_route=/wc/v3/products", {}, "rest_probe"),
    ("OPTIONS", "/wp-json/wc/v3/products", {}, "rest_probe_options"),
    ("POST", "/wp-json/wc/v3/__probe", {}, "rest_probe_write"),
    ("POST", "/wp-json/wc/v3/products/batch", {}, "rest_probe_batch"),
    ("GET", "/wp-json/wc/v3/system_status", {}, "system_status"),
    ("GET", "/wp-json/wp/v2/users?context=edit", {}, "users_search"),
    ("GET", "/wp-json/wp/v2/users/me?context=edit", {}, "users_me"),
    ("GET", "/wp-json/wp/v2/users/me/application-passwords", {}, "application_passwords"),
    ("GET", "/wc-auth/v1/authorize", {}, "grant_page"),
]


def test_every_request_has_a_name(control: Client, store: str, make_browser: MakeBrowser) -> None:
    browser, since = make_browser(store, None), control.last_seq()
    for method, path, form, _ in OPERATIONS:
        browser.call(method, path, data=form or None)
    names = [entry.operation for entry in control.requests(since, store)]
    assert names == [name for *_, name in OPERATIONS]
    assert control.counts()[store] == {name: names.count(name) for name in set(names)}
