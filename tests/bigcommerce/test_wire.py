"""What a call puts on the wire, and what of an answer is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from providers.bigcommerce.wire import Gateway, Reply, Saying
from providers.core.errors import RateLimited, UnclearOutcome, Unexpected
from providers.core.http import Http
from tests.bigcommerce.conftest import HASH, NO_SCOPE, SECRET, TOKEN, UNAUTHORIZED, answer, quota
from tests.http import stub as stubs
from tests.http.stub import Stub


@pytest.fixture
def gateway(make_http: Callable[..., Http], stub: Stub) -> Gateway:
    return Gateway(make_http().origin(stub.url()), HASH)


def test_a_call_carries_the_token_and_asks_for_json(gateway: Gateway, stub: Stub) -> None:
    stub.replies(answer(200, {"time": 1}, **quota(100)))
    found = gateway.ask("GET", "/v2/orders", SECRET["access_token"], query={"order_id:in": "0"})
    assert found == Reply(200, Saying.OTHER, 100, 150)
    assert found.document == {"time": 1}
    (asked,) = stub.asked
    assert (asked.method, asked.target) == ("GET", f"/stores/{HASH}/v2/orders?order_id%3Ain=0")
    assert (asked.headers["x-auth-token"], asked.headers["accept"]) == (TOKEN, "application/json")
    assert "x-auth-client" not in asked.headers
    assert TOKEN not in repr(found)


def test_a_writing_call_carries_its_body(gateway: Gateway, stub: Stub) -> None:
    stub.replies(answer(422, {"status": 422, "title": "no", "errors": {"name": "missing"}}))
    assert gateway.ask("POST", "/v3/sites", SECRET["access_token"], body={}) == Reply(422)
    assert (stub.asked[0].body, stub.asked[0].headers["content-type"]) == (b"{}", "application/json")


def test_no_path_ends_in_a_slash(gateway: Gateway, stub: Stub) -> None:
    with pytest.raises(Unexpected, match="slash"):
        gateway.ask("GET", "/v3/catalog/products/", SECRET["access_token"])
    assert stub.asked == []


def test_where_and_the_api_path(gateway: Gateway, stub: Stub) -> None:
    assert gateway.api_path == f"https://127.0.0.1:{stub.port}/stores/{HASH}/v3/"
    assert gateway.where == f"127.0.0.1:{stub.port}, store {HASH}"


BODIES: dict[str, tuple[int, Any, Saying]] = {
    "missing scope": (403, NO_SCOPE, Saying.NO_SCOPE),
    "missing scope, other apostrophe": (
        403,
        {"title": "You don\u2019t have a required  scope to access the endpoint."},
        Saying.NO_SCOPE,
    ),
    "missing scope of 2016": (
        403,
        {"error": "You are authorized but your scope does not include this resource."},
        Saying.NO_SCOPE,
    ),
    "missing scope in a list of V2": (403, [{"status": 403, "message": NO_SCOPE["title"]}], Saying.NO_SCOPE),
    "unauthorized": (401, UNAUTHORIZED, Saying.OTHER),
    "no header": (401, "X-Auth-Token header is required", Saying.NO_HEADER),
    "no header, as bare text": (401, b"X-Auth-Token header is required\n", Saying.NO_HEADER),
    "unknown route": (404, {"title": "The route is not found, check the URL"}, Saying.NO_ROUTE),
    "slash": (403, {"title": "Authentication Required"}, Saying.SLASH),
    "a sentence that only mentions a scope": (403, {"title": "This scope is limited by the plan"}, Saying.OTHER),
    "title is no text": (403, {"title": 7, "detail": None}, Saying.OTHER),
    "a list of numbers": (400, [1, 2], Saying.OTHER),
    "a number": (400, 3, Saying.OTHER),
    "nothing": (404, b"", Saying.OTHER),
    "a page": (403, b"<html>Forbidden</html>", Saying.OTHER),
    "the words in a good answer": (200, NO_SCOPE, Saying.OTHER),
}


@pytest.mark.parametrize("case", BODIES)
def test_bodies_of_errors_are_understood_whatever_their_shape(gateway: Gateway, stub: Stub, case: str) -> None:
    status, body, saying = BODIES[case]
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    stub.replies(stubs.Reply(status, raw))
    assert gateway.ask("GET", "/v2/time", SECRET["access_token"]).saying is saying


def test_odd_headers_and_bodies_say_nothing(gateway: Gateway, stub: Stub) -> None:
    headers = (("X-Rate-Limit-Requests-Left", "many"), ("X-Rate-Limit-Requests-Quota", "-3"))
    stub.replies(stubs.Reply(200, b"no json", headers))
    found = gateway.ask("GET", "/v2/time", SECRET["access_token"])
    assert (found.left, found.quota, found.document) == (None, None, None)


def test_a_writing_call_is_sent_once(gateway: Gateway, stub: Stub) -> None:
    stub.replies(stubs.Reply(cut=0))
    with pytest.raises(UnclearOutcome):
        gateway.ask("POST", "/v3/sites", SECRET["access_token"], body={})
    assert len(stub.asked) == 1


def test_a_rate_limit_without_end_is_an_error(gateway: Gateway, stub: Stub) -> None:
    stub.replies(answer(429))
    with pytest.raises(RateLimited):
        gateway.ask("GET", "/v2/time", SECRET["access_token"])
