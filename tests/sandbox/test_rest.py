"""Sheet 7 and 8: what a key may do, by every scheme, and what its use leaves behind."""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from sandbox.client import Client, HandMadeKey
from tests.sandbox.browser import API, VERSIONS, Browser, MakeBrowser, MakeStore

every_version = pytest.mark.parametrize("version", VERSIONS)

AUTH = "woocommerce_rest_authentication_error"
VIEW = "woocommerce_rest_cannot_view"
BATCH = "woocommerce_rest_cannot_batch"
NO_ROUTE = "rest_no_route"
ALLOW = "GET, POST"

Call = Callable[[Browser, str, str], httpx.Response]


def basic(key: HandMadeKey) -> Call:
    def call(browser: Browser, method: str, path: str) -> httpx.Response:
        return browser.call(method, path, auth=(key.consumer_key, key.consumer_secret))

    return call


def in_query(key: HandMadeKey) -> Call:
    def call(browser: Browser, method: str, path: str) -> httpx.Response:
        query = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
        return browser.call(method, path, params=query)

    return call


def anonymous(browser: Browser, method: str, path: str) -> httpx.Response:
    return browser.call(method, path)


def escape(text: str) -> str:
    return quote(text, safe="~")


@dataclass
class OAuth:
    """A signer of its own, by RFC 5849."""

    key: HandMadeKey
    home: str
    digest: str = "sha256"
    header: bool = False
    offset: int = 0
    nonce: str = ""
    without: str = ""
    spoil: bool = False

    def __call__(self, browser: Browser, method: str, path: str) -> httpx.Response:
        path, _, query = path.partition("?")
        plain = [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)]
        given = {
            "oauth_consumer_key": self.key.consumer_key,
            "oauth_timestamp": str(int(time.time()) + self.offset),
            "oauth_nonce": self.nonce or secrets.token_hex(8),
            "oauth_signature_method": f"HMAC-{self.digest.upper()}",
        }
        given.pop(self.without, None)
        pairs = sorted((escape(name), escape(value)) for name, value in [*plain, *given.items()])
        joined = "&".join(f"{name}={value}" for name, value in pairs)
        base = "&".join(map(escape, (method, self.home + path, joined)))
        secret = self.key.consumer_secret + ("x" if self.spoil else "")
        code = hmac.digest(f"{secret}&".encode(), base.encode(), self.digest)
        given["oauth_signature"] = base64.b64encode(code).decode()
        given.pop(self.without, None)
        if self.header:
            fields = ", ".join(f'{name}="{escape(value)}"' for name, value in given.items())
            return browser.call(method, f"{path}?{query}", headers={"Authorization": f"OAuth {fields}"})
        return browser.call(method, f"{path}?{urlencode([*plain, *given.items()])}")


def told(answer: httpx.Response) -> tuple[int, str]:
    """Status, and the code or what else tells."""
    if not answer.content:
        return answer.status_code, ""
    document: Any = answer.json()
    if isinstance(document, dict) and "code" in document:
        return answer.status_code, document["code"]
    return answer.status_code, answer.headers.get("allow", "")


def row(browser: Browser, call: Call, api: str) -> list[tuple[int, str]]:
    """One row of table 7.1."""
    base = f"/wp-json/wc/{api}"
    calls = (("GET", "products"), ("OPTIONS", "products"), ("POST", "__probe"), ("POST", "products/batch"))
    return [told(call(browser, method, f"{base}/{path}")) for method, path in calls]


FINE, ALLOWED, NOTHING, NOT_FOUND = (200, ""), (200, ALLOW), (200, ""), (404, NO_ROUTE)
REFUSED = (401, AUTH)

