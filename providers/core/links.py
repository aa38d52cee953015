"""The loop of a link: give the current credential to its user, prove it there, say so (protocol.md section 4, "A link").

The places at consumers are slots: a slot is taken by check-and-set after reading who owns it, and never given back; an
owner that is gone leaves it free.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from providers.core.contract import TAKEN_OVER, Clock, Finding, Held, Link
from providers.core.errors import (
    Blocked,
    ConnectionsError,
    CouldNotLook,
    PersonNeeded,
    Refused,
    StoreError,
    Superseded,
    VaultConflict,
)
from providers.core.handover import Handover, Receipt
from providers.core.journal import Book, Journal, LinkEntry, Slot
from providers.core.marker import Owner
from providers.core.operation import Operation, silent
from providers.core.redaction import Secret
from providers.core.standing import OF_A_CHECK, OF_A_PERSON, owed

TURNS = 50
"""More turns than any link can need while others work on the same journal."""


@dataclass(frozen=True, slots=True)
class LinkOutcome:
    """Where a run left a link: its entry, its proof, and what could not be done or only a person can do, in words."""

    entry: LinkEntry | None
    findings: Sequence[Finding] = ()
    problems: tuple[ConnectionsError, ...] = ()
    person: tuple[str, ...] = ()


@dataclass(frozen=True)
class LinkOperation:
    """What a link's run needs: it works on the journal and at the consumer, never at the store."""

    book: Book
    clock: Clock
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    report: Callable[[str], None] = silent

    @property
    def owner(self) -> Owner:
        """Whose credential it is."""
        return self.book.owner


