"""`app.surecart.com`: the pages where a person logs in, chooses a store, and makes, copies or deletes its tokens.

A page is a GET, a deed a POST with the token of the session's forms. Whoever may see a store may do everything in it.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.exchange import Reply, UnknownInSheetError, VendorRequest
from sandbox.surecart import dashboard_pages as pages
from sandbox.surecart.dashboard_pages import API, ROOT, SECRET_TOKEN
from sandbox.surecart.state import Account, Cloud, CloudError, Token

SESSION_COOKIE = "surecart_session"
VISIT_COOKIE = "surecart_visit"
"""Known before the login, whose form is bound to it."""
WRONG_LOGIN = "The email or the password is not right."
EXPIRED = "This page has expired. Go back, reload it and try again."
NO_STORE = "There is no such store, or you are not in it."
NO_PAGE = "There is no such page."
NOTICES = {"made": "The token was created.", "deleted": "The token was deleted."}


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in."""

    mail: str
    value: str
    """Of the cookie."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who is logged in, to a page of a store."""

    cloud: Cloud
    request: VendorRequest
    frame: pages.Frame
    account: Account
    token_id: str
    """The id in the path; empty where there is none."""

    @property
    def token(self) -> Token:
        """The token of the path; raises if there is none."""
        return self.account.token(self.token_id)

    @property
    def named(self) -> bool:
        """Whether tokens have names here."""
        return self.account.settings.token_names


Handler = Callable[[Visit], Reply]


def session(cloud: Cloud, request: VendorRequest) -> Session | None:
    """Whose request it is: the session it was admitted with, or that of its cookie."""
    if isinstance(request.admitted, Session):
        return request.admitted
    value = request.cookies.get(SESSION_COOKIE, "")
    mail = cloud.person(value)
    return Session(mail, value) if mail else None


def slug_of(request: VendorRequest) -> str:
    """The first part of the path, which is a store's slug on most pages."""
    return request.path.strip("/").partition("/")[0]


def operation(request: VendorRequest) -> str:
    """The name by which faults and the log call a request."""
    path = request.path.strip("/")
    for pattern, names in OPERATIONS:
        if re.fullmatch(pattern, path):
            return names[request.method == "POST"]
    return "surecart_page"


def answer(cloud: Cloud, request: VendorRequest) -> Reply:
    """A request to the dashboard."""
    path = request.path.strip("/")
    if path == "login":
        return _log_in(cloud, request)
    who = session(cloud, request)
    if who is None:
        return redirect("login")
    frame = pages.Frame(who.mail, _csrf(cloud, who.value))
    if request.method == "POST" and not _is_from_form(request, frame.csrf):
        return page(pages.refusal(frame, "Expired", EXPIRED), 403)
    if path == "logout" and request.method == "POST":
        cloud.log_out(who.value)
        return redirect("login", [_cookie(SESSION_COOKIE, "")])
    accounts = cloud.accounts_of(who.mail)
    if path in ("", "stores"):
        return redirect(f"{accounts[0].slug}/dashboard") if len(accounts) == 1 else page(pages.stores(frame, accounts))
    slug, _, rest = path.partition("/")
    account = next((account for account in accounts if account.slug == slug), None)
    if account is None:
        return page(pages.refusal(frame, "Not found", NO_STORE), 404)
    return _store_page(cloud, request, pages.Frame(who.mail, frame.csrf, account), account, rest)


def _store_page(cloud: Cloud, request: VendorRequest, frame: pages.Frame, account: Account, rest: str) -> Reply:
    """A page of a store."""
    for pattern, handlers in ROUTES:
        match = re.fullmatch(pattern, rest)
        if match is None:
            continue
        handler = handlers.get(request.method)
        if handler is None:
            return page(pages.refusal(frame, "Not allowed", f"There is no {request.method} here."), 405)
        try:
            return handler(Visit(cloud, request, frame, account, match.groupdict().get("id", "")))
        except CloudError as error:
            return page(pages.refusal(frame, "Not found", str(error)), 404)
    if rest.partition("/")[0] == API:
        return page(pages.refusal(frame, "Not found", NO_PAGE), 404)
    raise UnknownInSheetError(f"dashboard page {rest}")


