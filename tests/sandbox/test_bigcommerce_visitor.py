"""The scripted visitor makes, lists and deletes API accounts through the pages, and says what a page refuses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.bigcommerce.client import BigCommerceStore
from sandbox.bigcommerce.panel_credentials import LAYOUTS
from sandbox.bigcommerce.scopes import offered_rows
from sandbox.bigcommerce.state import CREATE, DELETE, LIST
from sandbox.bigcommerce.visitor import VisitError, Visitor
from sandbox.client import Client
from sandbox.server_process import ServerProcess

OWNER = "owner@acme-parts.example"
PASSWORD = "panel-password"
SEED = {
    "Content": "read-only",
    "Checkout content": "modify",
    "Customers": "modify",
    "Customers login": "None",
    "Information & Settings": "None",
    "Marketing": "None",
    "Orders": "modify",
    "Order transactions": "modify",
    "Create payments": "None",
    "Get payment methods": "None",
    "Stored Payment instruments": "None",
    "Products": "modify",
    "Themes": "None",
    "Carts": "modify",
    "Checkouts": "modify",
    "Sites & routes": "None",
    "Channel Settings": "None",
    "Channel Listings": "None",
    "Storefront API tokens": "None",
    "Storefront API customer impersonation tokens": "None",
    "Store logs": "None",
    "Store Locations": "read-only",
    "Store Inventory": "modify",
    "Fulfillment Methods": "modify",
    "Order Fulfillment": "modify",
}
"""The seed's rows, in its letters."""
NUMBERS = itertools.count(1)

MakeStore = Callable[..., BigCommerceStore]
Visit = Callable[..., Visitor]


@pytest.fixture
def make_store(control: Client) -> Iterator[MakeStore]:
    """Make a store with an owner and two users."""
    made: list[str] = []

    def make(**settings: Any) -> BigCommerceStore:
        users: list[dict[str, Any]] = [
            {"mail": OWNER, "password": PASSWORD, "role": "owner"},
            {"mail": "all@acme-parts.example", "password": PASSWORD, "permissions": [CREATE, LIST, DELETE]},
            {"mail": "none@acme-parts.example", "password": PASSWORD},
        ]
        made.append(f"visited{next(NUMBERS)}")
        return control.bigcommerce.create_store(made[-1], users=users, **settings)

    yield make
    for store_hash in made:
        control.bigcommerce.delete_store(store_hash)


@pytest.fixture
def visit(server: ServerProcess) -> Iterator[Visit]:
    """A visitor of a store."""
    visitors: list[Visitor] = []

    def make(store: BigCommerceStore, mail: str = OWNER, password: str = PASSWORD) -> Visitor:
        visitors.append(Visitor(store.panel_url, server.ca, mail, password))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.close()


@pytest.mark.parametrize("mail", [OWNER, "all@acme-parts.example"])
def test_a_life_of_an_account(control: Client, make_store: MakeStore, visit: Visit, mail: str) -> None:
    store = make_store()
    visitor = visit(store, mail)
    download = visitor.create_account("Stone Edge", SEED)
    assert download.file_name == "BigCommerceAPI-credentials-stone-edge.txt"
    (account,) = control.bigcommerce.accounts(store.hash)
    assert f"Client ID: {account.client_id}\n" in download.text
    assert f"https://api.bigcommerce.com/stores/{store.hash}/v3/" in download.text
    expected = {label: level.lower() for label, level in SEED.items()}
    assert {label.lower(): level for label, level in account.levels.items() if level != "standard"} == {
        **{label.lower(): level for label, level in expected.items()},
        "metafield ownership": "none",
    }
    visitor.create_account("another one", {})
    assert visitor.titles() == ("Stone Edge", "another one")
    visitor.delete_account("Stone Edge")
    assert visitor.titles() == ("another one",)
    assert [row.title for row in control.bigcommerce.accounts(store.hash)] == ["another one"]


def test_every_level_of_every_row_can_be_chosen(control: Client, make_store: MakeStore, visit: Visit) -> None:
    store = make_store(translations=True, b2b=True, infrastructure=True)
    rows = offered_rows(("metafields", "translations", "b2b", "infrastructure"))
    visitor = visit(store)
    seen: set[tuple[str, str]] = set()
    for number in range(max(len(row.words) for row in rows)):
        levels = {row.label: row.words[number % len(row.words)] for row in rows}
        visitor.create_account(f"round {number}", levels)
        assert control.bigcommerce.accounts(store.hash)[-1].levels == levels
        seen.update(levels.items())
    assert seen == {(row.label, word) for row in rows for word in row.words}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_file_comes_as_it_is(control: Client, make_store: MakeStore, visit: Visit, layout: str) -> None:
    store = make_store(credentials_layout=layout)
    text = visit(store).create_account("Röst & Söhne", {}).text
    (account,) = control.bigcommerce.accounts(store.hash)
    assert text.count(account.client_id) == 1
    assert text.startswith("\ufeff") == ("\r\n" in text) == (layout == "windows")


