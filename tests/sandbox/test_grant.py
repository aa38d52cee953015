"""Sheet 9: the grant page, and what it refuses."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sandbox.client import Client
from sandbox.server_process import ServerProcess
from sandbox.tls import ensure_authority
from tests.sandbox.browser import ADMIN_PASSWORD, VERSIONS, Browser, MakeBrowser, MakeStore, one, parse

PARAMETERS = {
    "app_name": "Feed tool",
    "scope": "read_write",
    "user_id": "customer-17",
    "return_url": "https://app.example/back",
    "callback_url": "https://app.example/keys",
}


@dataclass
class Receiver:
    """A callback address on this machine."""

    url: str = ""
    status: int = 200
    received: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def receiver(server: ServerProcess) -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(state.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    certificate, key = ensure_authority(server.directory / "tls").issue("callback", ["localhost"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        state.url = f"https://localhost:{listener.server_port}/keys"
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
        thread.start()
        yield state
        listener.shutdown()
        thread.join()


def approve(browser: Browser, parameters: dict[str, str]) -> tuple[int, str, str]:
    """Log in on the way, approve, and tell the answer: status, target, text."""
    path = "/wc-auth/v1/authorize"
    answer = browser.get(path, params=parameters)
    assert "/wc-auth/v1/login?" in answer.headers["location"]
    login = answer.headers["location"]
    form = one(parse(browser.http.get(login).text), "//form")
    hidden = {
        name: form.xpath(f"string(.//*[@name='{name}']/@value)") for name in ("woocommerce-login-nonce", "redirect")
    }
    bad = browser.http.post(login, data={"username": "connector", "password": "wrong", "login": "Login"} | hidden)
    assert bad.status_code == 200
    good = {"username": "connector", "password": ADMIN_PASSWORD, "login": "Login"} | hidden
    answer = browser.http.post(login, data=good)
    assert answer.status_code == 302
    page = parse(browser.http.get(answer.headers["location"]).text)
    assert "success=0" in one(page, "//a[contains(@class, 'wc-auth-deny')]").get("href", "")
    link = one(page, "//a[contains(@class, 'wc-auth-approve')]").get("href", "")
    answer = browser.http.get(link)
    return answer.status_code, answer.headers.get("location", ""), answer.text


@pytest.mark.parametrize("version", VERSIONS)
def test_approved(
    version: str, receiver: Receiver, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    # The plugins that break wp-login.php do not stand in this way.
    settings = {"grant_callback_to_loopback": True, "two_factor": True}
    store = make_store(version, foreign_keys=[], settings=settings)
    browser = make_browser(store, None)
    status, target, _ = approve(browser, PARAMETERS | {"callback_url": receiver.url})
    assert (status, target) == (302, "https://app.example/back?success=1&user_id=customer-17")
    (sent,) = receiver.received
    (key,) = control.keys(store)
    assert set(sent) == {"key_id", "user_id", "consumer_key", "consumer_secret", "key_permissions"}
    assert (sent["key_id"], sent["user_id"], sent["key_permissions"]) == (key.key_id, "customer-17", "read_write")
    assert (key.login, key.permissions) == ("connector", "read_write")
    assert key.description.startswith("Feed tool - API ")
    pair = (sent["consumer_key"], sent["consumer_secret"])
    assert browser.get("/wp-json/wc/v1/products", auth=pair).status_code == 200


def test_callback_that_fails_costs_the_key(
    receiver: Receiver, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(foreign_keys=[], settings={"grant_callback_to_loopback": True})
    receiver.status = 500
    status, _, _ = approve(make_browser(store, None), PARAMETERS | {"callback_url": receiver.url})
    assert (status, control.keys(store), len(receiver.received)) == (401, [], 1)


def test_loopback_is_refused_unless_switched_on(
    receiver: Receiver, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(foreign_keys=[])
    status, _, text = approve(make_browser(store, None), PARAMETERS | {"callback_url": receiver.url})
    assert (status, "A valid URL was not provided" in text) == (401, True)
    assert (control.keys(store), receiver.received) == ([], [])


def test_nothing_but_loopback_is_ever_called(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(foreign_keys=[], settings={"grant_callback_to_loopback": True})
    status, _, _ = approve(make_browser(store, None), PARAMETERS)
    assert (status, control.keys(store)) == (401, [])


REFUSED = [
    *({name: ""} for name in PARAMETERS),
    {"scope": "everything"},
    {"callback_url": "http://app.example/keys"},
    {"return_url": "nowhere"},
]


@pytest.mark.parametrize("wrong", REFUSED)
def test_bad_parameters(wrong: dict[str, str], make_store: MakeStore, make_browser: MakeBrowser) -> None:
    answer = make_browser(make_store(), None).get("/wc-auth/v1/authorize", params=PARAMETERS | wrong)
    assert (answer.status_code, "Access denied" in answer.text) == (401, True)


def test_bad_nonce(make_store: MakeStore, make_browser: MakeBrowser) -> None:
    browser = make_browser(make_store())
    answer = browser.get("/wc-auth/v1/access_granted", params=PARAMETERS | {"wc_auth_nonce": "0123456789"})
    assert answer.status_code == 401
