"""The world of the protocol in memory: Vault, a store, consumers and a clock, where every call from outside is one step.

They keep the facts (vault.md 3.1 for documents; contract.py for stores and links) and tell a `Watch` about every change.
A `Pace` is asked before each step: it may stop the caller there, and may name a fault for the step.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

from providers.core import marker
from providers.core.contract import (
    LASTS,
    RECOGNISED,
    Capabilities,
    Document,
    Fields,
    Finding,
    Issued,
    Life,
    Order,
    Selector,
    StoreKey,
    Verdict,
)
from providers.core.errors import Rejected, Transient, UnclearOutcome, VaultConflict, VaultSealed, VaultUnclear
from providers.core.marker import Owner
from providers.core.redaction import Secret
from providers.core.sheet import Sheet, Task

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STORE = "https://fresh-roast.example"
MAX_VERSIONS = 10
USUAL = Capabilities("form", "store", revisable=frozenset({"purpose"}), lists=True, settle=30.0, relabels=True)
"""A store that can do everything but change rights in place."""

Pace = Callable[[str, tuple[str, ...]], str]
"""Called before each step with its name and the faults it can suffer; returns the fault to suffer, or an empty text."""


def unhurried(_step: str, _faults: tuple[str, ...]) -> str:
    """No stop and no fault."""
    return ""


@dataclass
class World:
    """Everything outside of the code under test."""

    capabilities: Capabilities = USUAL
    pace: Pace = unhurried
    now: datetime = BEGIN
    documents: dict[str, list[dict[str, Any] | None]] = field(default_factory=dict)
    written: dict[str, list[datetime]] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    late: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    consumers: dict[str, Consumer] = field(default_factory=dict)
    watchers: list[Watcher] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    revocable: bool = True
    unready: str = ""
    revocation_delay: float = 0.0
    refusing: bool = False
    address: str = STORE
    tokens: dict[str, Token] = field(default_factory=dict)
    mails: list[str] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        """A wait of the code under test: time passes, and others may run."""
        self.pace("wait", ())
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        """Time passes; requests that were under way arrive in it."""
        until = self.now + timedelta(seconds=seconds)
        for due, commit in sorted((entry for entry in self.late if entry[0] <= until), key=lambda entry: entry[0]):
            self.late.remove((due, commit))
            self.now = max(self.now, due)
            commit()
        self.now = until

    def arrive(self) -> None:
        """Every request that is under way arrives now."""
        late, self.late = self.late, []
        for _, commit in late:
            commit()

    def changed(self, what: str) -> None:
        """Note a change made by the code under test."""
        self.writes.append(what)

    def alive(self, owner: Owner) -> dict[int, list[Key]]:
        """The store's living keys with a whole marker of this owner, by number."""
        found: dict[int, list[Key]] = {}
        for key in self.keys.values():
            number = key.number(owner)
            if key.lives(self.now) and number is not None:
                found.setdefault(number, []).append(key)
        return found


