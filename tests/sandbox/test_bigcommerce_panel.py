"""The control panel of a BigCommerce store, page by page: rows, rules, permissions, and what is shown only once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

import pytest
from lxml import html
from lxml.html import HtmlElement

from sandbox.bigcommerce import panel
from sandbox.bigcommerce.panel_credentials import LAYOUTS, file_name, file_text
from sandbox.bigcommerce.panel_login import LoginHost
from sandbox.bigcommerce.scopes import PANEL_ROWS, ROWS
from sandbox.bigcommerce.settings import CHOICES
from sandbox.bigcommerce.state import CREATE, DELETE, LIST, STENCIL_TOKEN, State, Store
from sandbox.exchange import Reply, UnknownInSheetError, VendorRequest

OWNER = "owner@acme-parts.example"
PASSWORD = "panel-password"
ACCOUNTS = "/manage/settings/auth/api-accounts"
CREATE_PAGE = f"{ACCOUNTS}/create"
SEED = {
    "Content": "Read-only",
    "Checkout content": "Modify",
    "Customers": "Modify",
    "Orders": "Modify",
    "Order transactions": "Modify",
    "Products": "Modify",
    "Carts": "Modify",
    "Checkouts": "Modify",
    "Store Locations": "Read-only",
    "Store Inventory": "Modify",
    "Fulfillment Methods": "Modify",
    "Order Fulfillment": "Modify",
}
"""The seed's rows that are not None, in its letters."""


@dataclass
class Person:
    """A cookie jar in front of the pages, without a network."""

    state: State
    cookies: dict[tuple[str, str], str] = field(default_factory=dict)
    """Value by path and name."""

    def ask(self, url: str, form: dict[str, str] | None = None, method: str = "", **more: Any) -> Reply:
        parts = urlsplit(url)
        prefix, _, rest = parts.path.lstrip("/").partition("/")
        request = VendorRequest(
            method=method or ("GET" if form is None else "POST"),
            prefix=prefix,
            path=f"/{rest}",
            raw_path=f"/{rest}",
            raw_query=parts.query,
            query_pairs=parse_qsl(parts.query),
            form_pairs=list((form or {}).items()),
            headers={},
            cookies={name: value for (path, name), value in self.cookies.items() if parts.path.startswith(path)},
            **more,
        )
        reply = self._answer(request)
        for name, value in reply.headers:
            if name == "Set-Cookie":
                pair, *attributes = value.split("; ")
                assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(attributes)
                path = next(part for part in attributes if part.startswith("Path=")).removeprefix("Path=")
                cookie, _, content = pair.partition("=")
                self.cookies[path, cookie] = content
        return reply

    def _answer(self, request: VendorRequest) -> Reply:
        if request.prefix == "login.bigcommerce.com":
            return asyncio.run(LoginHost(self.state).process(request))
        store = self.state.store(request.prefix.removeprefix("store-").removesuffix(".mybigcommerce.com"))
        return panel.answer(self.state, store, request)

    def log_in(self, store: Store, mail: str = OWNER, password: str = PASSWORD) -> Reply:
        return self.ask(at(store, "/manage/login"), {"email": mail, "password": password})

    def page(self, url: str, form: dict[str, str] | None = None) -> HtmlElement:
        return parse(self.ask(url, form))

    def send(self, store: Store, path: str, fields: dict[str, str]) -> Reply:
        """A form with the session's token in it."""
        found = self.page(at(store, "/manage/settings")).xpath("//form[@id='logout']/input[@name='csrf_token']/@value")
        return self.ask(at(store, path), {"csrf_token": str(found[0]), **fields})

    def save(self, store: Store, title: str = "Acme Parts", **fields: str) -> Reply:
        return self.send(store, CREATE_PAGE, {"name": title, "token_type": "V2/V3 API token", **fields})


def at(store: Store, path: str) -> str:
    return f"/{store.host}{path}"


def parse(reply: Reply) -> HtmlElement:
    assert reply.header("Content-Type") == "text/html; charset=utf-8", reply
    assert reply.header("Cache-Control") == "no-store"
    return html.document_fromstring(reply.body.decode())


def words(page: HtmlElement, path: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in page.xpath(path)]


def error(reply: Reply) -> str:
    (found,) = words(parse(reply), "//*[@role='alert']")
    return found


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "bigcommerce.sqlite", b"secret")
    yield state
    state.close()


