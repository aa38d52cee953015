"""The issuer of storefront tokens against a scripted store: what it sends, and what it makes of every answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.bigcommerce import CREDENTIALS
from providers.bigcommerce.storefront import StorefrontTokenIssuer, issuer, key_id
from providers.core import errors, kinds
from providers.core.contract import LASTS, RECOGNISED, Finding, Issuer, Order, Selector
from providers.core.http import Http
from providers.core.redaction import Secret
from tests.bigcommerce.conftest import (
    ACCOUNT,
    DAY,
    HASH,
    NO_SCOPE,
    ORIGIN,
    PLAIN,
    PRIVATE,
    SECRET,
    TOKEN,
    UNAUTHORIZED,
    Loan,
    answer,
)
from tests.bigcommerce.test_storefront_claims import jwt
from tests.http.stub import Asked, Reply, Stub

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
PATH = "/v3/storefront/api-token"


@dataclass
class Shop:
    """A store by script: its account's right, its living tokens with their origins, and what of it is odd.

    `odd` answers certain calls otherwise, by `METHOD /path` without the hash, or `graphql`.
    """

    right: bool = True
    tokens: dict[str, tuple[str, ...]] = field(default_factory=dict)
    odd: dict[str, Reply | Callable[[Asked], Reply]] = field(default_factory=dict)
    made: int = 0
    names: dict[str, str] = field(default_factory=lambda: {"origins": "corsOrigins", "channels": "cid"})
    refusal: int = 403
    server_use: bool = False
    echo: bool = True
    hash: str = HASH

    def __call__(self, asked: Asked) -> Reply:
        path = asked.target.partition("?")[0]
        call = "graphql" if path.endswith("/graphql") else f"{asked.method} {path.removeprefix(f'/stores/{HASH}')}"
        if call in self.odd:
            found = self.odd[call]
            return found(asked) if callable(found) else found
        return self.graphql(asked) if call == "graphql" else self.gateway(asked, call)

    def gateway(self, asked: Asked, call: str) -> Reply:
        if asked.headers.get("x-auth-token") != TOKEN:
            return answer(401, UNAUTHORIZED)
        if not self.right:
            return answer(403, NO_SCOPE)
        if call == f"DELETE {PATH}":
            token = asked.headers.get("sf-api-token")
            self.tokens.pop(token or "", None)
            return answer(200, {}) if token else answer(422, {"status": 422, "title": "no token", "errors": {}})
        return self.give(json.loads(asked.body))

    def give(self, body: Mapping[str, Any]) -> Reply:
        self.made += 1
        origins = body.get("allowed_cors_origins", [])
        claims = {
            "eat": body["expires_at"],
            "iat": int(NOW.timestamp()),
            "jti": self.made,
            "sub": SECRET["client_id"].reveal(),
            self.names["origins"]: origins,
            self.names["channels"]: body.get("channel_ids", [body.get("channel_id")]),
        }
        claims |= {"scopes": body["scopes"]} if "scopes" in body else {}
        return answer(200, {"data": {"token": self.add(claims, origins).reveal()}, "meta": {}})

    def add(self, claims: Mapping[str, Any], origins: Any = (ORIGIN,)) -> Secret:
        token = jwt(claims)
        self.tokens[token.reveal()] = tuple(origins)
        return token

    def graphql(self, asked: Asked) -> Reply:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        origin = asked.headers.get("origin", "")
        if token not in self.tokens:
            return answer(401, {"title": "Unauthorized"})
        allowed = self.tokens[token]
        if allowed and origin not in allowed and not (self.server_use and not origin):
            return answer(self.refusal, {"title": "not for this origin"})
        said = {"access_control_allow_origin": origin} if origin and self.echo else {}
        return answer(200, {"data": {"site": {"settings": {"storeHash": self.hash}}}}, **said)


@dataclass
class Scene:
    """The issuer, the shop that it talks to, and every call."""

    issuer: StorefrontTokenIssuer
    shop: Shop
    stub: Stub

    @property
    def calls(self) -> list[str]:
        return [f"{asked.method} {asked.target.removeprefix(f'/stores/{HASH}')}" for asked in self.stub.asked]

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(asked.body) for asked in self.stub.asked if asked.body]

    def made(self, fields: Mapping[str, Any] = PLAIN, **at: Any) -> Secret:
        """A token that was made; what that took is forgotten."""
        token = self.issuer.issue(Order(fields, "", **at)).secret["token"]
        self.stub.asked.clear()
        return token

    def proved(self, token: Secret, fields: Mapping[str, Any] = PLAIN) -> dict[str, Finding]:
        return {finding.check: finding for finding in self.issuer.verify({"token": token}, fields)}


MakeScene = Callable[..., Scene]


@pytest.fixture
def scene(make_http: Callable[..., Http], stub: Stub) -> MakeScene:
    def make(fields: Mapping[str, Any] = PLAIN, *, account: bool = True, **changes: Any) -> Scene:
        shop = Shop(**changes)
        stub.script = shop
        inputs = {
            "store_hash": HASH,
            "api": stub.url(),
            "panel": stub.url(base="/store-{store_hash}.mybigcommerce.com"),
            "connection": "fresh-roast/pages",
            "account": "tokens",
            **{name: value for name, value in fields.items() if value is not None},
        }
        credentials = {ACCOUNT: SECRET} if account else {}
        return Scene(issuer(inputs, Loan(make_http(), lambda: NOW, credentials)), shop, stub)

    return make


# --- what the folder offers -------------------------------------------------------------------------------------------


def test_the_folder_offers_its_kind(make_http: Callable[..., Http], stub: Stub) -> None:
    kind = kinds.credential("bigcommerce/storefront_token")
    assert kind is CREDENTIALS["storefront_token"]
    assert (kind.identity, kind.needs, kind.revisable, kind.secret_fields) == (
        "store_hash",
        "account",
        frozenset(),
        ("token",),
    )
    # The account is no term of the token: a connection that is renamed, or another account, ends nothing.
    assert "account" not in kind.fields
    assert set(kind.kept) == {"api", "panel", "account"}
    assert kind.place({"store_hash": HASH}) == f"https://api.bigcommerce.com/stores/{HASH}"
    # So a store is listed that has nothing but tokens.
    made: Issuer = kind.issuer({"store_hash": HASH, "api": stub.url()}, Loan(make_http()))
    capabilities = made.capabilities
    assert (capabilities.made_by, capabilities.revoked_by, capabilities.lists) == ("api", "store", False)
    assert (capabilities.lifetime, capabilities.revisable) == ("expires_after", frozenset())
    with pytest.raises(errors.Unexpected, match="nothing says what kind"):
        made.public()
    assert stub.asked == []


NEVER: dict[str, Callable[[StorefrontTokenIssuer], object]] = {
    "no call lists": lambda issuer: issuer.find(Selector("")),
    "never changes": lambda issuer: issuer.revise("1", Order(PLAIN, "")),
    "no page makes": lambda issuer: issuer.sheet("make", PLAIN, 1),
}


@pytest.mark.parametrize("words", NEVER)
def test_what_there_is_not(scene: MakeScene, words: str) -> None:
    with pytest.raises(errors.Unexpected, match=words):
        NEVER[words](scene().issuer)


def test_what_readers_need_and_what_is_shown(scene: MakeScene, stub: Stub) -> None:
    found = scene()
    address = stub.url(base=f"/store-{HASH}.mybigcommerce.com")
    assert found.issuer.public() == {"store_hash": HASH, "graphql": f"{address}/graphql"}
    other = scene({**PLAIN, "channels": [7]})
    address = stub.url(base=f"/store-{HASH}-7.mybigcommerce.com")
    assert other.issuer.public()["graphql"] == f"{address}/graphql"
    assert found.issuer.tail({"token": Secret("canary-token")}) == ""
    assert found.issuer.losses({"token": Secret("canary-token")}) == ()
    with pytest.raises(errors.CouldNotLook):
        found.issuer.facts()
    assert stub.asked == []


WIDER: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (PLAIN, PLAIN, ""),
    (PRIVATE, {**PRIVATE, "rights": ["Customer"], "channels": [1]}, ""),
    (PRIVATE, {**PRIVATE, "rights": ["Customer", "B2B"]}, "rights: B2B"),
    (PLAIN, {**PLAIN, "channels": [1, 7, 8]}, "channels: 7, 8"),
    (PLAIN, {**PLAIN, "cors_origins": ["https://b.example"]}, "cors_origins: https://b.example"),
    (
        PLAIN,
        {**PRIVATE, "channels": [1]},
        "token: storefront => private; rights: Customer, Unauthenticated",
    ),
]


@pytest.mark.parametrize(("before", "after", "words"), WIDER)
def test_wider_terms_are_said(before: Mapping[str, Any], after: Mapping[str, Any], words: str) -> None:
    assert CREDENTIALS["storefront_token"].wider(before, after) == words


# --- making -----------------------------------------------------------------------------------------------------------

DECIDED = NOW - timedelta(hours=3)
EXPIRES = int((DECIDED + timedelta(days=90)).timestamp())
BODIES: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "storefront": (
        PLAIN,
        PATH,
        {"channel_id": 1, "expires_at": EXPIRES, "allowed_cors_origins": [ORIGIN]},
    ),
    "private": (
        PRIVATE,
        f"{PATH}-private",
        {"channel_ids": [1, 7], "expires_at": EXPIRES, "scopes": ["Customer", "Unauthenticated"]},
    ),
    "private for browsers": (
        {**PRIVATE, "channels": [7], "cors_origins": [ORIGIN]},
        f"{PATH}-private",
        {
            "channel_id": 7,
            "expires_at": EXPIRES,
            "scopes": ["Customer", "Unauthenticated"],
            "allowed_cors_origins": [ORIGIN],
        },
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_what_is_asked_for(scene: MakeScene, case: str) -> None:
    fields, path, body = BODIES[case]
    found = scene(fields)
    issued = found.issuer.issue(Order(fields, "a marker", DECIDED))
    assert (found.calls, found.bodies) == ([f"POST {path}"], [body])
    assert found.stub.asked[0].headers["x-auth-token"] == TOKEN
    (token,) = found.shop.tokens
    assert issued.secret.keys() == {"token"}
    assert issued.secret["token"].reveal() == token
    assert issued.key_id == key_id(issued.secret["token"])
    assert re.fullmatch("[0-9a-f]{16}", issued.key_id)
    assert issued.key_id not in token


def test_a_life_counts_from_now_where_nothing_was_decided(scene: MakeScene) -> None:
    found = scene()
    found.issuer.issue(Order(PLAIN, ""))
    assert found.bodies[0]["expires_at"] == int((NOW + timedelta(days=90)).timestamp())


REFUSALS: dict[str, tuple[Reply, type[errors.StoreError], str]] = {
    "terms": (answer(422, {"errors": {"channel_id": "canary-words"}}), errors.Rejected, "refuses such a token"),
    "nonsense": (answer(400), errors.Rejected, "answer 400"),
    "right": (answer(403, NO_SCOPE), errors.Forbidden, "fresh-roast/tokens lacks the right `Storefront API tokens"),
    "other 403": (answer(403, {"title": "canary-words"}), errors.Unexpected, "answers 403"),
    "dead account": (answer(401, UNAUTHORIZED), errors.Unauthorized, "does not accept its account fresh-roast/tokens"),
    "trouble": (answer(500), errors.UnclearOutcome, "answers 500"),
    "no token": (answer(200, {"data": {}}), errors.Unexpected, "answers 200"),
    "no data": (answer(200, []), errors.Unexpected, "answers 200"),
    "an empty token": (answer(200, {"data": {"token": ""}}), errors.Unexpected, "answers 200"),
    "limited": (answer(429), errors.Unreachable, "asks for rest"),
    "lost": (Reply(cut=0), errors.UnclearOutcome, "reply to a change was lost"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_token_that_is_not_made(scene: MakeScene, case: str) -> None:
    reply, error, words = REFUSALS[case]
    found = scene(odd={f"POST {PATH}": reply})
    with pytest.raises(error, match=words) as caught:
        found.issuer.issue(Order(PLAIN, ""))
    assert type(caught.value) is error
    assert "canary" not in str(caught.value)
    assert len(found.calls) == 1


def test_without_its_account_nothing_is_sent(scene: MakeScene) -> None:
    found = scene(account=False)
    with pytest.raises(errors.Unauthorized, match="its account fresh-roast/tokens has no live key"):
        found.issuer.issue(Order(PLAIN, ""))
    with pytest.raises(errors.Unauthorized, match="connections status fresh-roast/tokens"):
        found.issuer.revoke("", {"token": Secret("canary-token")})
    assert found.stub.asked == []


def test_an_account_without_its_token(make_http: Callable[..., Http], stub: Stub) -> None:
    broken = Loan(make_http(), lambda: NOW, {ACCOUNT: {"client_id": SECRET["client_id"]}})
    inputs = {"store_hash": HASH, "api": stub.url(), "connection": "fresh-roast/pages", "account": "tokens", **PLAIN}
    with pytest.raises(errors.Unexpected, match="lacks access_token"):
        issuer(inputs, broken).ready()


# --- whether it can be made -------------------------------------------------------------------------------------------


def test_the_account_is_looked_at_before_anything_is_changed(scene: MakeScene) -> None:
    found = scene()
    assert found.issuer.ready() == ""
    assert found.calls == [f"DELETE {PATH}"]
    # No token is named: nothing can be revoked by it.
    assert "sf-api-token" not in found.stub.asked[0].headers


def test_an_account_that_is_not_there_yet_is_waited_for(scene: MakeScene) -> None:
    found = scene(account=False)
    assert found.issuer.ready() == (
        "its account fresh-roast/tokens has no live key yet"
        " (`connections status fresh-roast/tokens` says what that waits for)"
    )
    assert found.stub.asked == []


UNREADY: dict[str, tuple[Reply, type[errors.ConnectionsError], str]] = {
    "right": (
        answer(403, NO_SCOPE),
        errors.Forbidden,
        "its account fresh-roast/tokens lacks the right `Storefront API tokens: manage`. Declare that row",
    ),
    "dead": (answer(401, UNAUTHORIZED), errors.Unauthorized, "connections verify fresh-roast/tokens"),
    "carried out": (answer(200, {}), errors.Incident, "a revocation that named no token"),
    "trouble": (answer(503), errors.UnclearOutcome, "answers 503"),
    "other cause": (answer(403, {"title": "suspended"}), errors.Unexpected, "answers 403, which tells nothing"),
    "no route": (answer(404, {"title": "The route is not found, check the URL"}), errors.Unexpected, "answers 404"),
}


@pytest.mark.parametrize("case", UNREADY)
def test_what_is_in_the_way_is_said_before_any_change(scene: MakeScene, case: str) -> None:
    reply, error, words = UNREADY[case]
    found = scene(odd={f"DELETE {PATH}": reply})
    with pytest.raises(error) as caught:
        found.issuer.ready()
    assert words in str(caught.value)
    assert set(found.calls) == {f"DELETE {PATH}"}


# --- ending -----------------------------------------------------------------------------------------------------------


def test_a_token_is_revoked_by_itself(scene: MakeScene) -> None:
    found = scene()
    token = found.made()
    found.issuer.revoke("an id", {"token": token})
    assert found.calls == [f"DELETE {PATH}"]
    assert found.stub.asked[0].headers["sf-api-token"] == token.reveal()
    assert found.shop.tokens == {}


@pytest.mark.parametrize("secret", [None, {}, {"other": Secret("canary-token")}])
def test_without_the_token_nothing_can_be_asked(scene: MakeScene, secret: Mapping[str, Secret] | None) -> None:
    found = scene()
    found.issuer.revoke("an id", secret)
    assert found.stub.asked == []


REVOKED: dict[str, tuple[Reply, type[errors.StoreError] | None]] = {
    "scheduled": (answer(200, {}), None),
    "nothing to say": (answer(204), None),
    "unknown by now": (answer(422, {}), None),
    "right": (answer(403, NO_SCOPE), errors.Forbidden),
    "dead account": (answer(401, UNAUTHORIZED), errors.Unauthorized),
    "trouble": (answer(500), errors.UnclearOutcome),
    "elsewhere": (answer(302), errors.Unexpected),
}


@pytest.mark.parametrize("case", REVOKED)
def test_answers_to_a_revocation(scene: MakeScene, case: str) -> None:
    reply, error = REVOKED[case]
    found = scene(odd={f"DELETE {PATH}": reply})
    if error is None:
        found.issuer.revoke("an id", {"token": Secret("canary-token")})
    else:
        with pytest.raises(error):
            found.issuer.revoke("an id", {"token": Secret("canary-token")})


# --- whether it lives -------------------------------------------------------------------------------------------------


def graph(channel: int = 1) -> str:
    host = f"store-{HASH}" if channel == 1 else f"store-{HASH}-{channel}"
    return f"POST /{host}.mybigcommerce.com/graphql"


def test_a_token_is_asked_for_as_it_says_itself(scene: MakeScene) -> None:
    found = scene(refusal=401)
    other = {"eat": 2_000_000_000, "cid": [7], "corsOrigins": ["https://former.example"]}
    token = found.shop.add(other, ["https://former.example"])
    # Its declaration was changed since: another origin would be refused to this living token.
    assert found.issuer.probe({"token": token}) == "accepted"
    assert found.calls == [graph(7)]
    assert found.stub.asked[0].headers["origin"] == "https://former.example"
    found.shop.tokens.clear()
    assert found.issuer.probe({"token": token}) == "refused"


def test_a_token_for_servers_is_asked_for_without_an_origin(scene: MakeScene) -> None:
    found = scene(PRIVATE)
    assert found.issuer.probe({"token": found.made(PRIVATE)}) == "accepted"
    assert "origin" not in found.stub.asked[0].headers
    assert found.stub.asked[0].headers["authorization"].startswith("Bearer ")
    assert found.bodies == [{"query": "query { site { settings { storeHash } } }"}]


UNKNOWN: list[dict[str, Any]] = [{}, {"cid": [1]}, {"cors": [ORIGIN]}]


@pytest.mark.parametrize("claims", UNKNOWN, ids=str)
def test_the_refusal_of_a_token_that_does_not_say_enough_shows_nothing(
    scene: MakeScene, claims: Mapping[str, Any]
) -> None:
    found = scene()
    token = found.shop.add(claims)
    assert found.issuer.probe({"token": token}) == "accepted"
    assert found.stub.asked[0].headers["origin"] == ORIGIN
    found.shop.tokens.clear()
    assert found.issuer.probe({"token": token}) == "unknown"


ANSWERS = {403: "unknown", 400: "unknown", 404: "unknown", 302: "unknown", 204: "unknown"}


@pytest.mark.parametrize("status", ANSWERS)
def test_other_answers_mean_nothing(scene: MakeScene, status: int) -> None:
    found = scene(odd={"graphql": answer(status)})
    assert found.issuer.probe({"token": found.made()}) == ANSWERS[status]


def test_a_storefront_in_trouble_concludes_nothing(scene: MakeScene) -> None:
    found = scene(odd={"graphql": answer(500)})
    token = found.made()
    with pytest.raises(errors.Transient, match="the storefront answers 500"):
        found.issuer.probe({"token": token})


def test_a_credential_without_its_token(scene: MakeScene) -> None:
    found = scene()
    for use in (found.issuer.probe, lambda secret: found.issuer.verify(secret, PLAIN)):
        with pytest.raises(errors.Unexpected, match="lacks token"):
            use({})


# --- proving ----------------------------------------------------------------------------------------------------------


def verdicts(found: Mapping[str, Finding]) -> dict[str, str]:
    return {check: finding.verdict for check, finding in found.items()}


def test_a_storefront_token_is_what_is_declared(scene: MakeScene) -> None:
    found = scene()
    proof = found.proved(found.made())
    assert verdicts(proof) == dict.fromkeys(
        (
            RECOGNISED,
            LASTS,
            "store",
            "channels",
            "cors_origins",
            "other origins",
            "use from servers",
        ),
        "confirmed",
    )
    assert proof[LASTS].evidence == "it expires on 2027-03-01"
    assert found.issuer.facts() == {"expires": "2027-03-01"}
    # A question is asked once: with the declared origin (as it says itself, and as is declared), another, and none.
    assert found.calls == [graph()] * 4
    assert [asked.headers.get("origin", "") for asked in found.stub.asked] == [
        ORIGIN,
        ORIGIN,
        "https://origin.invalid",
        "",
    ]


def test_a_private_token_is_what_is_declared(scene: MakeScene) -> None:
    found = scene(PRIVATE)
    proof = found.proved(found.made(PRIVATE), PRIVATE)
    assert verdicts(proof) == dict.fromkeys(
        (RECOGNISED, LASTS, "store", "channels", "use from servers", "rights"), "confirmed"
    )
    assert found.calls == [graph(), graph(), graph(7)]


def test_a_dead_token_is_looked_at_once(scene: MakeScene) -> None:
    found = scene()
    token = found.made()
    found.shop.tokens.clear()
    proof = found.proved(token)
    assert verdicts(proof) == {RECOGNISED: "contradicted"}
    assert proof[RECOGNISED].evidence == "the storefront refuses it: it was revoked, or is of another store"
    assert len(found.calls) == 1


def test_an_expired_token_is_told_from_a_revoked_one(scene: MakeScene) -> None:
    found = scene()
    token = jwt({"eat": int(NOW.timestamp()), "cid": [1], "cors": [ORIGIN]})
    assert found.proved(token)[RECOGNISED].evidence == "the storefront refuses it: it expired on 2026-12-01"


def test_an_answer_without_a_meaning_proves_nothing(scene: MakeScene) -> None:
    found = scene(odd={"graphql": answer(403)})
    proof = found.proved(found.made())
    assert verdicts(proof) == {RECOGNISED: "unverifiable"}


def at(**since: Any) -> int:
    return int((NOW + timedelta(**since)).timestamp())


GOOD: dict[str, Any] = {"eat": at(days=80), "iat": at(days=-10), "cid": [1], "cors": [ORIGIN]}
LASTING: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "long enough": ({}, {}, "confirmed"),
    "a week and more": ({"eat": at(days=7, minutes=1), "iat": at(days=-80)}, {}, "confirmed"),
    "a week": ({"eat": at(days=7), "iat": at(days=-80)}, {}, "contradicted"),
    "a third and more": ({"eat": at(hours=9), "iat": at(hours=-17)}, {}, "confirmed"),
    "a third": ({"eat": at(hours=8), "iat": at(hours=-16)}, {}, "contradicted"),
    "a third of what is declared": ({"eat": at(hours=8), "iat": None}, {"expires_after": DAY}, "contradicted"),
    "not said": ({"eat": None}, {}, "unverifiable"),
}


@pytest.mark.parametrize("case", LASTING)
def test_how_long_it_lasts(scene: MakeScene, case: str) -> None:
    claims, declared, verdict = LASTING[case]
    found = scene()
    token = found.shop.add({name: value for name, value in (GOOD | claims).items() if value is not None})
    proof = found.proved(token, PLAIN | declared)
    assert proof[LASTS].verdict == verdict
    assert proof[RECOGNISED].verdict == "confirmed"
    if verdict == "unverifiable":
        assert found.issuer.facts() == {}


DIFFERING: dict[str, tuple[dict[str, Any], dict[str, Any], str, str, str]] = {
    "too long": (
        {"eat": at(days=91)},
        {},
        "expires_after",
        "contradicted",
        "it expires on 2027-03-02, LATER than declared",
    ),
    "a channel more": ({"cid": [1, 7]}, {}, "channels", "contradicted", "declared 1; MORE than declared: 7"),
    "a channel less": (
        {},
        {"channels": [1, 7]},
        "channels",
        "contradicted",
        "declared 1, 7; LESS than declared: 7",
    ),
    "no channel said": ({"cid": []}, {}, "channels", "unverifiable", "the token does not say"),
    "an origin more": (
        {"cors": [ORIGIN, "https://b.example"]},
        {},
        "cors_origins",
        "contradicted",
        f"declared {ORIGIN}; MORE than declared: https://b.example",
    ),
    "scopes": (
        {"scopes": ["B2B"]},
        {"token": "private", "rights": ["Customer"]},
        "rights",
        "contradicted",
        "declared Customer; MORE than declared: B2B; LESS than declared: Customer",
    ),
    "scopes not said": (
        {},
        {"token": "private", "rights": ["Customer"]},
        "rights",
        "unverifiable",
        "the token does not say",
    ),
    "origins that nobody declared": (
        {},
        {"token": "private", "rights": ["Customer"], "cors_origins": None},
        "cors_origins",
        "contradicted",
        f"declared none; MORE than declared: {ORIGIN}",
    ),
    "another maker": (
        {"sub": "canary-of-another-account"},
        {},
        "account",
        "unverifiable",
        "another account made it than the present one; whether it outlives that one is not known",
    ),
}


@pytest.mark.parametrize("case", DIFFERING)
def test_a_token_that_is_not_what_is_declared(scene: MakeScene, case: str) -> None:
    claims, declared, check, verdict, evidence = DIFFERING[case]
    found = scene()
    said = GOOD | claims
    proof = found.proved(found.shop.add(said, said["cors"]), PLAIN | declared)
    assert (proof[check].verdict, proof[check].evidence) == (verdict, evidence)


SEEN: dict[str, tuple[dict[str, Any], dict[str, Any], str, str, str]] = {
    "another store": (
        {"hash": "qrs987"},
        {},
        "store",
        "contradicted",
        "the storefront calls itself by another hash",
    ),
    "a declared origin is refused": (
        {},
        {"cors_origins": [ORIGIN, "https://b.example"]},
        "origin https://b.example",
        "contradicted",
        "declared, but the storefront answers 403",
    ),
    "others refused as if it were dead": ({"refusal": 401}, {}, "other origins", "confirmed", "refused with 401"),
    "used from servers": (
        {"server_use": True},
        {},
        "use from servers",
        "unverifiable",
        "a query without an origin is answered 200",
    ),
    "a channel's storefront that refuses it": (
        {},
        {"channels": [1, 7]},
        "channel 7",
        "unverifiable",
        "its storefront answers 404",
    ),
}


@pytest.mark.parametrize("case", SEEN)
def test_what_the_storefront_shows(scene: MakeScene, case: str) -> None:
    odd, declared, check, verdict, evidence = SEEN[case]
    found = scene(**odd)
    if "channel" in check:
        script = found.shop.graphql
        found.shop.odd["graphql"] = lambda asked: answer(404) if "-7." in asked.target else script(asked)
    proof = found.proved(found.shop.add(GOOD), PLAIN | declared)
    assert (proof[check].verdict, proof[check].evidence) == (verdict, evidence)


OTHERS: dict[str, tuple[Reply, str, str]] = {
    "served without leave": (answer(200, {}), "confirmed", "browsers show them no answer"),
    "served for the declared one": (
        answer(200, {}, access_control_allow_origin=ORIGIN),
        "confirmed",
        "browsers show them no answer",
    ),
    "served to all": (
        answer(200, {}, access_control_allow_origin="*"),
        "unverifiable",
        "the storefront does not show that it keeps them out",
    ),
    "served to it": (
        answer(200, {}, access_control_allow_origin="https://origin.invalid"),
        "unverifiable",
        "the storefront does not show that it keeps them out",
    ),
    "not found": (answer(404), "unverifiable", "the storefront does not show that it keeps them out"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_origins_that_nobody_declared(scene: MakeScene, case: str) -> None:
    reply, verdict, evidence = OTHERS[case]
    found = scene()
    script = found.shop.graphql
    found.shop.odd["graphql"] = lambda asked: reply if "invalid" in asked.headers.get("origin", "") else script(asked)
    proof = found.proved(found.made())
    assert (proof["other origins"].verdict, proof["other origins"].evidence) == (verdict, evidence)


def test_an_answer_that_pages_of_the_origin_may_not_see(scene: MakeScene) -> None:
    body = {"data": {"site": {"settings": {"storeHash": HASH}}}}
    reply = answer(200, body, access_control_allow_origin="https://b.example")
    found = scene(odd={"graphql": reply})
    proof = found.proved(found.made())
    assert proof[f"origin {ORIGIN}"].evidence == "declared, but the storefront does not let its pages see the answer"


NAMELESS = [b"<html>", b"[]", b'{"data": null, "errors": []}', b'{"data": {"site": {"settings": {"storeHash": 7}}}}']


@pytest.mark.parametrize("body", NAMELESS)
def test_a_storefront_that_does_not_name_itself(scene: MakeScene, body: bytes) -> None:
    found = scene(odd={"graphql": Reply(200, body)})
    proof = found.proved(found.made())
    assert "store" not in proof
    assert proof[RECOGNISED].verdict == "confirmed"


def test_without_an_account_a_token_is_still_proved(scene: MakeScene) -> None:
    found = scene(account=False)
    proof = found.proved(found.shop.add(GOOD | {"sub": "canary-of-another-account"}))
    assert proof[RECOGNISED].verdict == "confirmed"
    assert "account" not in proof


# --- the control of a proof of death ----------------------------------------------------------------------------------


def test_the_control_is_a_token_made_for_it(scene: MakeScene) -> None:
    found = scene()
    control = found.issuer.control()
    assert (control.verdict, control.evidence) == (
        "confirmed",
        "a token of five minutes is accepted, and refused with another signature",
    )
    assert found.calls == [f"POST {PATH}", graph(), graph(), f"DELETE {PATH}"]
    assert found.bodies[0] == {"channel_id": 1, "expires_at": at(minutes=5), "allowed_cors_origins": [ORIGIN]}
    good, bad = (asked.headers["authorization"] for asked in found.stub.asked[1:3])
    assert good.rpartition(".")[0] == bad.rpartition(".")[0]
    assert (len(good), good != bad) == (len(bad), True)
    assert found.shop.tokens == {}


BLIND: dict[str, tuple[dict[str, Any], str]] = {
    "refuses all": ({"graphql": answer(401)}, "a token of five minutes is refused, and refused with another signature"),
    "accepts all": ({"graphql": answer(200, {})}, "a token of five minutes is accepted, and accepted with another"),
    "in trouble": ({"graphql": answer(503)}, "the storefront answers 503"),
    "no right": ({f"POST {PATH}": answer(403, NO_SCOPE)}, "lacks the right"),
    "says nothing of itself": (
        {f"POST {PATH}": answer(200, {"data": {"token": "canary-opaque"}})},
        "a token of five minutes is unknown",
    ),
}


@pytest.mark.parametrize("case", BLIND)
def test_a_storefront_that_shows_nothing_controls_nothing(scene: MakeScene, case: str) -> None:
    odd, words = BLIND[case]
    control = scene(odd=odd).issuer.control()
    assert control.verdict == "unverifiable"
    assert words in control.evidence


def test_a_control_without_an_account(scene: MakeScene) -> None:
    control = scene(account=False).issuer.control()
    assert (control.verdict, "has no live key" in control.evidence) == ("unverifiable", True)


def test_the_token_of_a_control_may_be_left_to_end_by_itself(scene: MakeScene) -> None:
    assert scene(odd={f"DELETE {PATH}": answer(500)}).issuer.control().verdict == "confirmed"


def test_no_secret_in_what_can_be_shown(scene: MakeScene) -> None:
    found = scene()
    issued = found.issuer.issue(Order(PLAIN, ""))
    token = issued.secret["token"].reveal()
    shown = repr((issued, found.issuer.verify(issued.secret, PLAIN), found.issuer.facts(), found.issuer.public()))
    for part in (*token.split("."), TOKEN, SECRET["client_id"].reveal()):
        assert part not in shown
