"""The issuer of API accounts beside its proof: what is a person's, whether a token lives, facts and what is public."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from providers.bigcommerce import CREDENTIALS
from providers.bigcommerce.issuer import ApiAccountIssuer
from providers.core import kinds
from providers.core.contract import Finding, Issuer, Order, Selector
from providers.core.errors import AddressRefused, ConnectionsError, CouldNotLook, PersonNeeded, RateLimited, Unexpected
from providers.core.http import Http
from providers.core.redaction import Secret
from tests.bigcommerce.conftest import HASH, NO_SCOPE, SECRET, TOKEN, UNAUTHORIZED, Gateway, Loan, MakeIssuer, answer
from tests.http.stub import Reply, Stub

BY_PERSON: dict[str, Callable[[ApiAccountIssuer], object]] = {
    "find": lambda issuer: issuer.find(Selector("")),
    "issue": lambda issuer: issuer.issue(Order({"rights": {}}, "")),
    "revise": lambda issuer: issuer.revise("1", Order({"rights": {}}, "")),
    "revoke": lambda issuer: issuer.revoke("1"),
}


def test_the_folder_offers_its_kind(make_http: Callable[..., Http], stub: Stub) -> None:
    kind = kinds.credential("bigcommerce/api_account")
    assert kind is CREDENTIALS["api_account"]
    inputs = {"store_hash": HASH, "api": stub.url()}
    made: Issuer = kind.issuer(inputs, Loan(make_http()))
    assert stub.asked == []
    assert (kind.identity, kind.fields, kind.revisable) == ("store_hash", ("rights",), frozenset())
    assert set(kind.secret_fields) == set(SECRET)
    assert kind.place(inputs) == f"{stub.url()}/stores/{HASH}"
    assert kind.place({"store_hash": HASH}) == f"https://api.bigcommerce.com/stores/{HASH}"
    capabilities = made.capabilities
    assert (capabilities.made_by, capabilities.revoked_by) == ("person", "person")
    assert (capabilities.revisable, capabilities.lists, capabilities.relabels) == (frozenset(), False, False)
    kind.close()


def test_what_a_person_gives_is_read_for_the_store() -> None:
    kind = CREDENTIALS["api_account"]
    assert kind.parse is not None
    text = "client_id=canary0id\nclient_secret=canary0secret\naccess_token=canary0token\napi_path=/stores/{}/v3/"
    assert set(kind.parse(text.format(HASH).encode(), {"store_hash": HASH})) == set(kind.secret_fields)
    with pytest.raises(ConnectionsError, match="another store"):
        kind.parse(text.format("qrs987tuv6").encode(), {"store_hash": HASH})
    # A day, as every proof takes from the quota of the live shop.
    assert kind.proof_age == 24 * 60 * 60


def test_wider_rights_are_said_by_row() -> None:
    wider = CREDENTIALS["api_account"].wider
    before = {"rights": {"Content": "read-only", "Orders": "modify"}}
    after = {"rights": {"Content": "modify", "Orders": "read-only", "Store logs": "read-only"}}
    assert wider(before, after) == "Content: read-only => modify, Store logs: none => read-only"
    assert wider(after, {}) == ""
    assert wider({}, {"rights": {"Orders": "modify"}}) == "Orders: none => modify"


@pytest.mark.parametrize("act", BY_PERSON)
def test_what_only_a_person_does(make_issuer: MakeIssuer, stub: Stub, act: str) -> None:
    with pytest.raises(PersonNeeded) as caught:
        BY_PERSON[act](make_issuer())
    assert "connections sheet acme-parts/stone-edge" in str(caught.value)
    assert caught.value.exit_code == 4
    assert stub.asked == []


def test_what_readers_need_and_what_is_shown(make_issuer: MakeIssuer, stub: Stub) -> None:
    issuer = make_issuer()
    assert issuer.public() == {"store_hash": HASH, "api_path": f"{stub.url()}/stores/{HASH}/v3/"}
    assert issuer.ready() == ""
    assert issuer.tail(SECRET) == "7890"
    assert issuer.tail({"access_token": Secret(TOKEN)}) == ""
    assert stub.asked == []


LIVES: dict[str, tuple[Reply, str]] = {
    "served": (answer(200, {"time": 1}), "accepted"),
    "refused": (answer(401, UNAUTHORIZED), "refused"),
    "refused, empty": (answer(401), "refused"),
    "no header": (answer(401, "X-Auth-Token header is required"), "unknown"),
    "no right": (answer(403, NO_SCOPE), "unknown"),
    "slash": (answer(403, {"title": "Authentication Required"}), "unknown"),
    "failing": (answer(500), "unknown"),
    "nowhere": (answer(404), "unknown"),
    "other success": (answer(204), "unknown"),
}


@pytest.mark.parametrize("case", LIVES)
def test_whether_a_token_lives(make_issuer: MakeIssuer, stub: Stub, case: str) -> None:
    reply, life = LIVES[case]
    stub.script = lambda _: reply
    assert make_issuer().probe(SECRET) == life
    assert {asked.target for asked in stub.asked} == {f"/stores/{HASH}/v2/time"}


def test_a_probe_without_an_answer_is_an_error(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = lambda _: answer(429)
    with pytest.raises(RateLimited):
        make_issuer().probe(SECRET)


def test_a_credential_without_its_token(make_issuer: MakeIssuer) -> None:
    issuer = make_issuer()
    broken = {"client_id": SECRET["client_id"]}
    for use in (issuer.probe, issuer.losses, lambda secret: issuer.verify(secret, {"rights": {}})):
        with pytest.raises(Unexpected, match="lacks access_token"):
            use(broken)


def test_the_control_is_a_token_that_nobody_has(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway()
    issuer = make_issuer()
    assert issuer.control() == Finding("positive control", "confirmed", "GET /v2/time with a made-up token answers 401")
    issuer.control()
    first, second = (asked.headers["x-auth-token"] for asked in stub.asked)
    assert first != second
    assert TOKEN not in {first, second}


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(200, {}), "answers 200"),
        (answer(403, NO_SCOPE), "answers 403"),
        (answer(500), "answers 500"),
        (answer(429), "asks for rest"),
        (answer(401, "X-Auth-Token header is required"), "answers 401"),
    ],
)
def test_a_store_that_takes_any_token_is_no_witness(
    make_issuer: MakeIssuer, stub: Stub, reply: Reply, words: str
) -> None:
    stub.script = lambda _: reply
    found = make_issuer().control()
    assert found.verdict == "unverifiable"
    assert words in found.evidence


FACTS = [
    (
        {"plan_level": "Plus Plan", "domain": "fresh-roast.example"},
        {"plan": "Plus Plan", "domain": "fresh-roast.example"},
    ),
    ({"plan_level": "::error::x", "domain": "a" * 200}, {}),
    ({"plan_level": 3}, {}),
    (["odd"], {}),
]


@pytest.mark.parametrize(("document", "facts"), FACTS)
def test_facts_are_those_of_the_last_proof(
    make_issuer: MakeIssuer, stub: Stub, document: object, facts: dict[str, str]
) -> None:
    rights = {"Information & settings": "read-only"}
    issuer = make_issuer()
    with pytest.raises(CouldNotLook):
        issuer.facts()
    stub.script = Gateway(rights, odd={"GET /v2/store": answer(200, document)})
    issuer.verify(SECRET, {"rights": rights})
    assert issuer.facts() == facts


def test_no_facts_without_the_right_to_them(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway()
    issuer = make_issuer()
    issuer.verify(SECRET, {"rights": {}})
    assert issuer.facts() == {}


def test_the_address_guard_holds(make_http: Callable[..., Http]) -> None:
    with pytest.raises(AddressRefused):
        CREDENTIALS["api_account"].issuer({"store_hash": HASH, "api": "http://api.example"}, Loan(make_http()))
