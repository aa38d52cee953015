"""Decisions that people make: each one check-and-set on the journal, after which the loop does the rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from providers.core import marker
from providers.core.contract import RECOGNISED, Fields, Finding, Selector, StoreKey
from providers.core.errors import Blocked, CouldNotLook, Refused, VaultConflict, VaultDenied
from providers.core.handover import openable, was_sent
from providers.core.journal import Generation, Journal, LastProof, LinkEntry, RotationRequest
from providers.core.links import LinkOperation
from providers.core.operation import Operation
from providers.core.redaction import Secret
from providers.core.run import held_to, owned
from providers.core.sheet import Sheet, Task
from providers.core.standing import OF_A_CHECK

TRIES = 10
"""How often a decision is written again when another run wrote the journal first."""


def _decide(operation: Operation | LinkOperation, change: Callable[[Journal], tuple[Journal, str]]) -> Journal:
    for _ in range(TRIES):
        journal, version = operation.book.journal()
        if journal is None:
            raise Blocked("nothing was ever made for it", do="Run `pulumi up` first", where=operation.owner.connection)
        changed, what = change(journal)
        try:
            operation.book.decide(changed, version, run=operation.run, at=operation.clock(), what=what)
        except VaultConflict:
            continue
        return changed
    raise Blocked("other runs kept changing the journal", do="Run again", where=operation.owner.connection)


def _open(operation: Operation, journal: Journal) -> None:
    if journal.phase != "open":
        raise Blocked(f"the connection is {journal.phase}", do="Declare it first", where=operation.owner.connection)


def request_rotation(operation: Operation, reason: str) -> Journal:
    """Ask for another generation; the next settling makes it."""

    def change(journal: Journal) -> tuple[Journal, str]:
        _open(operation, journal)
        asked = journal.requested.rotation if journal.requested else 0
        number = max(journal.rotation, asked) + 1
        request = RotationRequest(rotation=number, reason=reason, at=operation.clock())
        return journal.model_copy(update={"requested": request}), f"rotation {number} asked for: {reason}"

    return _decide(operation, change)


def compromise(operation: Operation, reason: str) -> Journal:
    """Say that every live key leaked: a new one is issued and they are revoked at once, whoever still holds them."""

    def change(journal: Journal) -> tuple[Journal, str]:
        _open(operation, journal)
        live = journal.in_state("current", "superseded")
        if not live:
            raise Blocked("it has no live key", where=operation.owner.connection)
        for number in live:
            journal = journal.changed(number, compromised=reason)
        return journal, f"generations {', '.join(map(str, live))} are compromised: {reason}"

    return _decide(operation, change)


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that is a person's to do at the store, for one key number."""

    task: Task
    number: int
    sheet: Sheet


def tasks(operation: Operation, declared: Fields | None) -> tuple[Asked, ...]:
    """What is a person's to do at the store now, from the journal and the names of documents alone, oldest first: to
    delete what is to end, to make what is intended; before the first run, what it will ask for.

    `declared` are the fields that are declared; None where the connection is declared no more.
    """
    issuer = operation.issuer
    journal, _ = operation.book.journal()
    if journal is None or journal.phase == "closed":
        if declared is None or issuer.capabilities.made_by != "person":
            return ()
        number = journal.next if journal is not None else 1
        return (Asked("make", number, issuer.sheet("make", declared, number)),)
    asked: list[Asked] = []
    for number, generation in sorted(journal.generations.items()):
        if generation.state in {"retiring", "abandoned"}:
            if issuer.capabilities.revoked_by != "person" or generation.confirmed:
                continue
            asked.append(Asked("delete", number, issuer.sheet("delete", generation.wished, number)))
        elif generation.state == "intended" and generation.made_by == "person" and not is_captured(operation, number):
            sheet = issuer.sheet("make", generation.wished, number)
            if generation.wished != (None if declared is None else dict(declared)):
                sheet = replace(sheet, notes=(_OVERTAKEN, *sheet.notes))
            asked.append(Asked("make", number, sheet))
    return tuple(asked)


def losses(operation: Operation) -> tuple[str, ...]:
    """What vanishes with each key that a person is to delete, in words, as the store tells now. A role that may read no
    secret cannot ask."""
    journal, _ = operation.book.journal()
    if journal is None or operation.issuer.capabilities.revoked_by != "person":
        return ()
    found: list[str] = []
    try:
        for number in journal.in_state("retiring", "abandoned"):
            kept = operation.book.kept(number)
            told = operation.issuer.losses(kept.values) if kept.state == "present" else ()
            found += [f"before key number {number} is deleted: {words}" for words in told]
    except CouldNotLook:
        return tuple(found)
    return tuple(found)


