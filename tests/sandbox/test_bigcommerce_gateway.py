"""The gateway: token, scope, body; every row of the probe table both ways; the recorded tokens; what is dangerous."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from sandbox.client import Client, ControlError
from tests.sandbox.gateway import (
    EVERYTHING,
    LEVELS,
    MISSING_SCOPE,
    PROBES,
    STONE_EDGE,
    MakeApi,
    Probe,
    expected,
    title,
)

RECORDED = [probe for probe in PROBES if probe.recorded]

GOLDEN = {
    "no scopes but Store logs": {"Store logs": "read-only"},
    "everything but Customers modify": EVERYTHING | {"Customers": "read-only"},
}


def check(probe: Probe, answer: httpx.Response, present: bool) -> None:
    if present:
        assert answer.status_code in probe.has, probe.name
    else:
        assert (answer.status_code, title(answer)) == (403, MISSING_SCOPE), probe.name
        assert answer.json()["errors"] == {}


@pytest.mark.parametrize("name", GOLDEN)
def test_recorded_tokens(name: str, make_api: MakeApi) -> None:
    """Sheet 5.1 and 14.7: 27 probes, the liveness probe among them, with two tokens of a real store."""
    api = make_api(GOLDEN[name])
    assert len(RECORDED) + 1 == 27
    assert api.get("/v2/time").status_code == 200
    refused = []
    for probe in RECORDED:
        answer = api.probe(probe)
        check(probe, answer, expected(probe, GOLDEN[name]))
        refused += [probe.name] if answer.status_code == 403 else []
    assert refused == ([probe.name for probe in RECORDED] if len(GOLDEN[name]) == 1 else ["POST /v3/customers"])


@pytest.mark.parametrize(
    ("label", "level"), [(label, level) for label, levels in LEVELS.items() for level in ("none", *levels)]
)
def test_one_row_at_a_time(label: str, level: str, make_api: MakeApi) -> None:
    """Every level of every row opens its own probes, as far as it reaches, and no other."""
    rows = {} if level == "none" else {label: level}
    api = make_api(rows)
    assert api.get("/v2/time").status_code == 200
    for probe in PROBES:
        check(probe, api.probe(probe), expected(probe, rows))


@pytest.mark.parametrize("label", LEVELS)
def test_one_row_less(label: str, make_api: MakeApi) -> None:
    rows = {name: level for name, level in EVERYTHING.items() if name != label}
    api = make_api(rows)
    for probe in PROBES:
        check(probe, api.probe(probe), expected(probe, rows))


def test_stone_edge_account(make_api: MakeApi) -> None:
    """Sheet 5.5."""
    api = make_api(STONE_EDGE)
    before = api.client.resources(api.hash)
    present = {probe.name for probe in PROBES if api.probe(probe).status_code != 403}
    assert present == {probe.name for probe in PROBES if expected(probe, STONE_EDGE)}
    assert {"GET /v2/pages?limit=1", "POST /v3/content/scripts", "GET /v3/content/scripts/1"} <= present
    assert not {"POST /v2/pages", "POST /v3/inventory/locations", "GET /v2/store"} & present
    assert api.client.resources(api.hash) == before


@pytest.mark.parametrize("body", [{}, [], None, {"name": "x", "type": "page"}])
def test_scope_comes_before_body(body: Any, make_api: MakeApi) -> None:
    assert make_api({"Content": "read-only"}).post("/v2/pages", body).status_code == 403


SCRIPTS = [
    ({}, 403, 403),
    ({"Content": "read-only"}, 422, 403),
    ({"Checkout content": "read-only"}, 422, 403),
    ({"Content": "modify"}, 422, 422),
    ({"Checkout content": "modify"}, 422, 422),
    ({"Content": "read-only", "Checkout content": "modify"}, 422, 422),
]


@pytest.mark.parametrize(("rows", "reading", "writing"), SCRIPTS)
def test_scripts_open_with_either_row(rows: dict[str, str], reading: int, writing: int, make_api: MakeApi) -> None:
    api = make_api(rows)
    assert api.get("/v3/content/scripts/1").status_code == reading
    assert api.post("/v3/content/scripts", {}).status_code == writing


CHARGES = [
    ({}, 403, 403),
    ({"Orders": "read-only", "Order transactions": "read-only"}, 403, 403),
    ({"Orders": "modify"}, 403, 201),
    ({"Order transactions": "modify"}, 422, 201),
]


@pytest.mark.parametrize(("rows", "authorizing", "charging"), CHARGES)
def test_order_transactions(rows: dict[str, str], authorizing: int, charging: int, make_api: MakeApi) -> None:
    """Authorizing opens by its own row alone; capture, void and refund by Orders too, and they bite (sheet 14.2)."""
    api = make_api(rows)
    assert api.post("/v3/payments/transactions/authorizations", {}).status_code == authorizing
    for action in ("capture", "void", "refunds"):
        assert api.post(f"/v3/orders/1/payment_actions/{action}", {}).status_code == charging
    assert api.client.resources(api.hash)["transactions"] == (3 if charging == 201 else 0)


def test_payment_methods_by_information(make_api: MakeApi) -> None:
    api = make_api({"Information & settings": "read-only"})
    assert api.get("/v2/payments/methods").status_code == 403
    api.settings(payment_methods_by_information=True)
    assert api.get("/v2/payments/methods").status_code == 200


DANGEROUS = [
    ("/v2/customers", "customers", "Customers"),
    ("/v2/currencies", "currencies", "Information & settings"),
    ("/v2/coupons", "coupons", "Marketing"),
    ("/v2/banners", "banners", "Marketing"),
    ("/v2/orders", "orders", "Orders"),
]


@pytest.mark.parametrize(("path", "collection", "label"), DANGEROUS)
def test_dangerous_routes_bite(path: str, collection: str, label: str, make_api: MakeApi) -> None:
    api = make_api({label: "read-only"})
    assert api.client.resources(api.hash)[collection] > 0
    assert api.call("DELETE", path).status_code == 403
    assert api.client.resources(api.hash)[collection] > 0
    assert api.other({label: "modify"}).call("DELETE", path).status_code == 204
    assert api.client.resources(api.hash)[collection] == 0
    others = [other for _, other, _ in DANGEROUS if other != collection]
    assert all(api.client.resources(api.hash)[other] > 0 for other in others)


VALID = [
    ("/v2/pages", {"name": "News", "type": "page"}, "pages", 201),
    ("/v3/customers", [{"email": "a@b.example", "first_name": "A", "last_name": "B"}], "customers", 200),
    ("/v3/catalog/products", {"name": "Cup", "type": "physical", "price": 1, "weight": 1}, "products", 200),
]


@pytest.mark.parametrize(("path", "body", "collection", "status"), VALID)
def test_valid_bodies_create(path: str, body: Any, collection: str, status: int, make_api: MakeApi) -> None:
    api = make_api(EVERYTHING)
    before = api.client.resources(api.hash)[collection]
    assert api.post(path, body).status_code == status
    assert api.client.resources(api.hash)[collection] == before + 1
    assert api.post(path, {}).status_code in {400, 422}
    assert api.post(path, []).status_code in {400, 422}
    assert api.client.resources(api.hash)[collection] == before + 1


def test_a_write_probe_that_creates(make_api: MakeApi) -> None:
    """The incident of sheet 5.3: `{}` is answered 201, and something is there then."""
    api = make_api(EVERYTHING, accepting=["pages_write", "inventory_write"])
    before = api.client.resources(api.hash)
    assert api.post("/v2/pages", {}).status_code == 201
    assert api.post("/v3/inventory/adjustments/relative", {}).status_code == 201
    assert api.post("/v2/banners", {}).status_code == 400
    after = api.client.resources(api.hash)
    assert after == before | {"pages": before["pages"] + 1, "adjustments": before["adjustments"] + 1}
    assert api.other({}).post("/v2/pages", {}).status_code == 403


@pytest.mark.parametrize(
    ("operation", "path", "statuses"),
    [
        ("order_transactions_read", "/v3/orders/1/transactions", (404, 200, 204)),
        ("stored_instruments_read", "/v3/customers/0/stored-instruments", (200, 404)),
        ("routes_read", "/v3/sites/1/routes", (200, 404)),
        ("orders_read", "/v2/orders?limit=1", (200, 204)),
    ],
)
def test_statuses_that_the_sheet_leaves_open(
    operation: str, path: str, statuses: tuple[int, ...], make_api: MakeApi
) -> None:
    api = make_api(EVERYTHING)
    assert api.get(path).status_code == statuses[0]
    for status in statuses:
        api.settings(statuses={operation: status})
        assert api.get(path).status_code == status
    with pytest.raises(ControlError, match="does not answer 418"):
        api.settings(statuses={operation: 418})


def test_empty_collections(make_api: MakeApi) -> None:
    """V2 answers 204 for nothing, V3 an empty page."""
    api = make_api(EVERYTHING)
    assert len(api.get("/v2/orders").json()) == 2
    assert len(api.get("/v2/orders?limit=1").json()) == 1
    api.call("DELETE", "/v2/orders")
    assert (api.get("/v2/orders").status_code, api.get("/v2/orders/count").json()) == (204, {"count": 0})
    assert api.get("/v3/pickup/methods").json()["data"] == []


def test_store_tells_its_hash(make_api: MakeApi) -> None:
    api = make_api({"Information & settings": "read-only"}, plan_level="Pro")
    document = api.get("/v2/store").json()
    assert (document["id"], document["plan_level"]) == (api.hash, "Pro")
    assert document["account_uuid"] == api.store.account_uuid


def test_clock(make_api: MakeApi) -> None:
    api = make_api()
    now = api.get("/v2/time").json()["time"]
    api.settings(clock_offset=3600)
    answer = api.get("/v2/time")
    assert 3600 <= answer.json()["time"] - now < 3660


# URL


def test_prefixed_hash(make_api: MakeApi) -> None:
    api = make_api(EVERYTHING)
    for path in ("/v2/time", "/v2/store", "/v3/nothing"):
        answer = api.http.get(api.url(path, f"store-{api.hash}"), headers={"X-Auth-Token": api.token})
        assert (answer.status_code, title(answer)) == (403, MISSING_SCOPE)


def test_trailing_slash_and_unknown_route(make_api: MakeApi) -> None:
    api = make_api(EVERYTHING)
    assert (api.get("/v3/catalog/products/").status_code, api.get("/v3/themes/").text) == (
        403,
        "Authentication Required",
    )
    answer = api.get("/v3/nothing")
    assert (answer.status_code, answer.text) == (404, "The route is not found, check the URL")
    assert api.call("PUT", "/v2/pages", {}).status_code == 404
    assert api.http.get(f"{api.store.gateway_url}/elsewhere").status_code == 404


@pytest.mark.parametrize(("url_first", "statuses"), [(True, (404, 403)), (False, (401, 401))])
def test_where_the_url_is_looked_at(url_first: bool, statuses: tuple[int, int], make_api: MakeApi) -> None:
    api = make_api(url_before_token=url_first)
    api.token = "unknown"
    assert (api.get("/v3/nothing").status_code, api.get("/v3/themes/").status_code) == statuses


# Token


def test_no_token(make_api: MakeApi) -> None:
    api = make_api()
    api.token = ""
    answer = api.get("/v2/time")
    assert (answer.status_code, answer.text) == (401, "X-Auth-Token header is required")


def test_client_id_is_ignored(make_api: MakeApi) -> None:
    api = make_api()
    assert api.get("/v2/time", **{"X-Auth-Client": "wrong"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "shown"), [("title", "not a valid combination for this store"), ("text", "Unauthorized"), ("empty", "")]
)
def test_unknown_and_deleted_tokens(body: str, shown: str, make_api: MakeApi) -> None:
    api = make_api(EVERYTHING, dead_token_body=body)
    good = api.token
    api.token = "unknown"
    unknown = api.get("/v2/time")
    api.token = good
    assert api.get("/v2/time").status_code == 200
    api.delete_account()
    for answer in (unknown, api.get("/v2/time"), api.post("/v2/pages", {})):
        assert answer.status_code == 401
        assert shown in answer.text
        assert bool(answer.text) == bool(shown)


def test_deleted_token_that_dies_later(make_api: MakeApi) -> None:
    api = make_api({"Content": "modify"}, deletion_delay=3600)
    api.delete_account()
    assert api.client.accounts(api.hash) == []
    assert (api.get("/v2/time").status_code, api.post("/v2/pages", {}).status_code) == (200, 400)
    api.settings(clock_offset=3601)
    assert api.get("/v2/time").status_code == 401


@pytest.mark.parametrize(("foreign", "status"), [("401", 401), ("403", 403)])
def test_token_of_another_store(foreign: str, status: int, make_api: MakeApi) -> None:
    one, other = make_api(EVERYTHING), make_api(EVERYTHING, foreign_token=foreign)
    one.settings(foreign_token=foreign)
    header = {"X-Auth-Token": one.token}
    for store_hash in (other.hash, "nobodyhas1"):
        for path in ("/v2/time", "/v2/pages"):
            assert one.http.get(one.url(path, store_hash), headers=header).status_code == status
    assert one.get("/v2/time").status_code == 200


@pytest.mark.parametrize(
    ("kind", "time", "themes"), [("no_scopes", 200, 403), ("themes", 200, 200), ("refused", 401, 401)]
)
def test_stencil_token(kind: str, time: int, themes: int, make_api: MakeApi) -> None:
    api = make_api(stencil_token=kind)
    made = api.client.make_account(api.hash, "stencil", {}, token_type="Stencil-CLI token")
    api.token = made.access_token
    assert (api.get("/v2/time").status_code, api.get("/v3/themes").status_code) == (time, themes)


# Bodies of errors


def test_error_bodies(make_api: MakeApi) -> None:
    """Sheet 6."""
    api = make_api({"Store inventory": "modify", "Products": "modify", "Content": "modify"})
    refused = api.get("/v3/themes").json()
    assert refused == {
        "status": 403,
        "title": MISSING_SCOPE,
        "type": "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes",
        "errors": {},
    }
    product = api.post("/v3/catalog/products", {"name": "Cup"})
    assert (product.json()["status"], set(product.json()["errors"])) == (422, {"type", "price", "weight"})
    problem = api.post("/v3/inventory/adjustments/relative", {})
    assert (product.headers["content-type"], problem.headers["content-type"]) == (
        "application/json",
        "application/problem+json",
    )
    page = api.post("/v2/pages", {}).json()
    assert (type(page), page[0]["status"]) == (list, 400)
    api.settings(v2_errors="object", missing_scope_body="2016")
    assert api.post("/v2/pages", {}).json()["status"] == 400
    assert "your scope does not include this resource" in api.get("/v2/banners").json()["error"]


@pytest.mark.parametrize("cause", ["platform_limit", "owner_changed", "feature_disabled"])
def test_another_403(cause: str, make_api: MakeApi) -> None:
    api = make_api(EVERYTHING, forbidden=cause, forbidden_operations=["pages_*"])
    answer = api.get("/v2/pages")
    assert answer.status_code == 403
    assert title(answer) != MISSING_SCOPE
    assert api.get("/v2/banners").status_code == 200


def test_faults_and_log_know_the_gateway(control: Client, make_api: MakeApi) -> None:
    api = make_api(EVERYTHING)
    since = control.last_seq()
    control.add_fault("status", store=api.hash, operation="pages_read", status=502)
    assert [api.get("/v2/pages").status_code for _ in range(2)] == [502, 200]
    control.add_fault("drop_after", store=api.hash, operation="pages_write")
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/v2/pages", {"name": "News", "type": "page"})
    assert api.client.resources(api.hash)["pages"] == 3
    entries = control.requests(since, api.hash)
    assert [(entry.method, entry.operation, entry.status, entry.fault) for entry in entries] == [
        ("GET", "pages_read", 502, "status"),
        ("GET", "pages_read", 200, None),
        ("POST", "pages_write", 0, "drop_after"),
    ]
    assert entries[0].path == f"/api.bigcommerce.com/stores/{api.hash}/v2/pages"
    assert entries[0].header_fields == ("x-auth-token",)
    assert len(control.find_value(api.token)) == 3
    assert control.find_value(api.account.client_secret) == []


def test_late_commit_outlives_the_account(control: Client, make_api: MakeApi) -> None:
    api = make_api(EVERYTHING)
    rule = control.add_fault("late_commit", store=api.hash, operation="pages_write")
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/v2/pages", {"name": "News", "type": "page"})
    api.delete_account()
    assert api.client.resources(api.hash)["pages"] == 2
    assert control.release(rule).committed == 1
    assert api.client.resources(api.hash)["pages"] == 3
