"""A session at a site's administration pages, as a person's browser has it: one login shared by threads, begun again when it
is lost, and ended at the site.

Logging in is the slowest step, and a login limiter of the site may count it.
"""

import contextlib
import copy
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from providers.core.errors import ConnectionsError, Forbidden, PersonNeeded, StoreError, Unauthorized
from providers.core.http import Origin, Session
from providers.core.redaction import Secret

T = TypeVar("T")

Login = Mapping[str, Secret]
"""`username` and `password` of a site's admin login."""

BROWSER: Mapping[str, str] = {"user-agent": "Mozilla/5.0 (compatible; store-connections/1)"}
"""An ordinary User-Agent: hosts turn others away from administration pages (sheet woocommerce.md 4)."""

REFUSAL_KEPT = 60.0
"""Seconds for which a refused login is not tried again, lest a login limiter lock the user out."""
TROUBLE_KEPT = 5.0
"""The same for a site that does not answer: its other connections need not wait for it one after the other."""

_log = logging.getLogger(__name__)


class LoginBlocked(PersonNeeded):
    """The login cannot be passed without a person: two-factor, captcha, or a login page elsewhere."""


class SessionLost(Exception):
    """The site does not know our session any more, and carried nothing out."""


class StaleNonce(Exception):
    """The site does not take the nonce we sent, and carried nothing out."""


@dataclass(slots=True)
class Visit:
    """One logged-in period: its cookies, which end with `scope`, and the nonces that belong to it."""

    web: Session
    scope: contextlib.ExitStack
    nonces: dict[str, str] = field(default_factory=dict)
    logout_nonce: str = ""


class Door(Protocol):
    """How a kind of site is entered and left."""

    def enter(self, web: Session, login: Login) -> None:
        """Log in: afterwards the session's cookies are those of the user. `LoginBlocked` where the site wants more than
        the login, `Unauthorized` where it refuses it."""
        ...

    def leave(self, visit: Visit) -> None:
        """End the session at the site; an error where the site does not say that it ended."""
        ...


class AdminSession:
    """The pages of one site for one admin user. Thread-safe.

    `login` gives the login, or None where there is none, and may be exchanged; `now` is a monotonic clock in seconds;
    `without` says what to do where Vault has no login for the site.
    """

    def __init__(
        self, origin: Origin, door: Door, login: Callable[[], Login | None], now: Callable[[], float], without: str
    ) -> None:
        self._origin, self._door, self.login, self._now, self._without = origin, door, login, now, without
        self._lock = threading.Lock()
        self._visit: Visit | None = None
        self._refused: tuple[ConnectionsError, float] | None = None

    def use(self, ask: Callable[[Visit], T]) -> T:
        """`ask` in the current session; once more after `SessionLost`, and once more with fresh nonces after `StaleNonce`.

        Both say that nothing was carried out, so changes are repeated too.
        """
        lost = stale = False
        visit = self._current()
        while True:
            try:
                return ask(visit)
            except SessionLost:
                if lost:
                    raise Unauthorized(
                        "the store does not keep our admin session",
                        do="See which plugin or host setting ends sessions",
                        where=self._origin.where,
                    ) from None
                lost = True
                visit = self._current(lost=visit)
            except StaleNonce:
                if stale:
                    raise Forbidden("the store does not take our nonce", where=self._origin.where) from None
                stale = True
                visit.nonces.clear()

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
                self._door.leave(visit)
            except StoreError as error:
                _log.info("%s: the admin session could not be logged out: %s", self._origin.where, error.what)

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
            login = self._whole(self.login())
            try:
                self._visit = self._enter(login)
            except ConnectionsError as error:
                kept = REFUSAL_KEPT if isinstance(error, Unauthorized | PersonNeeded) else TROUBLE_KEPT
                # A copy has no traceback, which would hold the login.
                self._refused = copy.copy(error), self._now() + kept
                raise
            return self._visit

    def _enter(self, login: Login) -> Visit:
        with contextlib.ExitStack() as scope:
            web = scope.enter_context(self._origin.session())
            self._door.enter(web, login)
            return Visit(web, scope.pop_all())

    def _whole(self, login: Login | None) -> Login:
        """The login itself, or `PersonNeeded` where it lacks something or is not there."""
        if login is None or not {"username", "password"} <= login.keys():
            raise PersonNeeded(
                "there is no whole admin login for this store in Vault",
                do=self._without,
                where=self._origin.where,
            )
        return login
