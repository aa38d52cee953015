"""Logging in: at a store's own panel, and at the vendor's login host, whose deep links lead into a store (sheet 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from sandbox.bigcommerce import panel_pages as pages
from sandbox.bigcommerce.panel_replies import cookie, page, redirect, wanted_page
from sandbox.bigcommerce.state import Session, State, Store
from sandbox.exchange import Reply, UnknownInSheetError, VendorRequest, unknown_reply

LOGIN_HOST = "login.bigcommerce.com"
LOGIN_ROOT = f"/{LOGIN_HOST}"
DEEP_LINKS = "/deep-links/"
DEEP_LINK_PAGES = ("dashboard", "settings", pages.API_ACCOUNTS)
SESSION_COOKIE = "panel_session"
WRONG_LOGIN = "The email address or the password is not right."


def panel_login(state: State, store: Store, request: VendorRequest, root: str) -> Reply:
    """The login page of one panel, whose path is `root`; who sends the right password gets a session there."""
    target = wanted_page(request, f"{root}/", f"{root}/dashboard")
    if request.method != "POST":
        return page(pages.login(f"{root}/login", target, "", ""))
    mail = request.form.get("email", "")
    session = state.log_in(store, mail, request.form.get("password", ""))
    if session is None:
        return page(pages.login(f"{root}/login", target, mail, WRONG_LOGIN))
    if store.settings.two_factor:
        state.log_out(session)
        return page(pages.two_factor())
    return redirect(target, [cookie(SESSION_COOKIE, session.token, root)])


@dataclass(frozen=True, slots=True)
class LoginHost:
    """`login.bigcommerce.com`: one login for every store that knows this address and password."""

    state: State
    name: str = LOGIN_HOST
    latency: float = 0.0
    clock_offset: float = 0.0

    def operation(self, request: VendorRequest) -> str:
        """The name by which faults and the log call a request."""
        if request.path != "/login":
            return "deep_link" if request.path.startswith(DEEP_LINKS) else "login_host_other"
        return "panel_login" if request.method == "POST" else "panel_login_page"

    def admit(self, request: VendorRequest) -> None:
        """Nothing to settle: no request here depends on who sent it but for where it leads."""

    async def process(self, request: VendorRequest) -> Reply:
        """Answer a request."""
        try:
            return self._log_in(request) if request.path == "/login" else self._deep_link(request)
        except UnknownInSheetError as reason:
            return unknown_reply(str(reason))

    def _deep_link(self, request: VendorRequest) -> Reply:
        """On to the page of the store that one is logged in to; who is in several stores chooses."""
        wanted = request.path.removeprefix(DEEP_LINKS).strip("/")
        if not request.path.startswith(DEEP_LINKS) or wanted not in DEEP_LINK_PAGES:
            raise UnknownInSheetError(f"page {request.path} of the login host")
        entered = [store for store in self.state.stores() if self._is_in(store, request)]
        if not entered:
            return redirect(f"{LOGIN_ROOT}/login?target={quote(LOGIN_ROOT + request.path, safe='')}")
        links = [(store.host, f"/{store.host}/manage/{wanted}") for store in entered]
        return redirect(links[0][1]) if len(links) == 1 else page(pages.choose_store(links))

    def _is_in(self, store: Store, request: VendorRequest) -> bool:
        return self.state.session(store, request.cookies.get(_host_cookie(store), "")) is not None

    def _log_in(self, request: VendorRequest) -> Reply:
        action = f"{LOGIN_ROOT}/login"
        target = wanted_page(request, f"{LOGIN_ROOT}{DEEP_LINKS}", f"{LOGIN_ROOT}{DEEP_LINKS}dashboard")
        if request.method != "POST":
            return page(pages.login(action, target, "", ""))
        mail = request.form.get("email", "")
        entered = self._sessions(mail, request.form.get("password", ""))
        if not entered:
            return page(pages.login(action, target, mail, WRONG_LOGIN))
        if any(store.settings.two_factor for store, _ in entered):
            for _, session in entered:
                self.state.log_out(session)
            return page(pages.two_factor())
        cookies = []
        for store, session in entered:
            cookies.append(cookie(_host_cookie(store), session.token, LOGIN_ROOT))
            cookies.append(cookie(SESSION_COOKIE, session.token, f"/{store.host}/manage"))
        return redirect(target, cookies)

    def _sessions(self, mail: str, password: str) -> list[tuple[Store, Session]]:
        """A new session in every store where the password is right."""
        found = [(store, self.state.log_in(store, mail, password)) for store in self.state.stores()]
        return [(store, session) for store, session in found if session is not None]


def _host_cookie(store: Store) -> str:
    return f"login_session_{store.store_hash}"
