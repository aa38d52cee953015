"""What a site may answer beside the matrix, and what is never told of it: odd bodies over TLS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from providers.core.errors import Forbidden, Rejected, StoreError, Transient, Unauthorized, Unexpected
from providers.core.http import Http
from providers.core.redaction import Secret
from providers.surecart.plugin_link import PluginLink, plugin_link
from providers.surecart.site import Site, Stored, TokenDropped
from tests.http.stub import Asked, Reply, Stub
from tests.surecart.conftest import CANARIES, LinkLoan, answer, raises, secret

TOKEN = "st_canary0token0123456789"
FORMER = "st_canary0former0123456789"
LOGIN = {"username": Secret("connector"), "application_password": Secret("abcd EFGH 1234 ijkl")}
ACCOUNT = {"object": "account", "id": "0b9d", "slug": "acme-outdoor"}


@pytest.fixture
def tools(make_http: Callable[..., Http], stub: Stub) -> LinkLoan:
    CANARIES.update({TOKEN, FORMER, "abcd EFGH 1234 ijkl"})
    place = (f"127.0.0.1:{stub.port}", "shop")
    return LinkLoan(make_http(), {place: LOGIN}, {FORMER: 1})


@pytest.fixture
def site(tools: LinkLoan, stub: Stub) -> Site:
    return Site(tools.client.origin(stub.url(base="/shop")), lambda: LOGIN)


@pytest.fixture
def link(tools: LinkLoan, stub: Stub) -> PluginLink:
    inputs = {"site": stub.url(base="/shop"), "account": "acme-outdoor", "api": stub.url(base="/cloud")}
    return plugin_link(inputs, tools)


def settings(token: Any) -> Reply:
    return answer(200, {"object": "settings", "api_token": token, "uninstall": False})


SHAPES: list[tuple[Any, str]] = [(False, "absent"), ("", "emptied"), (TOKEN, "token")]


@pytest.mark.parametrize(("read", "shape"), SHAPES)
def test_the_three_shapes(site: Site, stub: Stub, read: Any, shape: str) -> None:
    stub.script = lambda _: settings(read)
    found = site.stored()
    assert found.shape == shape
    assert found.holds(Secret(TOKEN)) == (shape == "token")
    assert not found.holds(Secret(FORMER))
    assert TOKEN not in repr(found)
    (asked,) = stub.asked
    assert (asked.method, asked.target) == ("GET", "/shop/wp-json/surecart/v1/settings")
    assert asked.headers["authorization"].startswith("Basic ")
    assert "cookie" not in asked.headers


QUOTED = {"message": TOKEN, "api_token": TOKEN, "code": TOKEN}
ODD: list[tuple[str, Reply, type[StoreError], str]] = [
    ("token of another form", settings(None), Unexpected, "form that is not known"),
    ("number", settings(7), Unexpected, "form that is not known"),
    ("no settings", answer(200, {"object": "list", **QUOTED}), Unexpected, "not SureCart's"),
    ("no object", answer(200, [TOKEN]), Unexpected, "not SureCart's"),
    ("page", Reply(200, f"<html>{TOKEN}".encode()), Unexpected, "not SureCart's"),
    ("redirect", Reply(301, b"", (("location", f"https://www.acme.example/?{TOKEN}"),)), Rejected, "another address"),
    (
        "401 of something else",
        answer(401, {**QUOTED, "code": "incorrect_password"}),
        Unauthorized,
        "application password",
    ),
    ("401 without a body", answer(401), Unauthorized, "application password"),
    ("403 page", Reply(403, TOKEN.encode()), Forbidden, "does not let"),
    ("404 page", Reply(404, TOKEN.encode()), Rejected, "pretty permalinks"),
    ("no route", answer(404, {**QUOTED, "code": "rest_no_route"}), Rejected, "no SureCart plugin"),
    ("500 page", Reply(500, TOKEN.encode()), Transient, "fails"),
    ("500 of another code", answer(500, QUOTED), Transient, "fails"),
    ("cloud's own code", answer(503, {**QUOTED, "data": {"status": 503}}), Transient, "fails"),
    ("no connection", answer(500, {**QUOTED, "code": "http_request_failed"}), Transient, "cannot reach"),
    ("422", answer(422, QUOTED), Unexpected, "answers 422"),
    ("418 with the code of a loss", answer(418, {**QUOTED, "code": "invalid_token"}), TokenDropped, "has dropped"),
    ("code of another type", answer(500, {"code": ["invalid_token"]}), Transient, "fails"),
]


@pytest.mark.parametrize("case", ODD, ids=lambda case: case[0])
def test_every_refusal_of_a_write(site: Site, stub: Stub, case: tuple[str, Reply, type[StoreError], str]) -> None:
    _, reply, error, words = case
    stub.script = lambda _: reply
    with raises(error, words):
        site.write(Secret(TOKEN))
    (asked,) = stub.asked
    assert (asked.method, asked.body) == ("PATCH", f'{{"api_token": "{TOKEN}"}}'.encode())


HEALTH: list[tuple[Reply, bool | type[StoreError]]] = [
    (answer(200, {"status": "good"}), True),
    (answer(200, {"status": "critical"}), False),
    (answer(200, {"status": "recommended"}), Unexpected),
    (answer(200, {"status": ["good"]}), Unexpected),
    (answer(200, ["good"]), Unexpected),
    (answer(403, {"code": "rest_forbidden"}), Forbidden),
    (answer(500, {"status": "good"}), Transient),
]


@pytest.mark.parametrize(("reply", "found"), HEALTH)
def test_the_site_health(site: Site, stub: Stub, reply: Reply, found: Any) -> None:
    stub.script = lambda _: reply
    if isinstance(found, bool):
        assert site.healthy() is found
    else:
        with raises(found, "the site"):
            site.healthy()
    (asked,) = stub.asked
    assert asked.target == "/shop/wp-json/surecart/v1/site-health/api-connectivity/"


# --- a link on a site of a few lines ----------------------------------------------------------------------------------


class Scripted:
    """A site that keeps what it is given, or what `keeps` says, and answers writes in turn."""

    def __init__(self, stored: Any, *writes: Reply | None, keeps: Callable[[Any], Any] = lambda token: token) -> None:
        self.stored, self.writes, self.keeps = stored, [*writes], keeps
        self.accepted = {TOKEN, FORMER}
        self.health: Reply = answer(200, {"status": "good"})

    def __call__(self, asked: Asked) -> Reply:
        if asked.target.startswith("/cloud/"):
            known = asked.headers["authorization"].removeprefix("Bearer ") in self.accepted
            return (
                answer(200, ACCOUNT)
                if known
                else answer(401, {"http_status": 401, "type": "", "code": "", "message": ""})
            )
        if asked.method == "PATCH":
            reply = self.writes.pop(0) if self.writes else None
            if reply is not None:
                if b"invalid_token" in reply.body:
                    self.stored = False
                return reply
            self.stored = self.keeps(asked.body.decode().split('"')[3])
        return self.health if "site-health" in asked.target else settings(self.stored)


DROPPED = answer(500, {"code": "invalid_token", "message": TOKEN, "data": None})


def test_a_token_that_cannot_be_read_back(link: PluginLink, stub: Stub) -> None:
    stub.script = Scripted("", keeps=lambda _: False)
    with raises(Rejected, "cannot read it back: its salts"):
        link.connect(1, secret(TOKEN))


def test_a_site_that_drops_it_twice_gets_the_former_back(link: PluginLink, stub: Stub) -> None:
    stub.script = script = Scripted(FORMER, DROPPED, DROPPED)
    with raises(Rejected, "the cloud does not take this token through the site"):
        link.connect(2, secret(TOKEN))
    assert script.stored == FORMER


def test_a_site_that_drops_whatever_it_gets(link: PluginLink, stub: Stub) -> None:
    stub.script = script = Scripted(FORMER, DROPPED, DROPPED, DROPPED)
    with raises(Rejected, "is NOT connected now"):
        link.connect(2, secret(TOKEN))
    assert script.stored is False


def test_a_former_one_that_is_dead_is_not_offered(link: PluginLink, stub: Stub) -> None:
    stub.script = script = Scripted(FORMER, DROPPED, DROPPED)
    script.accepted = {TOKEN}
    with raises(Rejected, "is NOT connected now"):
        link.connect(2, secret(TOKEN))
    assert [asked.method for asked in stub.asked].count("PATCH") == 2


def test_a_former_one_that_does_not_stay(link: PluginLink, stub: Stub) -> None:
    stub.script = Scripted(FORMER, DROPPED, DROPPED, keeps=lambda _: False)
    with raises(Rejected, "is NOT connected now"):
        link.connect(2, secret(TOKEN))


def test_a_write_that_fails_in_its_own_way_and_cost_the_token(link: PluginLink, stub: Stub) -> None:
    stub.script = script = Scripted(FORMER, Reply(504, b"invalid_token, by a proxy that cut it short"))
    link.connect(2, secret(TOKEN))
    assert script.stored == TOKEN


def test_a_token_is_proved_by_each_link_for_itself(link: PluginLink, stub: Stub) -> None:
    stub.script = Scripted(FORMER)
    link.connect(2, secret(TOKEN))
    asked = [asked.target.partition("/v1/")[2] for asked in stub.asked]
    assert asked == ["settings", "account", "settings", "settings"]
    assert [finding.verdict for finding in link.verify(2, secret(TOKEN))] == ["confirmed", "confirmed"]
    # A proof of one token says nothing about another.
    found = link.verify(1, secret(FORMER))
    assert [finding.verdict for finding in found] == ["contradicted"]
    assert [asked.target for asked in stub.asked].count("/cloud/v1/account") == 2


def test_the_health_is_not_asked_where_another_token_is_there(link: PluginLink, stub: Stub) -> None:
    stub.script = Scripted(FORMER)
    (found,) = link.verify(2, secret(TOKEN))
    assert "generation 1" in found.evidence
    assert not any("site-health" in asked.target for asked in stub.asked)


def test_an_answer_that_is_not_the_clouds_gives_nothing(link: PluginLink, stub: Stub) -> None:
    stub.script = lambda _: answer(200, {"object": "account"})
    with raises(Unexpected, "cannot be proved"):
        link.check(1, secret(TOKEN))


def test_a_generation_without_its_token(link: PluginLink, stub: Stub) -> None:
    for act in (link.check, link.connect, link.verify, link.observe):
        with raises(Unexpected, "lacks token"):
            act(1, {})
    assert [asked.method for asked in stub.asked if asked.method != "GET"] == []


def test_what_is_stored_does_not_show() -> None:
    assert repr(Stored("token", Secret(TOKEN))) == "Stored(shape='token')"
