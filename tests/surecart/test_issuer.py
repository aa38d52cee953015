"""The issuer of tokens: what is a person's, the proof of a token against the cloud's stand-in, and what is public."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from providers.core import kinds
from providers.core.contract import RECOGNISED, Issuer, Order, Selector
from providers.core.errors import (
    AddressRefused,
    CouldNotLook,
    PersonNeeded,
    RateLimited,
    StoreError,
    Transient,
    Unexpected,
    Unreachable,
)
from providers.core.http import Http
from providers.core.redaction import Secret
from providers.surecart import CREDENTIALS, LINKS
from providers.surecart.issuer import ApiTokenIssuer, issuer
from providers.surecart.plugin_link import PluginLink
from providers.surecart.resources import RESOURCES
from tests.http.stub import Asked, Reply, Stub
from tests.surecart.conftest import (
    CANARIES,
    CONNECTION,
    RIGHTS,
    Account,
    LinkLoan,
    Loan,
    MakeAccount,
    answer,
    contradicted,
    raises,
    secret,
    silent_about,
)

TOKEN = "st_canary0token0123456789"
WHOLE = {"object": "account", "id": "0b9d", "slug": "acme-outdoor"}
REFUSED = {
    "http_status": "unauthorized",
    "type": "unauthorized",
    "code": "whatever",
    "message": "Invalid API token provided",
}

MakeIssuer = Callable[..., ApiTokenIssuer]


@pytest.fixture
def make_issuer(make_http: Callable[..., Http], stub: Stub) -> MakeIssuer:
    """The issuer of an account behind the stub; inputs by keyword."""
    CANARIES.add(TOKEN)

    def make(**inputs: Any) -> ApiTokenIssuer:
        words = {"account": "acme-outdoor", "api": stub.url(), "connection": CONNECTION}
        return issuer({**words, **inputs}, Loan(make_http()))

    return make


# --- the folder -------------------------------------------------------------------------------------------------------


def test_the_folder_offers_its_kinds(make_http: Callable[..., Http], stub: Stub) -> None:
    kind = kinds.credential("surecart/api_token")
    assert kind is CREDENTIALS["api_token"]
    assert (kind.identity, kind.fields, kind.revisable) == ("account", ("rights",), frozenset())
    assert (kind.secret_fields, kind.kept) == (("token",), ("api", "dashboard"))
    made: Issuer = kind.issuer({"account": "acme-outdoor", "api": stub.url()}, Loan(make_http()))
    capabilities = made.capabilities
    assert (capabilities.made_by, capabilities.revoked_by) == ("person", "person")
    assert (capabilities.revisable, capabilities.lists, capabilities.relabels) == (frozenset(), False, False)
    assert kind.place({"account": "acme-outdoor"}) == "https://api.surecart.com/acme-outdoor"
    link = LINKS["wordpress"].link({"site": stub.url(), "account": "acme-outdoor"}, LinkLoan(make_http()))
    assert isinstance(link, PluginLink)
    assert (LINKS["wordpress"].looks, LINKS["wordpress"].what) == (True, "")
    assert {name: found.__name__ for name, found in RESOURCES.items()} == {"api_token": "ApiToken"}
    assert stub.asked == []
    kind.close()


def test_what_readers_need(make_issuer: MakeIssuer, stub: Stub) -> None:
    made = make_issuer()
    assert made.public() == {"account": "acme-outdoor", "api_url": f"{stub.url()}/v1"}
    assert (made.ready(), made.tail(secret(TOKEN))) == ("", "")
    with raises(CouldNotLook, "was not asked about itself"):
        made.facts()
    assert stub.asked == []


def test_the_address_guard_holds(make_issuer: MakeIssuer) -> None:
    with raises(AddressRefused, "plain http"):
        make_issuer(api="http://api.example")


BY_PERSON: dict[str, Callable[[ApiTokenIssuer], object]] = {
    "find": lambda issuer: issuer.find(Selector("")),
    "issue": lambda issuer: issuer.issue(Order(RIGHTS, "")),
    "revise": lambda issuer: issuer.revise("1", Order(RIGHTS, "")),
    "revoke": lambda issuer: issuer.revoke("", secret(TOKEN)),
}


@pytest.mark.parametrize("act", BY_PERSON)
def test_what_only_a_person_does(make_issuer: MakeIssuer, stub: Stub, act: str) -> None:
    with raises(PersonNeeded, f"connections sheet {CONNECTION}|Secret Token"):
        BY_PERSON[act](make_issuer())
    assert stub.asked == []


# --- sheets -----------------------------------------------------------------------------------------------------------


def test_the_sheet_of_the_first_token(make_issuer: MakeIssuer) -> None:
    sheet = make_issuer().sheet("make", RIGHTS, 1)
    text = "\n".join(map(str, (sheet.title, *sheet.steps, *sheet.notes)))
    assert sheet.link == "https://app.surecart.com"
    for words in (
        "'acme-outdoor'",
        "API in the sidebar",
        "tab Secret Token",
        f"connections capture {CONNECTION}",
        "pt_",
    ):
        assert words in text
    assert "BESIDE" not in text


def test_the_sheet_of_a_rotation_says_what_is_not_known(make_issuer: MakeIssuer) -> None:
    sheet = make_issuer(dashboard="https://dashboard.example").sheet("make", RIGHTS, 2)
    text = "\n".join(map(str, sheet.steps))
    assert sheet.link == "https://dashboard.example"
    assert "BESIDE the present one" in text
    assert "is not documented: if it can only delete or replace, do nothing" in text
    assert f"{CONNECTION} #2" in text
    assert "Delete no token now" in " ".join(sheet.notes)


def test_the_sheet_of_a_deletion(make_issuer: MakeIssuer) -> None:
    sheet = make_issuer().sheet("delete", RIGHTS, 2)
    text = "\n".join(map(str, sheet.steps))
    assert sheet.title == f"Delete the secret token '{CONNECTION} #2' of the SureCart account 'acme-outdoor'"
    assert f"connections show {CONNECTION}" in text
    assert "disconnected at once" in " ".join(sheet.notes)


# --- the proof, against the stand-in ----------------------------------------------------------------------------------


def test_a_good_token(account: Account) -> None:
    token, ours = account.token(), account.issuer()
    cloud = account.control.surecart.account(account.slug)
    found = ours.verify(secret(token), RIGHTS)
    assert [(finding.check, finding.verdict, finding.pins) for finding in found] == [
        (RECOGNISED, "confirmed", ""),
        ("account", "confirmed", cloud.id),
        ("rights", "confirmed", ""),
    ]
    assert found[2].evidence == "a secret token: all, nothing finer exists"
    assert ours.facts().keys() == {"name", "currency", "plan"} - ({"name"} if not cloud.name else set())
    assert (ours.probe(secret(token)), ours.control().verdict) == ("accepted", "confirmed")


CLOUDS: list[dict[str, Any]] = [{}, {"unauthorized_code": "token.invalid"}, {"status_in_body": "number"}]


@pytest.mark.parametrize("settings", CLOUDS, ids=str)
def test_a_dead_token(account: Account, settings: dict[str, Any]) -> None:
    account.control.surecart.change_settings(**settings)
    token, ours = account.token(), account.issuer()
    account.delete(token)
    found = ours.verify(secret(token), RIGHTS)
    assert contradicted(found) == {
        RECOGNISED: "GET /v1/account answers 401: the token is deleted, or was never one",
    }
    assert len(found) == 1
    assert (ours.probe(secret(token)), ours.control().verdict) == ("refused", "confirmed")


def test_the_token_of_another_store(account: Account, make_account: MakeAccount) -> None:
    other = make_account()
    ours, token = account.issuer(), other.token()
    found = ours.verify(secret(token), RIGHTS)
    words = f"right token, wrong store: it is of {other.slug}, not of {account.slug}"
    assert contradicted(found) == {"account": words}
    assert {finding.pins for finding in found} == {""}
    # It lives, whosever it is.
    assert ours.probe(secret(token)) == "accepted"


def test_an_account_that_was_renamed_has_another_slug_and_the_same_id(account: Account) -> None:
    token, slug = account.token(), f"{account.slug}-new"
    (before,) = [finding.pins for finding in account.issuer().verify(secret(token), RIGHTS) if finding.pins]
    account.control.surecart.change_account(account.slug, slug=slug)
    account.slug = slug
    assert before in {finding.pins for finding in account.issuer().verify(secret(token), RIGHTS)}


def test_a_public_token_is_sent_nowhere(account: Account) -> None:
    public = account.control.surecart.account(account.slug).public_token
    before = account.control.last_seq()
    (found,) = account.issuer().verify(secret(public), RIGHTS)
    assert (found.verdict, "public token" in found.evidence) == ("unverifiable", True)
    assert account.issuer().probe(secret(public)) == "unknown"
    assert account.control.requests(before) == []


TROUBLE: list[tuple[dict[str, Any], type[StoreError]]] = [
    ({"outage": True}, Transient),
    ({"rate_limited": True}, RateLimited),
]


@pytest.mark.parametrize(("settings", "error"), TROUBLE)
def test_a_cloud_in_trouble_says_nothing_about_a_token(
    account: Account, settings: dict[str, Any], error: type[StoreError]
) -> None:
    token, ours = account.token(), account.issuer()
    account.delete(token)
    account.control.surecart.change_settings(**settings)
    dead = "outage" in settings
    for act in (lambda: ours.verify(secret(token), RIGHTS), lambda: ours.probe(secret(token))):
        if dead:
            with raises(error, "answers 503"):
                act()
    assert ours.control().verdict == ("unverifiable" if dead else "confirmed")
    living = account.token()
    with raises(error, "answers 503|asks for rest"):
        ours.probe(secret(living))


def test_a_lost_connection_is_no_refusal(account: Account) -> None:
    token, ours = account.token(), account.issuer()
    account.control.add_fault("drop_before", operation="surecart_account", times=None)
    with raises(Unreachable, "broke"):
        ours.verify(secret(token), RIGHTS)
    assert ours.control().verdict == "unverifiable"
    account.control.clear_faults()
    account.control.add_fault("drop_before", operation="surecart_account", times=1)
    assert ours.probe(secret(token)) == "accepted"


# --- answers that are not the cloud's ---------------------------------------------------------------------------------

ODD: list[tuple[str, Reply, str]] = [
    ("401 without the cloud's body", answer(401, {"message": "denied"}), "unknown"),
    ("401 page", Reply(401, b"<html>"), "unknown"),
    ("401 list", answer(401, [REFUSED]), "unknown"),
    ("403", answer(403, REFUSED), "unknown"),
    ("404", answer(404, REFUSED), "unknown"),
    ("redirect", Reply(302, b"", (("location", "https://www.example/"),)), "unknown"),
    ("page", Reply(200, b"<html>hello"), "unknown"),
    ("another object", answer(200, {**WHOLE, "object": "product"}), "unknown"),
    ("no id", answer(200, {**WHOLE, "id": ""}), "unknown"),
    ("id of another type", answer(200, {**WHOLE, "id": 7}), "unknown"),
    ("no slug", answer(200, {**WHOLE, "slug": ""}), "unknown"),
    ("slug of another type", answer(200, {**WHOLE, "slug": None}), "unknown"),
    ("created", answer(201, WHOLE), "unknown"),
    ("refused", answer(401, REFUSED), "refused"),
    ("accepted", answer(200, WHOLE), "accepted"),
]


@pytest.mark.parametrize("case", ODD, ids=lambda case: case[0])
def test_what_an_answer_says(make_issuer: MakeIssuer, stub: Stub, case: tuple[str, Reply, str]) -> None:
    _, reply, life = case
    stub.script = lambda _: reply
    made = make_issuer()
    assert made.probe(secret(TOKEN)) == life
    (found, *others) = made.verify(secret(TOKEN), RIGHTS)
    verdicts = {"unknown": "unverifiable", "refused": "contradicted", "accepted": "confirmed"}
    assert (found.check, found.verdict) == (RECOGNISED, verdicts[life])
    assert bool(others) == (life == "accepted")
    assert made.control().verdict == ("confirmed" if life == "refused" else "unverifiable")
    *known, made_up = stub.asked
    assert {asked.target for asked in stub.asked} == {"/v1/account"}
    assert {asked.headers["authorization"] for asked in known} == {f"Bearer {TOKEN}"}
    assert made_up.headers["authorization"] not in {f"Bearer {TOKEN}", "Bearer "}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_failures_are_never_refusals(make_issuer: MakeIssuer, stub: Stub, status: int) -> None:
    stub.script = lambda _: answer(status, REFUSED)
    with raises(Transient, f"answers {status}"):
        make_issuer().probe(secret(TOKEN))


def test_a_slug_that_cannot_be_shown(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = lambda _: answer(200, {**WHOLE, "slug": "<b>\x1b[1m"})
    assert (
        "it is of another account, not of acme-outdoor"
        in contradicted(make_issuer().verify(secret(TOKEN), RIGHTS))["account"]
    )


FACTS: list[tuple[dict[str, Any], dict[str, str]]] = [
    (
        {"name": "Acme Outdoor", "currency": "eur", "plan": {"free": True, "name": "Launch"}, "claimed": True},
        {"name": "Acme Outdoor", "currency": "eur", "plan": "Launch"},
    ),
    ({"name": "::error::", "currency": 7, "plan": "Launch"}, {}),
    ({"name": "a" * 200, "plan": {"name": None}, "claimed": None}, {}),
    ({"claimed": False}, {"claimed": "no: a provisional store, which ends unless somebody claims it"}),
]


@pytest.mark.parametrize(("document", "facts"), FACTS)
def test_facts_are_those_of_the_last_proof(
    make_issuer: MakeIssuer, stub: Stub, document: dict[str, Any], facts: dict[str, str]
) -> None:
    stub.script = lambda _: answer(200, {**WHOLE, **document})
    made = make_issuer()
    made.verify(secret(TOKEN), RIGHTS)
    assert made.facts() == facts


def test_a_credential_without_its_token(make_issuer: MakeIssuer) -> None:
    made = make_issuer()
    for use in (made.probe, made.losses, lambda broken: made.verify(broken, RIGHTS)):
        with raises(Unexpected, "lacks token"):
            use({"account": Secret("acme-outdoor")})


# --- what goes with a token -------------------------------------------------------------------------------------------

ENDPOINTS = [
    {"id": "1", "url": "https://acme.example/surecart/webhooks"},
    {"id": "2", "url": "https://acme.example/blog/surecart/webhooks"},
    {"id": "3", "url": "https://hooks.example/in?key=canary"},
    {"id": "4", "url": "https://<b>/surecart/webhooks"},
    {"id": "5", "url": "https://[/surecart/webhooks"},
    {"id": "6", "url": None},
    {"id": "", "url": "https://none.example/surecart/webhooks"},
    "odd",
]


def listed(entries: list[Any], **pagination: Any) -> Reply:
    return answer(200, {"object": "list", "data": entries, "pagination": pagination})


def test_losses_name_the_sites_that_the_account_knows(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = lambda _: listed(ENDPOINTS)
    always, sites = make_issuer().losses(secret(TOKEN))
    assert "disconnected at once" in always
    assert sites.startswith("the account has webhooks to acme.example, acme.example/blog: see")
    assert len(stub.asked) == 1


def test_losses_where_there_are_none_and_where_nobody_knows(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = lambda _: listed([])
    assert len(make_issuer().losses(secret(TOKEN))) == 1
    for reply, words in (
        (answer(401, REFUSED), "does not take the token"),
        (answer(500), "answers 500"),
        (answer(404, REFUSED), "answers 404, which tells nothing"),
        (answer(200, {"data": {}}), "another form"),
    ):
        stub.replies(reply)
        assert words in make_issuer().losses(secret(TOKEN))[1]


def test_a_list_is_read_to_its_end(make_issuer: MakeIssuer, stub: Stub) -> None:
    def page(asked: Asked) -> Reply:
        number = asked.target.rpartition("page=")[2]
        return listed([{"id": number, "url": f"https://s{number}.example/surecart/webhooks"}], count=201)

    stub.script = page
    assert "s1.example, s2.example, s3.example" in make_issuer().losses(secret(TOKEN))[1]
    assert [asked.target for asked in stub.asked] == [f"/v1/webhook_endpoints?limit=100&page={n}" for n in (1, 2, 3)]


def test_a_list_without_an_end(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = lambda _: listed([], count=10**9)
    assert "more than 2000 webhook endpoints" in make_issuer().losses(secret(TOKEN))[1]
    assert len(stub.asked) == 20


def test_an_endpoint_that_is_gone_or_cannot_go(make_http: Callable[..., Http], stub: Stub) -> None:
    replies = {"404": None, "401": "does not take", "409": "answers 409"}
    for status, words in replies.items():
        stub.script = deleting(stub, int(status))
        link = LINKS["wordpress"].link(
            {"site": stub.url(base="/shop"), "account": "acme-outdoor", "api": stub.url()}, loan_of(stub, make_http())
        )
        if words is None:
            assert list(link.disconnect(secret(TOKEN))) == []
        elif status == "401":
            assert "delete the webhook endpoint" in link.disconnect(secret(TOKEN))[0]
        else:
            with raises(Unexpected, words):
                link.disconnect(secret(TOKEN))


def loan_of(stub: Stub, http: Http) -> LinkLoan:
    login = {"username": Secret("connector"), "application_password": Secret("abcd EFGH")}
    return LinkLoan(http, {(f"127.0.0.1:{stub.port}", "shop"): login})


def deleting(stub: Stub, status: int) -> Callable[[Asked], Reply]:
    def script(asked: Asked) -> Reply:
        if asked.method == "DELETE":
            return answer(status, REFUSED)
        if "/settings" in asked.target:
            return answer(200, {"object": "settings", "api_token": False})
        return listed([{"id": "9", "url": f"{stub.url(base='/shop')}/surecart/webhooks"}])

    return script


def test_nothing_that_is_kept_shows_a_token(account: Account) -> None:
    token, ours = account.token(), account.issuer()
    found = [*ours.verify(secret(token), RIGHTS), ours.control()]
    assert not silent_about(repr([found, ours.facts(), ours.public(), ours.losses(secret(token)), vars(ours)]))
