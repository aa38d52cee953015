"""The wp-admin session that all connections of a store share: its pages, its nonces, and what to do when it is lost.

Logging in is the slowest step, and a login limiter of the store may count it (sheet woocommerce.md 3 and 4).
"""

from collections.abc import Callable, Mapping
from enum import Enum

from providers.core import admin_session
from providers.core.admin_session import BROWSER, Login, SessionLost, StaleNonce, Visit
from providers.core.errors import Forbidden, StoreError, Transient, Unexpected
from providers.core.http import Answer, Origin, Pairs
from providers.woocommerce import pages
from providers.woocommerce.pages import Landing
from providers.wordpress.login import WordPressDoor
from providers.wordpress.pages import is_nonce, logout_nonce

TABS = ("advanced", "api")
"""Where the keys are: `advanced` from 3.4, `api` before. Which one is found by asking (sheet 2.2)."""


class UpgradePending(StoreError):
    """wp-admin asks for a database upgrade before anything else."""


class WizardInTheWay(StoreError):
    """wp-admin leads to the set-up wizard every time."""


class Refusal(Enum):
    """What a page of wp-admin says other than showing itself."""

    FORBIDDEN = 403
    FAILED = 500


WITHOUT_LOGIN = "Put `username` and `password` there, or declare `login: none`"
DOOR = WordPressDoor(
    "declare `login: none`: a person makes the keys then", "; where a captcha is asked for, declare `login: none`"
)


class AdminSession(admin_session.AdminSession):
    """wp-admin of one store for one admin user. Thread-safe.

    `login` gives the login, or None where there is none, and may be exchanged; `now` is a monotonic clock in seconds.
    """

    def __init__(self, origin: Origin, login: Callable[[], Login | None], now: Callable[[], float]) -> None:
        super().__init__(origin, DOOR, login, now, WITHOUT_LOGIN)
        self._tab = ""

    # --- what the session is used for ---------------------------------------------------------------------------------

    def page(
        self, query: Mapping[str, str], *, form: Pairs | None = None, safe: bool = True
    ) -> str | Landing | Refusal:
        """A page of the keys' settings tab: its text, or where it leads to, or how it refuses.

        Login, wizard and the tab's name are taken care of. `form` posts to the page.
        """
        return self.use(lambda visit: self._keys_page(visit, query, form, safe))

    def save(self, form: Mapping[str, str]) -> Answer:
        """The call that creates and updates keys, never repeated once it may have been carried out (sheet 4.3)."""

        def ask(visit: Visit) -> Answer:
            fields = {**form, "action": "woocommerce_update_api_key", "security": self._key_form(visit)[1]}
            return self._ajax(visit, "POST", form=fields, safe=False)

        return self.use(ask)

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """`GET` of the REST API as the admin user: cookies and `X-WP-Nonce` (sheet 4.9)."""

        def ask(visit: Visit) -> Answer:
            if "rest" not in visit.nonces:
                nonce = self._ajax(visit, "GET", query={"action": "rest-nonce"}).text.strip()
                if not is_nonce(nonce):
                    raise Unexpected("the store gives no nonce for its REST API", where=self._origin.where)
                visit.nonces["rest"] = nonce
            headers = {**BROWSER, "x-wp-nonce": visit.nonces["rest"]}
            answer = visit.web.request("GET", path, query=query, headers=headers, safe=True)
            if answer.status == 403 and b'"rest_cookie_invalid_nonce"' in answer.body:
                raise StaleNonce
            if answer.status == 401:
                # WordPress says 401 to nobody and 403 to somebody: this call came as nobody.
                raise SessionLost
            return answer

        return self.use(ask)

    def key_form(self) -> str:
        """The name of the tab whose key form this session can open; an error where it cannot."""
        return self.use(lambda visit: self._key_form(visit)[0])

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
                visit.logout_nonce = visit.logout_nonce or logout_nonce(text)
                return text
            if answer.status in {403, 500}:
                return Refusal(answer.status)
            if answer.status >= 500:
                raise Transient(f"a page of wp-admin answers {answer.status}", do="Try later", where=self._origin.where)
            where = pages.landing(answer.location)
            if where is Landing.LOGIN:
                raise SessionLost
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
                raise SessionLost
            case 403, b"-1":
                raise StaleNonce
        return answer
