"""The limits of the API (sheet 1.1): operations of an account, sensitive ones, and calls of public endpoints."""

from __future__ import annotations

import math
from dataclasses import dataclass

OPERATIONS_WINDOW = 10.0
MINUTE = 60.0


@dataclass(slots=True)
class Window:
    """Calls counted since a time."""

    started: float
    used: int = 0


class Rate:
    """Windows by what is counted in them; they begin with the first call."""

    def __init__(self) -> None:
        self._windows: dict[str, Window] = {}

    def take(self, name: str, limit: int, seconds: float, now: float) -> int:
        """Count a call; returns 0, or the seconds to wait where it is above the limit, and then counts nothing."""
        window = self._windows.get(name)
        if window is None or not 0 <= now - window.started < seconds:
            window = self._windows[name] = Window(now)
        if window.used >= limit:
            return max(math.ceil(window.started + seconds - now), 1)
        window.used += 1
        return 0

    def reset(self) -> None:
        """Begin every window anew."""
        self._windows.clear()
