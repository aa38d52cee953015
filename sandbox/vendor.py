"""What a platform is to the sandbox: who answers which first path segment, under what name, and with which control routes.

A platform is a folder with a `Vendor`; `vendors.py` lists them. The server knows nothing else of it: faults, latency, the
request log and the control API work for all of them alike.
"""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from sandbox.exchange import Reply, VendorRequest
from sandbox.faults import Faults
from sandbox.request_log import RequestLog
from sandbox.tls import Authority


class Call(Protocol):
    """A request that a stand-in makes itself, at whatever URL: the callback of a grant page, a plugin asking its cloud."""

    async def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"", verify: bool = True
    ) -> Answer | None:
        """What was answered, redirects not followed; None where nothing was. `verify=False` takes any certificate."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request of a stand-in's own was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


ControlHandler = Callable[[web.Request], Awaitable[Any]]
"""Takes a request to the control API and returns what is answered as JSON; a ValueError is answered 400 with its text."""

ControlRoute = tuple[str, str, ControlHandler]
"""Method, path with aiohttp's {names}, handler. Paths begin with `/_control/`."""


def derived_key(secret: bytes, purpose: str) -> bytes:
    """A secret key for one purpose, out of the one of the directory."""
    return hmac.digest(secret, purpose.encode(), "sha256")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a vendor finds when it is made."""

    directory: Path
    """Where it keeps its data: one database file named like the vendor."""
    url: str
    """`https://localhost:PORT`; a store lies below it."""
    authority: Authority
    """Issues certificates for what listens beside the one port."""
    call: Call
    faults: Faults
    """Only for what listens beside the one port; the server itself asks them for the sites."""
    log: RequestLog
    """Likewise."""
    mail_port: int
    """Where mail is to be taken with STARTTLS; 0 is where it was before, or any free port."""
    secret: bytes = field(repr=False)

    def key(self, purpose: str) -> bytes:
        """A secret key of this directory for one purpose."""
        return derived_key(self.secret, purpose)


class Site(Protocol):
    """One store of a vendor, or one host, as the server sees it."""

    @property
    def name(self) -> str:
        """What the log and the faults call it."""

    @property
    def latency(self) -> float:
        """Seconds that every request to it waits."""

    @property
    def clock_offset(self) -> float:
        """Seconds by which its clock is ahead; shows in the `Date` header."""

    def operation(self, request: VendorRequest) -> str:
        """The name by which faults and the log call a request."""

    def admit(self, request: VendorRequest) -> None:
        """Settle who a request is from, before a fault puts its commit off."""

    async def process(self, request: VendorRequest) -> Reply:
        """Answer a request, and carry out what it asks."""


class Vendor(ABC):
    """One platform."""

    @abstractmethod
    def site(self, request: VendorRequest) -> Site | None:
        """The site under the first path segment (`request.prefix`), or None: not this vendor's, or no such store."""

    @abstractmethod
    def control_routes(self) -> list[ControlRoute]:
        """Its part of the control API."""

    def facts(self) -> dict[str, Any]:
        """What `/_control/health` tells about it."""
        return {}

    async def start(self) -> None:
        """Start what listens beside the one port; called once, before the sandbox says that it is ready."""
        return

    @abstractmethod
    def close(self) -> None:
        """Close the database; called once, at the end."""
