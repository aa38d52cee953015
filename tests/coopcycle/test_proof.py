"""What live answers mean: recognised, scopes, the bound store, its neighbour; and what could have another cause."""

from typing import Any

import pytest

from providers.core.contract import RECOGNISED, Finding, Life
from providers.core.errors import Unexpected
from providers.core.redaction import Secret
from sandbox.coopcycle.client import HandMadeApp
from tests.coopcycle.conftest import DECLARED, FLOWERS, STORES, Coop, order

MADE_UP = {"identifier": Secret("0" * 32), "secret": Secret("1" * 128)}


def pair(app: HandMadeApp) -> dict[str, Secret]:
    if app.api_key:
        return {"api_key": Secret(app.api_key)}
    return {"identifier": Secret(app.identifier), "secret": Secret(app.secret)}


def proved(coop: Coop, secret: dict[str, Secret], **fields: Any) -> dict[str, Finding]:
    return {finding.check: finding for finding in coop.issuer().verify(secret, {**DECLARED, **fields})}


def verdicts(found: dict[str, Finding], verdict: str) -> set[str]:
    return {name for name, finding in found.items() if finding.verdict == verdict}


def test_every_check_of_a_good_pair(coop: Coop) -> None:
    issued = coop.issuer(name="Flowers").issue(order(name="Flowers"))
    found = coop.issuer().verify(issued.secret, {**DECLARED, "name": "Flowers"})
    assert [(finding.check, finding.verdict) for finding in found] == [
        (RECOGNISED, "confirmed"),
        ("scope deliveries", "confirmed"),
        ("scope tasks", "confirmed"),
        ("scope orders", "confirmed"),
        ("scope orders:all", "confirmed"),
        ("scope tasks:all", "confirmed"),
        ("store", "confirmed"),
        ("name", "confirmed"),
        ("own store", "confirmed"),
        ("neighbour refused", "confirmed"),
    ]
    # The nearest store that exists, since one that does not would prove nothing.
    assert "/api/stores/13" in found[-1].evidence


@pytest.mark.parametrize("refusal", [403, 404])
def test_a_neighbour_may_be_refused_in_two_ways(coop: Coop, refusal: int) -> None:
    coop.settings(neighbour_refusal=refusal)
    issued = coop.issuer().issue(order())
    assert proved(coop, dict(issued.secret))["neighbour refused"].verdict == "confirmed"


def test_without_a_neighbour_nothing_is_concluded(coop: Coop) -> None:
    issued = coop.issuer().issue(order())
    for number in set(STORES.values()) - {12}:
        coop.control.coopcycle.delete_store(coop.name, number)
    neighbour = proved(coop, dict(issued.secret))["neighbour refused"]
    assert (neighbour.verdict, neighbour.evidence) == ("unverifiable", "not tried: the server has no other store")


def test_a_neighbour_that_answers_is_more_than_declared(coop: Coop) -> None:
    issued = coop.issuer().issue(order())
    coop.fault("status", "coop_store", status=200, body='{"@id": "/api/stores/13"}', skip=1)
    neighbour = proved(coop, dict(issued.secret))["neighbour refused"]
    assert (neighbour.verdict, "MORE" in neighbour.evidence) == ("contradicted", True)


@pytest.mark.parametrize(
    ("status", "own", "neighbour"), [(500, "unverifiable", "unverifiable"), (403, "contradicted", "unverifiable")]
)
def test_an_own_store_that_does_not_answer(coop: Coop, status: int, own: str, neighbour: str) -> None:
    issued = coop.issuer().issue(order())
    coop.fault("status", "coop_store", status=status)
    found = proved(coop, dict(issued.secret))
    assert (found["own store"].verdict, found["neighbour refused"].verdict) == (own, neighbour)


def test_a_neighbour_that_breaks_shows_nothing(coop: Coop) -> None:
    issued = coop.issuer().issue(order())
    coop.fault("status", "coop_store", status=500, skip=1)
    assert proved(coop, dict(issued.secret))["neighbour refused"].verdict == "unverifiable"


def test_an_app_without_deliveries_may_not_see_its_store(coop: Coop) -> None:
    coop.settings(own_store_needs_deliveries=True)
    issued = coop.issuer(rights=["tasks"]).issue(order(rights=["tasks"]))
    found = proved(coop, dict(issued.secret), rights=["tasks"])
    assert verdicts(found, "unverifiable") == {"own store", "neighbour refused"}
    assert verdicts(found, "contradicted") == set()


