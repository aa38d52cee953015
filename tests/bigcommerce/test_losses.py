"""What goes with an account, in words."""

from __future__ import annotations

from typing import Any

import pytest

from providers.bigcommerce.losses import PAGES, STANDING
from tests.bigcommerce.conftest import NO_SCOPE, SECRET, Gateway, MakeIssuer, answer
from tests.http.stub import Asked, Reply, Stub


def webhook(number: Any, scope: Any = "store/order/*", destination: Any = "https://hooks.example/in?key=canary") -> Any:
    return {"id": number, "client_id": "x", "scope": scope, "destination": destination, "is_active": True}


def test_own_webhooks_by_name_and_what_no_call_lists(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = Gateway(hooks=[webhook(7), webhook(8, "store/product/updated", "https://[::1]:8443/x")])
    assert make_issuer().losses(SECRET) == (
        "webhook 7 vanishes: store/order/* to hooks.example; make it again with the new account",
        "webhook 8 vanishes: store/product/updated to an address of its own; make it again with the new account",
        *STANDING,
    )
    assert stub.asked[0].target.endswith("/v3/hooks?limit=50&page=1")


@pytest.mark.parametrize("odd", ["::error::", 3, None, "x" * 300 + "/ y"])
def test_odd_texts_of_a_store_are_not_repeated(make_issuer: MakeIssuer, stub: Stub, odd: Any) -> None:
    stub.script = Gateway(hooks=[webhook("x", odd, f"https://{odd}/")])
    first = make_issuer().losses(SECRET)[0]
    assert first.startswith("webhook vanishes: an event to ")
    assert "error" not in first


@pytest.mark.parametrize("destination", [None, 3, "", "https://[broken", "mailto:someone"])
def test_destinations_without_a_host(make_issuer: MakeIssuer, stub: Stub, destination: Any) -> None:
    stub.script = Gateway(hooks=[webhook(1, destination=destination)])
    assert "to an address of its own" in make_issuer().losses(SECRET)[0]


def paged(pages: Any) -> Any:
    def script(asked: Asked) -> Reply:
        page = int(asked.target.rpartition("=")[2])
        return answer(200, {"data": [webhook(page)], "meta": {"pagination": {"total_pages": pages}}})

    return script


def test_every_page_is_read(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = paged(3)
    found = make_issuer().losses(SECRET)
    assert [text.split()[1] for text in found[:3]] == ["1", "2", "3"]
    assert found[3:] == STANDING


def test_the_looking_has_an_end(make_issuer: MakeIssuer, stub: Stub) -> None:
    stub.script = paged(1000)
    found = make_issuer().losses(SECRET)
    assert len(stub.asked) == PAGES
    assert found[PAGES] == "more webhooks vanish than the 1000 listed"


@pytest.mark.parametrize("pages", ["many", None])
def test_a_list_that_does_not_tell_its_length_is_one_page(make_issuer: MakeIssuer, stub: Stub, pages: Any) -> None:
    stub.script = paged(pages)
    assert len(make_issuer().losses(SECRET)) == 1 + len(STANDING)


@pytest.mark.parametrize(
    ("reply", "words"),
    [(answer(403, NO_SCOPE), "answer 403"), (answer(429), "asks for rest"), (Reply(cut=0), "the connection broke")],
)
def test_what_could_not_be_listed_is_said(make_issuer: MakeIssuer, stub: Stub, reply: Reply, words: str) -> None:
    stub.script = lambda _: reply
    found = make_issuer().losses(SECRET)
    assert found[0].startswith("its webhooks vanish; they could not be listed (")
    assert words in found[0]
    assert found[1:] == STANDING
