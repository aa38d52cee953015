"""When a call is tried again, how long it waits, and how many are in flight."""

from __future__ import annotations

import itertools
import socket
import threading
import traceback
from collections.abc import Callable, Sequence

import pytest

from providers.core.errors import (
    CouldNotLook,
    RateLimited,
    StoreError,
    UnclearOutcome,
    Unexpected,
    Unreachable,
)
from providers.core.http import Answer, Http, Origin
from providers.core.pacing import Hold
from providers.core.redaction import Secret
from tests.http.conftest import Time
from tests.http.stub import Asked, Reply, Stub

CANARY = "canary-0123456789"
GOOD = Reply(200, b'{"done": true}')
LOST = Reply(200, b'{"done": true}', cut=0)
HEAD_LOST = Reply(200, b'{"done": true}', cut=20)
BODY_LOST = Reply(200, b'{"done": true}', cut=45)
NONSENSE = Reply(200, b"", length=False, headers=[("Content-Length", "many")])
ASKS_30 = Reply(429, headers=[("Retry-After", "30")])
ASKS_200 = Reply(429, headers=[("Retry-After", "200")])
ASKS_DATE = Reply(
    429, headers=[("Date", "Mon, 04 May 2026 12:00:00 GMT"), ("Retry-After", "Mon, 04 May 2026 12:00:20 GMT")]
)
LIMITED = Reply(429)
OVERLOADED = Reply(503, b"")
MAINTENANCE = Reply(503, headers=[("Retry-After", "600")])
SHORT_REST = Reply(503, headers=[("Retry-After", "2")])

SAFE, UNSAFE = True, False

TABLE: list[tuple[str, bool, Sequence[Reply], int | type[StoreError], int, list[float]]] = [
    # method, safe, replies in turn, status or error, requests that arrive, waits (the jitter at its most)
    ("GET", SAFE, [LOST], Unreachable, 4, [0.5, 1.0, 2.0]),
    ("GET", SAFE, [HEAD_LOST], Unreachable, 4, [0.5, 1.0, 2.0]),
    ("GET", SAFE, [BODY_LOST], Unreachable, 4, [0.5, 1.0, 2.0]),
    ("GET", SAFE, [NONSENSE], Unreachable, 4, [0.5, 1.0, 2.0]),
    ("GET", SAFE, [LOST, BODY_LOST, GOOD], 200, 3, [0.5, 1.0]),
    ("POST", SAFE, [LOST, GOOD], 200, 2, [0.5]),
    ("POST", UNSAFE, [LOST], UnclearOutcome, 1, []),
    ("POST", UNSAFE, [HEAD_LOST], UnclearOutcome, 1, []),
    ("POST", UNSAFE, [BODY_LOST], UnclearOutcome, 1, []),
    ("POST", UNSAFE, [NONSENSE], UnclearOutcome, 1, []),
    ("GET", UNSAFE, [LOST, GOOD], UnclearOutcome, 1, []),
    ("DELETE", UNSAFE, [LOST, GOOD], UnclearOutcome, 1, []),
    ("GET", SAFE, [OVERLOADED], 503, 4, [0.5, 1.0, 2.0]),
    ("GET", SAFE, [Reply(502), Reply(504), Reply(408), GOOD], 200, 4, [0.5, 1.0, 2.0]),
    ("POST", UNSAFE, [OVERLOADED, GOOD], 503, 1, []),
    ("POST", UNSAFE, [Reply(502), GOOD], 502, 1, []),
    ("POST", UNSAFE, [Reply(408), GOOD], 408, 1, []),
    ("GET", SAFE, [Reply(500), GOOD], 500, 1, []),
    ("GET", SAFE, [Reply(501), GOOD], 501, 1, []),
    ("GET", SAFE, [SHORT_REST, GOOD], 200, 2, [2.0]),
    ("GET", SAFE, [MAINTENANCE, GOOD], 503, 1, []),
    ("GET", SAFE, [ASKS_30, GOOD], 200, 2, [30.0]),
    ("GET", SAFE, [ASKS_DATE, GOOD], 200, 2, [20.0]),
    ("GET", SAFE, [ASKS_30], RateLimited, 3, [30.0, 30.0]),
    ("GET", SAFE, [ASKS_200, GOOD], RateLimited, 1, []),
    ("GET", SAFE, [LIMITED], RateLimited, 4, [0.5, 1.0, 2.0]),
    ("GET", SAFE, [LIMITED, GOOD], 200, 2, [0.5]),
    ("POST", UNSAFE, [ASKS_30, GOOD], 200, 2, [30.0]),
    ("POST", UNSAFE, [ASKS_200, GOOD], RateLimited, 1, []),
    ("POST", UNSAFE, [LIMITED, GOOD], RateLimited, 1, []),
    ("POST", UNSAFE, [ASKS_30, LOST, GOOD], UnclearOutcome, 2, [30.0]),
]