def _log_in(cloud: Cloud, request: VendorRequest) -> Reply:
    """The login form, bound to a cookie of its own, and what it sends."""
    visit = request.cookies.get(VISIT_COOKIE, "")
    if request.method != "POST":
        visit = visit or secrets.token_urlsafe(16)
        return page(pages.login(_csrf(cloud, visit)), cookies=[_cookie(VISIT_COOKIE, visit)])
    csrf, mail = _csrf(cloud, visit), request.form.get("email", "")
    if not visit or not _is_from_form(request, csrf):
        fresh = visit or secrets.token_urlsafe(16)
        return page(pages.login(_csrf(cloud, fresh), mail, EXPIRED), 403, [_cookie(VISIT_COOKIE, fresh)])
    value = cloud.log_in(mail, request.form.get("password", ""))
    if value is None:
        return page(pages.login(csrf, mail, WRONG_LOGIN))
    return redirect("stores", [_cookie(SESSION_COOKIE, value), _cookie(VISIT_COOKIE, "")])


def _dashboard(visit: Visit) -> Reply:
    return page(pages.dashboard(visit.frame))


def _public_token(visit: Visit) -> Reply:
    return page(pages.public_token(visit.frame, visit.account.public_token))


def _list(visit: Visit) -> Reply:
    notice = next((words for name, words in NOTICES.items() if name in visit.request.query), "")
    return page(pages.secret_tokens(visit.frame, visit.account.live_tokens, visit.named, notice))


def _make(visit: Visit) -> Reply:
    name = visit.request.form.get("name", "") if visit.named else ""
    try:
        visit.cloud.make_token(visit.account, name, by_hand=True)
    except CloudError as error:
        tokens = visit.account.live_tokens
        return page(pages.secret_tokens(visit.frame, tokens, visit.named, error=str(error)), 422)
    return redirect(f"{visit.account.slug}/{SECRET_TOKEN}?made=1")


def _confirm(visit: Visit) -> Reply:
    return page(pages.confirm_deletion(visit.frame, visit.token, visit.named))


def _delete(visit: Visit) -> Reply:
    visit.cloud.delete_token(visit.account, visit.token_id)
    return redirect(f"{visit.account.slug}/{SECRET_TOKEN}?deleted=1")


DELETE_PATH = rf"{SECRET_TOKEN}/(?P<id>[^/]+)/delete"
ROUTES: tuple[tuple[str, dict[str, Handler]], ...] = (
    ("dashboard", {"GET": _dashboard}),
    (API, {"GET": _public_token}),
    (SECRET_TOKEN, {"GET": _list, "POST": _make}),
    (DELETE_PATH, {"GET": _confirm, "POST": _delete}),
)
"""Every page of a store by its path below the slug, and what a method does there."""
OPERATIONS = (
    ("login", ("surecart_login_page", "surecart_login")),
    ("logout", ("surecart_page", "surecart_logout")),
    ("(stores)?", ("surecart_stores", "surecart_page")),
    (rf"[^/]+/{SECRET_TOKEN}", ("surecart_tokens", "surecart_token_create")),
    (rf"[^/]+/{DELETE_PATH}", ("surecart_token_confirm", "surecart_token_delete")),
)
"""What the pages are called when they are read, and when their form is sent."""


def page(text: str, status: int = 200, cookies: list[tuple[str, str]] | None = None) -> Reply:
    """An HTML page that nobody may keep or frame."""
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("X-Frame-Options", "DENY"),
        *(cookies or []),
    ]
    return Reply(status, text.encode("utf-8", "replace"), headers)


def redirect(rest: str, cookies: list[tuple[str, str]] | None = None) -> Reply:
    """On to another page of the dashboard, by GET."""
    return Reply(302, b"", [("Location", f"{ROOT}/{rest}"), ("Cache-Control", "no-store"), *(cookies or [])])


def _cookie(name: str, value: str) -> tuple[str, str]:
    """A Set-Cookie header; an empty value ends the cookie."""
    end = "" if value else "; Max-Age=0"
    return "Set-Cookie", f"{name}={value}; Path={ROOT}; Secure; HttpOnly; SameSite=Lax{end}"


def _csrf(cloud: Cloud, value: str) -> str:
    """The token of the forms that go with a cookie."""
    return hmac.digest(cloud.secret, value.encode("utf-8", "surrogateescape"), "sha256").hex()


def _is_from_form(request: VendorRequest, csrf: str) -> bool:
    return hmac.compare_digest(request.form.get("csrf_token", "").encode("utf-8", "replace"), csrf.encode())