HAND_MADE: list[tuple[dict[str, Any], dict[str, Any], set[str]]] = [
    ({"store": 13}, {}, {"store"}),
    ({"store": None}, {}, {"store"}),
    ({"store": 12}, {"for_store": None}, {"store"}),
    ({"store": 12}, {"name": "Other"}, {"name"}),
    ({"store": 12, "scopes": ["deliveries", "tasks"]}, {}, {"scope tasks"}),
    ({"store": 12, "scopes": ["deliveries"]}, {"rights": ["deliveries", "tasks"]}, {"scope tasks"}),
    ({"store": 12, "scopes": ["deliveries", "orders:all"]}, {}, {"scope orders:all"}),
    ({"store": 13, "app_type": "api_key"}, {"type": "api_key"}, {"store"}),
]


@pytest.mark.parametrize(("made", "declared", "wrong"), HAND_MADE, ids=str)
def test_what_differs_is_named(coop: Coop, made: dict[str, Any], declared: dict[str, Any], wrong: set[str]) -> None:
    app = coop.control.coopcycle.make_app(coop.name, "Flowers", **made)
    found = proved(coop, pair(app), **declared)
    assert found[RECOGNISED].verdict == "confirmed"
    assert verdicts(found, "contradicted") == wrong


def test_a_pair_without_any_declared_scope_is_not_judged(coop: Coop) -> None:
    app = coop.control.coopcycle.make_app(coop.name, "Flowers", store=12, scopes=["tasks"])
    found = proved(coop, pair(app))
    assert found[RECOGNISED].verdict == "unverifiable"
    assert verdicts(found, "contradicted") == {"scope deliveries", "scope tasks"}


def test_an_unknown_pair_is_contradicted_alone(coop: Coop) -> None:
    assert [(finding.check, finding.verdict) for finding in coop.issuer().verify(MADE_UP, DECLARED)] == [
        (RECOGNISED, "contradicted")
    ]
    key = {"api_key": Secret("ak_" + "0" * 40)}
    assert proved(coop, key, type="api_key")[RECOGNISED].verdict == "contradicted"


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_pair_left_behind_by_a_saved_form_is_not_recognised(coop: Coop, status: int) -> None:
    """It still gets tokens (S7): the token endpoint alone proves nothing."""
    coop.settings(me_without_app=status)
    issuer = coop.issuer()
    issued = issuer.issue(order())
    coop.control.coopcycle.edit_app(coop.name, int(issued.key_id))
    found = proved(coop, dict(issued.secret))
    assert found[RECOGNISED].verdict == "contradicted"
    assert f"POST /oauth2/token: 200, but GET /api/me: {status}" in found[RECOGNISED].evidence
    assert "store" not in found
    # It is not dead either: it gets tokens.
    assert issuer.probe(issued.secret) == "unknown"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_scopes_of_all_stores_are_proved_by_what_they_open(coop: Coop, status: int) -> None:
    coop.settings(me_without_role=status)
    fields: dict[str, Any] = {"rights": ["orders:all", "tasks:all"], "for_store": None}
    issued = coop.issuer(**fields).issue(order(**fields))
    found = proved(coop, dict(issued.secret), **fields)
    assert verdicts(found, "confirmed") == found.keys()
    assert {"orders:all at work", "tasks:all at work"} < found.keys()
    assert coop.issuer().probe(issued.secret) == "accepted"
    assert coop.count("coop_me") == 0


COLLECTIONS: list[tuple[int, str, str]] = [(403, "contradicted", "contradicted"), (503, "unverifiable", "unverifiable")]


@pytest.mark.parametrize(("status", "recognised", "at_work"), COLLECTIONS)
def test_a_collection_that_does_not_open(coop: Coop, status: int, recognised: str, at_work: str) -> None:
    fields: dict[str, Any] = {"rights": ["orders:all"], "for_store": None}
    issued = coop.issuer(**fields).issue(order(**fields))
    coop.fault("status", "coop_orders", status=status, times=None)
    found = proved(coop, dict(issued.secret), **fields)
    assert (found[RECOGNISED].verdict, found["orders:all at work"].verdict) == (recognised, at_work)
    assert coop.issuer().probe(issued.secret) == "unknown"


ME: list[tuple[int, str, str]] = [
    (503, "", "unverifiable"),
    (200, "<html>maintenance</html>", "unverifiable"),
    (200, '["a list"]', "unverifiable"),
    (400, "{}", "contradicted"),
]


