"""Every call that leaves the product, step by step: a run can be killed at each of them, lose a reply there, or sleep there.

A step is a call of Vault (a document, a hand-over) or an HTTP request. What a dead run held is gone with it, and nothing
that it would have cleared up is cleared up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import httpx

from providers.core.address import Address
from providers.core.contract import Document, Documents
from providers.core.errors import StoreError, UnclearOutcome, Unreachable, VaultUnclear
from providers.core.handover import Courier
from providers.core.http import Answer, Http, HttpSettings, _Call
from providers.core.redaction import Secret
from providers.core.vault.wrapping import Wrapped, WrappingState

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds after which a thread that should have come to its step counts as stuck."""

HARMLESS = ("/wp-login.php", "/login", "/oauth2/token", "/actions/rpc")
"""Ends of paths whose POST leaves nothing behind that a later run could meet: logins, access tokens, read actions."""


class Killed(BaseException):
    """The process ended here. No `except Exception` sees it, as none would see a SIGKILL."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call. `changes` tells whether it may leave another world behind."""

    what: str
    changes: bool

    @property
    def http(self) -> bool:
        """Whether it is a request to a store or a consumer."""
        return self.what.partition(" ")[0].isupper()


Kind = Literal["killed after", "lost", "paused"]


@dataclass(frozen=True, slots=True)
class Interruption:
    """What happens to a run at its step of this number.

    `killed after`: the call was carried out, and nothing follows it. To be killed before a step is the same world as to be
    killed after the one before it, and calls that only look leave no world of their own. `lost`: it was carried out, its
    reply never came, and the run goes on. `paused`: the run sleeps before it.
    """

    kind: Kind
    number: int


@dataclass
class Process:
    """One process of the product: its steps so far, and what is to happen to it."""

    interruption: Interruption | None = None
    steps: list[Step] = field(default_factory=list)
    struck: bool = False
    dead: bool = False
    buried: bool = False
    asleep: threading.Event = field(default_factory=threading.Event)
    woken: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(
        self, what: str, changes: bool, carry_out: Callable[[], T], lost: Callable[[], Exception] | None = None
    ) -> T:
        """Carry a step out, unless the process ends or sleeps here; `lost` makes the error of a reply that never came."""
        if self.buried:
            raise Unreachable("this process is no more")
        if self.dead:
            raise Killed
        with self._lock:
            number = len(self.steps)
            self.steps.append(Step(what, changes))
        due = self.interruption if self.interruption is not None and self.interruption.number == number else None
        self.struck = self.struck or due is not None
        if due is not None and due.kind == "paused":
            self.asleep.set()
            assert self.woken.wait(PATIENCE), "nobody woke this run"
        result = carry_out()
        if due is not None and due.kind == "killed after":
            self.dead = True
            raise Killed
        if due is not None and due.kind == "lost" and lost is not None:
            raise lost()
        return result


class SteppedDocuments:
    """Documents whose every use is a step."""

    def __init__(self, inner: Documents, process: Process) -> None:
        self._inner, self._process = inner, process

    def read(self, path: str, *, version: int | None = None) -> Document:
        return self._process.call(f"read {path}", False, lambda: self._inner.read(path, version=version))

    def write(self, path: str, data: Mapping[str, Any], *, cas: int) -> int:
        return self._process.call(
            f"write {path}", True, lambda: self._inner.write(path, data, cas=cas), lambda: VaultUnclear("no reply")
        )

    def destroy(self, path: str, versions: Sequence[int]) -> None:
        self._process.call(f"destroy {path}", bool(versions), lambda: self._inner.destroy(path, versions))

    def list(self, path: str) -> Sequence[str]:
        return self._process.call(f"list {path}", False, lambda: self._inner.list(path))


class SteppedHttp(Http):
    """HTTP whose every call is a step. The connections are those of another one, which outlives it."""

    def __init__(self, wire: Http, settings: HttpSettings, process: Process) -> None:
        super().__init__(settings)
        self._wire, self._process = wire, process

    def send(self, address: Address, call: _Call, cookies: httpx.Cookies | None) -> Answer:
        changes = not (call.safe and (call.method == "GET" or call.path.endswith(HARMLESS)))
        what = f"{call.method} {call.path}{f'?{call.query}' if call.query and call.method != 'GET' else ''}"

        def lost() -> StoreError:
            return (Unreachable if call.safe else UnclearOutcome)("no answer", where=address.netloc)

        return self._process.call(what, changes, lambda: self._wire.send(address, call, cookies), lost)


class SteppedCourier:
    """Hand-overs whose every use is a step."""

    def __init__(self, inner: Courier, process: Process) -> None:
        self._inner, self._process = inner, process

    @property
    def mails(self) -> bool:
        return self._inner.mails

    @property
    def address(self) -> str:
        return self._inner.address

    @property
    def show(self) -> Callable[[str], None] | None:
        return self._inner.show

    def wrap(self, values: Mapping[str, Secret], ttl_seconds: int) -> Wrapped:
        return self._process.call(
            "wrap", True, lambda: self._inner.wrap(values, ttl_seconds), lambda: VaultUnclear("no reply")
        )

    def state(self, accessor: str) -> WrappingState:
        return self._process.call("token state", False, lambda: self._inner.state(accessor))

    def void(self, accessor: str) -> None:
        self._process.call("token void", True, lambda: self._inner.void(accessor))

    def send(self, to: str, subject: str, text: str) -> None:
        self._process.call(
            "send", True, lambda: self._inner.send(to, subject, text), lambda: UnclearOutcome("it may have been sent")
        )
