"""The quota of a store, shared by all its tokens (sheet 7)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from sandbox.bigcommerce.replies import titled
from sandbox.bigcommerce.state import Store
from sandbox.exchange import Reply


@dataclass(frozen=True, slots=True)
class Quota:
    """The window as it stands."""

    quota: int
    left: int
    reset_ms: int
    window_ms: int
    limited: bool = False
    """This request was above the quota."""

    def headers(self) -> list[tuple[str, str]]:
        """The four headers of every answer, and the fifth of a limited one."""
        headers = [
            ("X-Rate-Limit-Time-Window-Ms", str(self.window_ms)),
            ("X-Rate-Limit-Time-Reset-Ms", str(self.reset_ms)),
            ("X-Rate-Limit-Requests-Quota", str(self.quota)),
            ("X-Rate-Limit-Requests-Left", str(self.left)),
        ]
        if self.limited:
            headers.append(("X-Retry-After", str(math.ceil(self.reset_ms / 1000))))
        return headers


def look(store: Store) -> Quota:
    """The window now; one that is over counts as not begun."""
    settings, window, now = store.settings, store.window, time.monotonic()
    running_ms = (now - window.started) * 1000 if window.started is not None else math.inf
    if running_ms >= settings.window_ms:
        window.started, window.used, running_ms = None, 0, 0
    left = max(settings.quota - window.used, 0)
    return Quota(settings.quota, left, math.ceil(settings.window_ms - running_ms), settings.window_ms)


def take(store: Store) -> Quota:
    """Count one request; nothing is counted above the quota."""
    before = look(store)
    if before.left == 0:
        return Quota(before.quota, 0, before.reset_ms, before.window_ms, limited=True)
    if store.window.started is None:
        store.window.started = time.monotonic()
    store.window.used += 1
    return Quota(before.quota, before.left - 1, before.reset_ms, before.window_ms)


def set_left(store: Store, left: int) -> Quota:
    """Begin a window in which so many requests are left, as if live integrations had used the others."""
    store.window.started = time.monotonic()
    store.window.used = store.settings.quota - left
    return look(store)


def reset(store: Store) -> Quota:
    """End the window."""
    store.window.started, store.window.used = None, 0
    return look(store)


def too_many() -> Reply:
    """The 429, its headers apart."""
    return titled(429, "Too many requests")
