"""`pimworks.example`: who gets in, and what the forms of the WooCommerce channel do (pimworks.md sections 2 to 6).

A page is a GET, a deed a POST with the token of the session's forms. There is no API.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from sandbox.documents import Documents
from sandbox.exchange import Reply, UnknownInSheetError, VendorRequest, unknown_reply
from sandbox.pimworks import pages
from sandbox.pimworks.control import PimworksControl
from sandbox.pimworks.pages import ROOT, WOOCOMMERCE
from sandbox.pimworks.state import Account, PimworksError, State, User
from sandbox.pimworks.syncing import refusal, sync
from sandbox.store_calls import StoreKey
from sandbox.vendor import Call, ControlRoute, Surroundings, Vendor

HOST = "pimworks.example"
NOBODY = "pimworks"
"""The site of a request without a session."""
COOKIE = "pimworks_session"
WRONG_LOGIN = "The email or the password is not right."
EXPIRED = "This page has expired. Go back, reload it and try again."
NO_MODULE = "Your subscription does not include the Channel Subscription module."
NO_RIGHT = "You do not have the right for this on the Channel Subscription module."
NOTICES = {
    "saved": "The store was saved. The sync has started.",
    "kept": "The store was saved, but its credentials are not valid.",
    "removed": "The store was removed.",
    "added": "You are subscribed to the channel.",
}


class Pimworks(Vendor):
    """All accounts of the process."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._documents = Documents(surroundings.directory / "pimworks.sqlite")
        self.state = State(self._documents, surroundings.key("pimworks"))
        self.url = surroundings.url
        self.call = surroundings.call

    def site(self, request: VendorRequest) -> PimworksSite | None:
        """The account whose session a request has, or nobody's."""
        if request.prefix != HOST:
            return None
        session = request.cookies.get(COOKIE, "")
        return PimworksSite(self, session, self.state.visitor(session))

    def control_routes(self) -> list[ControlRoute]:
        """Accounts, their people and their stores."""
        return PimworksControl(self.state, self.call, self.url).routes()

    def facts(self) -> dict[str, Any]:
        """How many accounts there are."""
        return {"pimworks_accounts": len(self.state.accounts())}

    def close(self) -> None:
        """Close the database."""
        self._documents.close()


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who is logged in."""

    state: State
    call: Call
    request: VendorRequest
    session: str
    account: Account
    user: User
    frame: pages.Frame
    store_id: int
    """The number in the path; 0 where there is none."""


Handler = Callable[[Visit], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Page:
    """An address, what it is called when read and when its form is sent, and what it needs."""

    pattern: str
    operations: tuple[str, str]
    handlers: dict[str, Handler]
    channels: bool = True
    """Whether it belongs to the Channel Subscription module."""
    writes: bool = False
    """Whether reading it is for those with Read/Write alone; a deed is always."""


@dataclass(frozen=True, slots=True)
class PimworksSite:
    """PIMworks as one request sees it."""

    vendor: Pimworks
    session: str
    visitor: tuple[Account, User] | None

    @property
    def name(self) -> str:
        """The account: `pimworks/NAME`, or `pimworks` before a login."""
        return self.visitor[0].site if self.visitor else NOBODY

    @property
    def latency(self) -> float:
        """The setting of the account."""
        return self.visitor[0].settings.latency if self.visitor else 0.0

    @property
    def clock_offset(self) -> float:
        """None: nothing here depends on the clock."""
        return 0.0

    def operation(self, request: VendorRequest) -> str:
        """The name of the page or of its deed."""
        if request.path == "/login":
            return "pim_login" if request.method == "POST" else "pim_login_page"
        found = _page_of(request)
        return found[0].operations[request.method == "POST"] if found else "pim_other"

    def admit(self, request: VendorRequest) -> None:
        """Whose session it is was settled when the request came."""

    async def process(self, request: VendorRequest) -> Reply:
        """Answer a request, and carry out what it asks."""
        if request.path == "/login":
            return self._log_in(request)
        if self.visitor is None:
            return _redirect(f"{ROOT}/login")
        try:
            return await self._answer(request, *self.visitor)
        except UnknownInSheetError as reason:
            return unknown_reply(str(reason))

    async def _answer(self, request: VendorRequest, account: Account, user: User) -> Reply:
        token = self.vendor.state.form_token(self.session)
        sees = account.module and user.may_read
        frame = pages.Frame(user.mail, token, sees, user.may_write)
        found = _page_of(request)
        if found is None:
            raise UnknownInSheetError(f"page {request.path} of PIMworks")
        page, store_id = found
        handler = page.handlers.get(request.method)
        if handler is None:
            return _html(pages.refusal(frame, "Not allowed", f"There is no {request.method} here."), 405)
        deed = request.method == "POST"
        if deed and not hmac.compare_digest(request.form.get("form_token", "").encode(), token.encode()):
            return _html(pages.refusal(frame, "Expired", EXPIRED), 403)
        if page.channels and not account.module:
            return _html(pages.refusal(frame, "Not subscribed", NO_MODULE), 403)
        if page.channels and not (user.may_write if deed or page.writes else user.may_read):
            return _html(pages.refusal(frame, "Not permitted", NO_RIGHT), 403)
        try:
            visit = Visit(self.vendor.state, self.vendor.call, request, self.session, account, user, frame, store_id)
            return await handler(visit)
        except PimworksError as error:
            return _html(pages.refusal(frame, "Not found", str(error)), 404)

    def _log_in(self, request: VendorRequest) -> Reply:
        if request.method != "POST":
            return _html(pages.login("", ""))
        mail = request.form.get("mail", "")
        session = self.vendor.state.log_in(mail, request.form.get("password", ""))
        if session is None:
            return _html(pages.login(mail, WRONG_LOGIN))
        return _redirect(f"{ROOT}/dashboard", session)


async def _dashboard(visit: Visit) -> Reply:
    return _html(pages.dashboard(visit.frame))


async def _log_out(visit: Visit) -> Reply:
    visit.state.log_out(visit.session)
    return _redirect(f"{ROOT}/login", "")


async def _channels(visit: Visit) -> Reply:
    return _html(pages.channels(visit.frame, visit.account, visit.request.query.get("search", "").strip()))


async def _subscribe(visit: Visit) -> Reply:
    if visit.request.form.get("channel") != "woocommerce":
        raise UnknownInSheetError("a subscription to another channel than WooCommerce")
    visit.account.subscribed = True
    visit.state.keep(visit.account)
    return _redirect(f"{WOOCOMMERCE}?notice=added")


async def _channel(visit: Visit) -> Reply:
    _demand_subscription(visit)
    notice = NOTICES.get(visit.request.query.get("notice", ""), "")
    return _html(pages.channel(visit.frame, visit.account, notice))


async def _new_store(visit: Visit) -> Reply:
    _demand_subscription(visit)
    return _form(visit, pages.Draft(), "", 200)


async def _edit_store(visit: Visit) -> Reply:
    _demand_subscription(visit)
    store = visit.account.store(visit.store_id)
    return _form(visit, pages.Draft(store.name, store.url, store.components), "", 200)


async def _save_store(visit: Visit) -> Reply:
    """SAVE: validate, save, sync (section 6)."""
    _demand_subscription(visit)
    account, settings, form = visit.account, visit.account.settings, visit.request.form
    old = account.store(visit.store_id) if visit.store_id else None
    url = form.get("store_url", "").strip()
    name = form.get("store_name", "").strip() if settings.store_name_field else url
    labels = [value for field, value in visit.request.form_pairs if field == "components"]
    draft = pages.Draft(name, url, labels)
    # A key field that is left empty keeps what stands there: nothing of a key comes back into the form.
    consumer_key = form.get("consumer_key", "").strip() or (old.consumer_key if old else "")
    secret_key = form.get("secret_key", "").strip() or (old.secret_key if old else "")
    key = StoreKey(url.rstrip("/"), consumer_key, secret_key)
    mistake = _mistake(visit, draft, key)
    if mistake:
        return _form(visit, draft, mistake, 422)
    refused = await refusal(visit.call, settings, key)
    if refused and not settings.keep_refused:
        return _form(visit, draft, refused, 422)
    # The account may have changed while the store was asked.
    if mistake := _mistake(visit, draft, key):
        return _form(visit, draft, mistake, 422)
    store = visit.state.save_store(
        account,
        visit.store_id,
        name=name,
        url=url,
        consumer_key=consumer_key,
        secret_key=secret_key,
        components=labels,
        connected=not refused,
    )
    if not refused and (settings.resync or not store.syncs):
        await sync(visit.call, account, store)
        visit.state.keep(account)
    return _redirect(f"{WOOCOMMERCE}?notice={'kept' if refused else 'saved'}")


async def _remove_store(visit: Visit) -> Reply:
    visit.state.remove_store(visit.account, visit.store_id)
    return _redirect(f"{WOOCOMMERCE}?notice=removed")


STORE = r"/channels/woocommerce/stores/(?P<id>[0-9]{1,18})"
PAGES = (
    Page("/?|/dashboard", ("pim_page", "pim_page"), {"GET": _dashboard}, channels=False),
    Page("/logout", ("pim_page", "pim_logout"), {"POST": _log_out}, channels=False),
    Page("/channels", ("pim_channels", "pim_page"), {"GET": _channels}),
    Page("/channels/add", ("pim_page", "pim_subscribe"), {"POST": _subscribe}),
    Page("/channels/woocommerce", ("pim_channel", "pim_page"), {"GET": _channel}),
    Page(
        "/channels/woocommerce/stores/new",
        ("pim_store_form", "pim_store_save"),
        {"GET": _new_store, "POST": _save_store},
        writes=True,
    ),
    Page(STORE, ("pim_store_form", "pim_store_save"), {"GET": _edit_store, "POST": _save_store}, writes=True),
    Page(f"{STORE}/remove", ("pim_page", "pim_store_remove"), {"POST": _remove_store}),
)
"""Every page behind the login."""


def _page_of(request: VendorRequest) -> tuple[Page, int] | None:
    """The page of a request, and the store that its path names."""
    for page in PAGES:
        if match := re.fullmatch(page.pattern, request.path):
            return page, int(match.groupdict().get("id") or 0)
    return None


def _mistake(visit: Visit, draft: pages.Draft, key: StoreKey) -> str:
    """What is wrong with a form before the store is asked; empty for nothing."""
    account, settings = visit.account, visit.account.settings
    parts = urlsplit(draft.url)
    if not draft.name:
        return "Store name is required."
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "Store URL must be an address."
    if settings.trailing_slash == "refused" and draft.url.endswith("/"):
        return "Store URL must not end with a slash."
    if not key.consumer_key or not key.consumer_secret:
        return "Consumer key and secret key are required."
    if not draft.components:
        return "Choose at least one sync component."
    if unknown := set(draft.components) - set(settings.components):
        return f"There is no sync component {min(unknown)}."
    others = [store for store in account.stores if store.id != visit.store_id] if settings.unique else []
    if any(store.name == draft.name for store in others):
        return "A store of this name is in the channel already."
    if any(store.url.rstrip("/") == key.store_url for store in others):
        return "A store with this URL is in the channel already."
    return ""


def _demand_subscription(visit: Visit) -> None:
    if not visit.account.subscribed:
        raise PimworksError("You are not subscribed to this channel.")


def _form(visit: Visit, draft: pages.Draft, error: str, status: int) -> Reply:
    action = f"{WOOCOMMERCE}/stores/{visit.store_id or 'new'}"
    return _html(pages.store_form(visit.frame, visit.account, action, draft, error), status)


def _html(text: str, status: int = 200) -> Reply:
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"), ("X-Frame-Options", "DENY")]
    return Reply(status, text.encode("utf-8", "replace"), headers)


def _redirect(location: str, session: str | None = None) -> Reply:
    """On to another page; with a session's cookie, or with its end if it is empty."""
    headers = [("Location", location), ("Cache-Control", "no-store")]
    if session is not None:
        end = "" if session else "; Max-Age=0"
        cookie = f"{COOKIE}={quote(session)}; Path={ROOT}; Secure; HttpOnly; SameSite=Lax{end}"
        headers.append(("Set-Cookie", cookie))
    return Reply(302, b"", headers)
