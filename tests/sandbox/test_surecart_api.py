"""The API of the SureCart cloud, row by row of the sheet's stand-in table (surecart.md 9.1), and its switches."""

from __future__ import annotations

import hashlib
import itertools
import re
import socket
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from sandbox.client import Client, ControlError
from sandbox.documents import Documents
from sandbox.exchange import VendorRequest
from sandbox.server_process import ServerProcess, start
from sandbox.surecart import api
from sandbox.surecart.client import AccountRow, SureCartClient
from sandbox.surecart.rate import Rate
from sandbox.surecart.state import Cloud

NUMBERS = itertools.count(1)
FIELDS = {"http_status", "type", "code", "message", "validation_errors"}
ACCOUNT_FIELDS = {
    "id",
    "object",
    "name",
    "slug",
    "url",
    "currency",
    "claimed",
    "claim_url",
    "claim_window_ends_at",
    "plan",
    "public_token",
    "cache_keys",
    "brand",
    "order_protocol",
    "tax_protocol",
}
SITE = "https://acme.example/surecart/webhooks"
OTHER_SITE = "https://uk.acme.example/surecart/webhooks"

MakeAccount = Callable[..., AccountRow]
Ask = Callable[..., httpx.Response]


@pytest.fixture
def cloud(control: Client) -> Iterator[SureCartClient]:
    yield control.surecart
    control.surecart.reset_settings()
    control.surecart.reset_rate()


@pytest.fixture
def make(cloud: SureCartClient) -> MakeAccount:
    """Make an account; settings and the like as keywords."""

    def make_account(**order: Any) -> AccountRow:
        return cloud.create_account(f"store-{next(NUMBERS)}", **order)

    return make_account


@pytest.fixture
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(verify=ssl.create_default_context(cafile=str(server.ca)), trust_env=False) as client:
        yield client


@pytest.fixture
def ask(http: httpx.Client, cloud: SureCartClient) -> Ask:
    """Call the API with a token, or without one."""

    def call(token: str | None, path: str = "/v1/account", method: str = "GET", **more: Any) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return http.request(method, cloud.api_url + path, headers=headers, **more)

    return call


def is_refused(answer: httpx.Response, status: int = 401, code: str = "unauthorized") -> bool:
    """Whether an answer is the error of five fields."""
    body = answer.json()
    return answer.status_code == status and set(body) == FIELDS and body["code"] == code