@pytest.mark.parametrize(("status", "body", "verdict"), ME)
@pytest.mark.parametrize("kind", ["oauth", "api_key"])
def test_an_answer_that_is_no_app(coop: Coop, kind: str, status: int, body: str, verdict: str) -> None:
    issued = coop.issuer(type=kind).issue(order(type=kind))
    coop.fault("status", "coop_me", status=status, body=body, times=None)
    assert proved(coop, dict(issued.secret), type=kind)[RECOGNISED].verdict == verdict
    assert coop.issuer(type=kind).probe(issued.secret) == "unknown"


@pytest.mark.parametrize(
    "body",
    [
        '{"@context": "/api/contexts/ApiApp", "name": "Flowers", "store": "/api/restaurants/12"}',
        '{"@context": "/api/contexts/User", "name": "Flowers", "store": "/api/stores/12"}',
        '{"@context": "/api/contexts/ApiApp", "name": 1, "store": "/api/stores/12"}',
    ],
)
def test_only_a_whole_app_is_one(coop: Coop, body: str) -> None:
    issued = coop.issuer().issue(order())
    coop.fault("status", "coop_me", status=200, body=body, times=None)
    assert coop.issuer().probe(issued.secret) == "unknown"


TOKENS: list[tuple[int, str, Life]] = [
    (401, '{"error": "invalid_client"}', "refused"),
    (401, '{"error": "other"}', "unknown"),
    (401, "", "unknown"),
    (403, '{"error": "invalid_client"}', "unknown"),
    (500, "", "unknown"),
    (200, "{}", "unknown"),
    (200, '{"access_token": "two words"}', "unknown"),
    (400, '{"error": "invalid_scope"}', "unknown"),
    (400, '{"error": "::error::"}', "unknown"),
]


@pytest.mark.parametrize(("status", "body", "life"), TOKENS)
def test_only_invalid_client_is_a_refusal(coop: Coop, status: int, body: str, life: Life) -> None:
    issued = coop.issuer().issue(order())
    coop.fault("status", "coop_token", status=status, body=body, times=None)
    issuer = coop.issuer()
    assert issuer.probe(issued.secret) == life
    recognised = issuer.verify(issued.secret, DECLARED)[0]
    assert recognised.verdict == ("contradicted" if life == "refused" else "unverifiable")
    assert "::" not in recognised.evidence


def test_what_is_no_coopcycle_server_gets_no_secret(coop: Coop) -> None:
    issued = coop.issuer().issue(order())
    coop.fault("status", "coop_entrypoint", status=200, body='{"@context": "else"}', times=None)
    before = coop.count("coop_token")
    (finding,) = coop.issuer().verify(issued.secret, DECLARED)
    assert (finding.check, finding.verdict) == (RECOGNISED, "unverifiable")
    assert coop.count("coop_token") == before
    assert coop.issuer().control().verdict == "unverifiable"


@pytest.mark.parametrize("kind", ["oauth", "api_key"])
def test_the_control_tells_whether_a_bad_one_would_be_refused(coop: Coop, kind: str) -> None:
    issuer = coop.issuer(type=kind)
    assert issuer.control().verdict == "confirmed"
    operation = "coop_token" if kind == "oauth" else "coop_me"
    coop.fault("status", operation, status=500, times=None)
    assert issuer.control().verdict == "unverifiable"
    coop.fault("drop_before", "coop_entrypoint", times=None)
    assert issuer.control().verdict == "unverifiable"


def test_a_stored_credential_that_lacks_something_is_told(coop: Coop) -> None:
    for secret in ({}, {"identifier": Secret("a")}):
        with pytest.raises(Unexpected, match="lacks identifier or secret"):
            coop.issuer().probe(secret)


def test_evidence_holds_no_text_of_the_server_that_could_harm(coop: Coop) -> None:
    app = coop.control.coopcycle.make_app(coop.name, "::error::x", store=12)
    evidence = proved(coop, pair(app), name="x")["name"].evidence
    assert "::" not in evidence


def test_numbers_may_come_back_as_the_engine_keeps_them(coop: Coop) -> None:
    """The engine keeps every number as a floating one."""
    store = {"id": 12.0, "name": FLOWERS["name"]}
    issuer = coop.issuer(for_store=store)
    issued = issuer.issue(order(for_store=store))
    assert issuer.public()["store"] == "12"
    assert {finding.verdict for finding in issuer.verify(issued.secret, {**DECLARED, "for_store": store})} == {
        "confirmed"
    }
