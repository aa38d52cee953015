"""What one run works with, and where it leaves a connection."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from providers.core import marker
from providers.core.contract import Clock, Documents, Finding, Issuer, Keyring
from providers.core.errors import ConnectionsError
from providers.core.journal import Book, Journal
from providers.core.redaction import Secret

LEASE_SECONDS = 10.0
"""How long another run that is making a key is waited for, out of courtesy."""


def _now() -> datetime:
    return datetime.now(UTC)


def silent(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Operation:
    """What one run needs to work on one connection.

    `store` is the store's identity as it is declared; `run` names this run in the journal; `report` gets one line per
    act, for people; `wait` sleeps; `lease` is in seconds, 0 ignores leases; `entry` reads an adopted value; `inputs` are
    the words that the journal keeps, for an end without a declaration; `revoke_adopted` lets a destroy end a key that was
    adopted and never carried our marker; `proof_age` is for how many seconds a look goes by an earlier proof.
    """

    book: Book
    keyring: Keyring
    issuer: Issuer
    store: str
    platform: str = ""
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    clock: Clock = _now
    wait: Callable[[float], None] = time.sleep
    report: Callable[[str], None] = silent
    lease: float = LEASE_SECONDS
    entry: Callable[[str], Mapping[str, Secret] | None] = lambda _: None
    revoke_adopted: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)
    proof_age: float = 0.0

    @classmethod
    def on(cls, documents: Documents, owner: marker.Owner, keyring: Keyring, issuer: Issuer, store: str) -> "Operation":
        """An operation with the defaults for everything that a test would replace."""
        return cls(Book(documents, owner), keyring, issuer, store)

    @property
    def owner(self) -> marker.Owner:
        """Whose credential it is."""
        return self.book.owner

    def fingerprint(self, secret: Mapping[str, Secret]) -> str:
        """The keyed fingerprint of a secret of this connection."""
        return marker.fingerprint(self.keyring, self.owner, secret)

    def marks(self, secret: Mapping[str, Secret]) -> dict[str, str]:
        """The keyed fingerprint of every single value of a secret, by its name."""
        texts = [marker.fingerprint_text(self.owner, {name: value.reveal()}) for name, value in secret.items()]
        return dict(zip(secret, self.keyring.mac("fingerprint", texts), strict=True))


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a run left a connection. `problems` say what could not be done, `waiting` what time or a link still owes,
    `person` what only a person can do, `told` what people should know of what was done; all in words."""

    journal: Journal | None
    findings: Sequence[Finding] = ()
    problems: tuple[ConnectionsError, ...] = ()
    waiting: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """One word: `live`, `rotating`, `awaiting_person`, `problem`, `retiring`, `absent` or `closed`."""
        return status_word(self.journal, bool(self.problems), bool(self.person))


def status_word(journal: Journal | None, problem: bool, person: bool) -> str:
    """The one word for a connection's state, from its journal and whether something is in its way."""
    if journal is None:
        return "absent"
    if journal.phase == "closed":
        return "closed"
    if problem:
        return "problem"
    if person:
        return "awaiting_person"
    if journal.phase == "closing" or journal.in_state("retiring", "abandoned"):
        return "retiring"
    if journal.in_state("superseded", "intended"):
        return "rotating"
    return "live" if journal.current is not None else "absent"
