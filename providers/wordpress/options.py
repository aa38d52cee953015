"""Settings of a WordPress site, as its administrator's browser reads and saves them: `wp-admin/options.php`.

A settings page is a form with a nonce, sent to `options.php` with the name of its group of options. WordPress' own page of
all settings, which no menu shows, does the same for any option that is a text.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from providers.core.admin_session import BROWSER, AdminSession, Login, SessionLost, Visit
from providers.core.errors import Forbidden, StoreError, Transient, Unexpected
from providers.core.html import fields, tree
from providers.core.http import Answer, Http, Origin, Text
from providers.core.redaction import Secret
from providers.wordpress import pages
from providers.wordpress.login import WordPressDoor

OPTIONS = "/wp-admin/options.php"
ALL = "options"
"""The group of the page of all settings; it names in `page_options` which of them are meant."""

ANOTHER_USER = "give the site an administrator for this product alone, and put its login into Vault"
WITHOUT_LOGIN = "Put `username` and `password` of an administrator of the site there"
DOOR = WordPressDoor(ANOTHER_USER)


@dataclass(frozen=True, slots=True)
class Form:
    """A settings form as it stands: all that a browser would send, the nonce among it. Its values may be secrets."""

    values: tuple[tuple[str, Secret], ...] = field(repr=False)

    def value(self, name: str) -> Secret:
        """What stands in a field, empty where there is none."""
        return next((value for found, value in self.values if found == name), Secret(""))

    def has(self, name: str) -> bool:
        """Whether the form has this field."""
        return any(found == name for found, _ in self.values)


class Failed(StoreError):
    """The site broke while it saved (500): a plugin of it did not catch an error. What was stored is to be read back."""


_lock = threading.Lock()
_sessions: dict[tuple[Http, str], AdminSession] = {}


def _session(http: Http, origin: Origin, login: Callable[[], Login | None]) -> AdminSession:
    """The session of this site, logged out between operations; what stays is that its login was refused."""
    with _lock:
        found = _sessions.setdefault(
            (http, origin.url), AdminSession(origin, DOOR, login, time.monotonic, WITHOUT_LOGIN)
        )
        # What core lends lasts for one operation: the newest loan counts.
        found.login = login
        return found


def close() -> None:
    """Forget every site. Nothing is logged in between operations."""
    with _lock:
        _sessions.clear()


def _nobody() -> Login | None:
    return None


class Site:
    """wp-admin of one site for one operation: it logs in when it is first used, and out at the end of the block."""

    def __init__(self, http: Http, url: str, login: Callable[[], Login | None]) -> None:
        origin = http.origin(url)
        self._where, self._session = origin.where, _session(http, origin, login)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()
        # What core lent is over: nothing of it stays.
        self._session.login = _nobody

    def form(self, path: str, query: Mapping[str, str], group: str) -> Form | None:
        """The form of this group of options; None where the site does not let its page be opened: its plugin is not
        active, or the user is no administrator (403)."""
        return self._session.use(lambda visit: self._form(visit, path, query, group))

    def save(self, path: str, query: Mapping[str, str], group: str, changes: Mapping[str, Text]) -> None:
        """Save a form with some fields changed, all others as they are. What is stored is to be read back.

        `Failed` where the site broke; `Forbidden` where the form is not there.
        """

        def ask(visit: Visit) -> Answer:
            # The nonce belongs to the session: both are of one visit.
            form = self._form(visit, path, query, group)
            if form is None or not all(form.has(name) for name in changes):
                raise Forbidden("the site does not show the form that was to be saved", where=self._where)
            sent = [(name, changes.get(name, value)) for name, value in form.values]
            return self._page(visit, "POST", OPTIONS, form=sent)

        self._saved(self._session.use(ask))

    def option(self, name: str) -> Secret | None:
        """The value of any option that is a text, from the page of all settings; None where there is none."""
        form = self._session.use(self._all)
        return form.value(name) if form.has(name) else None

    def empty(self, names: tuple[str, ...]) -> None:
        """Empty options by the page of all settings, and touch no other."""

        def ask(visit: Visit) -> Answer:
            form = self._all(visit)
            kept = [(name, form.value(name)) for name in ("option_page", "action", "_wpnonce")]
            emptied = [(name, "") for name in names]
            return self._page(visit, "POST", OPTIONS, form=[*kept, ("page_options", ",".join(names)), *emptied])

        self._saved(self._session.use(ask))

    # --- pages --------------------------------------------------------------------------------------------------------

    def _all(self, visit: Visit) -> Form:
        form = self._form(visit, OPTIONS, {}, ALL)
        if form is None:
            raise Forbidden(
                "the site does not show the page of all settings (403)",
                do="See that the login is an administrator's",
                where=self._where,
            )
        return form

    def _form(self, visit: Visit, path: str, query: Mapping[str, str], group: str) -> Form | None:
        answer = self._page(visit, "GET", path, query=query)
        if answer.status == 403:
            return None
        if answer.status != 200:
            kind = Transient if answer.status >= 500 else Unexpected
            raise kind(f"a settings page of wp-admin answers {answer.status}", do="Try later", where=self._where)
        text = answer.text
        visit.logout_nonce = visit.logout_nonce or pages.logout_nonce(text)
        for form in tree(text).xpath(f'//form[.//input[@name="option_page"][@value="{group}"]]'):
            values = tuple((name, Secret(value)) for name, value in fields(form))
            if any(name == "_wpnonce" and pages.is_nonce(value.reveal()) for name, value in values):
                return Form(values)
        raise Unexpected("a settings page of wp-admin shows no form that can be saved", where=self._where)

    def _page(self, visit: Visit, method: str, path: str, **sent: Any) -> Answer:
        answer = visit.web.request(method, path, headers=BROWSER, safe=method == "GET", **sent)
        if 300 <= answer.status < 400 and pages.leads_to_login(answer.location):
            raise SessionLost
        return answer

    def _saved(self, answer: Answer) -> None:
        if answer.status >= 500:
            raise Failed(f"the site answers {answer.status} to a save of settings", where=self._where)
        if not 300 <= answer.status < 400:
            raise Forbidden(f"the site answers {answer.status} to a save of settings", where=self._where)
