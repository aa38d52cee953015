"""A headless wp-admin session: logging in and out, and knowing when it was lost (sheet woocommerce.md 3 and 4.1).

One session serves all connections of a store in this process: logging in is the slowest step, and every login is one
that a login limiter of the store may count. The password is asked for at each login and not kept.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from providers.core.errors import (
    ConnectionsError,
    Forbidden,
    PersonNeeded,
    StoreError,
    Transient,
    Unauthorized,
    Unexpected,
)
from providers.core.http import Answer, Origin, Pairs, Session, Text
from providers.core.redaction import Secret
from providers.woocommerce import pages
from providers.woocommerce.pages import Landing

T = TypeVar("T")

Login = Mapping[str, Secret]
"""`username` and `password` of the store's admin login."""

BROWSER: Mapping[str, str] = {"user-agent": "Mozilla/5.0 (compatible; store-connections/1)"}
"""An ordinary User-Agent: hosts turn others away from wp-admin (sheet 4)."""

TABS = ("advanced", "api")
"""Where the keys are: `advanced` from 3.4, `api` before. Which one is found by asking (sheet 2.2)."""

REFUSAL_KEPT = 60.0
"""Seconds for which a refused login is not tried again, lest a login limiter lock the user out."""

_log = logging.getLogger(__name__)


class LoginBlocked(PersonNeeded):
    """The login cannot be passed without a person: two-factor, captcha, or a login page elsewhere."""


class UpgradePending(StoreError):
    """wp-admin asks for a database upgrade before anything else."""


class WizardInTheWay(StoreError):
    """wp-admin leads to the set-up wizard every time."""


class _SessionLost(Exception):
    """The store does not know our session any more."""


class _StaleNonce(Exception):
    """The store does not take the nonce we sent."""


class Refusal(Enum):
    """What a page of wp-admin says other than showing itself."""

    FORBIDDEN = 403
    FAILED = 500


@dataclass(slots=True)
class Visit:
    """One logged-in period: its cookies, and the nonces that belong to it."""

    web: Session
    scope: contextlib.ExitStack
    nonces: dict[str, str] = field(default_factory=dict)
    logout_nonce: str = ""