_OVERTAKEN = (
    "Something else is wanted by now: make nothing, and say so to whoever gave you this sheet; "
    "`connections capture --lost` gives this number up."
)


class NotAsDeclared(Refused):
    """A key that a person made is not what was asked for; `findings` say what of it, each contradicted."""

    def __init__(self, findings: Sequence[Finding], *, where: str) -> None:
        self.findings = tuple(findings)
        known = [finding for finding in findings if finding.check == RECOGNISED]
        names = ", ".join(finding.check for finding in findings)
        what = f"the store does not accept the key: {known[0].evidence}" if known else _NOT_DECLARED.format(names)
        super().__init__(what, do="Nothing was changed; make the key again by its sheet", where=where)


_NOT_DECLARED = "the key does not do what is declared: {}"


def awaited_number(operation: Operation) -> int:
    """The number for which a person is asked to make a key; `Blocked` where none is."""
    journal, _ = operation.book.journal()
    number = journal.intended if journal is not None else None
    if journal is None or number is None or journal.generations[number].made_by != "person":
        raise Blocked(
            "no key is awaited from a person",
            do="Run `pulumi up` first: it says what to make",
            where=operation.owner.connection,
        )
    return number


def is_captured(operation: Operation, number: int) -> bool:
    """Whether somebody put in the key of this number, told by the name of its document: nothing secret is read."""
    return operation.book.is_written(number)


def capture(operation: Operation, secret: Mapping[str, Secret], key_id: str = "") -> Sequence[Finding]:
    """Put in the key that a person made for the open number, after a live proof; the loop makes it current.

    A key with a value that any generation has had, or that fails its proof, is refused and nothing is changed. The very
    key that was put in before is no error: there are no findings then.
    """
    number, where = awaited_number(operation), operation.owner.connection
    journal, _ = operation.book.journal()
    generations = journal.generations if journal is not None else {}
    marks, fingerprint = operation.marks(secret), operation.fingerprint(secret)
    for earlier, generation in sorted(generations.items()):
        if generation.fingerprint == fingerprint and earlier == number:
            return ()
        if generation.fingerprint == fingerprint:
            raise Refused(f"this is the key of generation {earlier}", do="Put in the new one", where=where)
        same = [name for name, mark in marks.items() if generation.marks.get(name) == mark]
        if same and earlier != number:
            raise Refused(
                f"its {' and '.join(same)} is that of generation {earlier}", do="Put in the new key whole", where=where
            )
    if is_captured(operation, number):
        raise _put_in_before(number, where)
    pinned = journal.pinned if journal is not None else {}
    findings = held_to(pinned, operation.issuer.verify(secret, generations[number].wished))
    wrong = [finding for finding in findings if finding.verdict == "contradicted"]
    if wrong:
        raise NotAsDeclared(wrong, where=where)
    if not any(finding.check == RECOGNISED and finding.verdict == "confirmed" for finding in findings):
        reasons = "; ".join(f.evidence for f in findings if f.check == RECOGNISED) or "the store said nothing"
        raise CouldNotLook(
            f"the key could not be proved: {reasons}", do="Nothing was changed; try again later", where=where
        )
    try:
        operation.book.keep(number, key_id, operation.issuer.tail(secret), secret)
    except (VaultConflict, VaultDenied):
        # Who may write once and never over is told "denied" where somebody else was first.
        if not is_captured(operation, number):
            raise
        raise _put_in_before(number, where) from None

    def change(journal: Journal) -> tuple[Journal, str]:
        if number not in journal.generations:
            raise Blocked("its number was ended meanwhile", do="Delete the key at the store", where=where)
        known = {"fingerprint": fingerprint, "marks": marks}
        return journal.changed(number, **known), f"key number {number} is proved and in Vault"

    _decide(operation, change)
    operation.report(f"key number {number} is proved and in Vault")
    return findings


def _put_in_before(number: int, where: str) -> Refused:
    return Refused(
        f"a key was already put in for number {number}",
        do="If it was not this one, delete this one at the store: nobody keeps it. Then run `pulumi up`",
        where=where,
    )


def capture_lost(operation: Operation, reason: str) -> Journal:
    """Say that the awaited key was never made, or is lost: its number is given up and the next one asked for."""

    def change(journal: Journal) -> tuple[Journal, str]:
        number = journal.intended
        if number is None or journal.generations[number].made_by != "person":
            raise Blocked("no key is awaited from a person", where=operation.owner.connection)
        return journal.changed(number, confirmed=reason), f"key number {number} will not come: {reason}"

    return _decide(operation, change)


