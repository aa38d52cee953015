"""The dashboard of the SureCart cloud, page by page, and the scripted person in it (surecart.md 1.3, seed 000)."""

from __future__ import annotations

import itertools
import re
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from lxml import html
from lxml.html import HtmlElement

from sandbox.client import Client, ControlError
from sandbox.server_process import ServerProcess
from sandbox.surecart.client import AccountRow, SureCartClient
from sandbox.surecart.visitor import ShownToken, VisitError, Visitor

PASSWORD = "dashboard-password"
NUMBERS = itertools.count(1)
SECRET_TOKEN = "api/secret-token"

MakeAccount = Callable[..., AccountRow]
Visit = Callable[..., Visitor]


@pytest.fixture
def cloud(control: Client) -> Iterator[SureCartClient]:
    yield control.surecart
    control.surecart.reset_settings()


@pytest.fixture
def person() -> dict[str, str]:
    """Somebody who is in no store yet."""
    return {"mail": f"owner-{next(NUMBERS)}@acme.example", "password": PASSWORD}


@pytest.fixture
def make(cloud: SureCartClient, person: dict[str, str]) -> MakeAccount:
    """Make an account that the person is in."""

    def make_account(**settings: Any) -> AccountRow:
        return cloud.create_account(f"shown-{next(NUMBERS)}", people=[person], **settings)

    return make_account


@pytest.fixture
def visit(server: ServerProcess, cloud: SureCartClient, person: dict[str, str]) -> Iterator[Visit]:
    """A visitor; the person unless told otherwise."""
    visitors: list[Visitor] = []

    def make_visitor(mail: str = "", password: str = PASSWORD) -> Visitor:
        visitors.append(Visitor(cloud.dashboard_url, server.ca, mail or person["mail"], password))
        return visitors[-1]

    yield make_visitor
    for visitor in visitors:
        visitor.close()


class Browser:
    """A browser that follows nothing by itself."""

    def __init__(self, http: httpx.Client, root: str) -> None:
        self.http = http
        self.root = root

    def get(self, path: str) -> httpx.Response:
        return self.http.get(f"{self.root}/{path}")

    def post(self, path: str, form: dict[str, str]) -> httpx.Response:
        return self.http.post(f"{self.root}/{path}", data=form)

    def csrf(self, path: str) -> str:
        """The token of the forms on a page."""
        values = elements(self.get(path), "//input[@name='csrf_token']")
        assert values
        return str(values[0].get("value"))

    def log_in(self, mail: str, password: str = PASSWORD) -> httpx.Response:
        return self.post("login", {"csrf_token": self.csrf("login"), "email": mail, "password": password})


def elements(answer: httpx.Response, path: str) -> list[HtmlElement]:
    """The elements at an XPath."""
    found = html.document_fromstring(answer.text).xpath(path)
    assert isinstance(found, list)
    return [item for item in found if isinstance(item, HtmlElement)]


@pytest.fixture
def make_browser(server: ServerProcess, cloud: SureCartClient) -> Iterator[Callable[[], Browser]]:
    clients: list[httpx.Client] = []

    def make() -> Browser:
        context = ssl.create_default_context(cafile=str(server.ca))
        clients.append(httpx.Client(verify=context, trust_env=False))
        return Browser(clients[-1], cloud.dashboard_url)

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def browser(make_browser: Callable[[], Browser]) -> Browser:
    return make_browser()


def alert(answer: httpx.Response) -> str:
    """The error on a page."""
    return "".join(item.text_content() for item in elements(answer, "//*[@role='alert']"))


def place(answer: httpx.Response) -> str:
    """Where a redirect leads, below the dashboard."""
    assert answer.status_code == 302
    return answer.headers["Location"].removeprefix("/app.surecart.com/")


# --- logging in -----------------------------------------------------------------------------------------------------


def test_nothing_is_shown_without_a_login(make: MakeAccount, browser: Browser) -> None:
    slug = make().slug
    for path in ("", "stores", f"{slug}/dashboard", f"{slug}/{SECRET_TOKEN}", "nobody/api"):
        assert place(browser.get(path)) == "login"
    assert place(browser.post(f"{slug}/{SECRET_TOKEN}", {"name": "x"})) == "login"


