"""When age replaces a credential."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from providers.core.journal import Journal
from providers.declarations import Connection, Stack

UNITS: Mapping[str, int] = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def duration(seconds: int | None) -> str:
    """Seconds as a file says them: `90d`; `never` for none."""
    if seconds is None:
        return "never"
    unit = next(unit for unit, length in UNITS.items() if seconds % length == 0)
    return f"{seconds // UNITS[unit]}{unit}"


def issued_at(journal: Journal) -> datetime | None:
    """Since when the current generation is proved and current; None without one."""
    if journal.current is None:
        return None
    return journal.generations[journal.current].times.get("current")


def due_at(stack: Stack, connection: Connection, journal: Journal) -> datetime | None:
    """When the current generation is to be replaced for its age, or None.

    What was made in one go is not replaced in one go: each connection is due earlier than its age by a part of
    `rotation.spread` (of half of its age at most) that its name decides, always the same.
    """
    since, age = issued_at(journal), connection.rotate_after
    if since is None or age is None:
        return None
    spread = min(stack.settings.rotation.spread or 0, age // 2)
    share = int.from_bytes(hashlib.sha256(connection.name.encode()).digest()[:8], "big") / 2**64
    return since + timedelta(seconds=age - int(spread * share))
