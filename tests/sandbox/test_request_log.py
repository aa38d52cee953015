"""The log: everything that was asked, and not one value."""

from __future__ import annotations

import sqlite3

import pytest

from sandbox.client import Client
from sandbox.server_process import ServerProcess, start
from tests.sandbox.browser import ADMIN_PASSWORD, Browser, MakeBrowser, MakeStore


def test_entries(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store()
    since = control.last_seq()
    browser = make_browser(store)
    made = browser.create("ours")
    browser.get("/wp-json/wc/v3/products?per_page=1", auth=made.pair)
    entries = control.requests(since, store)
    assert [entry.seq for entry in entries] == sorted(entry.seq for entry in entries)
    login, create, probe = (
        next(entry for entry in entries if entry.operation == name) for name in ("login", "create_key", "rest_probe")
    )
    assert (login.method, login.path, login.status) == ("POST", f"/{store}/wp-login.php", 302)
    assert login.form_fields == ("log", "pwd", "wp-submit", "redirect_to", "testcookie")
    assert create.form_fields == ("action", "security", "key_id", "description", "user", "permissions")
    assert (probe.query_fields, probe.header_fields, probe.fault) == (("per_page",), ("authorization", "cookie"), None)


def test_was_this_value_ever_sent(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store()
    browser = make_browser(store)
    made = browser.create("ours")
    assert control.find_value(made.consumer_secret) == []
    browser.get("/wp-json/wc/v3/products", auth=made.pair)
    browser.get("/wp-json/wc/v3/products", params={"consumer_secret": made.consumer_secret})
    found = control.find_value(made.consumer_secret)
    assert [(entry.store, entry.operation) for entry in found] == [(store, "rest_probe")] * 2
    assert [entry.store for entry in control.find_value(ADMIN_PASSWORD)].count(store) == 1
    assert control.find_value(made.consumer_secret[:-1]) == []


def test_no_secret_anywhere_but_in_the_answers(
    server: ServerProcess, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store()
    browser = make_browser(store)
    made = browser.create("ours")
    browser.get("/wp-json/wc/v3/products", auth=made.pair)
    hand = control.insert_key(store, description="by hand")
    secrets = [*made.pair, hand.consumer_key, hand.consumer_secret, ADMIN_PASSWORD, browser.nonce()]
    http = control._http
    told = [
        http.get(path).text
        for path in (
            "/health",
            "/stores",
            f"/stores/{store}/keys",
            f"/stores/{store}/users",
            "/requests",
            "/requests/counts",
            "/faults",
        )
    ]
    told += [
        repr(hand),
        (server.directory / "server.log").read_text(),
        http.post("/requests/find", json={"value": ADMIN_PASSWORD}).text,
    ]
    assert [secret for secret in secrets for text in told if secret in text] == []
    # Of a key the database holds the HMAC; the secret it needs for OAuth.
    with sqlite3.connect(server.directory / "woocommerce.sqlite") as database:
        held = "\n".join(map(str, database.execute("SELECT * FROM api_keys").fetchall()))
    database.close()
    assert made.consumer_key not in held
    assert made.consumer_secret in held


def test_unknown_hosts_are_logged(control: Client, make_browser: MakeBrowser) -> None:
    since = control.last_seq()
    make_browser("gone", None).get("/wp-json/")
    (entry,) = control.requests(since, "gone")
    assert (entry.operation, entry.status) == ("no_store", 404)


def test_clear_and_bound(tmp_path_factory: pytest.TempPathFactory) -> None:
    with start(tmp_path_factory.mktemp("small"), log_size=3) as small:
        small.client.create_store("shop", "11.0.1", "x")
        browser = Browser(small.url, small.ca, "shop")
        for _ in range(5):
            browser.get("/wp-json/")
        assert [entry.seq for entry in small.client.requests()] == [3, 4, 5]
        assert small.client.counts() == {"shop": {"rest_index": 5}}
        small.client.clear_requests()
        assert (small.client.requests(), small.client.counts()) == ([], {})
        browser.get("/wp-json/")
        assert [entry.seq for entry in small.client.requests()] == [6]
        browser.http.close()
