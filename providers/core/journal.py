"""The documents of the protocol in Vault and their decisions (protocol.md sections 1 and 2).

Everything that may be decided is decided by one check-and-set on one document, the journal of a connection. A decision is
never reversed. No document but `generations/<n>` and `credential` holds a secret; there it stands as text fields.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from providers.core.contract import RECOGNISED, Document, Documents, Fields, Finding, Verdict
from providers.core.errors import Refused, VaultConflict, VaultUnclear
from providers.core.marker import Owner
from providers.core.redaction import Secret

State = Literal["intended", "current", "superseded", "retiring", "abandoned", "revoked"]

ALLOWED: Mapping[State, frozenset[State]] = {
    "intended": frozenset({"current", "abandoned", "retiring"}),
    "current": frozenset({"superseded", "retiring"}),
    "superseded": frozenset({"retiring"}),
    "retiring": frozenset({"revoked"}),
    "abandoned": frozenset({"revoked"}),
    "revoked": frozenset(),
}
"""The arrows of protocol.md section 2. `intended -> retiring` only where the store knew a number that Vault did not."""

OPEN: frozenset[State] = frozenset({"intended", "current", "superseded"})
"""States whose key may live on."""

DEAD: frozenset[State] = frozenset({"abandoned", "retiring", "revoked"})
"""States for ever closed: whoever meets such a key at its store revokes it."""

STEPS_KEPT = 50


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class LastProof(_Value):
    """A proof that contradicted nothing: when, of which fields, and its findings as check, verdict and evidence."""

    at: datetime
    fields: dict[str, Any] = Field(default_factory=dict)
    findings: tuple[tuple[str, Verdict, str], ...] = ()

    @classmethod
    def of(cls, findings: Sequence[Finding], fields: Fields, at: datetime) -> "LastProof | None":
        """What to keep of a proof: nothing where something is contradicted, or the store did not know the key."""
        if any(finding.verdict == "contradicted" for finding in findings):
            return None
        if not any(finding.check == RECOGNISED and finding.verdict == "confirmed" for finding in findings):
            return None
        told = tuple((finding.check, finding.verdict, finding.evidence) for finding in findings)
        return cls(at=at, fields=dict(fields), findings=told)


class Generation(_Value):
    """One credential of a connection, from the decision to make it to the proof of its death.

    `made_by` says whose act makes the key. `wished` are the fields it was decided for. `settled` says that no lost
    request can still make it. `former_missing` says that the current key was already missing when this one was decided.
    `confirmed` is a person's word that the key is gone or never was, where no listing can tell. `proof` is the last one,
    kept where proofs are dear. `marks` are keyed digests of the single values of a key that a person made: none of them
    may ever come again. `asked` is the declared reason for rotating that stood in its wish.
    """

    state: State
    made_by: Literal["store", "person", "adopt"] = "store"
    rotation: int = 1
    wished: dict[str, Any] = Field(default_factory=dict)
    key_id: str = ""
    tail: str = ""
    fingerprint: str = ""
    source: str = ""
    settled: bool = False
    former_missing: bool = False
    compromised: str = ""
    confirmed: str = ""
    note: str = ""
    proof: LastProof | None = None
    marks: dict[str, str] = Field(default_factory=dict)
    asked: str = ""
    times: dict[str, datetime] = Field(default_factory=dict)


class LinkEntry(_Value):
    """One user of the credential. `holds` is the lowest generation it may still have, `connecting` the one it may be
    given, `acknowledged` the one it was proved with; 0 means none. `life` tells a link from a later one of its name.
    `reads` marks a user that reads Vault itself: publishing moves it, and time says when it has surely read. `handed` marks
    one that has nothing before it was handed over. `receipt` is of the last hand-over (`handover.Receipt`) and of what it
    was acknowledged by. `received` are the numbers under which something may have come in return, `inbound` is the one that
    counts, 0 for none, and `inbound_generation` the generation it answers, 0 where that cannot be told. `words` are the
    declared ones that it was connected with, enough to clear it; `notes` are what the link noted about its consumer."""

    life: int
    place: str
    state: Literal["linked", "unlinking"] = "linked"
    holds: int = 0
    connecting: int = 0
    acknowledged: int = 0
    reads: bool = False
    handed: bool = False
    receipt: dict[str, Any] = Field(default_factory=dict)
    received: tuple[int, ...] = ()
    inbound: int = 0
    inbound_generation: int = 0
    words: dict[str, Any] = Field(default_factory=dict)
    notes: dict[str, str] = Field(default_factory=dict)


class RotationRequest(_Value):
    """A rotation asked for by a command rather than by the declaration."""

    rotation: int
    reason: str
    at: datetime


class Lease(_Value):
    """A courtesy to other runs; no rule leans on it."""

    run: str
    since: datetime


class StepTaken(_Value):
    """One decision, for people."""

    at: datetime
    run: str
    what: str


class Journal(_Value):
    """What was decided for one connection. Holds no secret; written by check-and-set only; never deleted.

    `inputs` are the declared words that ending it needs beside the store and the wished fields. `known_as` is the name
    under which it is declared since it was renamed; its documents and markers keep the first name. `inbounds` is the last
    number that was given out for what comes in return, whatever the link. `residual` are the ids of credentials that stay in
    the store's list though they open nothing any more, each with its visible end. `pinned` are the ids by which the store
    knows what the credentials open, by the check that saw them first.
    """

    format: Literal[1] = 1
    project: str
    stack: str
    connection: str
    known_as: str = ""
    store: str
    platform: str = ""
    inputs: dict[str, Any] = Field(default_factory=dict)
    incarnation: int = 1
    phase: Literal["open", "closing", "closed"] = "open"
    next: int = 1
    generations: dict[int, Generation] = Field(default_factory=dict)
    links: dict[str, LinkEntry] = Field(default_factory=dict)
    lives: dict[str, int] = Field(default_factory=dict)
    inbounds: int = 0
    residual: dict[str, str] = Field(default_factory=dict)
    pinned: dict[str, str] = Field(default_factory=dict)
    requested: RotationRequest | None = None
    lease: Lease | None = None
    steps: tuple[StepTaken, ...] = ()

    def in_state(self, *states: State) -> tuple[int, ...]:
        """Numbers in one of these states, oldest first."""
        return tuple(sorted(n for n, generation in self.generations.items() if generation.state in states))

    @property
    def current(self) -> int | None:
        """The number of the current generation."""
        numbers = self.in_state("current")
        return numbers[-1] if numbers else None

    @property
    def intended(self) -> int | None:
        """The number of the generation being made."""
        numbers = self.in_state("intended")
        return numbers[-1] if numbers else None

    @property
    def rotation(self) -> int:
        """The rotation number the current generation answers; 0 without one."""
        return self.generations[self.current].rotation if self.current is not None else 0

    def moved(self, number: int, state: State, at: datetime, **changes: Any) -> "Journal":
        """This journal with one generation moved along an allowed arrow. Only the current one keeps its proof: a journal of
        many proofs would hold more texts than a server takes in one document."""
        generation = self.generations[number]
        if state not in ALLOWED[generation.state]:
            raise AssertionError(f"generation {number} cannot go from {generation.state} to {state}")
        known = {"times": {**generation.times, state: at}, "proof": None, **changes}
        return self.changed(number, state=state, **known)

    def changed(self, number: int, **changes: Any) -> "Journal":
        """This journal with other facts of one generation."""
        generations = {**self.generations, number: self.generations[number].model_copy(update=changes)}
        return self.model_copy(update={"generations": generations})

    def link(self, name: str, was: str = "") -> LinkEntry | None:
        """A link's entry. Until a link that was renamed is connected, its entry has the former name."""
        return self.links.get(name) or self.links.get(was)

    def with_link(self, name: str, entry: LinkEntry | None) -> "Journal":
        """This journal with a link's entry set, or removed; its life number stays known."""
        links = {key: value for key, value in self.links.items() if key != name}
        lives = dict(self.lives)
        if entry is not None:
            links[name] = entry
            lives[name] = entry.life
        return self.model_copy(update={"links": links, "lives": lives})