@pytest.fixture
def store(state: State) -> Store:
    return make_store(state, "acmeparts1")


def make_store(state: State, store_hash: str, **settings: Any) -> Store:
    users: list[dict[str, Any]] = [
        {"mail": OWNER, "password": PASSWORD, "role": "owner"},
        {"mail": "all@acme-parts.example", "password": PASSWORD, "permissions": [CREATE, LIST, DELETE]},
        {"mail": "list@acme-parts.example", "password": PASSWORD, "permissions": [LIST]},
        {"mail": "create@acme-parts.example", "password": PASSWORD, "permissions": [CREATE]},
        {"mail": "none@acme-parts.example", "password": PASSWORD},
    ]
    return state.create_store(store_hash, settings, users)


@pytest.fixture
def person(state: State) -> Person:
    return Person(state)


@pytest.fixture
def owner(person: Person, store: Store) -> Person:
    person.log_in(store)
    return person


# Getting in


@pytest.mark.parametrize("path", ["/manage", "/manage/dashboard", "/manage/settings", ACCOUNTS, CREATE_PAGE])
def test_pages_ask_for_a_login_and_lead_back(person: Person, store: Store, path: str) -> None:
    asked = person.ask(at(store, path))
    assert asked.status == 302
    login = asked.header("Location")
    assert login is not None
    fields = person.page(login).xpath("//form[@id='login']//input[@name='target']/@value")
    wanted = at(store, path if path != "/manage" else "/manage/dashboard")
    assert fields == [wanted]
    answer = person.ask(login.partition("?")[0], {"email": OWNER, "password": PASSWORD, "target": wanted})
    assert (answer.status, answer.header("Location")) == (302, wanted)
    assert person.ask(wanted).status == 200


@pytest.mark.parametrize(
    ("mail", "password"),
    [(OWNER, "wrong"), ("nobody@acme-parts.example", PASSWORD), ("", ""), ('"><script>', PASSWORD)],
)
def test_a_wrong_login_gets_no_session(person: Person, store: Store, mail: str, password: str) -> None:
    answer = person.log_in(store, mail, password)
    assert error(answer) == "The email address or the password is not right."
    assert not person.cookies
    assert b"<script>" not in answer.body
    assert password.encode() not in answer.body or not password


@pytest.mark.parametrize(
    "target",
    ["https://elsewhere.example/", "//elsewhere.example/", "/store-other.mybigcommerce.com/manage/", "{root}\r\nA: b"],
)
def test_a_login_leads_nowhere_else(person: Person, store: Store, target: str) -> None:
    fields = {"email": OWNER, "password": PASSWORD, "target": target.format(root=at(store, "/manage/"))}
    answer = person.ask(at(store, "/manage/login"), fields)
    assert answer.header("Location") == at(store, "/manage/dashboard")


def test_a_second_factor_keeps_everybody_out(state: State, person: Person) -> None:
    store = make_store(state, "guarded1", two_factor=True)
    for url in (at(store, "/manage/login"), "/login.bigcommerce.com/login"):
        assert parse(person.ask(url, {"email": OWNER, "password": PASSWORD})).xpath("//form[@id='two-factor']")
    assert not person.cookies


def test_logging_out_ends_the_session(owner: Person, store: Store) -> None:
    kept = dict(owner.cookies)
    answer = owner.send(store, "/manage/logout", {})
    assert (answer.status, answer.header("Location")) == (302, at(store, "/manage/login"))
    owner.cookies = kept
    assert owner.ask(at(store, ACCOUNTS)).status == 302


def test_a_session_is_of_one_store_only(state: State, owner: Person, store: Store) -> None:
    other = make_store(state, "freshroast1")
    (token,) = owner.cookies.values()
    owner.cookies[at(other, "/manage"), "panel_session"] = token
    assert owner.ask(at(other, ACCOUNTS)).status == 302
    assert owner.ask(at(store, ACCOUNTS)).status == 200


def test_a_request_keeps_the_session_it_was_admitted_with(state: State, owner: Person, store: Store) -> None:
    (token,) = owner.cookies.values()
    session = state.session(store, token)
    assert session is not None
    owner.cookies.clear()
    assert owner.ask(at(store, ACCOUNTS), admitted=session).status == 200


# Deep links

DEEP_LINK = "/login.bigcommerce.com/deep-links/settings/auth/api-accounts"