def test_a_login_leads_to_the_only_store(make: MakeAccount, browser: Browser, person: dict[str, str]) -> None:
    slug = make().slug
    answer = browser.log_in(person["mail"].upper())
    assert place(answer) == "stores"
    cookies = answer.headers.get_list("Set-Cookie")
    assert all(cookie.endswith("Secure; HttpOnly; SameSite=Lax") for cookie in cookies if "Max-Age=0" not in cookie)
    assert all("Path=/app.surecart.com;" in cookie for cookie in cookies)
    assert place(browser.get("stores")) == f"{slug}/dashboard"
    assert browser.get(f"{slug}/dashboard").headers["Cache-Control"] == "no-store"


def test_who_is_in_several_stores_chooses(make: MakeAccount, browser: Browser, person: dict[str, str]) -> None:
    slugs = [make().slug for _ in range(2)]
    browser.log_in(person["mail"])
    answer = browser.get("stores")
    assert [item.text_content() for item in elements(answer, "//ul[@id='stores']//*[@class='slug']")] == slugs


def test_a_wrong_login(make: MakeAccount, browser: Browser, person: dict[str, str]) -> None:
    make()
    for mail, password in ((person["mail"], "wrong"), ("nobody@acme.example", PASSWORD), (person["mail"], "")):
        answer = browser.log_in(mail, password)
        assert (answer.status_code, alert(answer)) == (200, "The email or the password is not right.")
        assert password not in answer.text or not password
    assert place(browser.get("stores")) == "login"


def test_the_login_form_is_bound_to_its_visitor(
    make: MakeAccount, make_browser: Callable[[], Browser], person: dict[str, str]
) -> None:
    make()
    form = {"email": person["mail"], "password": PASSWORD}
    browser, other = make_browser(), make_browser()
    for csrf in ({}, {"csrf_token": other.csrf("login")}):
        answer = browser.post("login", form | csrf)
        assert (answer.status_code, alert(answer)) == (403, "This page has expired. Go back, reload it and try again.")
    assert place(browser.get("stores")) == "login"
    assert place(browser.log_in(person["mail"])) == "stores"


def test_logging_out(
    make: MakeAccount, browser: Browser, person: dict[str, str], cloud: SureCartClient, visit: Visit
) -> None:
    slug = make().slug
    browser.log_in(person["mail"])
    csrf = browser.csrf(f"{slug}/dashboard")
    assert place(browser.post("logout", {"csrf_token": csrf})) == "login"
    assert place(browser.get("stores")) == "login"
    visitor = visit()
    visitor.tokens(slug)
    assert cloud.end_sessions() >= 1
    assert visitor.tokens(slug) == ()


def test_who_is_in_no_store_sees_none(make: MakeAccount, browser: Browser, cloud: SureCartClient) -> None:
    slug = make().slug
    somebody = f"guest-{next(NUMBERS)}@acme.example"
    other = cloud.create_account(f"shown-{next(NUMBERS)}", people=[{"mail": somebody, "password": PASSWORD}])
    cloud.make_token(slug)
    browser.log_in(somebody)
    for path in (f"{slug}/dashboard", f"{slug}/{SECRET_TOKEN}", "nobody/api"):
        answer = browser.get(path)
        assert (answer.status_code, alert(answer)) == (404, "There is no such store, or you are not in it.")
    cloud.delete_account(other.slug)
    assert "You have no stores." in browser.get("stores").text


def test_one_person_has_one_password(make: MakeAccount, cloud: SureCartClient, person: dict[str, str]) -> None:
    slug = cloud.create_account(f"shown-{next(NUMBERS)}").slug
    make()
    with pytest.raises(ControlError, match="another password"):
        cloud.add_person(slug, person["mail"], "another")
    assert cloud.add_person(slug, person["mail"], PASSWORD).people == (person["mail"],)


# --- the tabs and the deeds -----------------------------------------------------------------------------------------


def test_the_way_to_the_secret_token(
    make: MakeAccount, browser: Browser, person: dict[str, str], cloud: SureCartClient
) -> None:
    account = make()
    token = cloud.make_token(account.slug, "<main>")
    browser.log_in(person["mail"])
    (sidebar,) = elements(browser.get(f"{account.slug}/dashboard"), "//nav[@id='sidebar']//a[@id='api']")
    assert (sidebar.text_content(), sidebar.get("href")) == ("API", f"/app.surecart.com/{account.slug}/api")
    public = browser.get(f"{account.slug}/api")
    assert account.public_token in public.text
    assert token.value not in public.text
    (tab,) = elements(public, "//a[@id='secret-token']")
    assert (tab.text_content(), tab.get("href")) == ("Secret Token", f"/app.surecart.com/{account.slug}/{SECRET_TOKEN}")
    secret = browser.get(f"{account.slug}/{SECRET_TOKEN}")
    (line,) = elements(secret, "//table[@id='secret-tokens']/tbody/tr")
    cells = [cell.text_content() for cell in elements(secret, "//tbody/tr/*")]
    assert cells[:2] == ["<main>", token.value[-4:]]
    assert re.fullmatch(r"\d\d \w{3} \d{4}, \d\d:\d\d:\d\d UTC", cells[2])
    assert cells[3] == f"{token.value} Copy"
    assert line.get("data-token") == token.id
    assert "should not be shared publicly" in secret.text


