"""How fast a store may be asked: what its answers say about waiting, and how long to back off when they say nothing."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FIRST = 0.5
"""Seconds: the longest first pause; it doubles with every try."""
_LONGEST = 8.0
_FARTHEST = 3600.0
"""Seconds: a store that asks for more is not believed for longer."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Headers by which a vendor tells how many requests are left until when.

    `left`, `quota` and `reset` are lower-case names of headers, `unit` the seconds in one unit of `reset`, and `reserve` the
    share of the quota that is left to the store's other clients.
    """

    left: str
    quota: str
    reset: str
    unit: float
    reserve: float


BUDGETS = (
    # bigcommerce.md 7: shared by all clients of the store, live integrations among them; "stop below a reserve".
    Budget("x-rate-limit-requests-left", "x-rate-limit-requests-quota", "x-rate-limit-time-reset-ms", 0.001, 0.1),
)

_RETRY_AFTER = ("retry-after", "x-retry-after")
"""RFC 9110 10.2.3, and BigCommerce's own name for it (bigcommerce.md 7)."""


def asked_to_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that an answer asks to wait before the next request, or None where it says nothing we understand.

    A date is compared with the answer's own `Date`, so that a wrong clock on either side does no harm. Where several
    headers speak, the longest wait counts (bigcommerce.md 7).
    """
    sender = _date(headers.get("date", "")) or now
    waits = [_seconds_or_date(headers[name], sender) for name in _RETRY_AFTER if name in headers]
    waits += [_number(headers.get(budget.reset, ""), budget.unit) for budget in BUDGETS if budget.left in headers]
    return max((wait for wait in waits if wait is not None), default=None)


def until_renewed(headers: Mapping[str, str]) -> float:
    """Seconds to leave a store alone because the budget it shares with others is down to the reserve; 0 if it is not."""
    for budget in BUDGETS:
        left = _number(headers.get(budget.left, ""), 1.0)
        quota = _number(headers.get(budget.quota, ""), 1.0) or 0.0
        wait = _number(headers.get(budget.reset, ""), budget.unit)
        if left is not None and wait is not None and left <= quota * budget.reserve:
            return wait
    return 0.0


def back_off(attempt: int, random: Callable[[], float]) -> float:
    """Seconds to wait after try number `attempt` (from 1): exponential, with full jitter."""
    return random() * min(_LONGEST, _FIRST * 2.0 ** (attempt - 1))


class Hold:
    """Until when an origin is left alone, on the monotonic clock of the caller. Thread-safe; it only ever moves later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = float("-inf")

    def extend(self, moment: float) -> None:
        """Leave the origin alone until `moment`, unless it already is for longer."""
        with self._lock:
            self._until = max(self._until, moment)

    def left(self, now: float) -> float:
        """Seconds still to wait; 0 if it may be asked."""
        return max(0.0, self._until - now)


def _seconds_or_date(text: str, now: datetime) -> float | None:
    moment = _date(text)
    if moment is None:
        return _number(text, 1.0)
    return min(_FARTHEST, max(0.0, (moment - now).total_seconds()))


def _number(text: str, unit: float) -> float | None:
    text = text.strip()
    if not text.isascii() or not text.isdecimal():
        return None
    return min(_FARTHEST, float(text) * unit) if len(text) <= 15 else _FARTHEST


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    # A date without a zone is meant in GMT (RFC 9110 5.6.7).
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
