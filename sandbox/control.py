"""The control API below /_control: a person's hands, the faults, the log. Never a secret, but for a key made by hand."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.faults import FaultError, Faults
from sandbox.request_log import RequestLog
from sandbox.vendor import ControlHandler, ControlRoute, Vendor

LOG_PAGE = 1000
WAIT_SECONDS = 30.0


class ControlError(ValueError):
    """A control call that makes no sense."""


class Control:
    """Handlers of the control API; each takes JSON and answers JSON."""

    def __init__(self, vendors: Sequence[Vendor], faults: Faults, log: RequestLog, url: str, ca: Path) -> None:
        self.latency = 0.0
        self._vendors = vendors
        self._faults = faults
        self._log = log
        self._url = url
        self._ca = ca
        self._started = time.monotonic()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Every route of the table in README.md."""
        routes: list[ControlRoute] = [
            ("GET", "/_control/health", self._health),
            ("PUT", "/_control/latency", self._set_latency),
            ("GET", "/_control/faults", self._list_faults),
            ("POST", "/_control/faults", self._add_fault),
            ("DELETE", "/_control/faults", self._clear_faults),
            ("GET", "/_control/faults/{rule}", self._show_fault),
            ("DELETE", "/_control/faults/{rule}", self._remove_fault),
            ("POST", "/_control/faults/{rule}/release", self._release_fault),
            ("GET", "/_control/faults/{rule}/wait", self._wait_for_fault),
            ("GET", "/_control/requests", self._list_requests),
            ("DELETE", "/_control/requests", self._clear_requests),
            ("GET", "/_control/requests/counts", self._count_requests),
            ("POST", "/_control/requests/find", self._find_requests),
        ]
        for vendor in self._vendors:
            routes += vendor.control_routes()
        for method, path, handler in routes:
            router.add_route(method, path, _guarded(handler))
        router.add_route("*", "/_control/{rest:.*}", _guarded(_nothing_here))

    async def _health(self, _: web.Request) -> Any:
        facts: dict[str, Any] = {}
        for vendor in self._vendors:
            facts |= vendor.facts()
        return facts | {
            "ready": True,
            "url": self._url,
            "ca": str(self._ca),
            "pid": os.getpid(),
            "uptime": time.monotonic() - self._started,
        }

    # Latency and faults

    async def _set_latency(self, request: web.Request) -> Any:
        seconds = (await body_of(request)).get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise ControlError("latency takes seconds")
        self.latency = float(seconds)
        return {"seconds": self.latency}

    async def _list_faults(self, _: web.Request) -> Any:
        return {"faults": [rule.shown() for rule in self._faults.all()]}

    async def _add_fault(self, request: web.Request) -> Any:
        return self._faults.add(await body_of(request)).shown()

    async def _clear_faults(self, _: web.Request) -> Any:
        self._faults.remove(None)
        return {}

    async def _show_fault(self, request: web.Request) -> Any:
        return self._faults.get(integer(request.match_info["rule"])).shown()

    async def _remove_fault(self, request: web.Request) -> Any:
        self._faults.remove(integer(request.match_info["rule"]))
        return {}

    async def _release_fault(self, request: web.Request) -> Any:
        rule = self._faults.get(integer(request.match_info["rule"]))
        pending = len(rule.waiting) if rule.effect == "late_commit" else 0
        self._faults.release(rule)
        # What was let go is done when the caller goes on.
        await self._faults.wait(rule, 0, rule.committed + pending, WAIT_SECONDS)
        return rule.shown()

    async def _wait_for_fault(self, request: web.Request) -> Any:
        rule = self._faults.get(integer(request.match_info["rule"]))
        hits, committed = (integer(request.query.get(name, "0")) for name in ("hits", "committed"))
        timeout = float(request.query.get("timeout", WAIT_SECONDS))
        reached = await self._faults.wait(rule, hits, committed, timeout)
        return {"reached": reached} | rule.shown()

    # The log

    async def _list_requests(self, request: web.Request) -> Any:
        since, limit = (integer(request.query.get(*pair)) for pair in (("since", "0"), ("limit", str(LOG_PAGE))))
        entries = self._log.since(since, limit, request.query.get("store"))
        return {"requests": [entry.shown() for entry in entries], "last_seq": self._log.last_seq}

    async def _clear_requests(self, _: web.Request) -> Any:
        self._log.clear()
        return {}

    async def _count_requests(self, _: web.Request) -> Any:
        return {"counts": self._log.counts()}

    async def _find_requests(self, request: web.Request) -> Any:
        value = (await body_of(request)).get("value")
        if not isinstance(value, str):
            raise ControlError("find takes a value")
        return {"requests": [entry.shown() for entry in self._log.find(value)]}


def _guarded(handler: ControlHandler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The answer of a handler as JSON, its errors as 400."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await handler(request))
        except (FaultError, AttributeError, KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)

    return guarded


async def _nothing_here(request: web.Request) -> Any:
    raise ControlError(f"the control API has no {request.method} {request.path}")


async def body_of(request: web.Request) -> dict[str, Any]:
    document = await request.json()
    if not isinstance(document, dict):
        raise ControlError("the control API takes a JSON object")
    return document


def integer(text: str) -> int:
    if not text.isdecimal():
        raise ControlError(f"{text!r} is no number")
    return int(text)