TRUTH = {
    "read": ("connector", "read", [FINE, ALLOWED, REFUSED, REFUSED]),
    "write": ("connector", "write", [REFUSED, ALLOWED, NOT_FOUND, FINE]),
    "read_write": ("connector", "read_write", [FINE, ALLOWED, NOT_FOUND, FINE]),
    "of a customer": ("customer", "read_write", [(403, VIEW), NOTHING, NOT_FOUND, (403, BATCH)]),
    "of a shop manager": ("shop-manager", "read_write", [FINE, ALLOWED, NOT_FOUND, FINE]),
    # The sheet infers only the second cell of this one.
    "write, of a customer": ("customer", "write", [REFUSED, NOTHING, NOT_FOUND, (403, BATCH)]),
}
STRANGER = [(401, VIEW), NOTHING, NOT_FOUND, (401, BATCH)]
NO_KEY = HandMadeKey(0, "ck_" + "0" * 40, "cs_" + "0" * 40)


@pytest.mark.parametrize(("user", "permissions", "expected"), TRUTH.values(), ids=TRUTH)
@every_version
def test_truth_table(
    version: str,
    user: str,
    permissions: str,
    expected: list[tuple[int, str]],
    control: Client,
    make_store: MakeStore,
    make_browser: MakeBrowser,
) -> None:
    store = make_store(version)
    browser = make_browser(store, None)
    key = control.insert_key(store, description="probe", permissions=permissions, user=user)
    assert row(browser, basic(key), API[version]) == expected
    assert row(browser, in_query(key), API[version]) == expected
    control.change_settings(store, scheme="http")
    home = browser.base.replace("https:", "http:")
    assert row(browser, OAuth(key, home), API[version]) == expected