@pytest.mark.parametrize(("method", "safe", "replies", "outcome", "requests", "waits"), TABLE)
def test_a_call_is_repeated_only_where_it_does_no_harm(
    origin: Origin,
    stub: Stub,
    time: Time,
    method: str,
    safe: bool,
    replies: Sequence[Reply],
    outcome: int | type[StoreError],
    requests: int,
    waits: list[float],
) -> None:
    stub.replies(*replies)
    login = Secret(CANARY)
    if isinstance(outcome, int):
        assert origin.request(method, "/x", query={"key": login}, auth=("a", login), safe=safe).status == outcome
    else:
        with pytest.raises(outcome) as caught:
            origin.request(method, "/x", query={"key": login}, auth=("a", login), safe=safe)
        assert type(caught.value) is outcome
        assert caught.value.where == origin.where
        assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert (len(stub.asked), time.waits) == (requests, waits)
    assert len({asked.target for asked in stub.asked}) == 1


@pytest.mark.parametrize("safe", [SAFE, UNSAFE])
def test_what_surely_was_not_sent_is_tried_again(make_http: Callable[..., Http], time: Time, safe: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match="no connection"):
        make_http().origin(f"https://127.0.0.1:{port}").request("POST", "/", safe=safe)
    assert time.waits == [0.5, 1.0, 2.0]


def test_a_limit_says_how_long_to_wait(origin: Origin, stub: Stub) -> None:
    stub.replies(ASKS_200)
    with pytest.raises(RateLimited) as caught:
        origin.request("GET", "/", safe=True)
    assert caught.value.retry_after == 200
    stub.replies(LIMITED)


@pytest.mark.parametrize(("safe", "error"), [(SAFE, Unreachable), (UNSAFE, UnclearOutcome)])
def test_a_store_that_says_nothing_is_not_waited_for(
    make_http: Callable[..., Http], stub: Stub, safe: bool, error: type[StoreError]
) -> None:
    over = threading.Event()

    def silent(asked: Asked) -> Reply:
        over.wait(30)
        return GOOD

    stub.script = silent
    try:
        with pytest.raises(error, match="no answer in time"):
            make_http(read_timeout=0.02).origin(stub.url()).request("GET", "/", safe=safe)
    finally:
        over.set()


@pytest.mark.parametrize(("safe", "error"), [(SAFE, Unreachable), (UNSAFE, UnclearOutcome)])
def test_an_answer_that_drips_ends_at_the_deadline(
    origin: Origin, stub: Stub, time: Time, safe: bool, error: type[StoreError]
) -> None:
    def slow(asked: Asked) -> Reply:
        time.seconds += 1000
        return Reply(200, bytes(3_000_000))

    stub.script = slow
    with pytest.raises(error, match="no answer in time"):
        origin.request("GET", "/", safe=safe)
    assert (len(stub.asked), time.waits) == (1, [])


def test_a_look_up_that_takes_too_long_ends_the_call_before_anything_is_sent(
    make_http: Callable[..., Http], stub: Stub, time: Time
) -> None:
    def slow(host: str, port: int) -> list[str]:
        time.seconds += 1000
        return ["127.0.0.1"]

    with pytest.raises(Unreachable, match="no answer in time"):
        make_http(resolver=slow).origin(stub.url("localhost")).request("POST", "/", safe=False)
    assert stub.connections == 0


def test_no_try_begins_that_could_not_end_in_time(make_http: Callable[..., Http], stub: Stub, time: Time) -> None:
    stub.replies(OVERLOADED)
    assert make_http(deadline=1.4).origin(stub.url()).request("GET", "/", safe=True).status == 503
    assert (len(stub.asked), time.waits) == (2, [0.5])


# --- leaving an origin alone --------------------------------------------------------------------------------------------