def test_nothing_secret_shows_in_a_repr(server: ServerProcess, make_store: MakeStore) -> None:
    with Visitor(make_store().panel_url, server.ca, OWNER, PASSWORD) as visitor:
        download = visitor.create_account("Acme Parts", {})
    assert download.text not in repr(download)
    assert "text" not in repr(download)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"title": "abc"}, "422, The name must have at least 4 characters."),
        ({"levels": {"Warehouse": "modify"}}, "the panel has no row 'Warehouse'"),
        ({"levels": {"B2B Edition": "modify"}}, "the panel has no row 'B2B Edition'"),
        ({"levels": {"Store logs": "modify"}}, "row 'Store logs' offers None, Read-only, not 'modify'"),
        (
            {"token_type": "V1 API token"},
            "the panel offers no token type 'V1 API token', only V2/V3 API token, Stencil-CLI token",
        ),
    ],
)
def test_what_the_panel_refuses_or_lacks(
    control: Client, make_store: MakeStore, visit: Visit, order: dict[str, Any], message: str
) -> None:
    store = make_store()
    with pytest.raises(VisitError, match=message):
        visit(store).create_account(**{"title": "Acme Parts", "levels": {}, **order})
    assert control.bigcommerce.accounts(store.hash) == []


@pytest.mark.parametrize(
    ("settings", "mail", "password", "message"),
    [
        (
            {},
            OWNER,
            "wrong",
            "does not let owner@acme-parts.example in: The email address or the password is not right",
        ),
        ({"two_factor": True}, OWNER, PASSWORD, "for a code, which only a person has"),
        ({}, "none@acme-parts.example", PASSWORD, "403, This needs the permission List_Store_API_Tokens"),
    ],
)
def test_who_is_not_let_in(
    make_store: MakeStore, visit: Visit, settings: dict[str, Any], mail: str, password: str, message: str
) -> None:
    with pytest.raises(VisitError, match=message) as raised:
        visit(make_store(**settings), mail, password).create_account("Acme Parts", {})
    assert password not in str(raised.value)


def test_only_one_account_of_a_name_is_deleted(control: Client, make_store: MakeStore, visit: Visit) -> None:
    store = make_store()
    visitor = visit(store)
    for _ in range(2):
        visitor.create_account("Twice", {})
    for title, count in (("Twice", 2), ("Never", 0)):
        with pytest.raises(VisitError, match=f"{count} API accounts are called '{title}', not one"):
            visitor.delete_account(title)
    assert len(control.bigcommerce.accounts(store.hash)) == 2
    visitor.delete_account("Twice", every=True)
    assert control.bigcommerce.accounts(store.hash) == []
    with pytest.raises(VisitError, match="0 API accounts"):
        visitor.delete_account("Twice", every=True)


def test_a_session_that_ended_begins_anew(control: Client, make_store: MakeStore, visit: Visit) -> None:
    store = make_store()
    visitor = visit(store)
    visitor.create_account("Acme Parts", {})
    assert control.bigcommerce.end_sessions(store.hash) == 1
    visitor.delete_account("Acme Parts")
    assert visitor.titles() == ()


def test_a_page_that_never_came_leaves_an_account_without_its_file(
    control: Client, make_store: MakeStore, visit: Visit
) -> None:
    store = make_store()
    visitor = visit(store)
    control.add_fault("drop_after", store=store.hash, operation="panel_create")
    with pytest.raises(VisitError, match=r"POST .*/create: no answer"):
        visitor.create_account("Acme Parts", {})
    assert visitor.titles() == ("Acme Parts",)
    visitor.delete_account("Acme Parts")
    assert visitor.create_account("Acme Parts", {}).text


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"status": 502, "body": "<h1>Bad gateway</h1>"}, "502, without a reason"),
        ({"status": 200, "headers": {"Content-Type": "application/json"}, "body": "{}"}, "200, no page"),
        ({"status": 200, "body": "<h1>Maintenance</h1>"}, "holds 0 of what should be one: download of the credentials"),
        (
            {"status": 200, "body": "<dialog id='api-credentials'><a download='x' href='/x'>Download</a></dialog>"},
            "downloads something that is no text",
        ),
    ],
)
def test_answers_that_are_no_credentials(
    control: Client, make_store: MakeStore, visit: Visit, answer: dict[str, Any], message: str
) -> None:
    store = make_store()
    control.add_fault("status", store=store.hash, operation="panel_create", **answer)
    with pytest.raises(VisitError, match=message):
        visit(store).create_account("Acme Parts", {})