def test_a_deep_link_leads_to_the_store_after_the_login(state: State, person: Person, store: Store) -> None:
    asked = person.ask(DEEP_LINK)
    login = asked.header("Location")
    assert asked.status == 302
    assert login is not None
    (target,) = person.page(login).xpath("//input[@name='target']/@value")
    assert error(person.ask("/login.bigcommerce.com/login", {"email": OWNER, "password": "wrong"}))
    answer = person.ask("/login.bigcommerce.com/login", {"email": OWNER, "password": PASSWORD, "target": str(target)})
    assert answer.header("Location") == DEEP_LINK
    assert person.ask(DEEP_LINK).header("Location") == at(store, ACCOUNTS)
    assert person.ask(at(store, ACCOUNTS)).status == 200


def test_who_has_several_stores_chooses(state: State, person: Person, store: Store) -> None:
    other = make_store(state, "freshroast1")
    state.create_store("foreign1", None, [{"mail": OWNER, "password": "another", "role": "owner"}])
    person.ask("/login.bigcommerce.com/login", {"email": OWNER, "password": PASSWORD})
    links = person.page(DEEP_LINK).xpath("//ul[@id='stores']//a/@href")
    assert links == [at(store, ACCOUNTS), at(other, ACCOUNTS)]
    assert [person.ask(str(link)).status for link in links] == [200, 200]


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/login", "panel_login_page"),
        ("POST", "/login", "panel_login"),
        ("GET", "/deep-links/settings", "deep_link"),
        ("GET", "/", "login_host_other"),
    ],
)
def test_operations_of_the_login_host(state: State, method: str, path: str, name: str) -> None:
    request = VendorRequest(method, "login.bigcommerce.com", path, path, "", [], [], {}, {})
    assert LoginHost(state).operation(request) == name


def test_other_pages_of_the_login_host_are_unknown(person: Person, store: Store) -> None:
    assert person.ask("/login.bigcommerce.com/deep-links/orders").status == 501
    assert person.ask("/login.bigcommerce.com/oauth2/token", {}).status == 501


# Pages and rows


def test_the_way_from_the_settings_to_the_form(owner: Person, store: Store) -> None:
    (link,) = owner.page(at(store, "/manage/settings")).xpath("//section[@id='api']//a/@href")
    assert link == at(store, ACCOUNTS)
    page = owner.page(str(link))
    assert words(page, "//h1") == ["Store-level API accounts"]
    assert words(page, "//p[a/@id='create-api-account']") == ["Create API account"]
    assert page.xpath("//a[@id='create-api-account']/@href") == [at(store, CREATE_PAGE)]


def test_the_form_shows_token_types_path_and_every_row(owner: Person, store: Store) -> None:
    page = owner.page(at(store, CREATE_PAGE))
    assert words(page, "//select[@id='token_type']/option") == ["V2/V3 API token", "Stencil-CLI token"]
    assert words(page, "//*[@id='api_path']") == ["https://api.bigcommerce.com/stores/acmeparts1/v3/"]
    shown = {
        words(row, "th")[0]: (words(row, "td/label"), words(row, "td/label[input/@checked]"))
        for row in page.xpath("//table[@id='oauth-scopes']//tr")
    }
    expected = {row.label: ([word.capitalize() for word in row.words], ["None"]) for row in PANEL_ROWS}
    expected["Metafields access"] = (["Standard", "Full"], ["Standard"])
    expected["Metafield ownership"] = (["None", "Manage"], ["None"])
    assert shown == expected
    assert list(shown)[:25] == [row.label for row in PANEL_ROWS]


@pytest.mark.parametrize(
    ("label", "level_words"),
    [
        ("Content", ["None", "Read-only", "Modify"]),
        ("Customers login", ["None", "Login"]),
        ("Create payments", ["None", "Create"]),
        ("Get payment methods", ["None", "Read-only"]),
        ("Storefront API tokens", ["None", "Manage"]),
        ("Storefront API customer impersonation tokens", ["None", "Manage"]),
        ("Store logs", ["None", "Read-only"]),
    ],
)
def test_the_words_of_a_row(owner: Person, store: Store, label: str, level_words: list[str]) -> None:
    page = owner.page(at(store, CREATE_PAGE))
    assert words(page, f"//table[@id='oauth-scopes']//tr[th='{label}']/td/label") == level_words