def confirm_deleted(operation: Operation, number: int, reason: str) -> Journal:
    """A person's word that the key of this number is gone from its store."""

    def change(journal: Journal) -> tuple[Journal, str]:
        generation = journal.generations.get(number)
        if generation is None or generation.state not in {"retiring", "abandoned"}:
            raise Blocked(f"number {number} does not wait for its end", where=operation.owner.connection)
        return journal.changed(number, confirmed=reason), f"key number {number} was deleted by a person: {reason}"

    return _decide(operation, change)


def confirm_link(operation: Operation, name: str, by: str, number: int | None = None) -> Journal:
    """A person's word that this user works with the generation it was given. `number` is the one the person means: where
    another was given meanwhile, nothing is confirmed."""

    def change(journal: Journal) -> tuple[Journal, str]:
        entry = journal.links.get(name)
        if entry is None or not entry.connecting:
            raise Blocked(
                "this link was given nothing yet", do="Run `pulumi up` first", where=operation.owner.connection
            )
        if number not in {None, entry.connecting}:
            raise Blocked(
                f"this link is to take over generation {entry.connecting} by now",
                do="Take that one over, then confirm it",
                where=operation.owner.connection,
            )
        if entry.handed and not was_sent(entry.receipt, entry.connecting):
            raise Blocked(
                f"generation {entry.connecting} was not handed over yet",
                do="Run `pulumi up`, and `connections handover` where it says so",
                where=f"{operation.owner.connection}/{name}",
            )
        # A person's word takes the place of what was seen here, and the other way round: they are told apart.
        receipt = {word: text for word, text in entry.receipt.items() if word not in OF_A_CHECK}
        receipt |= {"confirmed_by": by, "confirmed_at": operation.clock().isoformat()}
        done = entry.model_copy(
            update={"acknowledged": entry.connecting, "holds": entry.connecting, "receipt": receipt}
        )
        return journal.with_link(name, done), f"link {name}: generation {entry.connecting} confirmed by {by}"

    return _decide(operation, change)


def note_proof(operation: Operation, number: int, fields: Fields, findings: Sequence[Finding]) -> None:
    """Keep a proof made for its own sake, where proofs are kept at all and it contradicts nothing."""
    proof = LastProof.of(findings, fields, operation.clock())
    if proof is None:
        return

    def change(journal: Journal) -> tuple[Journal, str]:
        if journal.current != number:
            raise Blocked(f"generation {number} is no longer the current one", where=operation.owner.connection)
        return journal.changed(number, proof=proof), f"generation {number} is proved again"

    _decide(operation, change)


def _given(operation: Operation | LinkOperation, journal: Journal | None, name: str) -> LinkEntry:
    """The entry of a link that was given something; `Blocked` where it was not."""
    entry = journal.links.get(name) if journal is not None else None
    if entry is None or not entry.connecting or entry.state == "unlinking":
        where = f"{operation.owner.connection}/{name}"
        raise Blocked("this link was given nothing yet", do="Run `pulumi up` first", where=where)
    return entry


def check_receivable(operation: Operation | LinkOperation, name: str) -> None:
    """That a link was given something to answer, before a person is asked for the answer."""
    _given(operation, operation.book.journal()[0], name)


def receive(
    operation: Operation | LinkOperation, name: str, values: Mapping[str, Secret], generation: int | None = None
) -> Journal:
    """Keep what a link's vendor gave in return, for this generation where that is known; nothing is read that was kept
    before.

    The number is decided before anything is written under it, so that what a killed command left is found and destroyed
    with its link. Whether it answers a generation can only be told while the vendor had no other: after a rotation the
    values of the former one would look the same, and a person says that the new one is in use.
    """
    where = f"{operation.owner.connection}/{name}"

    def reserve(journal: Journal) -> tuple[Journal, str]:
        entry = _given(operation, journal, name)
        number = journal.inbounds + 1
        reserved = entry.model_copy(update={"received": (*entry.received, number)})
        changed = journal.with_link(name, reserved).model_copy(update={"inbounds": number})
        return changed, f"link {name}: values of its vendor are coming in as number {number}"

    reserved = _decide(operation, reserve)
    number, entry = reserved.inbounds, reserved.links[name]
    answers = generation or (entry.connecting if entry.holds == entry.connecting else 0)
    removed = Blocked("this link was removed meanwhile", do="See `connections status`", where=where)
    try:
        operation.book.receive(number, values)
    except VaultConflict:
        raise removed from None

    def note(journal: Journal) -> tuple[Journal, str]:
        present = journal.links.get(name)
        if present is None or number not in present.received:
            raise removed
        # What was put in last counts, whichever command is faster.
        newest = {"inbound": number, "inbound_generation": answers} if number > present.inbound else {}
        answered = present.model_copy(update=newest)
        return journal.with_link(name, answered), f"link {name}: its vendor's values are in Vault"

    return _decide(operation, note)


