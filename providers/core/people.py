"""Decisions that people make: each one check-and-set on the journal, after which the loop does the rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from providers.core import marker
from providers.core.contract import Fields, Finding, Selector, StoreKey
from providers.core.errors import Blocked, Refused, VaultConflict
from providers.core.journal import Generation, Journal, LastProof, RotationRequest
from providers.core.links import UNNOTED, LinkOperation
from providers.core.operation import Operation
from providers.core.redaction import Secret
from providers.core.run import owned
from providers.core.sheet import Sheet

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


def tasks(operation: Operation, declared: Fields) -> tuple[Sheet, ...]:
    """What is a person's to do at the store now, from the journal alone: to delete what is to end, to make what is
    intended; before the first run, what it will ask for. `declared` are the fields that are declared."""
    issuer = operation.issuer
    journal, _ = operation.book.journal()
    by_person = issuer.capabilities.made_by == "person"
    if journal is None:
        return (issuer.sheet("make", declared, 1),) if by_person else ()
    ending = journal.in_state("retiring", "abandoned") if issuer.capabilities.revoked_by == "person" else ()
    intended = [n for n in journal.in_state("intended") if journal.generations[n].made_by == "person"]
    return (
        *(issuer.sheet("make", journal.generations[number].wished, number) for number in intended),
        *(issuer.sheet("delete", journal.generations[number].wished, number) for number in ending),
    )


def capture(operation: Operation, secret: Mapping[str, Secret], key_id: str = "") -> Sequence[Finding]:
    """Put in the key that a person made for the open number, after a live proof; the loop makes it current.

    A value that any generation has had, or that fails its proof, is refused and nothing is changed.
    """
    journal, _ = operation.book.journal()
    number = journal.intended if journal is not None else None
    where = operation.owner.connection
    if journal is None or number is None or journal.generations[number].made_by != "person":
        raise Blocked("no key is awaited from a person", do="Run `pulumi up` first: it says what to make", where=where)
    fingerprint = operation.fingerprint(secret)
    for earlier, generation in journal.generations.items():
        if generation.fingerprint == fingerprint:
            raise Refused(f"this is the key of generation {earlier}", do="Put in the new one", where=where)
    findings = operation.issuer.verify(secret, journal.generations[number].wished)
    wrong = [finding for finding in findings if finding.verdict == "contradicted"]
    if wrong:
        words = "; ".join(f"{finding.check}: {finding.evidence}" for finding in wrong)
        raise Refused(f"the key does not do what is declared: {words}", do="Nothing was changed", where=where)
    try:
        operation.book.keep(number, key_id, operation.issuer.tail(secret), secret)
    except VaultConflict:
        raise Refused(
            f"a key was already put in for number {number}", do="Run `pulumi up` to go on", where=where
        ) from None
    operation.report(f"key number {number} is proved and in Vault")
    return findings


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
        receipt = {**entry.receipt, "confirmed_by": by, "confirmed_at": operation.clock().isoformat()}
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


def receive(operation: Operation | LinkOperation, name: str, values: Mapping[str, Secret]) -> Journal:
    """Keep what a link's vendor gave in return for the generation it was handed; nothing is read that was kept before."""
    where = f"{operation.owner.connection}/{name}"
    journal, _ = operation.book.journal()
    entry = journal.links.get(name) if journal is not None else None
    if entry is None or not entry.connecting:
        raise Blocked("this link was given nothing yet", do="Run `pulumi up` first", where=where)
    for number in range(entry.inbound + 1, entry.inbound + 1 + UNNOTED):
        try:
            operation.book.receive(name, number, values)
        except VaultConflict:
            continue
        break
    else:
        raise Blocked("other values are coming in for it", do="Run again", where=where)

    def change(journal: Journal) -> tuple[Journal, str]:
        present = journal.links.get(name)
        if present is None or present.life != entry.life:
            raise Blocked("this link was removed meanwhile", where=where)
        answered = present.model_copy(update={"inbound": number, "inbound_generation": entry.connecting})
        return journal.with_link(name, answered), f"link {name}: its vendor's values are in Vault"

    return _decide(operation, change)


def forget_link(operation: Operation, name: str, reason: str) -> Journal:
    """Remove a link whose consumer no longer exists, so that it blocks nothing any more."""

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