@pytest.mark.parametrize(
    ("switches", "labels"),
    [
        ({"metafields": False}, []),
        ({}, ["Metafield ownership", "Metafields access"]),
        ({"metafields": False, "translations": True}, ["Store translations"]),
        ({"metafields": False, "b2b": True}, ["B2B Edition"]),
        (
            {"metafields": False, "infrastructure": True},
            ["Infrastructure Deployments", "Infrastructure Projects", "Infrastructure Logs"],
        ),
    ],
)
def test_newer_rows_are_switched(state: State, person: Person, switches: dict[str, bool], labels: list[str]) -> None:
    store = make_store(state, "switched1", **switches)
    person.log_in(store)
    page = person.page(at(store, CREATE_PAGE))
    assert words(page, "//table[@id='oauth-scopes']//th")[25:] == labels
    assert "App extensions" in ROWS
    assert not words(page, "//th[.='App extensions']")


# Making an account


def test_save_shows_the_values_once(state: State, owner: Person, store: Store) -> None:
    levels = {f"scope_{label.lower().replace(' ', '_')}": level.lower() for label, level in SEED.items()}
    page = parse(owner.save(store, "Stone Edge", **levels))
    values = dict(zip(words(page, "//dl/dt"), words(page, "//dl/dd/code"), strict=True))
    assert list(values) == ["Client ID", "Client secret", "Access token"]
    found = state.account_of(values["Access token"])
    assert found is not None
    assert found[0] is store
    chosen = {label: level for label, level in found[1].levels.items() if level not in {"none", "standard"}}
    assert chosen == {
        next(row.label for row in PANEL_ROWS if row.label.lower() == label.lower()): level.lower()
        for label, level in SEED.items()
    }
    (link,) = page.xpath("//a[@download]")
    assert link.get("download") == "BigCommerceAPI-credentials-stone-edge.txt"
    text = unquote_to_bytes(link.get("href").removeprefix("data:text/plain;charset=utf-8,")).decode()
    assert all(value in text for value in values.values())
    assert "https://api.bigcommerce.com/stores/acmeparts1/v3/" in text
    assert page.xpath("//a[@id='done']/@href") == [at(store, ACCOUNTS)]

    later = b"".join(
        owner.ask(at(store, path)).body
        for path in (ACCOUNTS, CREATE_PAGE, f"{ACCOUNTS}/{found[1].id}/delete", "/manage/settings", "/manage/dashboard")
    )
    assert b"Stone Edge" in later
    assert not [name for name, value in values.items() if value.encode() in later]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"title": "abc"}, "The name must have at least 4 characters."),
        ({"title": "  ab  "}, "The name must have at least 4 characters."),
        ({"title": "x" * 31}, "The name may have at most 30 characters."),
        ({"token_type": "V1 API token"}, "The token type is one of: V2/V3 API token, Stencil-CLI token."),
        ({"scope_content": "login"}, "row 'Content' takes none, read-only, modify, not 'login'"),
        ({"scope_orders": ""}, "row 'Orders' takes none, read-only, modify, not ''"),
    ],
)
def test_a_refused_form_comes_back_as_it_was(
    state: State, owner: Person, store: Store, fields: dict[str, str], message: str
) -> None:
    state.change_settings(store, {"title_maximum": 30})
    answer = owner.save(store, **{"title": "Acme Parts", "scope_customers": "modify", **fields})
    assert answer.status == 422
    assert error(answer) == message
    page = parse(answer)
    assert page.xpath("//input[@id='name']/@value") == [fields.get("title", "Acme Parts")]
    assert words(page, "//tr[th='Customers']//label[input/@checked]") == ["Modify"]
    assert state.accounts(store) == []


def test_four_characters_are_enough(state: State, owner: Person, store: Store) -> None:
    assert owner.save(store, "abcd").status == 200
    assert [account.title for account in state.accounts(store)] == ["abcd"]


def test_the_account_after_the_fiftieth_is_refused_until_one_is_deleted(
    state: State, owner: Person, store: Store
) -> None:
    numbers = [state.create_account(store, f"number {number}", {}).account.id for number in range(49)]
    assert owner.save(store, "the fiftieth").status == 200
    answer = owner.save(store, "one too many")
    assert answer.status == 422
    assert error(answer) == "A store has at most 50 store-level API accounts."
    assert owner.send(store, f"{ACCOUNTS}/{numbers[0]}/delete", {}).status == 302
    assert owner.save(store, "one too many").status == 200