DEEDS = [(SECRET_TOKEN, {"name": "x"}), ("{token}/delete", {})]


@pytest.mark.parametrize(("path", "form"), DEEDS)
@pytest.mark.parametrize("csrf", ["", "0" * 64, "ümlaut"])
def test_deeds_need_their_form(
    path: str,
    form: dict[str, str],
    csrf: str,
    make: MakeAccount,
    browser: Browser,
    person: dict[str, str],
    cloud: SureCartClient,
) -> None:
    slug = make().slug
    token = cloud.make_token(slug)
    browser.log_in(person["mail"])
    target = f"{slug}/{path.format(token=f'{SECRET_TOKEN}/{token.id}')}"
    answer = browser.post(target, form | {"csrf_token": csrf})
    assert (answer.status_code, alert(answer)) == (403, "This page has expired. Go back, reload it and try again.")
    assert [row.id for row in cloud.tokens(slug)] == [token.id]


def test_deleting_asks_first(
    make: MakeAccount, browser: Browser, person: dict[str, str], cloud: SureCartClient
) -> None:
    slug = make().slug
    token, kept = cloud.make_token(slug, "old"), cloud.make_token(slug, "new")
    browser.log_in(person["mail"])
    path = f"{slug}/{SECRET_TOKEN}/{token.id}/delete"
    question = browser.get(path)
    assert "All sites that use it are disconnected at once." in question.text
    assert token.value not in question.text
    assert len(cloud.tokens(slug)) == 2
    answer = browser.post(path, {"csrf_token": browser.csrf(path)})
    assert place(answer) == f"{slug}/{SECRET_TOKEN}?deleted=1"
    listed = browser.get(f"{slug}/{SECRET_TOKEN}?deleted=1")
    assert "The token was deleted." in listed.text
    assert [row.id for row in cloud.tokens(slug)] == [kept.id]
    assert browser.get(path).status_code == 404


def test_other_pages(make: MakeAccount, browser: Browser, person: dict[str, str]) -> None:
    slug = make().slug
    browser.log_in(person["mail"])
    assert browser.get(f"{slug}/api/other").status_code == 404
    assert browser.get(f"{slug}/{SECRET_TOKEN}/nothing/delete").status_code == 404
    assert browser.http.put(f"{browser.root}/{slug}/api").status_code == 405
    assert browser.get(f"{slug}/orders").status_code == 501
    assert alert(browser.get(f"{slug}/{SECRET_TOKEN}/nothing/delete")) == "There is no such token."


# --- the scripted person --------------------------------------------------------------------------------------------


def test_a_life_of_a_token(make: MakeAccount, visit: Visit, cloud: SureCartClient, server: ServerProcess) -> None:
    slug, other = make().slug, make().slug
    visitor = visit()
    value = visitor.make_token(slug, "main")
    context = ssl.create_default_context(cafile=str(server.ca))
    with httpx.Client(verify=context, trust_env=False, headers={"Authorization": f"Bearer {value}"}) as site:
        assert site.get(f"{cloud.api_url}/v1/account").json()["slug"] == slug
        (shown,) = visitor.tokens(slug)
        assert (shown.name, shown.ending, shown.value) == ("main", value[-4:], value)
        assert value not in repr(shown)
        assert visitor.tokens(other) == ()
        second = visitor.make_token(slug, "next")
        assert second != value
        visitor.delete_token(slug, "main")
        assert site.get(f"{cloud.api_url}/v1/account").status_code == 401
    assert [token.value for token in visitor.tokens(slug)] == [second]
    assert [row.name for row in cloud.tokens(slug)] == ["next"]


