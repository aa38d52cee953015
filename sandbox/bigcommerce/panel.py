"""The control panel of a store: who gets in, and what its forms do (sheet 3, 14.5).

A page is a GET, a deed a POST with the token of the session's forms. The secrets of a new account stand in the answer to
its POST and nowhere else: there is no address under which they could be asked for again.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from sandbox.bigcommerce import panel_pages as pages
from sandbox.bigcommerce.panel_login import SESSION_COOKIE, panel_login
from sandbox.bigcommerce.panel_replies import cookie, page, redirect
from sandbox.bigcommerce.state import CREATE, DELETE, NotPermittedError, Session, State, StateError, Store
from sandbox.exchange import Reply, UnknownInSheetError, VendorRequest

PANEL_PATH = "/manage"
EXPIRED = "This page has expired. Go back, reload it and try again."
NOT_FOUND = "There is no such page."
DELETED = "The API account was deleted."


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who is logged in."""

    state: State
    store: Store
    request: VendorRequest
    session: Session
    frame: pages.Frame
    account_id: int
    """The number in the path; 0 where there is none."""


Handler = Callable[[Visit], Reply]


def session(state: State, store: Store, request: VendorRequest) -> Session | None:
    """Whose request it is: the session it was admitted with, or that of its cookie."""
    if isinstance(request.admitted, Session):
        return request.admitted
    return state.session(store, request.cookies.get(SESSION_COOKIE, ""))


def answer(state: State, store: Store, request: VendorRequest) -> Reply:
    """A request to `/manage` and below on the host of a store."""
    root = f"/{request.prefix}{PANEL_PATH}"
    path = request.path.removeprefix(PANEL_PATH).strip("/") or "dashboard"
    if path == "login":
        return panel_login(state, store, request, root)
    who = session(state, store, request)
    if who is None:
        return redirect(f"{root}/login?target={quote(f'{root}/{path}', safe='')}")
    csrf = hmac.digest(state.derive(store, "csrf"), who.token.encode(), "sha256").hex()
    frame = pages.Frame(root, store.host, who.user.mail, csrf)
    for pattern, handlers in ROUTES:
        if match := re.fullmatch(pattern, path):
            handler = handlers.get(request.method)
            if handler is None:
                return _refusal(frame, "Not allowed", f"There is no {request.method} here.", 405)
            if request.method == "POST" and not _same(request.form.get("csrf_token", ""), csrf):
                return _refusal(frame, "Expired", EXPIRED, 403)
            account_id = int(match["id"]) if "id" in match.groupdict() else 0
            return _handle(handler, Visit(state, store, request, who, frame, account_id))
    if path.startswith(f"{pages.API_ACCOUNTS}/"):
        # Nothing shows or changes an account (sheet 2), so there is no page for one.
        return _refusal(frame, "Not found", NOT_FOUND, 404)
    raise UnknownInSheetError(f"panel page {path}")


def operation(request: VendorRequest) -> str:
    """The name by which faults and the log call a request to the panel."""
    path = request.path.removeprefix(PANEL_PATH).strip("/")
    for pattern, names in OPERATIONS:
        if re.fullmatch(pattern, path):
            return names[request.method == "POST"]
    return "panel_page"


def _handle(handler: Handler, visit: Visit) -> Reply:
    try:
        return handler(visit)
    except NotPermittedError as error:
        return _refusal(visit.frame, "Not permitted", str(error), 403)
    except StateError as error:
        return _refusal(visit.frame, "Not found", str(error), 404)


def _dashboard(visit: Visit) -> Reply:
    return page(pages.dashboard(visit.frame))


def _settings(visit: Visit) -> Reply:
    return page(pages.settings(visit.frame))


def _log_out(visit: Visit) -> Reply:
    visit.state.log_out(visit.session)
    return redirect(visit.frame.path("login"), [cookie(SESSION_COOKIE, "", visit.frame.root)])


def _list(visit: Visit) -> Reply:
    user = visit.session.user
    accounts = visit.state.accounts(visit.store, by=user)
    notice = DELETED if visit.request.query.get("deleted") else ""
    return page(pages.account_list(visit.frame, accounts, user.may(CREATE), user.may(DELETE), notice))


def _form(visit: Visit) -> Reply:
    _demand(visit, CREATE)
    return _form_with(visit, pages.Draft(), 200)


def _form_with(visit: Visit, draft: pages.Draft, status: int) -> Reply:
    api_path = f"https://api.bigcommerce.com/stores/{visit.store.store_hash}/v3/"
    return page(pages.create_form(visit.frame, visit.store.rows, api_path, draft), status)


def _create(visit: Visit) -> Reply:
    form = visit.request.form
    fields = {pages.field_name(row.label): row.label for row in visit.store.rows}
    levels = {label: form[name] for name, label in fields.items() if name in form}
    title, token_type = form.get("name", ""), form.get("token_type", "")
    try:
        credentials = visit.state.create_account(
            visit.store, title, levels, token_type=token_type, by=visit.session.user
        )
    except NotPermittedError:
        raise
    except StateError as error:
        return _form_with(visit, pages.Draft(title, token_type, levels, str(error)), 422)
    return page(pages.created(visit.frame, credentials, visit.store.settings.credentials_layout))


def _confirm(visit: Visit) -> Reply:
    _demand(visit, DELETE)
    account = visit.state.account(visit.store, visit.account_id, by=visit.session.user)
    return page(pages.confirm_deletion(visit.frame, account))


def _delete(visit: Visit) -> Reply:
    visit.state.delete_account(visit.store, visit.account_id, by=visit.session.user)
    return redirect(f"{visit.frame.path(pages.API_ACCOUNTS)}?deleted=1")


DELETE_PATH = rf"{pages.API_ACCOUNTS}/(?P<id>[0-9]{{1,18}})/delete"
ROUTES: tuple[tuple[str, dict[str, Handler]], ...] = (
    ("dashboard", {"GET": _dashboard}),
    ("settings", {"GET": _settings}),
    ("logout", {"POST": _log_out}),
    (pages.API_ACCOUNTS, {"GET": _list}),
    (pages.CREATE, {"GET": _form, "POST": _create}),
    (DELETE_PATH, {"GET": _confirm, "POST": _delete}),
)
"""Every page by its path below `/manage/`, and what a method does there."""
OPERATIONS = (
    ("login", ("panel_login_page", "panel_login")),
    ("logout", ("panel_page", "panel_logout")),
    (pages.API_ACCOUNTS, ("panel_list", "panel_page")),
    (pages.CREATE, ("panel_form", "panel_create")),
    (DELETE_PATH, ("panel_confirm", "panel_delete")),
)
"""What the pages are called when they are read, and when their form is sent."""


def _demand(visit: Visit, permission: str) -> None:
    """What a page needs that only leads to a deed; the deed itself is guarded by the state."""
    if not visit.session.user.may(permission):
        raise NotPermittedError(f"This needs the permission {permission}.")


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _refusal(frame: pages.Frame, title: str, words: str, status: int) -> Reply:
    return page(pages.refusal(frame, title, words), status)