def note_of_link(operation: Operation | LinkOperation, name: str, notes: Mapping[str, str]) -> None:
    """Add to what a link noted about its consumer; an empty text takes one out. Nothing is written where it stands so."""
    journal, _ = operation.book.journal()
    if _noted(_given(operation, journal, name), notes) is None:
        return

    def change(journal: Journal) -> tuple[Journal, str]:
        entry = _given(operation, journal, name)
        return journal.with_link(name, _noted(entry, notes) or entry), f"link {name}: noted {', '.join(sorted(notes))}"

    _decide(operation, change)


def _noted(entry: LinkEntry, notes: Mapping[str, str]) -> LinkEntry | None:
    """The entry with other notes; None where they are the same."""
    changed = {name: text for name, text in {**entry.notes, **notes}.items() if text}
    return None if changed == entry.notes else entry.model_copy(update={"notes": changed})


def forget_link(
    operation: Operation, name: str, reason: str, void: Callable[[str], None] = lambda accessor: None
) -> Journal:
    """Remove a link whose consumer no longer exists, so that it blocks nothing any more. `void` ends by its accessor what
    can still be opened of a hand-over; what came in return ends with the connection."""
    known, _ = operation.book.journal()
    entry = known.links.get(name) if known is not None else None
    for accessor in openable(entry.receipt) if entry is not None else ():
        void(accessor)

    def change(journal: Journal) -> tuple[Journal, str]:
        if name not in journal.links:
            raise Blocked(f"it has no link {name}", where=operation.owner.connection)
        return journal.with_link(name, None), f"link {name} forgotten: {reason}"

    return _decide(operation, change)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A key with our marker that Vault does not know."""

    number: int
    key: StoreKey


def unknown_keys(operation: Operation) -> tuple[Unknown, ...]:
    """The keys that make a connection `vault_rolled_back`: what the store has and the journal does not."""
    journal, _ = operation.book.journal()
    keys, _ = owned(operation, journal, operation.issuer.find(Selector(operation.owner.prefix)))
    known = _known(journal)
    return tuple(Unknown(number, key) for number in sorted(keys) if number not in known for key in keys[number])


def _known(journal: Journal | None) -> frozenset[int]:
    """Numbers whose fate the journal knows."""
    if journal is None:
        return frozenset()
    return frozenset(range(1, journal.next)) - set(journal.in_state("intended"))


def recover(operation: Operation, numbers: Sequence[int], reason: str) -> Journal:
    """After a person's yes: go on above the highest number seen, issue afresh, and retire the unknown keys by name."""
    owner = operation.owner
    journal, version = operation.book.journal()
    if journal is None:
        journal = Journal(
            project=owner.project,
            stack=owner.stack,
            connection=owner.connection,
            store=operation.store,
            platform=operation.platform,
        )
    at = operation.clock()
    for number in numbers:
        former = journal.generations.get(number, Generation(state="intended"))
        times = {**former.times, "retiring": at}
        found = former.model_copy(update={"state": "retiring", "confirmed": reason, "note": reason, "times": times})
        journal = journal.model_copy(update={"generations": {**journal.generations, number: found}})
    asked = RotationRequest(rotation=journal.rotation + 1, reason=reason, at=at)
    recovered = journal.model_copy(
        update={"next": max([journal.next, *(number + 1 for number in numbers)]), "requested": asked}
    )
    what = f"recovered: {', '.join(map(str, numbers))} are to be revoked: {reason}"
    operation.book.decide(recovered, version, run=operation.run, at=at, what=what)
    return recovered


def recovered_text(operation: Operation, unknown: Sequence[Unknown]) -> Sequence[str]:
    """What a person is shown before the yes: the keys of the store that Vault forgot, one line each."""
    return tuple(
        f"number {found.number}: key {found.key.key_id}, ends in {found.key.tail}, {marker.strip(found.key.label)}"
        for found in unknown
    )
