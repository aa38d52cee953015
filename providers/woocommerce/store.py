"""What the connections of one store share within a process: its session, its list of keys, its API's index."""

import threading
import time
from collections.abc import Callable
from typing import Any

from providers.core.admin_session import Login
from providers.core.contract import Clock
from providers.core.http import Http
from providers.core.listing import SharedListing
from providers.core.texts import shown
from providers.woocommerce.admin import Admin
from providers.woocommerce.api import Rest, json_of
from providers.woocommerce.pages import Row
from providers.woocommerce.session import AdminSession

IDLE = 600.0
"""Seconds after which a session that nobody used is logged out, when another store is asked for."""


class Store:
    """One store, shared by threads. `now` is a monotonic clock in seconds."""

    def __init__(
        self, http: Http, url: str, login: Callable[[], Login | None], clock: Clock, now: Callable[[], float]
    ) -> None:
        self.origin = http.origin(url)
        self.rest = Rest(self.origin, clock, now)
        self.session = AdminSession(self.origin, login, now)
        self.admin = Admin(self.session, lambda: self.rest.index().root, self.origin.where)
        self.keys: SharedListing[tuple[Row, ...]] = SharedListing(self.admin.rows, now)
        # Login names never change in WordPress, so what was read once holds for as long as the user exists.
        self.logins: dict[str, str] = {}
        self.used = now()
        self._status: dict[str, str] | None = None

    def status(self) -> dict[str, str]:
        """Version and id of the store as its status page tells them to an admin login; asked for once. On 2.6 there is
        no such page, and older versions have no id (sheet 4.9)."""
        if self._status is None:
            index = self.rest.index()
            path = f"{index.root}{index.version}/system_status"
            answer = self.session.rest(path, {"_fields": "environment"})
            found: Any = json_of(answer) if answer.status == 200 else None
            environment = found.get("environment") if isinstance(found, dict) else None
            names = {"version": "woocommerce", "store_id": "store_id"}
            self._status = {
                ours: shown(environment[theirs])
                for theirs, ours in names.items()
                if isinstance(environment, dict) and isinstance(environment.get(theirs), str)
            }
        return self._status


_lock = threading.Lock()
_stores: dict[tuple[Http, str], Store] = {}


def shared(http: Http, url: str, login: Callable[[], Login | None], clock: Clock) -> Store:
    """The store at this address. Logins lie under the address, so one address means one admin user."""
    now = time.monotonic
    with _lock:
        store = _stores.get((http, url)) or _stores.setdefault((http, url), Store(http, url, login, clock, now))
        # What core lends lasts for one operation: the newest loan counts.
        store.session.login = login
        store.used = now()
        idle = [other for other in _stores.values() if now() - other.used > IDLE]
    for other in idle:
        other.session.close()
    return store


def close() -> None:
    """Log out everywhere. Stores may be used again: they log in anew."""
    with _lock:
        stores = list(_stores.values())
        _stores.clear()
    for store in stores:
        store.session.close()