class AdminSession:
    """wp-admin of one store for one admin user. Thread-safe.

    `login` gives the login, or None where there is none, and may be exchanged; `now` is a monotonic clock in seconds.
    """

    def __init__(self, origin: Origin, login: Callable[[], Login | None], now: Callable[[], float]) -> None:
        self._origin, self.login, self._now = origin, login, now
        self._lock = threading.Lock()
        self._visit: Visit | None = None
        self._refused: tuple[ConnectionsError, float] | None = None
        self._tab = ""

    # --- what the session is used for ---------------------------------------------------------------------------------

    def page(
        self, query: Mapping[str, str], *, form: Pairs | None = None, safe: bool = True
    ) -> str | Landing | Refusal:
        """A page of the keys' settings tab: its text, or where it leads to, or how it refuses.

        Login, wizard and the tab's name are taken care of. `form` posts to the page.
        """
        return self._in_session(lambda visit: self._keys_page(visit, query, form, safe))

    def save(self, form: Mapping[str, str]) -> Answer:
        """The call that creates and updates keys, never repeated once it may have been carried out (sheet 4.3)."""

        def ask(visit: Visit) -> Answer:
            fields = {**form, "action": "woocommerce_update_api_key", "security": self._key_form(visit)[1]}
            return self._ajax(visit, "POST", form=fields, safe=False)

        return self._in_session(ask)

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """`GET` of the REST API as the admin user: cookies and `X-WP-Nonce` (sheet 4.9)."""

        def ask(visit: Visit) -> Answer:
            if "rest" not in visit.nonces:
                nonce = self._ajax(visit, "GET", query={"action": "rest-nonce"}).text.strip()
                if not pages.is_nonce(nonce):
                    raise Unexpected("the store gives no nonce for its REST API", where=self._origin.where)
                visit.nonces["rest"] = nonce
            headers = {**BROWSER, "x-wp-nonce": visit.nonces["rest"]}
            answer = visit.web.request("GET", path, query=query, headers=headers, safe=True)
            if answer.status == 403 and b'"rest_cookie_invalid_nonce"' in answer.body:
                raise _StaleNonce
            if answer.status == 401:
                # WordPress says 401 to nobody and 403 to somebody: this call came as nobody.
                raise _SessionLost
            return answer

        return self._in_session(ask)

    def key_form(self) -> str:
        """The name of the tab whose key form this session can open; an error where it cannot."""
        return self._in_session(lambda visit: self._key_form(visit)[0])

    def enter(self) -> None:
        """Log in where nobody has yet; an error where that cannot be done."""
        self._current()

    def blocked(self) -> bool:
        """Whether logging in needs a person. Tries it where nobody has yet; any other trouble shows elsewhere."""
        try:
            self.enter()
        except LoginBlocked:
            return True
        except ConnectionsError:
            return False
        return False

    def close(self) -> None:
        """Log out, as well as that goes, and forget the cookies. The next use logs in again."""
        with self._lock:
            visit, self._visit = self._visit, None
        if visit is None:
            return
        with visit.scope:
            try:
                self._log_out(visit)
            except StoreError as error:
                _log.info("%s: the admin session could not be logged out: %s", self._origin.where, error.what)

    # --- logging in and out -------------------------------------------------------------------------------------------

    def _in_session(self, ask: Callable[[Visit], T]) -> T:
        """`ask` in the current session; once more after a lost session, and once more with fresh nonces.

        Both answers say that nothing was carried out (sheet 3), so changes are repeated too.
        """
        lost = stale = False
        visit = self._current()
        while True:
            try:
                return ask(visit)
            except _SessionLost:
                if lost:
                    raise Unauthorized(
                        "the store does not keep our admin session",
                        do="See which plugin or host setting ends sessions",
                        where=self._origin.where,
                    ) from None
                lost = True
                visit = self._current(lost=visit)
            except _StaleNonce:
                if stale:
                    raise Forbidden("the store does not take our nonce", where=self._origin.where) from None
                stale = True
                visit.nonces.clear()

    def _current(self, lost: Visit | None = None) -> Visit:
        """The visit that all threads share; a new one where there is none or it is the `lost` one."""
        with self._lock:
            if self._visit is not None and self._visit is not lost:
                return self._visit
            self._visit = None
            if self._refused is not None and self._now() - self._refused[1] < REFUSAL_KEPT:
                raise self._refused[0]
            if lost is not None:
                lost.scope.close()
            try:
                self._visit = self._log_in()
            except (Unauthorized, PersonNeeded) as error:
                self._refused = error, self._now()
                raise
            return self._visit

    def _log_in(self) -> Visit:
        login = self.login()
        if login is None or not {"username", "password"} <= login.keys():
            raise PersonNeeded(
                "there is no whole admin login for this store in Vault",
                do="Put `username` and `password` there, or declare `login: none`",
                where=self._origin.where,
            )
        with contextlib.ExitStack() as scope:
            web = scope.enter_context(self._origin.session())
            self._pass_login(web, login)
            return Visit(web, scope.pop_all())

    def _pass_login(self, web: Session, login: Login) -> None:
        first = web.request("GET", "/wp-login.php", headers=BROWSER, safe=True)
        form: dict[str, Text] = {
            "log": login["username"],
            "pwd": login["password"],
            "wp-submit": "Log In",
            "redirect_to": f"{self._origin.url}/wp-admin/",
            "testcookie": "1",
        }
        # Safe to repeat: a second login is one more session that nobody uses.
        answer = (
            web.request("POST", "/wp-login.php", form=form, headers=BROWSER, safe=True) if first.status < 400 else first
        )
        # The cookie tells, whatever page comes next: a refusal has status 200, and an administrator may be asked to
        # confirm a mail address first (sheet 4.1, L7).
        if any(name.startswith("wordpress_logged_in_") for name in web.cookie_names()):
            return
        if answer.status >= 500:
            raise Transient(f"the store's login page answers {answer.status}", do="Try later", where=self._origin.where)
        if answer.status == 200 and pages.login_refused(answer.text):
            raise Unauthorized(
                "the store refuses its admin login",
                do="Put the right `username` and `password` into Vault; where a captcha is asked for, declare `login: none`",
                where=self._origin.where,
            )
        raise LoginBlocked(
            f"the admin login needs a person: the login page answers {answer.status} and gives no session "
            "(two-factor, captcha, or a login page elsewhere)",
            do="Let a service user pass without it, or declare `login: none` and make the key by hand",
            where=self._origin.where,
        )

    def _log_out(self, visit: Visit) -> None:
        if not visit.logout_nonce:
            page = visit.web.request("GET", "/wp-admin/profile.php", headers=BROWSER, safe=True)
            visit.logout_nonce = pages.logout_nonce(page.text) if page.status == 200 else ""
        query = {"action": "logout", "_wpnonce": visit.logout_nonce}
        answer = visit.web.request("GET", "/wp-login.php", query=query, headers=BROWSER, safe=True)
        if pages.landing(answer.location) is not Landing.LOGGED_OUT:
            raise Unexpected("the log-out page does not log out", where=self._origin.where)

    # --- pages --------------------------------------------------------------------------------------------------------

    def _key_form(self, visit: Visit) -> tuple[str, str]:
        """The tab that has the keys, and the nonce for create and update in this session (sheet 4.2)."""
        if self._tab and "form" in visit.nonces:
            return self._tab, visit.nonces["form"]
        for tab in sorted(TABS, key=lambda tab: tab != self._tab):
            shown = self._shown(visit, tab, {"create-key": "1"})
            if shown is Refusal.FORBIDDEN:
                raise Forbidden(
                    "the admin login may not manage keys: its role lacks `manage_woocommerce`",
                    do="Give the login an administrator's or shop manager's role",
                    where=self._origin.where,
                )
            if shown is Refusal.FAILED:
                raise Transient("the store's key form fails", do="Try later", where=self._origin.where)
            nonce = pages.key_form(shown) if isinstance(shown, str) else None
            if nonce:
                self._tab, visit.nonces["form"] = tab, nonce
                return tab, nonce
        raise Unexpected(
            "no page of wp-admin shows the key form",
            do="Make sure that WooCommerce 2.6 or later is active",
            where=self._origin.where,
        )

    def _keys_page(
        self, visit: Visit, query: Mapping[str, str], form: Pairs | None, safe: bool
    ) -> str | Landing | Refusal:
        return self._shown(visit, self._key_form(visit)[0], query, form, safe)

    def _shown(
        self, visit: Visit, tab: str, query: Mapping[str, str], form: Pairs | None = None, safe: bool = True
    ) -> str | Landing | Refusal:
        fields = {"page": "wc-settings", "tab": tab, "section": "keys", **query}
        method = "GET" if form is None else "POST"
        for _ in range(2):
            answer = visit.web.request(
                method, "/wp-admin/admin.php", query=fields, form=form, headers=BROWSER, safe=safe
            )
            if answer.status == 200:
                text = answer.text
                visit.logout_nonce = visit.logout_nonce or pages.logout_nonce(text)
                return text
            if answer.status in {403, 500}:
                return Refusal(answer.status)
            if answer.status >= 500:
                raise Transient(f"a page of wp-admin answers {answer.status}", do="Try later", where=self._origin.where)
            where = pages.landing(answer.location)
            if where is Landing.LOGIN:
                raise _SessionLost
            if where is Landing.UPGRADE:
                raise UpgradePending(
                    "the store waits for a database upgrade",
                    do="Log in to wp-admin and run it",
                    where=self._origin.where,
                )
            if where is not Landing.WIZARD:
                return where
            # Just after activation any page leads to the wizard, once (sheet 3, L14).
        raise WizardInTheWay(
            "wp-admin leads to WooCommerce's set-up wizard again and again",
            do="Finish or skip the wizard",
            where=self._origin.where,
        )

    def _ajax(
        self, visit: Visit, method: str, *, query: Pairs = (), form: Pairs | None = None, safe: bool = True
    ) -> Answer:
        answer = visit.web.request(
            method, "/wp-admin/admin-ajax.php", query=query, form=form, headers=BROWSER, safe=safe
        )
        match answer.status, answer.body.strip():
            case 400, b"0":
                raise _SessionLost
            case 403, b"-1":
                raise _StaleNonce
        return answer
