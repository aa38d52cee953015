"""Faults that a test can order: which request they hit, when, and what then goes wrong.

Rules live in memory: a restarted sandbox is a healthy one. The first rule that fires wins. Effects follow the fault list
of the project: reply lost after commit, late commit, duplicate delivery, listing lag, status override, cut reply.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, get_args

Effect = Literal["status", "drop_before", "drop_after", "late_commit", "duplicate", "list_lag", "hang", "truncate"]
EFFECTS: tuple[str, ...] = get_args(Effect)


TEXT: Final = str | None
NUMBER: Final = int | float | None
FIELDS: dict[str, Any] = {
    "effect": str,
    "store": TEXT,
    "operation": TEXT,
    "method": TEXT,
    "path": TEXT,
    "skip": int,
    "times": int | None,
    "status": int,
    "headers": dict,
    "body": str,
    "delay": NUMBER,
    "before": bool,
    "writes": int,
    "length": int | None,
    "keep_length": bool,
}
"""What an order may hold."""


class FaultError(ValueError):
    """A rule that makes no sense."""


@dataclass(slots=True)
class Rule:
    """One ordered fault. The fields up to `keep_length` are what the control API takes."""

    effect: Effect
    store: str | None = None
    operation: str | None = None
    """Name of an operation, or a shell pattern such as `rest_probe*`."""
    method: str | None = None
    path: str | None = None
    """Regular expression, searched in the path below the store's prefix."""
    skip: int = 0
    times: int | None = 1
    """How often it fires after the skipped ones; None is always."""
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    delay: float | None = None
    """Seconds until a held reply or a late commit goes on by itself; None waits for a release."""
    before: bool = False
    """`hang` only: hold before the processing instead of after it."""
    writes: int = 1
    """`list_lag` only: by how many writes the listing lags."""
    length: int | None = None
    """`truncate` only: bytes that get through; None is half of the body."""
    keep_length: bool = True
    """`truncate` only: announce the whole length and cut the connection; else announce what is sent."""
    id: int = 0
    seen: int = 0
    hits: int = 0
    committed: int = 0
    """`late_commit` only: how many have been processed by now."""
    active: bool = True
    waiting: list[asyncio.Event] = field(default_factory=list)
    pattern: re.Pattern[str] | None = None

    def matches(self, store: str, operation: str, method: str, path: str) -> bool:
        """Whether this request is meant."""
        return (
            self.active
            and (self.store is None or self.store == store)
            and (self.operation is None or fnmatchcase(operation, self.operation))
            and (self.method is None or self.method == method)
            and (self.pattern is None or self.pattern.search(path) is not None)
        )

    def shown(self) -> dict[str, Any]:
        """As the control API tells it."""
        names = (*FIELDS, "id", "seen", "hits", "committed", "active")
        return {name: getattr(self, name) for name in names} | {"pending": len(self.waiting)}


class Faults:
    """All rules of the process."""

    def __init__(self) -> None:
        self._rules: dict[int, Rule] = {}
        self._last_id = 0
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, order: dict[str, Any]) -> Rule:
        """A new rule from what the control API was given."""
        for name, value in order.items():
            if name not in FIELDS:
                raise FaultError(f"unknown field {name!r}")
            if not isinstance(value, FIELDS[name]):
                raise FaultError(f"field {name!r} takes another kind of value")
        if order.get("effect") not in EFFECTS:
            raise FaultError(f"effect must be one of {', '.join(EFFECTS)}")
        if order["effect"] == "list_lag":
            # A list lags until it is released, not once.
            order = {"times": None} | order
        rule = Rule(**order)
        if rule.path is not None:
            try:
                rule.pattern = re.compile(rule.path)
            except re.error as error:
                raise FaultError(f"path is no regular expression: {error}") from None
        self._last_id += 1
        rule.id = self._last_id
        self._rules[rule.id] = rule
        return rule

    def get(self, rule_id: int) -> Rule:
        """The rule with this number."""
        if rule_id not in self._rules:
            raise FaultError(f"there is no rule {rule_id}")
        return self._rules[rule_id]

    def all(self) -> list[Rule]:
        """Every rule, oldest first."""
        return list(self._rules.values())

    def remove(self, rule_id: int | None) -> None:
        """Take one rule away, or all; what they hold is let go."""
        for rule in [self.get(rule_id)] if rule_id is not None else self.all():
            self.release(rule)
            rule.active = False
            del self._rules[rule.id]

    def release(self, rule: Rule) -> None:
        """Let go what the rule holds: held replies go out, late commits happen, a lagging list catches up."""
        for event in rule.waiting:
            event.set()
        rule.waiting.clear()
        if rule.effect == "list_lag":
            rule.active = False

    async def fire(self, store: str, operation: str, method: str, path: str) -> Rule | None:
        """The rule that hits this request, counted as a hit; None for nearly every request."""
        if not self._rules:
            return None
        for rule in self._rules.values():
            if not rule.matches(store, operation, method, path):
                continue
            rule.seen += 1
            if rule.seen <= rule.skip or (rule.times is not None and rule.hits >= rule.times):
                continue
            rule.hits += 1
            await self._tell()
            return rule
        return None

    async def hold(self, rule: Rule) -> None:
        """Wait until the rule is released or its delay is over."""
        event = asyncio.Event()
        rule.waiting.append(event)
        try:
            await asyncio.wait_for(event.wait(), rule.delay)
        except TimeoutError:
            if event in rule.waiting:
                rule.waiting.remove(event)

    def commit_later(self, rule: Rule, process: Callable[[], Awaitable[object]]) -> None:
        """Process a request whose connection is already gone."""

        async def run() -> None:
            await self.hold(rule)
            await process()
            rule.committed += 1
            await self._tell()

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self, rule: Rule, hits: int, committed: int, timeout: float) -> bool:
        """Block until the rule was hit, and its late commits were done, this often; False on a timeout."""

        def reached() -> bool:
            return rule.hits >= hits and rule.committed >= committed

        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(reached), timeout)
            except TimeoutError:
                return False
        return True

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