@dataclass(frozen=True, slots=True)
class Published:
    """The `credential` document as it stands. `values` are its secret fields, empty for a tombstone or where it may not
    be read."""

    version: int
    state: Literal["absent", "live", "revoked"]
    incarnation: int = 0
    generation: int = 0
    at: datetime | None = None
    values: Mapping[str, Secret] = field(default_factory=dict)
    public: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """A generation document: its secret while it is present."""

    state: Literal["absent", "present", "destroyed"]
    key_id: str = ""
    tail: str = ""
    values: Mapping[str, Secret] = field(default_factory=dict)
    edited: bool = False


_OWN_FIELDS = frozenset({"generation", "state", "incarnation", "published_at", "key_id", "tail", "txn", "public"})
"""Names of the `credential` and generation documents that are no secret fields of a platform."""


TEXT = "journal"
"""The field of a journal's document that holds it whole, as one JSON text."""


def unfolded(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The words of a journal's document: out of its one text, or as a person wrote them; none where it is no object.
    `ValueError` for no JSON.

    One text, since a server counts texts: OpenBao refuses a document of more than a thousand, names included (measured),
    which a journal of a few dozen generations would have.
    """
    if not isinstance(data.get(TEXT), str):
        return {name: value for name, value in data.items() if name != "txn"}
    found = json.loads(data[TEXT])
    return found if isinstance(found, dict) else {}


class Book:
    """The documents of one connection.

    A write whose reply was lost is read back and told by its transaction id, so that a caller learns "written" or
    `VaultConflict`, never a guess.

    A connection that was renamed keeps its documents where they were: at its new name only their home is noted. `owner`
    is the one whose documents these are, known once the journal was read; `was` is the declared former name.
    """

    def __init__(self, documents: Documents, owner: Owner, *, was: str = "") -> None:
        self._documents = documents
        self._was = was
        self.name = owner.connection
        self.owner = owner

    def _path(self, name: str) -> str:
        return f"{self.owner.connection}/{name}"

    def _write(self, path: str, data: Mapping[str, Any], cas: int) -> int:
        stamped = {**data, "txn": secrets.token_hex(8)}
        for _ in range(3):
            try:
                return self._documents.write(path, stamped, cas=cas)
            except VaultUnclear as unclear:
                seen = self._documents.read(path)
                if seen.data.get("txn") == stamped["txn"]:
                    return seen.version
                lost = unclear
        raise lost from None

    # --- the journal ---

    def journal(self) -> tuple[Journal | None, int]:
        """The journal and its version; None where the connection never had one."""
        journal, version = self.peek()
        holder = (journal.known_as or journal.connection) if journal is not None else self.name
        if holder not in {self.name, self._was}:
            raise Refused(
                f"its place in Vault belongs to {holder}, by a rename",
                do="Take another name for the new connection",
                where=self.name,
            )
        return journal, version

    def peek(self) -> tuple[Journal | None, int]:
        """The journal and its version, under whichever name it is declared now."""
        document = self._documents.read(self._path("journal"))
        home = self._home(document) if self.owner.connection == self.name else ""
        if home:
            self.owner = Owner(self.owner.project, self.owner.stack, home)
            document = self._documents.read(self._path("journal"))
        if document.state != "present":
            if document.version:
                raise Refused(
                    "the journal was deleted in Vault",
                    do=f"Undelete version {document.version} of it: it alone knows which keys are ours",
                    where=self.owner.connection,
                )
            return None, 0
        try:
            journal = Journal.model_validate(unfolded(document.data))
        except ValueError:
            raise Refused(
                "the journal in Vault cannot be read: it was edited, or a newer version of this product wrote it",
                do="Use that version, or put the last good version of the document back",
                where=self.owner.connection,
            ) from None
        if (journal.project, journal.stack, journal.connection) != (
            self.owner.project,
            self.owner.stack,
            self.owner.connection,
        ):
            raise Refused(
                f"the journal belongs to {journal.project}:{journal.stack}:{journal.connection}",
                do="Two stacks may not share a path in Vault",
                where=self.owner.connection,
            )
        return journal, document.version

    def _home(self, document: Document) -> str:
        """Where the documents of a renamed connection are: noted at its new name, or, until then, at its former one."""
        if not self._was or "home" in document.data:
            return str(document.data.get("home", ""))
        former = self._documents.read(f"{self._was}/journal")
        home = str(former.data.get("home", self._was)) if former.state == "present" else ""
        if home and home != self.name and document.state != "absent" and not _is_closed(former):
            raise Refused(
                f"this name had a key before, and {self._was} has one now",
                do="Take a name that was never used, or end the former one first",
                where=self.name,
            )
        return home if document.state == "absent" else ""

    def move_in(self, *, run: str, at: datetime) -> None:
        """Note at a new name where its documents are, so that the declared former name may go."""
        journal, version = self.journal()
        if journal is None:
            return
        away = self.owner.connection != self.name
        # The note first: without it a journal that already has the new name could not be found under it.
        if away and self._documents.read(f"{self.name}/journal").state == "absent":
            self._write(f"{self.name}/journal", {"home": self.owner.connection}, 0)
        if (journal.known_as or journal.connection) != self.name:
            renamed = journal.model_copy(update={"known_as": self.name if away else ""})
            self.decide(renamed, version, run=run, at=at, what=f"renamed to {self.name}")

    def decide(self, journal: Journal, version: int, *, run: str, at: datetime, what: str) -> int:
        """Write a decision against the journal's version, with a line about it for people; the new version."""
        steps = (*journal.steps, StepTaken(at=at, run=run, what=what))[-STEPS_KEPT:]
        written = journal.model_copy(update={"steps": steps})
        return self._write(self._path("journal"), {TEXT: written.model_dump_json(exclude_defaults=True)}, version)

    # --- generations ---

    def kept(self, number: int) -> Kept:
        """The document of generation `number`. Only its first version counts: what a person writes over it is noticed,
        never used."""
        path = self._path(f"generations/{number}")
        document = self._documents.read(path)
        edited = document.version > 1
        if edited:
            document = self._documents.read(path, version=1)
        if document.state == "present" and document.data.get("state") == "revoked":
            return Kept("destroyed", edited=edited)
        if document.state != "present":
            return Kept(document.state, edited=edited)
        return Kept(
            "present",
            key_id=str(document.data.get("key_id", "")),
            tail=str(document.data.get("tail", "")),
            values=_secrets(document),
            edited=edited,
        )

    def keep(self, number: int, key_id: str, tail: str, secret: Mapping[str, Secret]) -> None:
        """Write the secret of generation `number`, once."""
        values = {name: value.reveal() for name, value in secret.items()}
        data = {**values, "state": "live", "generation": str(number), "key_id": key_id, "tail": tail}
        self._write(self._path(f"generations/{number}"), data, 0)

    def is_written(self, number: int) -> bool:
        """Whether generation `number` has a document: by its name, without reading it."""
        return str(number) in self._documents.list(self._path("generations"))

    def bury(self, number: int) -> None:
        """Write a tombstone where nothing was written yet, so that a late writer fails. No error if something was."""
        try:
            self._write(self._path(f"generations/{number}"), {"state": "revoked", "generation": str(number)}, 0)
        except VaultConflict:
            return

    def destroy(self, number: int) -> None:
        """Destroy the data of generation `number`, every version a person may have written included."""
        path = self._path(f"generations/{number}")
        version = self._documents.read(path).version
        self._documents.destroy(path, range(1, version + 1))

    # --- what a vendor gave in return ---

    def receive(self, number: int, values: Mapping[str, Secret]) -> None:
        """Keep what came in under a number that the journal gave out for it: written once, read by nobody here.

        `VaultConflict` or `VaultDenied` where its link was removed since.
        """
        data = {name: value.reveal() for name, value in values.items()}
        self._write(self._path(f"inbound/{number}"), {**data, "state": "live"}, 0)

    def received(self, number: int) -> Mapping[str, Secret] | None:
        """What came in under this number; None where it was destroyed or never came. As with generations, only the first
        version counts."""
        document = self._documents.read(self._path(f"inbound/{number}"), version=1)
        if document.state != "present" or document.data.get("state") != "live":
            return None
        return _secrets(document)

    def forget_received(self, numbers: Iterable[int]) -> None:
        """Destroy what came in under these numbers. Where nothing came yet, a tombstone lets a late writer fail."""
        for number in numbers:
            path = self._path(f"inbound/{number}")
            document = self._documents.read(path)
            if document.state == "absent":
                with suppress(VaultConflict):
                    self._write(path, {"state": "revoked"}, 0)
                document = self._documents.read(path)
            if document.data.get("state") != "revoked":
                self._documents.destroy(path, range(1, document.version + 1))

    # --- the published copy ---

    def published(self) -> Published:
        """The `credential` document, for people and systems that read Vault by a fixed path."""
        document = self._documents.read(self._path("credential"))
        if document.state != "present":
            return Published(document.version, "absent")
        data = document.data
        return Published(
            version=document.version,
            state="live" if data.get("state") == "live" else "revoked",
            incarnation=_number(data.get("incarnation")),
            generation=_number(data.get("generation")),
            # Not what the writer noted: it may have slept between its clock and its write, and readers read till then.
            at=document.written,
            values=_secrets(document),
            public={name: str(data.get(name, "")) for name in _public_names(document)},
        )

    def publish(
        self,
        version: int,
        incarnation: int,
        number: int,
        key_id: str,
        secret: Mapping[str, Secret],
        public: Mapping[str, str],
        at: datetime,
    ) -> int:
        """Make generation `number` the one people read, against the version read before the journal.

        `public` are fields a reader needs beside the secret (the store's address): no secrets, current as of now.
        """
        values = {name: value.reveal() for name, value in secret.items()}
        data = {
            **values,
            **public,
            "public": " ".join(sorted(public)),
            "state": "live",
            "generation": str(number),
            "incarnation": str(incarnation),
            "key_id": key_id,
            "published_at": at.isoformat(),
        }
        return self._write(self._path("credential"), data, version)

    def withdraw(self, version: int, incarnation: int, at: datetime) -> int:
        """Put a tombstone in place of the published copy."""
        data = {"state": "revoked", "incarnation": str(incarnation), "generation": "0", "published_at": at.isoformat()}
        return self._write(self._path("credential"), data, version)

    def forget_older(self) -> None:
        """Destroy the data of every published version but the latest, which is read now: a version read before a decision
        may be older than the last one that names what was decided about."""
        path = self._path("credential")
        self._documents.destroy(path, range(1, self._documents.read(path).version))

    # --- slots at consumers ---

    def slot(self, digest: str) -> tuple["Slot | None", int]:
        """Who owns a place at a consumer."""
        document = self._documents.read(f"_slots/{digest}")
        if document.state != "present":
            return None, document.version
        return Slot.model_validate({k: v for k, v in document.data.items() if k != "txn"}), document.version

    def take_slot(self, digest: str, slot: "Slot", version: int) -> None:
        """Take a place against the version read before the journal."""
        self._write(f"_slots/{digest}", slot.model_dump(mode="json"), version)

    def other(self, connection: str) -> "Book":
        """The documents of another connection of this stack: to see whether a slot's owner is gone."""
        return Book(self._documents, Owner(self.owner.project, self.owner.stack, connection))


class Slot(_Value):
    """Which link, in which life and incarnation, owns a place at a consumer. Never given back: an owner that is gone
    leaves the slot free."""

    connection: str
    link: str
    incarnation: int
    life: int


def _is_closed(document: Document) -> bool:
    """Whether a journal's document says that its connection has ended; one that cannot be read does not."""
    try:
        return bool(unfolded(document.data).get("phase", "open") == "closed")
    except ValueError:
        return False


def _public_names(document: Document) -> frozenset[str]:
    return frozenset(str(document.data.get("public", "")).split())


def _secrets(document: Document) -> Mapping[str, Secret]:
    plain = _OWN_FIELDS | _public_names(document)
    return {
        name: Secret(value) for name, value in document.data.items() if name not in plain and isinstance(value, str)
    }


def _number(value: object) -> int:
    """A number kept as text; 0 for anything a person made of it."""
    return int(value) if isinstance(value, str) and value.isdecimal() else 0
