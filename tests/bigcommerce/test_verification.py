"""The live proof over TLS: what is sent in which order, when it stops, and what the whole run shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from providers.bigcommerce.probes import PROBES, planned
from providers.bigcommerce.scopes import PANEL, ROWS
from providers.core.contract import RECOGNISED, Fields, Finding
from providers.core.errors import CouldNotLook, Incident, RateLimited, Transient, Unreachable
from providers.core.redaction import Secret
from tests.bigcommerce.conftest import (
    NO_SCOPE,
    SECRET,
    STONE_EDGE,
    TOKEN,
    UNAUTHORIZED,
    Gateway,
    MakeIssuer,
    answer,
    asked_calls,
    quota,
)
from tests.http.stub import Reply, Stub

ALIVE = "GET /v2/time"
KEPT = "the store's quota is kept for its shop"


def checked(findings: tuple[Finding, ...] | list[Finding] | Any) -> dict[str, Finding]:
    found = {finding.check: finding for finding in findings}
    assert len(found) == len(findings)
    return found


def verify(make_issuer: MakeIssuer, rights: Fields, **inputs: Any) -> dict[str, Finding]:
    return checked(make_issuer(**inputs).verify(SECRET, {"rights": rights}))


# --- a whole proof --------------------------------------------------------------------------------------------------------


def test_the_account_of_stone_edge(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway(STONE_EDGE)
    issuer = make_issuer()
    found = issuer.verify(SECRET, {"rights": STONE_EDGE})
    assert found[0] == Finding(RECOGNISED, "confirmed", "GET /v2/time answers 200")
    assert [finding.check for finding in found[1:26]] == list(PANEL)
    unverifiable = [finding.check for finding in found if finding.verdict == "unverifiable"]
    assert unverifiable == [
        "Customers login",
        "Metafield ownership",
        "Metafields access",
        "account name",
        "client id",
        "client secret",
    ]
    assert {finding.verdict for finding in found} == {"confirmed", "unverifiable"}
    calls = asked_calls(stub)
    assert calls == [ALIVE, *(probe.call for probe in planned(full=True)), "GET /v3/hooks"]
    assert stub.connections == 1
    assert {asked.body for asked in stub.asked if asked.method == "POST"} == {b"{}"}
    (deleting,) = [asked for asked in stub.asked if asked.method == "DELETE"]
    assert "sf-api-token" not in deleting.headers
    assert deleting.body == b""
    assert TOKEN not in repr(found)


def test_reading_alone_sends_no_writing_call(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway(STONE_EDGE)
    for inputs in ({"verify": "read"}, {"verify": ""}):
        stub.asked.clear()
        found = verify(make_issuer, STONE_EDGE, **inputs)
        assert {asked.method for asked in stub.asked} == {"GET"}
        assert found["Themes"].verdict == "confirmed"
        assert found["Orders"].verdict == "unverifiable"
        assert "`verify: read`" in found["Orders"].evidence


OVER = [(label, level) for label in PANEL if label != "Customers login" for level in ROWS[label].words]


@pytest.mark.parametrize(("label", "actual"), OVER)
def test_one_right_too_many_or_too_few_is_named_by_row(
    make_issuer: MakeIssuer, stub: Stub, label: str, actual: str
) -> None:
    declared = STONE_EDGE.get(label, "none")
    stub.script = Gateway({**STONE_EDGE, label: actual})
    found = verify(make_issuer, STONE_EDGE)
    contradicted = {check for check, finding in found.items() if finding.verdict == "contradicted"}
    if label == "Checkout content" and actual != declared:
        # With Content at read-only, none and read-only look alike: less than modify they both are (5.4).
        assert "none or read-only" in found[label].evidence
    assert contradicted == (set() if actual == declared else {label})


# --- the token as a whole -------------------------------------------------------------------------------------------------


def test_a_dead_token_is_contradicted_by_one_call(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway(odd={ALIVE: answer(401, UNAUTHORIZED)})
    found = verify(make_issuer, STONE_EDGE)
    assert found[RECOGNISED].verdict == "contradicted"
    for words in ("deleted", "another store", "hash is wrong"):
        assert words in found[RECOGNISED].evidence
    assert asked_calls(stub) == [ALIVE]
    assert {finding.verdict for check, finding in found.items() if check != RECOGNISED} == {"unverifiable"}
    assert "not known that the store accepts the token" in found["Orders"].evidence


def test_a_living_token_without_rights(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway({})
    found = verify(make_issuer, STONE_EDGE)
    assert found[RECOGNISED].verdict == "confirmed"
    assert "a living token without any of the rights" in found[RECOGNISED].evidence
    assert found["Orders"].verdict == "contradicted"
    assert found["Themes"].verdict == "confirmed"


def test_the_token_of_another_store(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = lambda _: answer(403, NO_SCOPE)
    found = verify(make_issuer, STONE_EDGE)
    assert found[RECOGNISED].verdict == "contradicted"
    for words in ("another store", "store hash is wrong", "`store-`"):
        assert words in found[RECOGNISED].evidence
    # Few calls: they may be on a stranger's account.
    assert asked_calls(stub) == [ALIVE, *(probe.call for probe in planned(full=False)[:3])]
    # Whose rights these are is not known.
    assert {finding.verdict for check, finding in found.items() if check != RECOGNISED} == {"unverifiable"}


def test_refused_the_time_and_served_otherwise(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway(STONE_EDGE, odd={ALIVE: answer(403, NO_SCOPE)})
    found = verify(make_issuer, STONE_EDGE)
    assert found[RECOGNISED] == Finding(RECOGNISED, "confirmed", "GET /v2/time is refused, but other calls are served")
    assert found["Orders"].verdict == "confirmed"
    calls = asked_calls(stub)
    assert len(calls) == len(set(calls))


def test_refused_the_time_and_nothing_else_to_see(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = lambda asked: answer(403, NO_SCOPE if asked.target.endswith("time") else {"title": "upgrade"})
    found = verify(make_issuer, STONE_EDGE)
    assert found[RECOGNISED].verdict == "unverifiable"


STRANGE = {
    "slash": (403, {"title": "Authentication Required"}, "a path gets that ends in a slash"),
    "route": (404, {"title": "The route is not found, check the URL"}, "address of the API is wrong"),
    "header": (401, "X-Auth-Token header is required", "takes the header out"),
    "platform limit": (403, {"title": "The store has reached the platform limit"}, "other causes"),
    "scope with another status": (400, NO_SCOPE, "needs none"),
    "redirect": (302, None, "other causes"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_other_answers_are_no_verdict_on_the_token(make_issuer: MakeIssuer, stub: Stub, case: str) -> None:
    status, body, words = STRANGE[case]
    stub.script = Gateway(odd={ALIVE: answer(status, body)})
    found = verify(make_issuer, STONE_EDGE)
    assert found[RECOGNISED].verdict == "unverifiable"
    assert words in found[RECOGNISED].evidence
    assert f"answers {status}" in found[RECOGNISED].evidence
    assert asked_calls(stub) == [ALIVE]


def test_a_token_deleted_in_the_middle(make_issuer: MakeIssuer, stub: Stub) -> None:
    alive = [answer(200, {}), answer(401, UNAUTHORIZED)]
    stub.script = Gateway(STONE_EDGE, odd={ALIVE: lambda: alive.pop(0), "GET /v2/banners": answer(401, UNAUTHORIZED)})
    found = verify(make_issuer, STONE_EDGE)
    assert found[RECOGNISED].verdict == "contradicted"
    assert "deleted meanwhile" in found[RECOGNISED].evidence
    assert found["Orders"].evidence == (
        "declared modify; reading was not looked at: the token was refused meanwhile,"
        " writing was not looked at: the token was refused meanwhile; none or read-only or modify cannot be told apart"
    )
    assert asked_calls(stub)[-2:] == ["GET /v2/banners", ALIVE]


@pytest.mark.parametrize("again", [answer(200, {}), answer(500)])
def test_a_single_401_is_no_death(make_issuer: MakeIssuer, stub: Stub, again: Reply) -> None:
    alive = [answer(200, {}), again]
    stub.script = Gateway(STONE_EDGE, odd={ALIVE: lambda: alive.pop(0), "GET /v2/banners": answer(401, UNAUTHORIZED)})
    found = verify(make_issuer, STONE_EDGE)
    assert found[RECOGNISED].verdict == "confirmed"
    # That writing is refused tells that it is not modify.
    assert found["Marketing"].verdict == "unverifiable"
    assert "reading was answered 401" in found["Marketing"].evidence
    assert found["Orders"].verdict == "confirmed"


# --- one row in trouble ---------------------------------------------------------------------------------------------------

UNCLEAR = {
    "feature off": answer(403, {"title": "This feature is not enabled"}),
    "platform limit": answer(403),
    "no route": answer(404, {"title": "The route is not found, check the URL"}),
    "failing": answer(500),
    "not implemented": answer(501),
    "cut": Reply(cut=0),
    "too odd": Reply(200, b"x", (("content-encoding", "br"),)),
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_one_row_without_a_clear_answer_leaves_the_others(make_issuer: MakeIssuer, stub: Stub, case: str) -> None:
    stub.script = Gateway(STONE_EDGE, odd={"GET /v3/catalog/products": UNCLEAR[case], "GET /v3/themes": UNCLEAR[case]})
    found = verify(make_issuer, STONE_EDGE)
    # That it writes shows all the same, as modify includes reading.
    assert found["Products"].verdict == "confirmed"
    assert found["Themes"].verdict == "unverifiable"
    rest = {check for check, finding in found.items() if finding.verdict == "unverifiable"}
    assert rest == {
        "Themes",
        "Customers login",
        "Metafield ownership",
        "Metafields access",
        "account name",
        "client id",
        "client secret",
    }


def test_a_store_that_answers_500_then_403(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.replies(answer(500), answer(403, {"title": "Forbidden"}))
    with pytest.raises(Transient, match="answers 500"):
        verify(make_issuer, STONE_EDGE)
    assert verify(make_issuer, STONE_EDGE)[RECOGNISED].verdict == "unverifiable"


def test_a_store_that_keeps_failing_is_left_alone(make_issuer: MakeIssuer, stub: Stub) -> None:
    ill = {probe.call: answer(500) for probe in PROBES if probe.label not in {"Content", "Customers"}}
    stub.script = Gateway(STONE_EDGE, odd=ill)
    found = verify(make_issuer, STONE_EDGE)
    # Checkout content is one failure, forgotten after Customers; three in a row follow.
    order = [probe.call for probe in planned(full=True)]
    assert asked_calls(stub) == [ALIVE, *order[: order.index("GET /v2/orders/count") + 1]]
    assert "the store kept failing" in found["Products"].evidence
    assert found["Customers"].verdict == "unverifiable"
    assert found["client id"].evidence == "it was not looked at: the store kept failing"


def test_a_store_that_never_answers_about_rights(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway(STONE_EDGE, odd={probe.call: answer(500) for probe in PROBES})
    with pytest.raises(Transient):
        verify(make_issuer, STONE_EDGE)
    assert len(stub.asked) == 4


def test_a_store_out_of_reach(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = lambda _: Reply(cut=0)
    with pytest.raises(Unreachable):
        verify(make_issuer, STONE_EDGE)
    stub.script = Gateway(STONE_EDGE, odd={probe.call: Reply(cut=0) for probe in PROBES})
    with pytest.raises(CouldNotLook):
        verify(make_issuer, STONE_EDGE)


# --- the incident ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_what_a_store_carries_out_stops_everything(make_issuer: MakeIssuer, stub: Stub, status: int) -> None:
    stub.script = Gateway(STONE_EDGE, odd={"POST /v2/orders": answer(status, {"id": 1})})
    with pytest.raises(Incident) as caught:
        verify(make_issuer, STONE_EDGE)
    assert asked_calls(stub)[-1] == "POST /v2/orders"
    assert caught.value.exit_code == 5
    for words in ("POST /v2/orders", "Orders", str(status), "verify: read"):
        assert words in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_nothing_is_carried_out_by_reading(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway(STONE_EDGE, odd={"POST /v2/orders": answer(201, {"id": 1})})
    assert verify(make_issuer, STONE_EDGE, verify="read")["Orders"].verdict == "unverifiable"


# --- the quota ------------------------------------------------------------------------------------------------------------


def counting(gateway: Gateway, left: int, of: int) -> Callable[[Any], Reply]:
    """The same gateway with the headers of a quota that every call takes from."""
    budget = [left]

    def script(asked: Any) -> Reply:
        budget[0] -= 1
        gateway.headers = quota(budget[0], of)
        return gateway(asked)

    return script


@pytest.mark.parametrize(
    ("left", "of", "calls"),
    [
        (150, 150, 44),  # all of them fit
        (60, 150, 10),  # a third of 150 stays
        (16, 20, 6),  # ten stay of a small quota
        (152, 450, 2),
        (51, 149, 1),  # a third, rounded up
    ],
)
def test_the_calls_end_above_the_reserve(make_issuer: MakeIssuer, stub: Stub, left: int, of: int, calls: int) -> None:
    stub.script = counting(Gateway(STONE_EDGE), left, of)
    if calls == 1:
        with pytest.raises(RateLimited, match="kept for its shop"):
            verify(make_issuer, STONE_EDGE)
    else:
        found = verify(make_issuer, STONE_EDGE)
        kept = {check for check, finding in found.items() if KEPT in finding.evidence}
        assert bool(kept) == (calls < 44)
        # What was asked before still counts, and rows that were not asked about are never confirmed.
        asked = {probe.label for probe in planned(full=True)[: calls - 1]}
        assert {found[check].verdict for check in kept - asked} <= {"unverifiable"}
        assert "contradicted" not in {finding.verdict for finding in found.values()}
    assert len(stub.asked) == calls


def test_a_rate_limit_in_the_middle_ends_the_looking(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway(STONE_EDGE, odd={"GET /v3/catalog/products": answer(429, None, x_retry_after="3600")})
    found = verify(make_issuer, STONE_EDGE)
    assert found["Orders"].evidence.startswith("declared modify; reads, writing was not looked at")
    assert "reading met the store's rate limit" in found["Products"].evidence
    assert KEPT in found["Carts"].evidence
    assert found["Marketing"].verdict == "confirmed"
    assert asked_calls(stub)[-1] == "GET /v3/catalog/products"


def test_a_rate_limit_that_passes_is_waited_out(make_issuer: MakeIssuer, stub: Stub) -> None:
    limited = [answer(429, None, x_retry_after="2"), answer(200, [])]
    stub.script = Gateway(STONE_EDGE, odd={"GET /v3/catalog/products": lambda: limited.pop(0)})
    assert verify(make_issuer, STONE_EDGE)["Products"].verdict == "confirmed"


def test_a_rate_limit_from_the_start_shows_nothing(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway(odd={ALIVE: answer(429)})
    with pytest.raises(RateLimited):
        verify(make_issuer, STONE_EDGE)
    stub.script = Gateway(odd={probe.call: answer(429, None, x_retry_after="3600") for probe in PROBES})
    with pytest.raises(RateLimited):
        verify(make_issuer, STONE_EDGE)


# --- beside the rows ------------------------------------------------------------------------------------------------------

CLIENT_ID = SECRET["client_id"].reveal()


@pytest.mark.parametrize(
    ("hooks", "verdict", "words"),
    [
        ([{"id": 1, "client_id": CLIENT_ID}], "confirmed", "a webhook of the account shows it"),
        ([{"id": 1, "client_id": "someone-else-1234"}], "contradicted", "two accounts"),
        ([], "unverifiable", "as long as the account has no webhook"),
        ([{"id": 1}, "odd", {"client_id": 7}], "unverifiable", "as long as the account has no webhook"),
    ],
)
def test_the_client_id_shows_in_webhooks(
    make_issuer: MakeIssuer, stub: Stub, hooks: list[Any], verdict: str, words: str
) -> None:
    stub.script = Gateway(STONE_EDGE, hooks=hooks)
    found = verify(make_issuer, STONE_EDGE)["client id"]
    assert found.verdict == verdict
    assert words in found.evidence
    assert CLIENT_ID not in found.evidence
    assert "someone-else" not in found.evidence


@pytest.mark.parametrize("odd", [answer(200, []), answer(200, {"data": {}}), answer(200), answer(403, NO_SCOPE)])
def test_webhooks_that_cannot_be_read_show_nothing(make_issuer: MakeIssuer, stub: Stub, odd: Reply) -> None:
    stub.script = Gateway(STONE_EDGE, odd={"GET /v3/hooks": odd})
    assert verify(make_issuer, STONE_EDGE)["client id"].verdict == "unverifiable"


def test_webhooks_out_of_order(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway(STONE_EDGE, odd={"GET /v3/hooks": answer(500)})
    assert verify(make_issuer, STONE_EDGE)["client id"].evidence == "it was answered 500"


def test_an_adopted_token_may_come_without_its_client_id(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway(STONE_EDGE)
    found = checked(make_issuer().verify({"access_token": Secret(TOKEN)}, {"rights": STONE_EDGE}))
    assert found["client id"] == Finding("client id", "unverifiable", "none was given")
    assert "GET /v3/hooks" not in asked_calls(stub)


@pytest.mark.parametrize(
    ("named", "verdict"),
    [("abc123x", "confirmed"), ("other99", "contradicted"), (7, None), (None, None)],
)
def test_a_store_that_tells_who_it_is(make_issuer: MakeIssuer, stub: Stub, named: Any, verdict: str | None) -> None:
    rights = {"Information & settings": "read-only"}
    stub.script = Gateway(rights, odd={"GET /v2/store": answer(200, {"id": named})})
    found = verify(make_issuer, rights)
    assert (found["store"].verdict if "store" in found else None) == verdict
    assert "other99" not in repr(found)