class LinkRun:
    """One run on one link. It belongs to the incarnation and to the life of the link in which it began."""

    def __init__(
        self,
        operation: LinkOperation | Operation,
        name: str,
        link: Link,
        *,
        was: str = "",
        handover: Handover | None = None,
        answers: bool = False,
    ) -> None:
        """`handover` says how the user outside gets the values; `answers` that its vendor gives values in return."""
        self.was = was
        self.handover, self.answers = handover, answers
        self.operation, self.name, self.link = operation, name, link
        self.book = operation.book
        self.where = f"{operation.owner.connection}/{name}"
        self.version = 0
        self.incarnation = 0
        self.life = 0

    # --- look and decide ---

    def journal(self) -> Journal:
        """The journal, while our incarnation lasts."""
        journal, self.version = self.book.journal()
        if journal is None:
            raise Blocked(
                "there is no credential to link yet", do="Run `pulumi up` for its connection", where=self.where
            )
        if self.incarnation and journal.incarnation != self.incarnation:
            raise Superseded("another run closed this connection meanwhile", where=self.where)
        return journal

    def entry(self, journal: Journal) -> LinkEntry | None:
        """Our entry, while our life lasts."""
        entry = journal.links.get(self.name)
        later = journal.lives.get(self.name, 0) > self.life
        if later or (entry is None and self.life and journal.lives.get(self.name) == self.life):
            raise Superseded("another run removed this link meanwhile", where=self.where)
        return entry

    def decide(self, journal: Journal, entry: LinkEntry | None, what: str) -> None:
        """Write our entry against the version that was looked at."""
        operation = self.operation
        changed = journal.with_link(self.name, entry)
        line = f"link {self.name}: {what}"
        self.version = self.book.decide(changed, self.version, run=operation.run, at=operation.clock(), what=line)
        operation.report(line)

    # --- connect ---

    def connect(self, *, again: bool = False) -> LinkOutcome:
        """Bring the user to the current generation; `again` gives it once more even where the journal says it has it."""
        journal = self.journal()
        self.incarnation = journal.incarnation
        if self.name in journal.links and journal.links[self.name].state == "unlinking":
            LinkRun(self.operation, self.name, self.link, handover=self.handover, answers=self.answers).disconnect()
            journal = self.journal()
        if self.name not in journal.links and self.was in journal.links:
            journal = self._rename(journal)
        present = journal.links.get(self.name)
        # A link that is new begins the life after the last one it ever had.
        self.life = present.life if present else 0
        for _ in range(TURNS):
            try:
                outcome = self._connect_once(again)
            except VaultConflict:
                continue
            if outcome is not None:
                return outcome
        raise Blocked("other runs kept changing the journal", do="Run again", where=self.where)

    def _rename(self, journal: Journal) -> Journal:
        """Go on with the entry of the former name: what its user holds is not lost."""
        operation = self.operation
        life = journal.lives.get(self.name, 0) + 1
        entry = journal.links[self.was].model_copy(update={"life": life})
        renamed = journal.with_link(self.was, None).with_link(self.name, entry)
        what = f"link {self.was} renamed to {self.name}"
        try:
            self.book.decide(renamed, self.version, run=operation.run, at=operation.clock(), what=what)
        except VaultConflict:
            raise Blocked("another run changed the journal", do="Run again", where=self.where) from None
        return self.journal()

    def _connect_once(self, again: bool) -> LinkOutcome | None:
        journal = self.journal()
        number = journal.current
        if journal.phase != "open" or number is None:
            return LinkOutcome(
                journal.links.get(self.name),
                problems=(Blocked("its connection has no current credential", do="Run `pulumi up`", where=self.where),),
            )
        entry = self.entry(journal) if self.life else journal.links.get(self.name)
        if entry is not None and not self.life:
            # Another run began this life beside us: it is the same link, and ours too.
            self.life = entry.life
        if entry is not None and entry.state == "unlinking":
            raise Superseded("another run is removing this link", where=self.where)
        same_user = entry is not None and entry.reads == self._reads
        if entry is not None and same_user and entry.acknowledged == entry.connecting == number and not again:
            return self._checked(entry, number)
        if entry is None or not same_user or entry.connecting != number:
            entry = self._intend(journal, entry, number)
        if not self._own_slot(entry):
            return None
        if self.entry(self.journal()) != entry:
            return None
        kept = self.book.kept(number)
        if kept.state != "present":
            return LinkOutcome(
                entry, problems=(Blocked("its secret in Vault is lost", do="Run again", where=self.where),)
            )
        return self._give(entry, number, kept.values)

    @property
    def _reads(self) -> bool:
        """Whether the user reads Vault itself: publishing moves it."""
        return self.link.acknowledges == "overlap"

    def _intend(self, journal: Journal, entry: LinkEntry | None, number: int) -> LinkEntry:
        """Say in the journal what the user may be given, before it is given."""
        if entry is None:
            self.life = journal.lives.get(self.name, 0) + 1
            entry = LinkEntry(life=self.life, place=self.link.place, holds=number, reads=self._reads)
        # By whom the former one was acknowledged says nothing about this one.
        receipt = {name: text for name, text in entry.receipt.items() if name not in {*OF_A_PERSON, *OF_A_CHECK}}
        changed = entry.model_copy(update={"connecting": number})
        handed = self.handover is not None and self.handover.terms is not None
        changed = changed.model_copy(update={"receipt": receipt, "handed": handed})
        if entry.reads != self._reads:
            # Another kind of user has this name now: what the former one said does not count for it.
            changed = changed.model_copy(update={"reads": self._reads, "acknowledged": 0})
        try:
            self.decide(journal, changed, f"connecting to generation {number}")
        except VaultConflict:
            # Not begun: the next look tells whose life it is.
            self.life = self.life if self.name in journal.links else 0
            raise
        return changed

    def _give(self, entry: LinkEntry, number: int, values: Mapping[str, Secret]) -> LinkOutcome | None:
        try:
            if self.handover is not None:
                entry = self._hand_over(self.handover, entry, number, values)
            self.link.connect(number, values)
            findings = tuple(self.link.verify(number, values))
        except PersonNeeded as needed:
            return LinkOutcome(entry, person=(str(needed),))
        except StoreError as problem:
            return LinkOutcome(entry, problems=(problem,))
        problems = self._contradicted(findings, number)
        if problems:
            return LinkOutcome(entry, findings, problems)
        taken_over = any(finding.check == TAKEN_OVER and finding.verdict == "confirmed" for finding in findings)
        if self.link.acknowledges == "person" and not taken_over:
            seen = [f"{finding.check}: {finding.evidence}" for finding in findings if finding.verdict == "unverifiable"]
            words = f"{self.where}: {'; '.join([owed(self.where, entry, self.answers), *seen])}"
            # Given once more, it is still acknowledged.
            return LinkOutcome(entry, findings, person=() if entry.acknowledged == number else (words,))
        journal = self.journal()
        if self.entry(journal) != entry:
            return None
        done = entry.model_copy(update={"acknowledged": number, "holds": number})
        if taken_over:
            # A person's word and what was seen here are told apart.
            at = self.operation.clock().isoformat()
            receipt = {name: text for name, text in entry.receipt.items() if name not in OF_A_PERSON}
            done = done.model_copy(update={"receipt": {**receipt, "verified_at": at}})
        self.decide(journal, done, f"acknowledged generation {number}{' by its own check' if taken_over else ''}")
        return LinkOutcome(done, findings)

    def _hand_over(self, handover: Handover, entry: LinkEntry, number: int, values: Mapping[str, Secret]) -> LinkEntry:
        """Send the values, unless that was done; our entry with its receipt."""

        def note(receipt: Receipt, what: str) -> None:
            nonlocal entry
            while True:
                journal = self.journal()
                present = self.entry(journal)
                if present is None or _given(present) != _given(entry):
                    raise VaultConflict("the link changed meanwhile", where=self.where)
                # Given once more, it stays acknowledged, and by whom.
                kept = {name: present.receipt[name] for name in (*OF_A_PERSON, *OF_A_CHECK) if name in present.receipt}
                changed = present.model_copy(update={"receipt": {**kept, **receipt}})
                try:
                    self.decide(journal, changed, what)
                except VaultConflict:
                    # Another link's, or what came in: what was sent must be noted all the same.
                    continue
                entry = changed
                return

        published = self.book.published()
        if published.state != "live" or published.generation != number:
            # What goes along (the store's address) stands there.
            raise CouldNotLook(f"generation {number} is not published yet", do="Run `pulumi up`", where=self.where)
        public = {name: Secret(text) for name, text in published.public.items()}
        handover.give(self.where, number, {**public, **values}, entry.receipt, note)
        return entry

    def _checked(self, entry: LinkEntry, number: int) -> LinkOutcome:
        """An acknowledged link: what its vendor gave in return is tried again, nothing is given."""
        if not (self.answers and entry.inbound):
            return LinkOutcome(entry)
        try:
            findings = tuple(self.link.verify(number, {}))
        except StoreError as problem:
            return LinkOutcome(entry, problems=(problem,))
        return LinkOutcome(entry, findings, self._contradicted(findings, number))

    def _contradicted(self, findings: Sequence[Finding], number: int) -> tuple[ConnectionsError, ...]:
        words = "; ".join(contradicted(findings))
        do = f"If its vendor's values are wrong: `connections receive {self.where}`" if self.answers else ""
        what = f"the user does not work with generation {number}: {words}"
        return (Blocked(what, do=do, where=self.where),) if words else ()

    # --- slots ---

    def _digest(self) -> str:
        return hashlib.sha256(self.link.place.encode()).hexdigest()[:32]

    def _own_slot(self, entry: LinkEntry) -> bool:
        """Take the place at the consumer; False when our entry changed meanwhile. A place taken by another is refused."""
        if not self.link.place:
            return True
        connection = self.operation.owner.connection
        slot, version = self.book.slot(self._digest())
        if self.entry(self.journal()) != entry:
            return False
        mine = Slot(connection=connection, link=self.name, incarnation=self.incarnation, life=self.life)
        if slot == mine:
            return True
        if slot is not None and (slot.connection, slot.link) != (connection, self.name) and not self._gone(slot):
            raise Refused(
                f"{self.link.place} is taken by {slot.connection}/{slot.link}",
                do="Two links cannot fill one place at a consumer",
                where=self.where,
            )
        self.book.take_slot(self._digest(), mine, version)
        return True

    def _gone(self, slot: Slot) -> bool:
        """Whether the owner of a slot is gone. A newer life of the same link is not gone."""
        journal, _ = self.book.other(slot.connection).journal()
        return journal is None or slot.link not in journal.links

    def _owns_slot(self, entry: LinkEntry) -> bool:
        if not self.link.place:
            return True
        slot, _ = self.book.slot(self._digest())
        mine = (self.operation.owner.connection, self.name, entry.life)
        return slot is not None and (slot.connection, slot.link, slot.life) == mine

    # --- disconnect ---

    def disconnect(self) -> LinkOutcome:
        """Clear the user and remove the link from the journal. Safe to repeat; nothing to do is no error."""
        journal, self.version = self.book.journal()
        entry = journal.links.get(self.name) if journal is not None else None
        if journal is None or entry is None:
            return LinkOutcome(None)
        self.incarnation, self.life = journal.incarnation, entry.life
        for _ in range(TURNS):
            try:
                return self._disconnect_once()
            except VaultConflict:
                continue
        raise Blocked("other runs kept changing the journal", do="Run again", where=self.where)

    def _disconnect_once(self) -> LinkOutcome:
        journal = self.journal()
        entry = journal.links.get(self.name)
        if entry is None or entry.life != self.life:
            return LinkOutcome(None)
        if entry.state != "unlinking":
            entry = entry.model_copy(update={"state": "unlinking"})
            self.decide(journal, entry, "to be unlinked")
        if self._owns_slot(entry):
            try:
                self.link.disconnect()
                if self.handover is not None:
                    self.handover.end(entry.receipt)
            except StoreError as problem:
                return LinkOutcome(entry, problems=(problem,))
        self.book.forget_received(entry.received)
        journal = self.journal()
        if journal.links.get(self.name) != entry:
            raise VaultConflict("the link changed meanwhile", where=self.where)
        self.decide(journal, None, "unlinked")
        return LinkOutcome(None)