# --- C1: no token API -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/v1/tokens", "/v1/api_tokens", "/v1/account/token", "/v1/secret_tokens/{id}"])
def test_no_call_knows_tokens(method: str, path: str, make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    account = make()
    token = cloud.make_token(account.slug)
    before = cloud.tokens(account.slug)
    assert is_refused(ask(token.value, path.format(id=token.id), method, json={}), 404, "not_found")
    assert cloud.tokens(account.slug) == before


def test_hands_make_and_delete_tokens(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    account = make()
    first, second = cloud.make_token(account.slug, "main"), cloud.make_token(account.slug)
    rows = cloud.tokens(account.slug)
    assert [(row.id, row.name, row.ending) for row in rows] == [
        (first.id, "main", first.value[-4:]),
        (second.id, "", second.value[-4:]),
    ]
    assert rows[0].sha256 == hashlib.sha256(first.value.encode()).hexdigest()
    assert first.value not in repr(first) + repr(rows) + repr(cloud.account(account.slug))
    cloud.delete_token(account.slug, first.id)
    assert [row.id for row in cloud.tokens(account.slug)] == [second.id]
    assert [ask(token.value).status_code for token in (first, second)] == [401, 200]
    with pytest.raises(ControlError, match="no such token"):
        cloud.delete_token(account.slug, first.id)


def test_the_form_of_a_token_is_a_setting(make: MakeAccount, cloud: SureCartClient) -> None:
    account = make()
    assert re.fullmatch(r"st_[A-Za-z0-9]{24}", cloud.make_token(account.slug).value)
    cloud.change_settings(token_prefix="", token_length=12)
    assert re.fullmatch(r"[A-Za-z0-9]{12}", cloud.make_token(account.slug).value)


# --- C2: the verify call --------------------------------------------------------------------------------------------


def test_the_account_has_the_documented_fields(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    account = make(name="Fresh Roast", url="https://fresh-roast.example")
    answer = ask(cloud.make_token(account.slug).value)
    body = answer.json()
    assert answer.status_code == 200
    assert body.keys() >= ACCOUNT_FIELDS
    assert (body["id"], body["slug"], body["name"], body["url"]) == (
        account.id,
        account.slug,
        "Fresh Roast",
        "https://fresh-roast.example",
    )
    assert (body["object"], body["claimed"], body["claim_url"], body["claim_window_ends_at"]) == (
        "account",
        True,
        None,
        None,
    )
    assert {str(uuid.UUID(body[name])) for name in ("id", "brand")} == {body["id"], body["brand"]}
    assert body["plan"] == {"free": True, "name": "Launch"}
    assert body["public_token"] == account.public_token


def test_expanded_names_become_objects(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    token = cloud.make_token(make().slug).value
    plain = ask(token).json()
    names = ["brand", "brand.address", "tax_protocol", "tax_protocol.ca_tax_identifier", "nothing"]
    expanded = ask(token, params={"expand[]": names}).json()
    assert expanded["brand"] == {"id": plain["brand"], "object": "brand"}
    assert expanded["tax_protocol"] == {"id": plain["tax_protocol"], "object": "tax_protocol"}
    changed = {"brand", "tax_protocol"}
    assert {name: value for name, value in expanded.items() if name not in changed} == {
        name: value for name, value in plain.items() if name not in changed
    }


# --- C3, C4: bad tokens ---------------------------------------------------------------------------------------------


def test_a_bad_token_gets_five_fields(ask: Ask, cloud: SureCartClient) -> None:
    assert ask("st_nobody").json() == {
        "http_status": "unauthorized",
        "type": "unauthorized",
        "code": "unauthorized",
        "message": "Invalid API token provided",
        "validation_errors": [],
    }
    cloud.change_settings(unauthorized_code="account.invalid_token", status_in_body="number")
    answer = ask(None)
    assert is_refused(answer, 401, "account.invalid_token")
    assert answer.json()["http_status"] == 401


MANGLED = [" {}", "\n{}", "\t{}", "x{}", "{}x", "{} x", "{}\nX-SURECART-WP-PLUGIN-VERSION: 4.6.6", "{}\n", ""]


@pytest.mark.parametrize("form", MANGLED, ids=repr)
def test_a_header_value_counts_as_it_stands(form: str, tmp_path: Path) -> None:
    documents = Documents(tmp_path / "surecart.sqlite")
    cloud = Cloud(documents, b"key")
    token = cloud.make_token(cloud.create("fresh-roast"), "")
    statuses = [
        api.answer(cloud, Rate(), request({"Authorization": f"Bearer {value}"})).status
        for value in (form.format(token.value), token.value)
    ]
    cloud.close()
    assert statuses == [401, 200]


@pytest.mark.parametrize("scheme", ["", "Basic ", "Token ", "bearer"])
def test_another_scheme_is_no_token(scheme: str, make: MakeAccount, cloud: SureCartClient, http: httpx.Client) -> None:
    token = cloud.make_token(make().slug).value
    answer = http.get(f"{cloud.api_url}/v1/account", headers={"Authorization": scheme + token})
    assert is_refused(answer)


def test_a_leading_blank_over_the_wire(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    token = cloud.make_token(make().slug).value
    assert [ask(f" {token}").status_code, ask(token).status_code] == [401, 200]


@pytest.mark.parametrize("form", ["\n{}", "{}\nX-Eaten: header"])
def test_a_raw_line_feed_over_the_wire_lets_nobody_in(
    form: str, make: MakeAccount, cloud: SureCartClient, server: ServerProcess
) -> None:
    # The plugin writes the value raw into its request (sheet 4); what HTTP libraries refuse to send comes by hand.
    token = cloud.make_token(make().slug).value
    parts = urlsplit(cloud.api_url)
    context = ssl.create_default_context(cafile=str(server.ca))
    lines = [
        f"GET {parts.path}/v1/account HTTP/1.1",
        f"Host: {parts.netloc}",
        "Connection: close",
        f"Authorization: Bearer {form.format(token)}",
    ]
    with (
        socket.create_connection(("localhost", parts.port or 0)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = connection.recv(65_536)
    assert answer.split(b" ")[1] in (b"400", b"401")


def request(headers: Mapping[str, str], path: str = "/v1/account") -> VendorRequest:
    """A GET without a network."""
    return VendorRequest("GET", "api.surecart.com", path, path, "", [], [], headers, {})


# --- C5, C6: stores and sites ---------------------------------------------------------------------------------------


def test_a_token_shows_its_own_store(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    accounts = [make(), make(account_id="4f5cbe8b-4b6c-4e4b-9a68-4a6f2f6d0c11")]
    tokens = [cloud.make_token(account.slug).value for account in accounts for _ in range(2)]
    shown = [(ask(token).json()["id"], ask(token).json()["slug"]) for token in tokens]
    assert shown == [(account.id, account.slug) for account in accounts for _ in range(2)]
    assert len({account.id for account in accounts}) == 2
    cloud.delete_account(accounts[1].slug)
    assert [ask(token).status_code for token in tokens] == [200, 200, 401, 401]


def test_a_slug_may_change_while_the_id_stays(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    account = make()
    token = cloud.make_token(account.slug).value
    renamed = cloud.change_account(account.slug, slug=f"{account.slug}-renamed", name="Renamed")
    body = ask(token).json()
    assert (body["id"], body["slug"], body["name"]) == (account.id, renamed.slug, "Renamed")
    assert renamed.slug != account.slug


def test_one_delete_cuts_all_sites_off(make: MakeAccount, cloud: SureCartClient, server: ServerProcess) -> None:
    account = make()
    token = cloud.make_token(account.slug)
    context = ssl.create_default_context(cafile=str(server.ca))
    sites = [httpx.Client(verify=context, trust_env=False) for _ in range(3)]
    url, headers = f"{cloud.api_url}/v1/account", {"Authorization": f"Bearer {token.value}"}
    before = [site.get(url, headers=headers).status_code for site in sites]
    cloud.delete_token(account.slug, token.id)
    after = [site.get(url, headers=headers).status_code for site in sites]
    for site in sites:
        site.close()
    assert (before, after) == ([200, 200, 200], [401, 401, 401])


def test_a_deleted_token_may_live_on_for_a_while(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    account = make(deletion_delay=60)
    token, other = cloud.make_token(account.slug), cloud.make_token(account.slug)
    cloud.delete_token(account.slug, token.id)
    assert [row.id for row in cloud.tokens(account.slug)] == [other.id]
    assert ask(token.value).status_code == 200
    cloud.change_settings(clock_offset=61)
    assert [ask(token.value).status_code, ask(other.value).status_code] == [401, 200]


# --- C7: outages and limits -----------------------------------------------------------------------------------------


def test_an_outage_of_one_account(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    down, up = make(), make()
    tokens = [cloud.make_token(account.slug).value for account in (down, up)]
    cloud.change_account_settings(down.slug, outage=True)
    answer = ask(tokens[0])
    assert is_refused(answer, 503, "service_unavailable")
    assert "Retry-After" not in answer.headers
    assert [ask(tokens[1]).status_code, ask("st_nobody").status_code] == [200, 401]
    cloud.change_account_settings(down.slug, outage=False)
    assert ask(tokens[0]).status_code == 200


def test_an_outage_of_the_whole_cloud(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    token = cloud.make_token(make().slug).value
    cloud.change_settings(outage=True, outage_code="maintenance", retry_after=True)
    for value in (token, "st_nobody", None):
        answer = ask(value)
        assert is_refused(answer, 503, "maintenance")
        assert answer.headers["Retry-After"] == "30"


def test_no_connection(make: MakeAccount, cloud: SureCartClient, control: Client, ask: Ask) -> None:
    account = make()
    token = cloud.make_token(account.slug).value
    control.add_fault("drop_before", store=f"api.surecart.com/{account.slug}", operation="surecart_account")
    with pytest.raises(httpx.TransportError):
        ask(token)
    assert ask(token).status_code == 200


def test_the_limit_of_operations(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    account, other = make(operations_limit=3), make()
    tokens = [cloud.make_token(account.slug).value for _ in range(2)]
    assert [ask(tokens[number % 2]).status_code for number in range(4)] == [200, 200, 200, 429]
    cloud.change_settings(rate_limit_code="slow_down", retry_after=True)
    answer = ask(tokens[0])
    assert is_refused(answer, 429, "slow_down")
    assert 1 <= int(answer.headers["Retry-After"]) <= 10
    assert ask(cloud.make_token(other.slug).value).status_code == 200
    assert ask("st_nobody").status_code == 401
    cloud.change_settings(clock_offset=10)
    assert ask(tokens[0]).status_code == 200


def test_the_limit_of_sensitive_operations(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    token = cloud.make_token(make(sensitive_operations=["surecart_acc*"], sensitive_limit=2).slug).value
    assert [ask(token).status_code for _ in range(3)] == [200, 200, 429]
    assert ask(token, "/v1/webhook_endpoints").status_code == 200
    cloud.change_settings(clock_offset=11)
    assert ask(token).status_code == 429
    cloud.change_settings(clock_offset=60)
    assert ask(token).status_code == 200


def test_limits_without_a_reason(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    limited = cloud.make_token(make(rate_limited=True).slug).value
    other = cloud.make_token(make().slug).value
    assert [ask(limited).status_code, ask(other).status_code] == [429, 200]
    cloud.change_settings(rate_limited=True)
    assert is_refused(ask(other), 429, "too_many_requests")


# --- C8: provisional stores -----------------------------------------------------------------------------------------

ORDER = {"account_name": "New Shop", "account_url": "https://new.example", "email": "o@new.example", "source": "wp"}


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_provisional_store(wrapped: bool, ask: Ask, cloud: SureCartClient) -> None:
    cloud.change_settings(claim_window=3600.0)
    body = {"provisional_account": ORDER} if wrapped else ORDER
    answer = ask(None, "/v1/public/provisional_accounts", "POST", json=body)
    token = answer.headers["X-SURECART-API-TOKEN"]
    assert (answer.status_code, token in answer.text) == (200, False)
    account = ask(token).json()
    assert (account["name"], account["url"], account["claimed"]) == ("New Shop", "https://new.example", False)
    assert account["slug"].startswith("new-shop-")
    assert account["claim_url"]
    row = cloud.account(account["slug"])
    assert row.claim_window_ends_at == account["claim_window_ends_at"]
    assert abs(account["claim_window_ends_at"] - row.created_at - 3600) <= 1
    assert cloud.change_account(row.slug, claimed=True).claimed


@pytest.mark.parametrize("name", ["", "ab", " a ", None, 3])
def test_a_provisional_store_needs_a_name(name: Any, ask: Ask, cloud: SureCartClient) -> None:
    before = cloud.accounts()
    answer = ask(None, "/v1/public/provisional_accounts", "POST", json=ORDER | {"account_name": name})
    assert is_refused(answer, 422, "provisional_account.invalid")
    assert [error["attribute"] for error in answer.json()["validation_errors"]] == ["account_name"]
    assert "X-SURECART-API-TOKEN" not in answer.headers
    assert cloud.accounts() == before


# --- C9: webhook endpoints ------------------------------------------------------------------------------------------

ENDPOINT = {
    "description": "WordPress Webhook SureCart",
    "enabled": True,
    "destination": "wordpress",
    "url": SITE,
    "webhook_events": ["order.paid", "subscription.renewed"],
}
LIST = "/v1/webhook_endpoints"


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_life_of_a_webhook_endpoint(wrapped: bool, make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    def body(fields: dict[str, Any]) -> dict[str, Any]:
        return {"webhook_endpoint": fields} if wrapped else fields

    account = make()
    token = cloud.make_token(account.slug).value
    created = ask(token, LIST, "POST", json=body(ENDPOINT))
    endpoint = created.json()
    assert (created.status_code, endpoint["object"]) == (200, "webhook_endpoint")
    assert {name: endpoint[name] for name in ENDPOINT} == ENDPOINT
    assert endpoint["signing_secret"]
    path = f"{LIST}/{endpoint['id']}"
    assert ask(token, path).json() == endpoint
    updated = ask(token, path, "PATCH", json=body({"enabled": False, "unknown": 1})).json()
    assert (updated["enabled"], updated["url"], updated["id"]) == (False, SITE, endpoint["id"])
    assert ask(token, f"{path}/test", "POST").status_code == 200
    (row,) = cloud.webhook_endpoints(account.slug)
    assert (row.id, row.url, row.enabled, row.tests) == (endpoint["id"], SITE, False, 1)
    assert ask(token, path, "DELETE").json() == {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}
    for method, rest in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test")):
        assert is_refused(ask(token, path + rest, method, json={}), 404, "webhook_endpoint.not_found")
    assert cloud.webhook_endpoints(account.slug) == []


def test_endpoints_of_several_sites_stand_side_by_side(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    account, other = make(), make()
    token, foreign = (cloud.make_token(row.slug).value for row in (account, other))
    ids = [ask(token, LIST, "POST", json=ENDPOINT | {"url": url}).json()["id"] for url in (SITE, OTHER_SITE)]
    listed = ask(token, LIST).json()
    assert {item["url"]: item["id"] for item in listed["data"]} == dict(zip((SITE, OTHER_SITE), ids, strict=True))
    assert (listed["object"], listed["pagination"]["count"]) == ("list", 2)
    assert ask(foreign, LIST).json()["data"] == []
    assert is_refused(ask(foreign, f"{LIST}/{ids[0]}", "DELETE"), 404, "webhook_endpoint.not_found")
    ask(token, f"{LIST}/{ids[0]}", "DELETE")
    assert [row.url for row in cloud.webhook_endpoints(account.slug)] == [OTHER_SITE]


def test_the_list_comes_in_pages(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    token = cloud.make_token(make().slug).value
    urls = [f"https://site-{number}.example/surecart/webhooks" for number in range(5)]
    for url in urls:
        ask(token, LIST, "POST", json={"url": url})
    pages = [ask(token, LIST, params={"limit": "2", "page": str(page)}).json() for page in (1, 2, 3, 4)]
    assert [[item["url"] for item in page["data"]] for page in pages] == [urls[:2], urls[2:4], urls[4:], []]
    assert {page["pagination"]["count"] for page in pages} == {5}


def test_a_list_may_lag(make: MakeAccount, cloud: SureCartClient, control: Client, ask: Ask) -> None:
    account = make()
    token = cloud.make_token(account.slug).value
    rule = control.add_fault("list_lag", operation="surecart_webhooks_list", writes=1)
    assert ask(token, LIST).json()["data"] == []
    endpoint = ask(token, LIST, "POST", json=ENDPOINT).json()
    assert ask(token, LIST).json()["data"] == []
    control.release(rule)
    assert ask(token, LIST).json()["data"] == [endpoint]


BAD_ENDPOINTS: list[tuple[dict[str, Any], int, str]] = [
    ({"enabled": True}, 422, "webhook_endpoint.invalid"),
    ({"url": "acme.example"}, 422, "webhook_endpoint.invalid"),
    ({"url": "https://"}, 422, "webhook_endpoint.invalid"),
    ({"url": 5}, 400, "bad_request"),
    ({"url": SITE, "enabled": "yes"}, 400, "bad_request"),
    ({"webhook_endpoint": 5}, 400, "bad_request"),
]


@pytest.mark.parametrize(("body", "status", "code"), BAD_ENDPOINTS)
def test_bad_endpoints_are_refused(
    body: dict[str, Any], status: int, code: str, make: MakeAccount, cloud: SureCartClient, ask: Ask
) -> None:
    account = make()
    token = cloud.make_token(account.slug).value
    assert is_refused(ask(token, LIST, "POST", json=body), status, code)
    assert cloud.webhook_endpoints(account.slug) == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"url=x"])
def test_a_body_that_is_no_object(content: bytes, make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    token = cloud.make_token(make().slug).value
    assert is_refused(ask(token, LIST, "POST", content=content), 400, "bad_request")


def test_equal_urls_are_a_setting(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    account = make()
    token = cloud.make_token(account.slug).value
    ids = [ask(token, LIST, "POST", json=ENDPOINT).json()["id"] for _ in range(2)]
    cloud.change_account_settings(account.slug, webhook_urls_unique=True)
    assert is_refused(ask(token, LIST, "POST", json=ENDPOINT), 422, "webhook_endpoint.invalid")
    assert is_refused(ask(token, f"{LIST}/{ids[0]}", "PATCH", json={"url": "x"}), 422, "webhook_endpoint.invalid")
    assert ask(token, f"{LIST}/{ids[0]}", "PATCH", json={"enabled": False}).status_code == 200
    assert ask(token, f"{LIST}/{ids[0]}", "PATCH", json={"url": OTHER_SITE}).status_code == 200


# --- C10, C11: anything else, and public keys -----------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/products", "/v1/orders/recent", "/v1/brand"])
def test_anything_else_is_a_list(path: str, make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    token = cloud.make_token(make().slug).value
    body = ask(token, path, params={"limit": "10", "page": "x"}).json()
    assert body == {"object": "list", "pagination": {"count": 0, "limit": 10, "page": 1, "url": path}, "data": []}
    assert is_refused(ask("st_nobody", path))


def test_what_the_sheet_does_not_say_is_refused_loudly(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    token = cloud.make_token(make().slug).value
    assert ask(token, "/v1/products", "POST", json={}).status_code == 501
    assert ask(token, "/v1/account", "PATCH", json={}).status_code == 501
    assert is_refused(ask(token, "/v2/account"), 404, "not_found")


def test_a_public_key_opens_public_endpoints_alone(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    account = make()
    assert account.public_token.startswith("pt_")
    assert ask(account.public_token, "/v1/public/products").json()["data"] == []
    for path in ("/v1/account", LIST, "/v1/products"):
        assert is_refused(ask(account.public_token, path))
    for nobody in (None, "pt_nobody"):
        assert is_refused(ask(nobody, "/v1/public/products"))
    assert is_refused(ask("st_nobody", "/v1/public/provisional_accounts", "POST", json=ORDER))


def test_the_limit_of_public_endpoints(make: MakeAccount, cloud: SureCartClient, ask: Ask) -> None:
    key = make().public_token
    cloud.change_settings(public_limit=2)
    assert [ask(key, "/v1/public/products").status_code for _ in range(3)] == [200, 200, 429]
    assert ask(make().public_token, "/v1/public/products").status_code == 200
    cloud.change_settings(clock_offset=60)
    assert ask(key, "/v1/public/products").status_code == 200
    cloud.change_settings(rate_limited=True)
    assert ask(key, "/v1/public/products").status_code == 429


# --- the control API, the log, and a restart ------------------------------------------------------------------------


def test_names_of_operations(make: MakeAccount, cloud: SureCartClient, control: Client, ask: Ask) -> None:
    account = make()
    token = cloud.make_token(account.slug).value
    since = control.last_seq()
    ask(token)
    endpoint = ask(token, LIST, "POST", json=ENDPOINT).json()["id"]
    ask(token, LIST)
    ask(token, f"{LIST}/{endpoint}")
    ask(token, f"{LIST}/{endpoint}", "PATCH", json={})
    ask(token, f"{LIST}/{endpoint}/test", "POST")
    ask(token, f"{LIST}/{endpoint}", "DELETE")
    ask(token, "/v1/products")
    ask(token, "/v1/public/products")
    ask(None, "/v1/public/provisional_accounts", "POST", json=ORDER)
    ask("st_nobody")
    rows = control.requests(since)
    assert [row.operation.removeprefix("surecart_") for row in rows] == [
        "account",
        "webhooks_create",
        "webhooks_list",
        "webhooks_find",
        "webhooks_update",
        "webhooks_test",
        "webhooks_delete",
        "other",
        "public_other",
        "provisional",
        "account",
    ]
    assert [row.store for row in rows] == [f"api.surecart.com/{account.slug}"] * 9 + ["api.surecart.com"] * 2
    assert len(control.find_value(token)) == 9


def test_a_late_commit_was_admitted_on_arrival(
    make: MakeAccount, cloud: SureCartClient, control: Client, ask: Ask
) -> None:
    account = make()
    token = cloud.make_token(account.slug)
    rule = control.add_fault("late_commit", operation="surecart_webhooks_create")
    with pytest.raises(httpx.TransportError):
        ask(token.value, LIST, "POST", json=ENDPOINT)
    cloud.delete_token(account.slug, token.id)
    control.release(rule)
    assert [row.url for row in cloud.webhook_endpoints(account.slug)] == [SITE]


BAD_ORDERS: list[tuple[dict[str, Any], str]] = [
    ({"slug": "Fresh Roast"}, "slug"),
    ({"slug": "login"}, "slug"),
    ({"slug": "taken"}, "already"),
    ({"slug": "other", "account_id": "5"}, "id"),
    ({"slug": "other", "people": [{"mail": "o@acme.example"}]}, "mail and a password"),
    ({"slug": "other", "nonsense": 1}, "nonsense"),
    ({"slug": "other", "operations_limit": "many"}, "operations_limit"),
]


@pytest.mark.parametrize(("order", "words"), BAD_ORDERS)
def test_bad_orders_are_refused(order: dict[str, Any], words: str, cloud: SureCartClient) -> None:
    if "taken" not in {account.slug for account in cloud.accounts()}:
        cloud.create_account("taken")
    before = cloud.accounts()
    with pytest.raises(ControlError, match=words):
        cloud.create_account(**order)
    assert cloud.accounts() == before


def test_bad_changes_are_refused(make: MakeAccount, cloud: SureCartClient) -> None:
    account, other = make(), make()
    for changes, words in (({"id": other.id}, "'id'"), ({"slug": other.slug}, "already"), ({"slug": "A"}, "slug")):
        with pytest.raises(ControlError, match=words):
            cloud.change_account(account.slug, **changes)
    with pytest.raises(ControlError, match="no account"):
        cloud.make_token("nobody")
    with pytest.raises(ControlError, match="outage"):
        cloud.change_settings(outage="yes")
    assert cloud.account(account.slug) == account


def test_a_restart_keeps_all_but_the_windows(tmp_path: Path) -> None:
    with start(tmp_path) as process:
        cloud = process.client.surecart
        cloud.create_account("fresh-roast", sensitive_operations=["surecart_none"])
        token = cloud.make_token("fresh-roast", "main")
        cloud.change_settings(unauthorized_code="bad")
        account = cloud.account("fresh-roast")
        process.kill()
    with start(tmp_path) as process:
        cloud = process.client.surecart
        assert cloud.account("fresh-roast") == account
        assert [row.sha256 for row in cloud.tokens("fresh-roast")] == [token.sha256]
        assert cloud.settings()["unauthorized_code"] == "bad"
        assert process.client.health()["surecart_accounts"] == 1
        context = ssl.create_default_context(cafile=str(process.ca))
        answer = httpx.get(
            f"{cloud.api_url}/v1/account",
            headers={"Authorization": f"Bearer {token.value}"},
            verify=context,
            trust_env=False,
        )
        assert answer.json()["slug"] == "fresh-roast"
