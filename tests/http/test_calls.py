"""What a call puts on the wire, and what comes back as an answer."""

from __future__ import annotations

from providers.core.http import Origin
from tests.http.stub import Reply, Stub


def test_a_call_goes_below_the_origin_and_brings_the_answer(origin: Origin, stub: Stub) -> None:
    stub.replies(Reply(201, b'{"id": 1}', [("X-Two", "a"), ("X-Two", "b"), ("Location", "/elsewhere")]))
    answer = origin.request("GET", "/wp-json/", query={"search": "a b&c", "n": 3}, safe=True)
    assert (answer.status, answer.json(), answer.headers["x-two"]) == (201, {"id": 1}, "a, b")
    assert answer.location == "/elsewhere"
    (asked,) = stub.asked
    assert (asked.method, asked.target) == ("GET", "/shop/wp-json/?search=a+b%26c&n=3")
    assert asked.headers["host"] == f"127.0.0.1:{stub.port}"