def contradicted(findings: Sequence[Finding]) -> tuple[str, ...]:
    """What findings contradict, in words."""
    return tuple(f"{finding.check}: {finding.evidence}" for finding in findings if finding.verdict == "contradicted")


def _given(entry: LinkEntry) -> tuple[object, ...]:
    """What of an entry a hand-over builds on."""
    return entry.state, entry.connecting, entry.receipt


class VaultReader:
    """`to: vault`: a system that reads the `credential` document itself. It is moved by publishing; the time of the
    overlap says when it has surely read the new value."""

    @property
    def place(self) -> str:
        """No place at a consumer: any number of systems may read."""
        return ""

    @property
    def acknowledges(self) -> Literal["here", "overlap", "person"]:
        """The passing of time."""
        return "overlap"

    def read(self) -> Held:
        """Nobody can be asked who reads Vault."""
        return Held(None)

    def connect(self, generation: int, secret: Mapping[str, Secret]) -> None:
        """Publishing did it."""

    def disconnect(self) -> None:
        """The tombstone of the credential does it."""

    def verify(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """Nothing to look at."""
        return ()


class PersonReader(VaultReader):
    """`to: person`: a person takes the value over and says so with `connections confirm`."""

    @property
    def acknowledges(self) -> Literal["here", "overlap", "person"]:
        """A person, by `connections confirm`."""
        return "person"
