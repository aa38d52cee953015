"""The loop of a link: give the current credential to its user, prove it there, say so (protocol.md section 4, "A link").

The places at consumers are slots: a slot is taken by check-and-set after reading who owns it, and never given back; an
owner that is gone leaves it free.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from providers.core.contract import TAKEN_OVER, Clock, Finding, Link
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
from providers.core.handover import Handover, Receipt, openable
from providers.core.journal import Book, Journal, LinkEntry, Slot
from providers.core.marker import Owner
from providers.core.operation import Operation, silent
from providers.core.redaction import Public, Secret
from providers.core.standing import OF_A_CHECK, OF_A_PERSON, owed

TURNS = 50
"""More turns than any link can need while others work on the same journal."""


@dataclass(frozen=True, slots=True)
class LinkOutcome:
    """Where a run left a link: its entry, its proof, and what could not be done or only a person can do, in words. `told` is
    what is left at a consumer that was cleared."""

    entry: LinkEntry | None
    findings: Sequence[Finding] = ()
    problems: tuple[ConnectionsError, ...] = ()
    person: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


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
        looks: bool = True,
        words: Mapping[str, Any] = MappingProxyType({}),
        given: Collection[str] = (),
        make: Callable[[Mapping[str, Any]], Link] | None = None,
    ) -> None:
        """`handover` says how the user outside gets the values; `answers` that its vendor gives values in return; `looks`
        that the consumer can be looked at or cleared at all. `words` are the inputs that make this link, of which a person
        is `given` some; `make` makes the link of such words, to clear what a former declaration connected."""
        self.was = was
        self.handover, self.answers, self.looks = handover, answers, looks
        self.operation, self.name, self.link = operation, name, link
        self.words, self.given, self.make = dict(words), given, make
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
        if self.name not in journal.links and self.was in journal.links:
            journal = self._rename()
        told: tuple[str, ...] = ()
        present = journal.links.get(self.name)
        if present is not None and (present.state == "unlinking" or self._elsewhere(present)):
            cleared = self._another().disconnect()
            if cleared.problems:
                return cleared
            told = cleared.told
            journal = self.journal()
            present = journal.links.get(self.name)
        # A link that is new begins the life after the last one it ever had.
        self.life = present.life if present else 0
        for _ in range(TURNS):
            try:
                outcome = self._connect_once(again)
            except VaultConflict:
                continue
            if outcome is not None:
                return replace(outcome, told=told)
        raise Blocked("other runs kept changing the journal", do="Run again", where=self.where)

    def _another(self) -> "LinkRun":
        """A run of its own on the same link: what it ends is an earlier life."""
        return LinkRun(self.operation, self.name, self.link, handover=self.handover, looks=self.looks, make=self.make)

    def _elsewhere(self, entry: LinkEntry) -> bool:
        """Whether the entry is of a user at another place: it is cleared before this one is connected."""
        return entry.place != self.link.place or entry.words.get("to", self.words.get("to")) != self.words.get("to")

    def _connected_as(self, entry: LinkEntry) -> Link:
        """The link that an entry is of: as it was declared when it was connected."""
        return self.make(entry.words) if self.make is not None and entry.words else self.link

    def _changed(self, entry: LinkEntry) -> bool:
        """Whether what its user was given is declared otherwise now."""
        if not entry.words or self._reads:
            return False
        names = self.given if self.link.acknowledges == "person" else {*entry.words, *self.words} - {"hosts"}
        return any(entry.words.get(name) != self.words.get(name) for name in names)

    def _rename(self) -> Journal:
        """Go on with the entry of the former name: what its user holds is not lost. Other links of the connection may be
        writing at the same time."""
        operation = self.operation
        for _ in range(TURNS):
            journal = self.journal()
            if self.name in journal.links or self.was not in journal.links:
                return journal
            life = journal.lives.get(self.name, 0) + 1
            entry = journal.links[self.was].model_copy(update={"life": life})
            renamed = journal.with_link(self.was, None).with_link(self.name, entry)
            what = f"link {self.was} renamed to {self.name}"
            try:
                self.version = self.book.decide(
                    renamed, self.version, run=operation.run, at=operation.clock(), what=what
                )
            except VaultConflict:
                continue
        raise Blocked("other runs kept changing the journal", do="Run again", where=self.where)

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
        same = entry is not None and entry.reads == self._reads and not self._changed(entry)
        if entry is not None and same and entry.acknowledged == entry.connecting == number and not again:
            if not self._own_slot(entry):
                return None
            checked = self._checked(entry, number)
            if checked is not None:
                return checked
        if entry is None or not same or entry.connecting != number:
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
        return self._give(entry, number, {**self._public(), **kept.values})

    def _public(self) -> Mapping[str, Secret]:
        """What is published beside the secret, such as the store's address."""
        if not self.looks and self.handover is None:
            return {}
        return {name: Public(text) for name, text in self.book.published().public.items()}

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
        handed = self.handover is not None and self.handover.terms is not None
        changed = entry.model_copy(
            update={"connecting": number, "receipt": receipt, "handed": handed, "words": self.words}
        )
        if entry.reads != self._reads or self._changed(entry):
            # Another kind of user has this name now, or it is to get other values: what it said before does not count.
            changed = changed.model_copy(update={"reads": self._reads, "acknowledged": 0})
        if self._changed(entry) and handed:
            # What went out stays known by its accessor until it is void.
            former = " ".join(openable(receipt))
            changed = changed.model_copy(update={"receipt": {"former": former} if former else {}})
        try:
            self.decide(journal, changed, f"connecting to generation {number}")
        except VaultConflict:
            # Not begun: the next look tells whose life it is.
            self.life = self.life if self.name in journal.links else 0
            raise
        return changed

    def _give(self, entry: LinkEntry, number: int, values: Mapping[str, Secret]) -> LinkOutcome | None:
        try:
            lacking = self._contradicted(
                self.link.check(number, values), f"generation {number} does not serve its user"
            )
            if lacking:
                return LinkOutcome(entry, problems=lacking)
            if self.handover is not None:
                entry = self._hand_over(self.handover, entry, number, values)
            self.link.connect(number, values)
            findings = tuple(self.link.verify(number, values))
        except PersonNeeded as needed:
            # What the person needs may have been put into our entry just now.
            return LinkOutcome(self.journal().links.get(self.name), person=(str(needed),))
        except StoreError as problem:
            return LinkOutcome(entry, problems=(problem,))
        problems = self._contradicted(findings, f"the user does not work with generation {number}")
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
        handover.give(self.where, number, values, entry.receipt, note)
        return entry

    def _checked(self, entry: LinkEntry, number: int) -> LinkOutcome | None:
        """An acknowledged link is looked at; None where what its consumer shows is to be put right."""
        if not self.looks:
            return LinkOutcome(entry)
        try:
            findings = self.observed(number)
        except StoreError as problem:
            return LinkOutcome(entry, problems=(problem,))
        return None if contradicted(findings) else LinkOutcome(entry, findings)

    def observed(self, number: int) -> tuple[Finding, ...]:
        """What the consumer shows of this generation; nothing is changed. Nothing where its secret is no more."""
        kept = self.book.kept(number)
        if kept.state != "present":
            return ()
        return tuple(self.link.observe(number, {**self._public(), **kept.values}))

    def _contradicted(self, findings: Sequence[Finding], what: str) -> tuple[ConnectionsError, ...]:
        words = "; ".join(contradicted(findings))
        do = f"If its vendor's values are wrong: `connections receive {self.where}`" if self.answers else ""
        return (Blocked(f"{what}: {words}", do=do, where=self.where),) if words else ()

    # --- slots ---

    @staticmethod
    def _digest(place: str) -> str:
        return hashlib.sha256(place.encode()).hexdigest()[:32]

    def _own_slot(self, entry: LinkEntry) -> bool:
        """Take the place at the consumer; False when our entry changed meanwhile. A place taken by another is refused."""
        place = self.link.place
        if not place:
            return True
        connection = self.operation.owner.connection
        slot, version = self.book.slot(self._digest(place))
        if self.entry(self.journal()) != entry:
            return False
        mine = Slot(connection=connection, link=self.name, incarnation=self.incarnation, life=self.life)
        if slot == mine:
            return True
        if slot is not None and (slot.connection, slot.link) != (connection, self.name) and not self._gone(slot, place):
            raise Refused(
                f"{place} is taken by {slot.connection}/{slot.link}",
                do="Two links cannot fill one place at a consumer",
                where=self.where,
            )
        self.book.take_slot(self._digest(place), mine, version)
        return True

    def _gone(self, slot: Slot, place: str) -> bool:
        """Whether the owner of the slot of a place is gone, or has left for another place, which clears this one first. A
        newer life of the same link is not gone."""
        journal, _ = self.book.other(slot.connection).journal()
        entry = journal.links.get(slot.link) if journal is not None else None
        return entry is None or entry.place != place

    def _owns_slot(self, entry: LinkEntry) -> bool:
        if not entry.place:
            return True
        slot, _ = self.book.slot(self._digest(entry.place))
        if slot is None or slot.connection != self.operation.owner.connection:
            return False
        # Under a name that is no more it was ours too, until a rename that was killed.
        return (slot.link, slot.life) == (self.name, entry.life) or self._gone(slot, entry.place)

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
        told: Sequence[str] = ()
        if self._owns_slot(entry):
            kept = self.book.kept(entry.connecting) if self.looks and entry.connecting else None
            values = {**self._public(), **kept.values} if kept is not None and kept.state == "present" else {}
            try:
                told = self._connected_as(entry).disconnect(values)
                if self.handover is not None:
                    self.handover.end(entry.receipt)
            except StoreError as problem:
                return LinkOutcome(entry, problems=(problem,))
        self.book.forget_received(entry.received)
        journal = self.journal()
        if journal.links.get(self.name) != entry:
            raise VaultConflict("the link changed meanwhile", where=self.where)
        self.decide(journal, None, "unlinked")
        return LinkOutcome(None, told=tuple(told))


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

    def check(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """Whoever reads Vault takes what is there."""
        return ()

    def connect(self, generation: int, secret: Mapping[str, Secret]) -> None:
        """Publishing did it."""

    def verify(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """Nothing to look at."""
        return ()

    def observe(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """Nobody can be asked who reads Vault."""
        return ()

    def disconnect(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """The tombstone of the credential does it."""
        return ()


class PersonReader(VaultReader):
    """`to: person`: a person takes the value over and says so with `connections confirm`."""

    @property
    def acknowledges(self) -> Literal["here", "overlap", "person"]:
        """A person, by `connections confirm`."""
        return "person"
