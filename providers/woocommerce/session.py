"""The wp-admin session that all connections of a store share: its pages, its nonces, and what to do when it is lost.

Logging in is the slowest step, and a login limiter of the store may count it (sheet woocommerce.md 3 and 4).
"""

import copy
import logging
import threading
from collections.abc import Callable, Mapping
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
from providers.core.http import Answer, Origin, Pairs
from providers.woocommerce import pages
from providers.woocommerce.login import BROWSER, Login, Visit, log_in, log_out, whole
from providers.woocommerce.pages import Landing

T = TypeVar("T")

TABS = ("advanced", "api")
"""Where the keys are: `advanced` from 3.4, `api` before. Which one is found by asking (sheet 2.2)."""

REFUSAL_KEPT = 60.0
"""Seconds for which a refused login is not tried again, lest a login limiter lock the user out."""
TROUBLE_KEPT = 5.0
"""The same for a store that does not answer: its other connections need not wait for it one after the other."""

_log = logging.getLogger(__name__)


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

    def close(self) -> None:
        """Log out, as well as that goes, and forget the cookies. The next use logs in again."""
        with self._lock:
            visit, self._visit = self._visit, None
        if visit is None:
            return
        with visit.scope:
            try:
                log_out(self._origin, visit)
            except StoreError as error:
                _log.info("%s: the admin session could not be logged out: %s", self._origin.where, error.what)

    # --- one session for all threads ----------------------------------------------------------------------------------

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
            if self._refused is not None and self._now() < self._refused[1]:
                raise copy.copy(self._refused[0])
            if lost is not None:
                lost.scope.close()
            # Asked for at each login and not kept.
            login = whole(self.login(), self._origin.where)
            try:
                self._visit = log_in(self._origin, login)
            except ConnectionsError as error:
                kept = REFUSAL_KEPT if isinstance(error, Unauthorized | PersonNeeded) else TROUBLE_KEPT
                # A copy has no traceback, which would hold the login.
                self._refused = copy.copy(error), self._now() + kept
                raise
            return self._visit

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