@every_version
def test_truth_table_of_strangers(
    version: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(version)
    browser = make_browser(store, None)
    key = control.insert_key(store, description="probe", permissions="read_write")
    wrong = HandMadeKey(0, key.consumer_key, "cs_" + "0" * 40)
    api, refused = API[version], [REFUSED] * 4
    home = browser.base.replace("https:", "http:")
    assert row(browser, basic(wrong), api) == refused
    assert row(browser, basic(NO_KEY), api) == STRANGER
    assert row(browser, anonymous, api) == STRANGER
    control.change_settings(store, strip_authorization=True)
    assert row(browser, basic(key), api) == STRANGER
    # L12: the query gets through where the header does not.
    assert row(browser, in_query(key), api)[0] == FINE
    control.change_settings(store, strip_authorization=False, scheme="http")
    assert row(browser, basic(key), api) == STRANGER
    assert row(browser, in_query(key), api) == STRANGER
    assert row(browser, OAuth(NO_KEY, home), api) == refused
    assert row(browser, OAuth(wrong, home), api) == refused
    # The front sets X-Forwarded-Proto; once wp-config honours it, Basic works again.
    control.change_settings(store, trust_forwarded_proto=True)
    assert row(browser, basic(key), api)[0] == FINE


@every_version
def test_index_is_open_to_anybody(version: str, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    """L11."""
    browser = make_browser(make_store(version), None)
    for call in (anonymous, basic(NO_KEY)):
        assert call(browser, "GET", f"/wp-json/wc/{API[version]}").status_code == 200
        assert call(browser, "GET", "/wp-json/").status_code == 200


OAUTH_CASES: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
    "sha256 in the query": ({}, FINE),
    "sha1 in the query": ({"digest": "sha1"}, FINE),
    "sha256 in the header": ({"header": True}, FINE),
    "sha1 in the header": ({"digest": "sha1", "header": True}, FINE),
    "another digest": ({"digest": "sha512"}, REFUSED),
    "wrong secret": ({"spoil": True}, REFUSED),
    "14 minutes early": ({"offset": -14 * 60}, FINE),
    "16 minutes early": ({"offset": -16 * 60}, REFUSED),
    "16 minutes late": ({"offset": 16 * 60}, REFUSED),
    **{
        f"without {name}": ({"without": f"oauth_{name}"}, (401, "woocommerce_rest_authentication_missing_parameter"))
        for name in ("consumer_key", "timestamp", "nonce", "signature", "signature_method")
    },
}


@pytest.mark.parametrize(("options", "expected"), OAUTH_CASES.values(), ids=OAUTH_CASES)
@pytest.mark.parametrize("version", ["3.2.5", "11.0.1"])
def test_oauth(
    version: str,
    options: dict[str, Any],
    expected: tuple[int, str],
    control: Client,
    make_store: MakeStore,
    make_browser: MakeBrowser,
) -> None:
    store = make_store(version, settings={"scheme": "http"})
    browser = make_browser(store, None)
    key = control.insert_key(store, description="probe")
    call = OAuth(key, browser.base.replace("https:", "http:"), **options)
    assert told(call(browser, "GET", f"/wp-json/wc/{API[version]}/products?per_page=1&search=a b"))[0] == expected[0]
    if expected != FINE:
        assert told(call(browser, "GET", f"/wp-json/wc/{API[version]}/products")) == expected


def test_oauth_nonce_is_used_once(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(settings={"scheme": "http"})
    browser = make_browser(store, None)
    key = control.insert_key(store, description="probe")
    call = OAuth(key, browser.base.replace("https:", "http:"), nonce="only-once")
    answers = [told(call(browser, "GET", "/wp-json/wc/v3/products")) for _ in range(2)]
    assert answers == [FINE, REFUSED]


def test_oauth_signs_with_the_stores_own_home(
    control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    home = "https://coffee.example/shop"
    store = make_store(settings={"home": home})
    browser = make_browser(store, None)
    key = control.insert_key(store, description="probe")
    assert told(OAuth(key, browser.base)(browser, "GET", "/wp-json/wc/v3/products")) == REFUSED
    assert told(OAuth(key, home)(browser, "GET", "/wp-json/wc/v3/products")) == FINE


@pytest.mark.parametrize(
    ("version", "status"), [("2.6.14", 501), ("3.2.5", 401), ("3.4.2", 501), ("3.5.3", 200), ("11.0.1", 200)]
)
def test_oauth_over_https(
    version: str, status: int, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(version)
    browser = make_browser(store, None)
    key = control.insert_key(store, description="probe")
    answer = OAuth(key, browser.base)(browser, "GET", f"/wp-json/wc/{API[version]}/products")
    assert answer.status_code == status


def test_clock_of_the_store(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(settings={"clock_offset": 3600.0})
    browser = make_browser(store, None)
    key = control.insert_key(store, description="probe")
    assert told(OAuth(key, browser.base)(browser, "GET", "/wp-json/wc/v3/products")) == REFUSED
    assert told(OAuth(key, browser.base, offset=3600)(browser, "GET", "/wp-json/wc/v3/products")) == FINE


RESOURCES = (
    "products", "products/categories", "products/attributes", "products/tags", "orders", "customers", "coupons",
    "taxes", "shipping/zones", "settings", "webhooks", "reports", "payment_gateways", "system_status",
)  # fmt: skip


@pytest.mark.parametrize("user", ["connector", "shop-manager"])
@pytest.mark.parametrize("version", VERSIONS[1:])
def test_resources_of_a_sync(
    version: str, user: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store(version)
    browser = make_browser(store, None)
    call = basic(control.insert_key(store, description="probe", user=user))
    for name in (*RESOURCES, *(["data"] if API[version] == "v3" else [])):
        answer = call(browser, "GET", f"/wp-json/wc/{API[version]}/{name}?per_page=1")
        assert answer.status_code == 200, name
        if name != "system_status":
            assert int(answer.headers["x-wp-total"]) >= len(answer.json())
    products = call(browser, "GET", f"/wp-json/wc/{API[version]}/products?per_page=2&page=3")
    assert (len(products.json()), products.headers["x-wp-total"], products.headers["x-wp-totalpages"]) == (1, "5", "3")
    assert told(call(browser, "GET", f"/wp-json/wc/{API[version]}/nothing")) == NOT_FOUND
    head = call(browser, "HEAD", f"/wp-json/wc/{API[version]}/products")
    assert (head.status_code, head.content, head.headers["x-wp-total"]) == (200, b"", "5")


@pytest.mark.parametrize("name", ["system_status", "settings", "shipping/zones", "payment_gateways"])
def test_what_wc_v1_has_is_unknown(
    name: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser
) -> None:
    store = make_store("2.6.14")
    call = basic(control.insert_key(store, description="probe"))
    assert call(make_browser(store, None), "GET", f"/wp-json/wc/v1/{name}").status_code == 501


def test_nothing_in_the_shop_can_be_written(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store()
    browser = make_browser(store, None)
    key = control.insert_key(store, description="probe", permissions="read_write")
    pair = (key.consumer_key, key.consumer_secret)
    assert browser.post("/wp-json/wc/v3/products", auth=pair, json={"name": "Mug"}).status_code == 501
    batch = browser.post("/wp-json/wc/v3/products/batch", auth=pair, json={"delete": [101]})
    assert batch.status_code == 501
    assert browser.post("/wp-json/wc/v3/products", json={"name": "Mug"}).status_code == 401


@every_version
def test_last_access(version: str, control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(version)
    browser = make_browser(store)
    made = browser.create(permissions="read")
    base = f"/wp-json/wc/{API[version]}"

    def seen() -> int | None:
        return next(key.last_access for key in control.keys(store) if key.key_id == made.key_id)

    browser.post(f"{base}/__probe", auth=made.pair)
    browser.get(f"{base}/products", auth=(made.consumer_key, "cs_wrong"))
    assert seen() is None
    assert (browser.form(made.key_id).last_access, browser.rows()[0].last_access) == ("Unknown", "Unknown")
    browser.call("OPTIONS", f"{base}/products", auth=made.pair)
    assert abs((seen() or 0) - time.time()) < 5
    control.change_settings(store, date_format="Y-m-d H:i", utc_offset=3.0)
    moment = time.strftime("%Y-%m-%d %H:%M", time.gmtime((seen() or 0) + 3 * 3600))
    assert browser.form(made.key_id).last_access == browser.rows()[0].last_access == moment


def test_last_access_can_be_off(control: Client, make_store: MakeStore, make_browser: MakeBrowser) -> None:
    store = make_store(settings={"last_access": False})
    key = control.insert_key(store, description="probe")
    assert told(basic(key)(make_browser(store, None), "GET", "/wp-json/wc/v3/products")) == FINE
    assert control.keys(store)[-1].last_access is None


PERMALINKS = [
    ("pretty", {"/wp-json": 200, "/index.php/wp-json": 200, "?rest_route=": 401}, "/wp-json/"),
    ("index.php", {"/wp-json": 404, "/index.php/wp-json": 200, "?rest_route=": 401}, "/index.php/wp-json/"),
    ("plain", {"/wp-json": 404, "/index.php/wp-json": 404, "?rest_route=": 401}, "/index.php?rest_route=/"),
]


@pytest.mark.parametrize(("permalinks", "expected", "link"), PERMALINKS)
def test_permalinks(
    permalinks: str,
    expected: dict[str, int],
    link: str,
    control: Client,
    make_store: MakeStore,
    make_browser: MakeBrowser,
) -> None:
    store = make_store(settings={"permalinks": permalinks})
    browser = make_browser(store, None)
    key = control.insert_key(store, description="probe")
    pair = (key.consumer_key, key.consumer_secret)
    paths = {
        "/wp-json": "/wp-json/wc/v3/products",
        "/index.php/wp-json": "/index.php/wp-json/wc/v3/products",
        "?rest_route=": "/?rest_route=/wc/v3/products",
    }
    assert {name: browser.get(path, auth=pair).status_code for name, path in paths.items()} == expected
    assert told(browser.get(paths["?rest_route="], auth=pair)) == (401, VIEW)
    assert browser.get("/").headers["link"] == f'<{browser.base}{link}>; rel="https://api.w.org/"'
    assert browser.get("/index.php?rest_route=/").json()["home"] == browser.base