def test_a_row_that_is_not_offered_is_not_heard(state: State, owner: Person, store: Store) -> None:
    assert owner.save(store, scope_b2b_edition="modify").status == 200
    (account,) = state.accounts(store)
    assert "B2B Edition" not in account.levels


def test_a_stencil_token(state: State, owner: Person, store: Store) -> None:
    assert owner.save(store, token_type=STENCIL_TOKEN).status == 200
    assert words(owner.page(at(store, ACCOUNTS)), "//tbody/tr/td[1]") == [STENCIL_TOKEN]
    assert [account.token_type for account in state.accounts(store)] == [STENCIL_TOKEN]


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", '"><b>&amp;', "Röst & Söhne ☕"])
def test_titles_are_escaped_everywhere(state: State, owner: Person, store: Store, title: str) -> None:
    pages = [owner.save(store, title)]
    (account,) = state.accounts(store)
    pages.append(owner.ask(at(store, ACCOUNTS)))
    pages.append(owner.ask(at(store, f"{ACCOUNTS}/{account.id}/delete")))
    assert [words(parse(page), "//*[@class='name']") for page in pages] == [[], [title], [title]]
    assert not [page for page in pages if b"<script>alert" in page.body or b"<b>" in page.body]
    refused = owner.save(store, title, scope_content="nothing")
    assert parse(refused).xpath("//input[@id='name']/@value") == [title]


# The file


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_holds_the_values_and_the_path(state: State, store: Store, layout: str) -> None:
    credentials = state.create_account(store, "Acme Parts", {})
    text = file_text(credentials, layout)
    values = (credentials.client_id, credentials.client_secret, credentials.access_token, credentials.api_path)
    assert [text.count(value) for value in values] == [1, 1, 1, 1]
    if layout == "json":
        assert json.loads(text)["access_token"] == credentials.access_token


def test_every_layout_can_be_set() -> None:
    assert CHOICES["credentials_layout"] == LAYOUTS


def test_layouts_differ(state: State, store: Store) -> None:
    credentials = state.create_account(store, "Acme Parts", {})
    texts = {layout: file_text(credentials, layout) for layout in LAYOUTS}
    assert len(set(texts.values())) == len(LAYOUTS)
    assert texts["windows"].startswith("\ufeff")
    assert "\r\n" in texts["windows"]
    assert "client_id=" in texts["equals"]
    assert "Client ID\n" in texts["next_line"]


@pytest.mark.parametrize(
    ("title", "name"),
    [("Stone Edge / 2", "stone-edge-2"), ("../../etc", "etc"), ("☕☕☕☕", "account"), ('a"b\r\nc', "a-b-c")],
)
def test_names_of_files_are_plain(title: str, name: str) -> None:
    assert file_name(title) == f"BigCommerceAPI-credentials-{name}.txt"


# Deleting


def test_deleting_asks_first_and_is_final(state: State, owner: Person, store: Store) -> None:
    kept = state.create_account(store, "kept account", {})
    gone = state.create_account(store, "gone account", {})
    links = owner.page(at(store, ACCOUNTS)).xpath("//tr[th='gone account']//a[@class='delete']/@href")
    assert links == [at(store, f"{ACCOUNTS}/{gone.account.id}/delete")]
    page = owner.page(str(links[0]))
    assert words(page, "//*[@class='name']") == ["gone account"]
    assert len(state.accounts(store)) == 2
    answer = owner.send(store, f"{ACCOUNTS}/{gone.account.id}/delete", {})
    listed = owner.page(str(answer.header("Location")))
    assert words(listed, "//*[@role='status']") == ["The API account was deleted."]
    assert words(listed, "//*[@class='name']") == ["kept account"]
    found = state.account_of(gone.access_token)
    assert found is not None
    assert found[1].deleted is not None
    assert [account.id for account in state.accounts(store)] == [kept.account.id]
    assert owner.send(store, f"{ACCOUNTS}/{gone.account.id}/delete", {}).status == 404
    assert owner.ask(str(links[0])).status == 404


def test_accounts_of_other_stores_are_out_of_reach(state: State, owner: Person, store: Store) -> None:
    other = make_store(state, "freshroast1")
    foreign = state.create_account(other, "fresh roast", {})
    assert owner.ask(at(store, f"{ACCOUNTS}/{foreign.account.id}/delete")).status == 404
    assert owner.send(store, f"{ACCOUNTS}/{foreign.account.id}/delete", {}).status == 404
    assert len(state.accounts(other)) == 1


