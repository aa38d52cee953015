"""What the connections of one server share within a process: its admin session and its list of apps."""

import threading
import time
from collections.abc import Callable

from providers.coopcycle.admin import Admin
from providers.coopcycle.api import Api
from providers.coopcycle.pages import Row
from providers.core.admin_session import Login
from providers.core.http import Http
from providers.core.listing import SharedListing

IDLE = 600.0
"""Seconds after which a session that nobody used is logged out, when another server is asked for."""


class Server:
    """One server, shared by threads. `now` is a monotonic clock in seconds."""

    def __init__(self, http: Http, url: str, login: Callable[[], Login | None], now: Callable[[], float]) -> None:
        self.origin = http.origin(url)
        self.api = Api(self.origin)
        self.admin = Admin(self.origin, login, now)
        self.apps: SharedListing[tuple[Row, ...]] = SharedListing(self.admin.rows, now)
        self.used = now()


_lock = threading.Lock()
_servers: dict[tuple[Http, str], Server] = {}


def shared(http: Http, url: str, login: Callable[[], Login | None]) -> Server:
    """The server at this address. Logins lie under the address, so one address means one admin user."""
    now = time.monotonic
    with _lock:
        server = _servers.get((http, url)) or _servers.setdefault((http, url), Server(http, url, login, now))
        # What core lends lasts for one operation: the newest loan counts.
        server.admin.session.login = login
        server.used = now()
        idle = [other for other in _servers.values() if now() - other.used > IDLE]
    for other in idle:
        other.admin.session.close()
    return server


def close() -> None:
    """Log out everywhere. Servers may be used again: they log in anew."""
    with _lock:
        servers = list(_servers.values())
        _servers.clear()
    for server in servers:
        server.admin.session.close()