def test_one_origin_that_asks_for_rest_gets_it_from_everybody(
    make_http: Callable[..., Http], stub: Stub, time: Time
) -> None:
    http = make_http()
    one, same, other = (http.origin(stub.url(base=base)) for base in ("/one", "/one", "/other"))
    stub.script = lambda asked: ASKS_200 if asked.target.startswith("/one") and len(stub.asked) < 2 else GOOD
    with pytest.raises(RateLimited):
        one.request("POST", "/", safe=False)
    for client, safe in itertools.product((one, same), (SAFE, UNSAFE)):
        with pytest.raises(RateLimited) as caught:
            client.request("GET", "/", safe=safe)
        assert caught.value.retry_after == 200
    assert len(stub.asked) == 1
    assert other.request("GET", "/", safe=True).status == 200
    time.seconds += 150
    assert same.request("GET", "/", safe=True).status == 200
    assert time.waits == [50.0]


def budget(left: int) -> Reply:
    """BigCommerce's headers (bigcommerce.md 7)."""
    return Reply(
        200,
        headers=[
            ("X-Rate-Limit-Requests-Left", str(left)),
            ("X-Rate-Limit-Requests-Quota", "150"),
            ("X-Rate-Limit-Time-Reset-Ms", "12500"),
            ("X-Rate-Limit-Time-Window-Ms", "30000"),
        ],
    )


def test_the_reserve_of_a_shared_budget_is_left_to_others(origin: Origin, stub: Stub, time: Time) -> None:
    stub.replies(budget(16), budget(15), budget(150))
    for _ in range(4):
        assert origin.request("GET", "/", safe=True).status == 200
    assert time.waits == [12.5]


def test_rest_asked_for_while_one_queues_is_given_too(make_http: Callable[..., Http], stub: Stub, time: Time) -> None:
    ticks = itertools.count(1)
    holds: dict[str, Hold] = {}

    def monotonic() -> float:
        # Read at the start, before the turn and after it: by then another thread has been told to wait.
        if next(ticks) == 3:
            time.seconds += 1000
            holds[origin.url].extend(time.seconds + 40)
        return time.seconds

    http = make_http(monotonic=monotonic)
    holds = http._holds
    origin = http.origin(stub.url())
    assert origin.request("GET", "/", safe=True).status == 200
    assert time.waits == [40.0]


# --- in flight ----------------------------------------------------------------------------------------------------------


def test_only_so_many_calls_are_in_flight_to_a_host(make_http: Callable[..., Http], stub: Stub) -> None:
    http = make_http(in_flight_per_host=2)
    arrived, go = threading.Semaphore(0), threading.Semaphore(0)
    lock, flying, most = threading.Lock(), 0, 0

    def hold(asked: Asked) -> Reply:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        arrived.release()
        assert go.acquire(timeout=30)
        with lock:
            flying -= 1
        return GOOD

    stub.script = hold
    answers: list[Answer | CouldNotLook] = []

    def call(number: int) -> None:
        answers.append(http.origin(stub.url(base=f"/store-{number % 3}")).request("GET", "/", safe=True))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        assert arrived.acquire(timeout=30)
    for _ in range(6):
        go.release()
        assert arrived.acquire(timeout=30)
    for _ in range(2):
        go.release()
    for thread in threads:
        thread.join()
    assert (len(answers), most, flying) == (8, 2, 0)
    assert stub.connections <= 2


def test_a_turn_is_given_back_whatever_happens(make_http: Callable[..., Http], stub: Stub) -> None:
    origin = make_http(in_flight_per_host=1, largest_answer=10).origin(stub.url())
    stub.replies(Reply(200, bytes(20)))
    for _ in range(3):
        with pytest.raises(Unexpected):
            origin.request("GET", "/", safe=True)
    stub.replies(GOOD)
    with pytest.raises(Unexpected):
        origin.request("GET", "/", safe=True)
    stub.replies(Reply(200, b"{}"))
    assert origin.request("GET", "/", safe=True).json() == {}


def test_queueing_for_a_turn_costs_nothing_of_the_deadline(
    make_http: Callable[..., Http], stub: Stub, time: Time
) -> None:
    ticks = itertools.count(1)

    def monotonic() -> float:
        # The third reading is the one after the turn came: we queued for a long time.
        if next(ticks) == 3:
            time.seconds += 1000
        return time.seconds

    origin = make_http(monotonic=monotonic).origin(stub.url())
    assert origin.request("GET", "/", safe=True).status == 200