class Watcher:
    """Told about every change, whoever made it; a check raises `Violation`."""

    def document(self, path: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
        """A document was written."""

    def made(self, key: Key, order: Order) -> None:
        """The store made a key because of a request."""

    def revised(self, key: Key, order: Order) -> None:
        """The store changed a key."""

    def revoking(self, key: Key) -> None:
        """The store is about to end a living key because of a request."""

    def given(self, link: MemoryLink, generation: int) -> None:
        """A link is about to give its consumer a credential."""

    def sent(self, token: Token) -> None:
        """A token is about to leave in a message."""


class Violation(AssertionError):
    """An invariant does not hold."""


@dataclass
class Token:
    """Values behind a single-use token, by its accessor in `World.tokens`; `sent` counts the messages that carried it."""

    token: str
    accessor: str
    values: Mapping[str, str]
    state: Literal["waiting", "opened", "void"] = "waiting"
    sent: int = 0


# --- Vault ----------------------------------------------------------------------------------------------------------


class MemoryDocuments:
    """KV v2 with `cas_required`: versions count up for ever, metadata is never deleted (vault.md 3.1)."""

    def __init__(self, world: World) -> None:
        self.world = world

    def read(self, path: str, *, version: int | None = None) -> Document:
        self.world.pace(f"read {path}", ())
        return self._document(path, version)

    def _document(self, path: str, version: int | None = None) -> Document:
        versions = self.world.documents.get(path, [])
        if not versions:
            return Document("absent", 0)
        number = version or len(versions)
        data, written = versions[number - 1], self.world.written[path][number - 1]
        if data is None:
            return Document("destroyed", number, written=written)
        return Document("present", number, data, written=written)

    def write(self, path: str, data: Mapping[str, Any], *, cas: int) -> int:
        fault = self.world.pace(f"write {path}", ("lost", "unsent", "sealed"))
        if fault == "sealed":
            raise VaultSealed("sealed")
        if fault == "unsent":
            raise VaultUnclear("no reply")
        versions = self.world.documents.get(path, [])
        if len(versions) != cas:
            if fault == "lost":
                raise VaultUnclear("no reply")
            raise VaultConflict("somebody else wrote first", where=path)
        self.put(path, data)
        self.world.changed(f"write {path}")
        if fault == "lost":
            raise VaultUnclear("no reply")
        return len(self.world.documents[path])

    def put(self, path: str, data: Mapping[str, Any]) -> None:
        """Write without a check, as a person may."""
        versions = self.world.documents.setdefault(path, [])
        before = versions[-1] if versions else None
        after: dict[str, Any] = json.loads(json.dumps(data))
        for watcher in self.world.watchers:
            watcher.document(path, before, after)
        versions.append(after)
        self.world.written.setdefault(path, []).append(self.world.now)
        if len(versions) > MAX_VERSIONS:
            versions[-MAX_VERSIONS - 1] = None

    def destroy(self, path: str, versions: Sequence[int]) -> None:
        self.world.pace(f"destroy {path}", ())
        if not versions:
            return
        self.world.changed(f"destroy {path}")
        present = self.world.documents[path]
        for version in versions:
            present[version - 1] = None

    def list(self, path: str) -> Sequence[str]:
        folder = path.rstrip("/") + "/"
        names = {name[len(folder) :] for name in self.world.documents if name.startswith(folder)}
        return sorted({name if "/" not in name else name.partition("/")[0] + "/" for name in names})


class MemoryKeyring:
    """Keyed digests. No step: the keys never change."""

    def mac(self, key: Literal["marker", "fingerprint"], texts: Sequence[str]) -> Sequence[str]:
        return [hmac.digest(key.encode(), text.encode(), "sha256").hex() for text in texts]


# --- the store ------------------------------------------------------------------------------------------------------


@dataclass
class Key:
    """A key as the store keeps it."""

    key_id: str
    label: str
    value: str
    fields: dict[str, Any]
    made_by: Literal["request", "hand", "foreign"]
    alive: bool = True
    listed_from: datetime = BEGIN
    listed_until: datetime | None = None
    expires: datetime | None = None

    def number(self, owner: Owner) -> int | None:
        """The number in a whole marker of this owner."""
        found = marker.read(MemoryKeyring(), [StoreKey(self.key_id, self.label, "")])
        return found[0].number if found and found[0].owner == owner else None

    def lives(self, now: datetime) -> bool:
        """Whether it is accepted at this time: neither revoked nor over."""
        return self.alive and (self.expires is None or now < self.expires)

    @property
    def tail(self) -> str:
        return self.value[-7:]

    @property
    def secret(self) -> dict[str, Secret]:
        return {"consumer_key": Secret(self.value), "consumer_secret": Secret("cs_" + self.value[3:])}


def finding(check: str, verdict: Verdict = "confirmed", evidence: str = "seen") -> Finding:
    return Finding(check, verdict, evidence)


class MemoryStore:
    """A store that shows a key's secret once. What it can do is the world's capability record."""

    def __init__(self, world: World, *, recorded_only: bool = False) -> None:
        self.world = world
        self.recorded_only = recorded_only

    @property
    def capabilities(self) -> Capabilities:
        return self.world.capabilities

    # --- looking ---

    def find(self, selector: Selector, *, fresh: bool = True) -> Sequence[StoreKey]:
        if not self.capabilities.lists:
            raise AssertionError("a store without a list was asked for one")
        if self.world.pace("find", ("transient",)):
            raise Transient("the store is busy")
        return [
            StoreKey(key.key_id, key.label, self._tail(key), dict(key.fields) if selector.details else {})
            for key in self.world.keys.values()
            if self._listed(key) and (selector.text in key.label or key.key_id in selector.key_ids)
        ]

    def _tail(self, key: Key) -> str:
        """A store that deletes nothing shows another secret where one was revoked."""
        return key.tail if key.alive else f"-{key.tail}"

    def _listed(self, key: Key) -> bool:
        if key.alive or self.capabilities.residual:
            return key.listed_from <= self.world.now
        return key.listed_until is not None and self.world.now < key.listed_until

    def _by_value(self, secret: Mapping[str, Secret]) -> Key | None:
        value = secret["consumer_key"].reveal() if "consumer_key" in secret else ""
        for key in self.world.keys.values():
            if (
                key.lives(self.world.now)
                and key.value == value
                and secret["consumer_secret"].reveal() == "cs_" + value[3:]
            ):
                return key
        return None

    def verify(self, secret: Mapping[str, Secret], fields: Fields) -> Sequence[Finding]:
        fault = self.world.pace("verify", ("transient", "unverifiable", "contradicted"))
        if fault == "transient":
            raise Transient("the store is busy")
        if fault == "unverifiable":
            return [finding(RECOGNISED, "unverifiable")]
        key = self._by_value(secret)
        if key is None:
            return [finding(RECOGNISED, "contradicted")]
        right = fault != "contradicted" and key.fields.get("rights") == fields.get("rights")
        found = [finding(RECOGNISED), finding("rights", "confirmed" if right else "contradicted")]
        return [*found, self._lasts(key)] if key.expires is not None else found

    def _lasts(self, key: Key) -> Finding:
        life = timedelta(seconds=float(key.fields[self.capabilities.lifetime]))
        assert key.expires is not None
        soon = self.world.now >= key.expires - life / 3
        return finding(LASTS, "contradicted" if soon else "confirmed", f"it expires on {key.expires:%Y-%m-%d}")

    def probe(self, secret: Mapping[str, Secret]) -> Life:
        if self.world.pace("probe", ("unknown",)):
            return "unknown"
        return "accepted" if self._by_value(secret) else "refused"

    def control(self) -> Finding:
        fault = self.world.pace("control", ("unverifiable",))
        return finding("control", "unverifiable" if fault else "confirmed")

    def tail(self, secret: Mapping[str, Secret]) -> str:
        return secret["consumer_key"].tail(7)

    def public(self) -> Mapping[str, str]:
        return {"url": self.world.address}

    def facts(self) -> Mapping[str, str]:
        return {}

    def losses(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """Nothing hangs on a key."""
        return ()

    def sheet(self, task: Task, fields: Fields, number: int) -> Sheet:
        return Sheet(f"{task} number {number}", f"{self.world.address}/panel", (f"rights: {fields.get('rights')}",))

    # --- changing ---

    def ready(self) -> str:
        return self.world.unready

    def issue(self, order: Order) -> Issued:
        fault = self.world.pace("issue", ("lost", "unsent", "late", "twice", "twice late", "refused", "wide", "lag"))
        if fault == "refused" or self.world.refusing:
            raise Rejected("the store refuses")
        if fault == "unsent":
            raise UnclearOutcome("no reply")
        settle = timedelta(seconds=self.capabilities.settle)
        if fault == "late":
            self.world.late.append((self.world.now + settle * 0.9, lambda: self._make_unseen(order)))
            raise UnclearOutcome("no reply")
        key = self._make(order, **({"rights": "everything"} if fault == "wide" else {}))
        if fault == "lag":
            key.listed_from = self.world.now + settle * 0.9
        if fault == "twice":
            self._make(order)
        if fault == "twice late":
            self.world.late.append((self.world.now + settle * 0.9, lambda: self._make_unseen(order)))
        if fault == "lost":
            raise UnclearOutcome("no reply")
        return Issued(key.key_id, key.secret)

    def _make_unseen(self, order: Order) -> None:
        self._make(order)

    def _make(self, order: Order, **granted: str) -> Key:
        label = order.fields["purpose"] + " " + order.marker
        key = self.add(label, {**order.fields, **granted}, "request", order.decided)
        self.world.changed(f"issue {key.key_id}")
        for watcher in self.world.watchers:
            watcher.made(key, order)
        return key

    def add(
        self,
        label: str,
        fields: Mapping[str, Any],
        made_by: Literal["request", "hand", "foreign"],
        decided: datetime | None = None,
    ) -> Key:
        """A new key, whoever makes it."""
        number = len(self.world.keys) + 1
        value = f"ck_{hashlib.sha256(str(number).encode()).hexdigest()[:40]}"
        key = Key(str(number), label, value, dict(fields), made_by, listed_from=self.world.now)
        if self.capabilities.lifetime:
            key.expires = (decided or self.world.now) + timedelta(seconds=float(fields[self.capabilities.lifetime]))
        self.world.keys[key.key_id] = key
        return key

    def revise(self, key_id: str, order: Order) -> None:
        fault = self.world.pace("revise", ("lost", "unsent", "refused"))
        if fault == "refused":
            raise Rejected("the store refuses")
        if fault == "unsent":
            raise UnclearOutcome("no reply")
        key = self.world.keys[key_id]
        for name in self.capabilities.revisable:
            if name in order.fields:
                key.fields[name] = order.fields[name]
        key.label = f"{order.fields['purpose']} {order.marker}"
        self.world.changed(f"revise {key_id}")
        for watcher in self.world.watchers:
            watcher.revised(key, order)
        if fault == "lost":
            raise UnclearOutcome("no reply")

    def revoke(self, key_id: str, secret: Mapping[str, Secret] | None = None) -> None:
        fault = self.world.pace("revoke", ("lost", "unsent", "lag"))
        if self.capabilities.revoked_by == "person":
            raise AssertionError("only a person can revoke at this store")
        if fault == "unsent":
            raise UnclearOutcome("no reply")
        by_value = self._by_value(secret) if secret else None
        key = self.world.keys[key_id] if key_id and not self.capabilities.lifetime else by_value
        if key is None:
            return
        self.world.changed(f"revoke {key.key_id}")
        if key.alive and self.world.revocable:
            for watcher in self.world.watchers:
                watcher.revoking(key)
            if self.world.revocation_delay:
                until = self.world.now + timedelta(seconds=self.world.revocation_delay)
                self.world.late.append((until, partial(setattr, key, "alive", False)))
            else:
                key.alive = False
            if fault == "lag":
                key.listed_until = self.world.now + timedelta(seconds=2)
        if fault == "lost":
            raise UnclearOutcome("no reply")


# --- consumers ------------------------------------------------------------------------------------------------------


@dataclass
class Consumer:
    """A place at a consumer: what it holds, and which link of which connection wrote it last. `stale`: written by a link
    that slept between its last check and this write, a limit that protocol.md section 7 names."""

    place: str
    value: str = ""
    generation: int = 0
    owner: str = ""
    vanished: bool = False
    stale: bool = False


class MemoryLink:
    """One user of a credential at one place of a consumer."""

    def __init__(
        self,
        world: World,
        connection: str,
        name: str,
        place: str | None = None,
        acknowledges: Literal["here", "overlap", "person"] = "here",
    ) -> None:
        self.world, self.connection, self.name = world, connection, name
        self.place = name if place is None else place
        self.acknowledges: Literal["here", "overlap", "person"] = acknowledges
        world.consumers.setdefault(self.place, Consumer(self.place))

    @property
    def consumer(self) -> Consumer:
        return self.world.consumers[self.place]

    def _reach(self, step: str) -> None:
        if self.world.pace(step, ("transient",)) or self.consumer.vanished:
            raise Transient("the consumer does not answer")

    def check(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        return ()

    def observe(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        self._reach("consumer read")
        same = self.consumer.value == secret["consumer_key"].reveal()
        return [finding("what it holds", "confirmed" if same else "contradicted")]

    def connect(self, generation: int, secret: Mapping[str, Secret]) -> None:
        self._reach("consumer connect")
        self.world.changed(f"connect {self.place}")
        for watcher in self.world.watchers:
            watcher.given(self, generation)
        self.consumer.value = secret["consumer_key"].reveal()
        self.consumer.generation, self.consumer.owner = generation, f"{self.connection}/{self.name}"

    def disconnect(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        self._reach("consumer disconnect")
        self.world.changed(f"disconnect {self.place}")
        self.consumer.value, self.consumer.generation, self.consumer.owner = "", 0, ""
        return ()

    def verify(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        if self.world.pace("consumer verify", ("transient", "contradicted")) == "transient":
            raise Transient("the consumer does not answer")
        works = any(key.alive and key.value == self.consumer.value for key in self.world.keys.values())
        same = self.consumer.value == secret["consumer_key"].reveal()
        return [finding("through the consumer", "confirmed" if works and same else "contradicted")]


def capable(**changes: Any) -> Capabilities:
    """The usual capability record with some changes."""
    return replace(USUAL, **changes)