def test_without_names_the_ending_tells_tokens_apart(make: MakeAccount, visit: Visit) -> None:
    slug = make(token_names=False).slug
    visitor = visit()
    values = [visitor.make_token(slug, "passed over") for _ in range(2)]
    assert [token.name for token in visitor.tokens(slug)] == ["", ""]
    with pytest.raises(VisitError, match="0 tokens"):
        visitor.delete_token(slug, "passed over")
    visitor.delete_token(slug, ending=values[0][-6:])
    assert [token.value for token in visitor.tokens(slug)] == values[1:]


def test_only_one_token_may_be_meant(make: MakeAccount, visit: Visit, cloud: SureCartClient) -> None:
    slug = make().slug
    visitor = visit()
    values = [visitor.make_token(slug, "main") for _ in range(2)]
    for name, ending, found in (("main", "", 2), ("other", "", 0), ("", "", 0), ("other", values[0][-4:], 0)):
        with pytest.raises(VisitError, match=f"^{found} tokens"):
            visitor.delete_token(slug, name, ending=ending)
    assert len(cloud.tokens(slug)) == 2
    visitor.delete_token(slug, "main", ending=values[0])
    assert [token.value for token in visitor.tokens(slug)] == [values[1]]


def test_a_limit_of_tokens(make: MakeAccount, visit: Visit, cloud: SureCartClient) -> None:
    slug = make(token_limit=1).slug
    visitor = visit()
    value = visitor.make_token(slug)
    with pytest.raises(VisitError, match=r"422, This store can have 1 secret token\. Delete one first\.$"):
        visitor.make_token(slug)
    assert visitor.tokens(slug)[0].value == value
    cloud.change_account_settings(slug, token_limit=2)
    assert visitor.make_token(slug) != value
    with pytest.raises(VisitError, match="can have 2 secret tokens"):
        visitor.make_token(slug)


def test_a_visitor_who_does_not_get_in(make: MakeAccount, visit: Visit) -> None:
    slug = make().slug
    with pytest.raises(VisitError, match=r"does not let .* in: The email or the password is not right\.$"):
        visit(password="wrong").tokens(slug)
    for stores in (1, 2):
        with pytest.raises(VisitError, match="no store 'nobody'"):
            visit().tokens("nobody")
        if stores == 1:
            make()


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("status", {"status": 503}, "503, without a reason"),
    ("status", {"status": 200, "headers": {"Content-Type": "text/plain"}}, "200, no page"),
    ("drop_before", {}, "no answer"),
]


@pytest.mark.parametrize(("effect", "details", "words"), FAULTS)
def test_a_visitor_says_what_went_wrong(
    effect: Any, details: dict[str, Any], words: str, make: MakeAccount, visit: Visit, control: Client
) -> None:
    slug = make().slug
    control.add_fault(effect, store=f"app.surecart.com/{slug}", operation="surecart_token_create", **details)
    visitor = visit()
    with pytest.raises(VisitError, match=words):
        visitor.make_token(slug)
    assert visitor.tokens(slug) == ()


def test_a_token_that_was_made_although_nothing_came_back(make: MakeAccount, visit: Visit, control: Client) -> None:
    slug = make().slug
    control.add_fault("drop_after", store=f"app.surecart.com/{slug}", operation="surecart_token_create")
    visitor = visit()
    with pytest.raises(VisitError, match="no answer"):
        visitor.make_token(slug, "lost")
    assert [token.name for token in visitor.tokens(slug)] == ["lost"]
    control.add_fault("duplicate", store=f"app.surecart.com/{slug}", operation="surecart_token_create")
    with pytest.raises(VisitError, match="2 new tokens, not one"):
        visitor.make_token(slug, "twice")


def test_names_of_operations(make: MakeAccount, visit: Visit, control: Client) -> None:
    slug = make().slug
    visitor, since = visit(), control.last_seq()
    visitor.make_token(slug, "main")
    visitor.delete_token(slug, "main")
    rows = control.requests(since)
    pages = "stores login_page login stores page page tokens token_create tokens stores page page tokens"
    pages += " token_confirm token_delete tokens"
    assert [row.operation.removeprefix("surecart_") for row in rows] == pages.split()
    assert {row.store for row in rows} == {"app.surecart.com", f"app.surecart.com/{slug}"}


def test_a_shown_token_is_a_value() -> None:
    token = ShownToken("main", "abcd", "21 Nov 2026", "st_abcd")
    assert repr(token) == "ShownToken(name='main', ending='abcd', created='21 Nov 2026')"