def test_there_is_no_edit(state: State, owner: Person, store: Store) -> None:
    account = state.create_account(store, "Acme Parts", {}).account
    for path in (f"{ACCOUNTS}/{account.id}", f"{ACCOUNTS}/{account.id}/edit", f"{ACCOUNTS}/{account.id}/scopes"):
        assert owner.ask(at(store, path)).status == 404
        assert owner.send(store, path, {"name": "changed", "scope_orders": "modify"}).status == 404
    assert state.accounts(store) == [account]
    page = owner.page(at(store, ACCOUNTS))
    assert [words(page, "//tbody//a"), words(page, "//tbody//form")] == [["Delete"], []]


# Who may do what


@pytest.mark.parametrize(
    ("who", "statuses", "buttons"),
    [
        ("owner", (200, 200, 200, 200, 302), ["Create API account", "Delete"]),
        ("all", (200, 200, 200, 200, 302), ["Create API account", "Delete"]),
        ("list", (200, 403, 403, 403, 403), []),
        ("create", (403, 200, 200, 403, 403), None),
        ("none", (403, 403, 403, 403, 403), None),
    ],
)
def test_permissions(
    state: State, person: Person, store: Store, who: str, statuses: tuple[int, ...], buttons: list[str] | None
) -> None:
    account = state.create_account(store, "Acme Parts", {}).account
    person.log_in(store, f"{who}@acme-parts.example")
    delete = f"{ACCOUNTS}/{account.id}/delete"
    listed = person.ask(at(store, ACCOUNTS))
    answers = (
        listed.status,
        person.ask(at(store, CREATE_PAGE)).status,
        person.save(store, "another account").status,
        person.ask(at(store, delete)).status,
        person.send(store, delete, {}).status,
    )
    assert answers == statuses
    if buttons is not None:
        assert words(parse(listed), "//main//a") == buttons
    else:
        assert error(listed) == f"This needs the permission {LIST}."
        assert b"Acme Parts" not in listed.body


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
@pytest.mark.parametrize("path", [CREATE_PAGE, f"{ACCOUNTS}/1/delete", "/manage/logout"])
def test_forms_need_the_token_of_the_session(state: State, owner: Person, store: Store, path: str, token: str) -> None:
    account = state.create_account(store, "Acme Parts", {}).account
    assert account.id == 1
    answer = owner.ask(at(store, path), {"name": "by a stranger", "token_type": "V2/V3 API token", "csrf_token": token})
    assert answer.status == 403
    assert state.accounts(store) == [account]
    assert owner.ask(at(store, ACCOUNTS)).status == 200


def test_the_token_of_another_session_is_none(state: State, owner: Person, store: Store) -> None:
    other = Person(state)
    other.log_in(store)
    (token,) = other.page(at(store, CREATE_PAGE)).xpath("//form[@id='api-account']/input[@name='csrf_token']/@value")
    assert owner.ask(at(store, CREATE_PAGE), {"name": "mixed up", "csrf_token": str(token)}).status == 403


@pytest.mark.parametrize(("method", "path"), [("POST", ACCOUNTS), ("GET", "/manage/logout"), ("PUT", CREATE_PAGE)])
def test_other_methods_are_refused(owner: Person, store: Store, method: str, path: str) -> None:
    assert owner.ask(at(store, path), method=method).status == 405


def test_what_the_sheet_does_not_know_is_said_loudly(owner: Person, store: Store) -> None:
    with pytest.raises(UnknownInSheetError, match="panel page orders"):
        owner.ask(at(store, "/manage/orders"))


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/manage/login", "panel_login_page"),
        ("POST", "/manage/login", "panel_login"),
        ("POST", "/manage/logout", "panel_logout"),
        ("GET", ACCOUNTS, "panel_list"),
        ("GET", CREATE_PAGE, "panel_form"),
        ("POST", CREATE_PAGE, "panel_create"),
        ("GET", f"{ACCOUNTS}/7/delete", "panel_confirm"),
        ("POST", f"{ACCOUNTS}/7/delete", "panel_delete"),
        ("GET", "/manage", "panel_page"),
    ],
)
def test_operations(method: str, path: str, name: str) -> None:
    request = VendorRequest(method, "store-acmeparts1.mybigcommerce.com", path, path, "", [], [], {}, {})
    assert panel.operation(request) == name
