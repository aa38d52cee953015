"""Look at all facts, do the first thing that is due, look again, until nothing is due (protocol.md sections 3 to 6).

One loop for credentials. Nobody needs to be alive, alone or in time: every act follows an earlier decision in the journal,
and doing it twice does no harm.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from providers.core import marker
from providers.core.contract import (
    RECOGNISED,
    Clock,
    Documents,
    Finding,
    Issued,
    Issuer,
    Keyring,
    Order,
    Selector,
    StoreKey,
)
from providers.core.due import Act, Facts, Step, Wish, current_key, differing, due, missing_or_dead, rotation_wished, waits
from providers.core.errors import (
    AddressRefused,
    Blocked,
    ConnectionsError,
    CouldNotLook,
    PersonNeeded,
    Refused,
    Rejected,
    StoreError,
    Superseded,
    Unreachable,
    VaultConflict,
    VaultRolledBack,
)
from providers.core.journal import Book, Generation, Journal, Kept, Lease, Published
from providers.core.redaction import Secret

LEASE_SECONDS = 10.0
"""How long another run that is making a key is waited for, out of courtesy."""

TURNS = 200
"""More turns of the loop than any run can need: a fault of ours, not of the world."""

PROOF_TRIES = 3
"""How often a proof of death is looked for in one run, since listings may lag behind writes."""

REVOKED_KEPT = 30
"""How many dead generations a journal remembers one by one; older numbers below `next` count as revoked."""

_NOT_SENT = (Rejected, Unreachable, AddressRefused)
"""Failures of a request to make a key after which no key can appear."""


def _now() -> datetime:
    return datetime.now(UTC)


def _silent(_: str) -> None:
    return


@dataclass(frozen=True)
class Operation:
    """What one run needs to work on one connection.

    `store` is the store's identity as it is declared; `run` names this run in the journal; `report` gets one line per
    act, for people; `wait` sleeps; `lease` is in seconds, 0 ignores leases; `entry` reads an adopted value.
    """

    book: Book
    keyring: Keyring
    issuer: Issuer
    store: str
    platform: str = ""
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    clock: Clock = _now
    wait: Callable[[float], None] = time.sleep
    report: Callable[[str], None] = _silent
    lease: float = LEASE_SECONDS
    entry: Callable[[str], Mapping[str, Secret] | None] = lambda _: None

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
        text = marker.fingerprint_text(self.owner, {name: value.reveal() for name, value in secret.items()})
        return self.keyring.mac("fingerprint", [text])[0]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a run left a connection. `problems` say what could not be done, `waiting` what time or a link still owes,
    `person` what only a person can do; all in words."""

    journal: Journal | None
    findings: Sequence[Finding] = ()
    problems: tuple[ConnectionsError, ...] = ()
    waiting: tuple[str, ...] = ()
    person: tuple[str, ...] = ()

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


class Run:
    """One operation's way through the loop: what it has looked at, tried, and joined."""

    def __init__(self, operation: Operation, wish: Wish | None) -> None:
        self.operation = operation
        self.wish = wish
        self.book = operation.book
        self.issuer = operation.issuer
        self.tried: dict[tuple[Act, int], str] = {}
        self.problems: dict[tuple[Act, int], ConnectionsError] = {}
        self.never_sent: set[int] = set()
        self.journal: Journal | None = None
        self.version = -1
        self._listing: Sequence[StoreKey] | None = None
        self._proofs: dict[int, tuple[Mapping[str, object], Sequence[Finding]]] = {}
        self._incarnation = 0
        self.fresh = True

    # --- look ----------------------------------------------------------------------------------------------------------

    def look(self) -> Facts:
        """All facts, read in the order of protocol.md section 3: first what may be written, then what justifies it."""
        published = self.book.published()
        self._read_journal()
        journal = self.journal
        keys, unmarked = self._keys(journal)
        kept: dict[int, Kept] = {}
        garbled = False
        if journal is not None and journal.phase == "open":
            for number in journal.in_state("intended", "current"):
                kept[number] = self.book.kept(number)
            if journal.current is not None and kept[journal.current].state == "present":
                held, wanted = kept[journal.current], journal.generations[journal.current].fingerprint
                garbled = self.operation.fingerprint(held.values) != wanted
        facts = Facts(
            journal=journal,
            published=published,
            keys=keys,
            capabilities=self.issuer.capabilities,
            now=self.operation.clock(),
            unmarked=unmarked,
            kept=kept,
            garbled=garbled,
            proof=self._known_proof(journal),
            public=self.issuer.public(),
            lease=self._foreign_lease(journal),
        )
        _refuse_rolled_back(facts, self.book.owner.connection)
        return facts

    def _read_journal(self) -> None:
        journal, version = self.book.journal()
        if version != self.version:
            # Somebody else decided something: what the store showed before that may be too old to act on.
            self._listing = None
            self._proofs.clear()
        self.journal, self.version = journal, version

    def _known_proof(self, journal: Journal | None) -> Sequence[Finding]:
        if journal is None or journal.current is None:
            return ()
        return self._proofs.get(journal.current, ({}, ()))[1]

    def _foreign_lease(self, journal: Journal | None) -> str:
        lease = journal.lease if journal is not None else None
        if lease is None or lease.run == self.operation.run:
            return ""
        fresh = self.operation.clock() < lease.since + timedelta(seconds=self.operation.lease)
        return lease.run if fresh else ""

    def _keys(self, journal: Journal | None) -> tuple[Mapping[int, tuple[StoreKey, ...]] | None, frozenset[str]]:
        if not self.issuer.capabilities.lists:
            return None, frozenset()
        if self._listing is None:
            self._listing = self.issuer.find(self._selector(journal), fresh=self.fresh)
        keys, unmarked = owned(self.operation, journal, self._listing)
        if _unknown_numbers(journal, keys):
            # A run beside us may have given this number out between the two reads.
            self._read_journal_again()
            keys, unmarked = owned(self.operation, self.journal, self._listing or ())
            if _unknown_numbers(self.journal, keys):
                raise _rolled_back(self.book.owner.connection, _unknown_numbers(self.journal, keys))
        return keys, unmarked

    def _read_journal_again(self) -> None:
        self.journal, self.version = self.book.journal()

    def _selector(self, journal: Journal | None) -> Selector:
        recorded = journal.generations.values() if journal is not None else ()
        ids = frozenset(generation.key_id for generation in recorded if generation.key_id)
        return Selector(self.book.owner.prefix, ids)

    def forget_listing(self) -> None:
        """Look at the store again: something of ours was sent to it."""
        self._listing = None

    def prove(self, number: int, values: Mapping[str, Secret], fields: Mapping[str, object]) -> Sequence[Finding]:
        """Live proof of a generation, made once per run unless something changed."""
        known = self._proofs.get(number)
        if known is None or known[0] != fields:
            self._proofs[number] = (dict(fields), self.issuer.verify(values, fields))
        return self._proofs[number][1]

    def forget_proof(self, number: int) -> None:
        """Prove again: the key was changed at the store."""
        self._proofs.pop(number, None)

    # --- decide --------------------------------------------------------------------------------------------------------

    def decide(self, journal: Journal, what: str) -> Journal:
        """Write a decision against the version that was looked at; raises `VaultConflict` when it is no longer that."""
        at = self.operation.clock()
        self.version = self.book.decide(journal, self.version, run=self.operation.run, at=at, what=what)
        self.journal = journal
        self.operation.report(what)
        return journal

    # --- the loop ------------------------------------------------------------------------------------------------------

    def join(self) -> None:
        """Take part in one incarnation: the open one, or, for a wish, the one that follows a closed one."""
        self._read_journal()
        journal = self.journal
        if journal is None:
            self._incarnation = 1
        elif journal.phase == "open" or self.wish is None:
            self._incarnation = journal.incarnation
        else:
            self._incarnation = journal.incarnation + 1
        if journal is not None and journal.store != self.operation.store:
            self._follow(journal)

    def _follow(self, journal: Journal) -> None:
        """Another address is declared: our current key must be found there, by id and tail, or nothing is done."""
        if journal.phase == "closed":
            self.decide(journal.model_copy(update={"store": self.operation.store}), "another store address")
            return
        number = journal.current
        keys = self.issuer.find(self._selector(journal)) if self.issuer.capabilities.lists else ()
        if number is not None:
            generation = journal.generations[number]
            if any(key.key_id == generation.key_id and key.tail == generation.tail for key in keys):
                self.decide(journal.model_copy(update={"store": self.operation.store}), "the store has moved")
                return
        raise Refused(
            f"{self.operation.store} does not have our key of {journal.store}",
            do="Declare the new store in a file of its own, or put the address back",
            where=self.operation.owner.connection,
        )

    def still_joined(self, journal: Journal | None) -> None:
        """Stop where our incarnation has ended, or a later one is open that we did not join."""
        if journal is None:
            return
        mine = self._incarnation
        ended = journal.incarnation > mine
        if self.wish is not None:
            ended = ended or (journal.incarnation == mine and journal.phase != "open")
        if ended:
            raise Superseded(
                "another run closed this connection meanwhile",
                do="Run again if it is still wanted",
                where=self.operation.owner.connection,
            )

    def settle(self) -> Outcome:
        """Do what is due until nothing is."""
        self.join()
        for _ in range(TURNS):
            facts = self.look()
            self.still_joined(facts.journal)
            step = due(facts, self.wish, self.tried)
            if step is None and self._prove_current(facts):
                continue
            if step is None:
                return self._outcome(facts)
            self._try(step, facts)
        raise AssertionError(f"{self.operation.owner.connection}: the loop does not come to rest")

    def _try(self, step: Step, facts: Facts) -> None:
        try:
            ACTS[step.act](self, step, facts)
        except VaultConflict:
            return
        except (StoreError, Blocked, PersonNeeded) as problem:
            self.tried[step.key] = str(problem)
            self.problems[step.key] = problem
            self.forget_listing()

    def _prove_current(self, facts: Facts) -> bool:
        """Prove the current generation once nothing else is due; whether that brought a new fact."""
        journal = facts.journal
        if self.wish is None or journal is None or journal.current is None:
            return False
        number = journal.current
        kept = facts.kept[number]
        if facts.proof or kept.state != "present" or (Act.VERIFY, number) in self.tried:
            return False
        try:
            self.prove(number, kept.values, self.wish.fields)
        except StoreError as problem:
            self.tried[(Act.VERIFY, number)] = str(problem)
            self.problems[(Act.VERIFY, number)] = problem
        return True

    def _outcome(self, facts: Facts) -> Outcome:
        journal = facts.journal
        problems = list(self.problems.values())
        contradicted = [finding for finding in facts.proof if finding.verdict == "contradicted"]
        if contradicted and self.wish is not None:
            words = "; ".join(f"{finding.check}: {finding.evidence}" for finding in contradicted)
            problems.append(Blocked(f"the key does not do what is declared: {words}", where=self.operation.owner.connection))
        return Outcome(
            journal,
            facts.proof,
            tuple(problems),
            waiting=waiting(facts, self.wish),
            person=awaited(facts, self.wish),
        )


def waiting(facts: Facts, wish: Wish | None) -> tuple[str, ...]:
    """What time or a link still owes, in words."""
    journal = facts.journal
    if journal is None:
        return ()
    if wish is None:
        return tuple(
            f"link {name} still uses it; unlink it, or `connections forget-link` where its consumer is gone"
            for name in sorted(journal.links)
            if journal.phase == "open"
        )
    reasons = [
        f"generation {number}: {reason}"
        for number in journal.in_state("superseded")
        for reason in waits(facts, journal, wish, number)
    ]
    if wish.frozen:
        reasons.append(f"frozen: {wish.frozen}")
    return tuple(reasons)


def awaited(facts: Facts, wish: Wish | None) -> tuple[str, ...]:
    """What only a person can do, in words."""
    journal = facts.journal
    if journal is None:
        return ()
    words = [
        f"make key number {number} by hand and put it in with `connections capture {journal.connection}`"
        if wish is not None
        else f"say whether key number {number} was ever made: `connections capture {journal.connection} --lost`"
        for number in journal.in_state("intended")
        if journal.generations[number].made_by == "person" and facts.kept.get(number, Kept("absent")).state == "absent"
    ]
    if facts.capabilities.revoked_by == "person":
        words += [
            f"delete key {journal.generations[number].key_id or number} at the store, then "
            f"`connections confirm {journal.connection} --deleted {number}`"
            for number in journal.in_state("retiring", "abandoned")
        ]
    return tuple(words)


# --- whose keys ------------------------------------------------------------------------------------------------------------


def owned(
    operation: Operation, journal: Journal | None, listing: Sequence[StoreKey]
) -> tuple[Mapping[int, tuple[StoreKey, ...]], frozenset[str]]:
    """Our keys by number, and the ids that are ours by record only.

    Ours is a whole marker with a right MAC of this connection, or a recorded id whose tail matches.
    """
    found: dict[int, list[StoreKey]] = {}
    marked: set[str] = set()
    for mark in marker.read(operation.keyring, listing):
        if mark.owner == operation.owner:
            found.setdefault(mark.number, []).append(mark.key)
            marked.add(mark.key.key_id)
    unmarked: set[str] = set()
    recorded = {} if journal is None else journal.generations
    for number, generation in recorded.items():
        for key in listing:
            same = key.key_id == generation.key_id and key.tail == generation.tail
            if same and key.key_id not in marked and generation.state != "revoked":
                found.setdefault(number, []).append(key)
                unmarked.add(key.key_id)
    return {number: tuple(keys) for number, keys in found.items()}, frozenset(unmarked)


def _unknown_numbers(journal: Journal | None, keys: Mapping[int, tuple[StoreKey, ...]]) -> tuple[int, ...]:
    known = journal.next if journal is not None else 1
    return tuple(sorted(number for number in keys if number >= known))


def _rolled_back(connection: str, numbers: Sequence[int]) -> VaultRolledBack:
    listed = ", ".join(str(number) for number in numbers)
    return VaultRolledBack(
        f"the store has keys of ours that Vault does not know (number {listed}): Vault is older than the store",
        do=f"Nothing was touched. Look with `connections recover {connection}`",
        where=connection,
    )


def _refuse_rolled_back(facts: Facts, connection: str) -> None:
    """An intended key without document while the current one is missing: Vault forgot what came after."""
    journal = facts.journal
    if journal is None or journal.phase != "open" or facts.keys is None:
        return
    intended = journal.intended
    if intended is None or intended not in facts.keys or facts.kept[intended].state != "absent":
        return
    if journal.current is None or journal.generations[intended].former_missing:
        return
    if current_key(facts, journal, journal.current) is None:
        raise _rolled_back(connection, [intended])


# --- the acts --------------------------------------------------------------------------------------------------------------


def _open(run: Run, step: Step, facts: Facts) -> None:
    journal, owner = facts.journal, run.operation.owner
    if journal is None:
        run.decide(
            Journal(
                project=owner.project,
                stack=owner.stack,
                connection=owner.connection,
                store=run.operation.store,
                platform=run.operation.platform,
            ),
            "opened",
        )
        return
    kept = sorted(journal.generations)[-REVOKED_KEPT:]
    run.decide(
        journal.model_copy(
            update={
                "phase": "open",
                "incarnation": journal.incarnation + 1,
                "generations": {number: journal.generations[number] for number in kept},
                "requested": None,
            }
        ),
        "opened again",
    )


def _wait(run: Run, step: Step, facts: Facts) -> None:
    run.operation.report(step.why)
    run.operation.wait(0.2)


def _withdraw(run: Run, step: Step, facts: Facts) -> None:
    journal = _journal(facts)
    version = facts.published.version if facts.published is not None else 0
    run.book.withdraw(version, journal.incarnation, run.operation.clock())


def _condemn(run: Run, step: Step, facts: Facts) -> None:
    journal, at = _journal(facts), run.operation.clock()
    for number in journal.in_state("intended"):
        journal = journal.moved(number, "abandoned", at)
    for number in journal.in_state("current", "superseded"):
        journal = journal.moved(number, "retiring", at)
    run.decide(journal, "every generation is to end")


def _abandon(run: Run, step: Step, facts: Facts) -> None:
    journal = _journal(facts)
    settled = step.number in run.never_sent
    moved = journal.moved(step.number, "abandoned", run.operation.clock(), note=step.why, settled=settled)
    run.decide(moved.model_copy(update={"lease": None}), f"generation {step.number} given up: {step.why}")


def _verify(run: Run, step: Step, facts: Facts) -> None:
    journal, number = _journal(facts), step.number
    generation, kept = journal.generations[number], facts.kept[number]
    print_ = run.operation.fingerprint(kept.values)
    wrong = _wrong(run, facts, number, kept, print_)
    if not wrong:
        findings = run.prove(number, kept.values, generation.wished)
        wrong = "; ".join(f"{f.check}: {f.evidence}" for f in findings if f.verdict == "contradicted")
        recognised = any(f.check == RECOGNISED and f.verdict == "confirmed" for f in findings)
        if not wrong and not recognised:
            reasons = "; ".join(f"{f.check}: {f.evidence}" for f in findings if f.verdict == "unverifiable")
            raise Blocked(
                f"generation {number} could not be proved yet: {reasons or 'the store said nothing'}",
                do="Run again when the store can be asked",
                where=run.operation.owner.connection,
            )
    if wrong:
        _abandon(run, Step(Act.ABANDON, number, wrong), facts)
        raise Blocked(
            f"generation {number} was refused by its proof and is given up: {wrong}", where=run.operation.owner.connection
        )
    at = run.operation.clock()
    if journal.current is not None:
        journal = journal.moved(journal.current, "superseded", at)
    journal = journal.moved(number, "current", at, key_id=kept.key_id, tail=kept.tail, fingerprint=print_)
    run.decide(journal.model_copy(update={"lease": None}), f"generation {number} is proved and current")


def _wrong(run: Run, facts: Facts, number: int, kept: Kept, fingerprint: str) -> str:
    """What about a made key is wrong before it is even tried, in words."""
    journal = _journal(facts)
    if any(g.fingerprint == fingerprint for n, g in journal.generations.items() if n != number):
        return "this value was a credential of the connection before"
    if facts.keys is None:
        return ""
    seen = [key for key in facts.keys.get(number, ()) if key.key_id == kept.key_id]
    if not seen:
        seen = [key for key in run.issuer.find(Selector("", frozenset({kept.key_id}))) if key.key_id == kept.key_id]
        if not seen or seen[0].tail != kept.tail:
            return "the key is not at the store"
    generation = journal.generations[number]
    if generation.made_by == "store":
        changed = differing(generation.wished, seen[0].fields)
        return f"{', '.join(changed)} differs at the store" if changed else ""
    changed = tuple(n for n in differing(generation.wished, seen[0].fields) if n not in facts.capabilities.revisable)
    return f"{', '.join(changed)} differs at the store" if changed else ""


def _publish(run: Run, step: Step, facts: Facts) -> None:
    journal, kept = _journal(facts), facts.kept[step.number]
    version = facts.published.version if facts.published is not None else 0
    key_id = journal.generations[step.number].key_id
    run.book.publish(
        version, journal.incarnation, step.number, key_id, kept.values, facts.public, run.operation.clock()
    )
    run.operation.report(f"generation {step.number} is published in Vault")


def _close(run: Run, step: Step, facts: Facts) -> None:
    run.decide(_journal(facts).model_copy(update={"phase": "closing", "lease": None}), "destroy decided")


def _closed(run: Run, step: Step, facts: Facts) -> None:
    run.decide(_journal(facts).model_copy(update={"phase": "closed"}), "closed: nothing of ours is alive")


def _issue(run: Run, step: Step, facts: Facts) -> None:
    journal, operation, wish = _journal(facts), run.operation, run.wish
    if wish is None:
        raise AssertionError("nothing is issued without a wish")
    adopting = bool(wish.adopt) and journal.current is None and not journal.generations
    by_person = facts.capabilities.made_by == "person"
    number, at = journal.next, operation.clock()
    generation = Generation(
        state="intended",
        made_by="adopt" if adopting else "person" if by_person else "store",
        rotation=rotation_wished(journal, wish),
        wished=dict(wish.fields),
        source=wish.adopt if adopting else "",
        former_missing=bool(missing_or_dead(facts, journal)),
        note=step.why,
        times={"intended": at},
    )
    intended = journal.model_copy(
        update={
            "next": number + 1,
            "generations": {**journal.generations, number: generation},
            "lease": None if by_person else Lease(run=operation.run, since=at),
        }
    )
    run.decide(intended, f"generation {number} intended: {step.why}")
    if adopting:
        key_id, secret = _adopted(run, wish.adopt)
    elif by_person:
        return
    else:
        try:
            issued: Issued = run.issuer.issue(Order(wish.fields, marker.make(operation.keyring, operation.owner, number)))
        except _NOT_SENT:
            run.never_sent.add(number)
            raise
        finally:
            run.forget_listing()
        key_id, secret = issued.key_id, issued.secret
    keep(run, number, key_id, secret)


def keep(run: Run, number: int, key_id: str, secret: Mapping[str, Secret]) -> None:
    """Store what was issued. Refused means that this number was given up meanwhile: its key is ended at once."""
    try:
        run.book.keep(number, key_id, run.issuer.tail(secret), secret)
    except VaultConflict:
        journal, _ = run.book.journal()
        if journal is not None and journal.generations[number].state in {"abandoned", "retiring", "revoked"}:
            run.issuer.revoke(key_id)
        raise
    run.operation.report(f"generation {number} is made and its secret is in Vault")


def _adopted(run: Run, entry: str) -> tuple[str, Mapping[str, Secret]]:
    """The hand-made value under the adopt prefix, and the key at the store it belongs to."""
    value = run.operation.entry(entry)
    if not value:
        raise Blocked(
            f"there is nothing to adopt under {entry}",
            do="Put the hand-made key there, or take the `adopt` line out",
            where=run.operation.owner.connection,
        )
    if not run.issuer.capabilities.lists:
        return "", value
    tail = run.issuer.tail(value)
    found = [key for key in run.issuer.find(Selector("", details=False)) if key.tail == tail]
    if len(found) != 1:
        how_many = "no key" if not found else f"{len(found)} keys"
        raise Blocked(
            f"{how_many} at the store ends like the one under {entry}",
            do="Only a key that the store shows once can be adopted",
            where=run.operation.owner.connection,
        )
    return found[0].key_id, value


def _revise(run: Run, step: Step, facts: Facts) -> None:
    journal, number, wish = _journal(facts), step.number, run.wish
    key = current_key(facts, journal, number)
    if wish is None or key is None:
        raise AssertionError("only a key that is there is revised")
    operation = run.operation
    mark = marker.make(operation.keyring, operation.owner, number)
    try:
        run.issuer.revise(key.key_id, Order(wish.fields, mark))
    finally:
        run.forget_listing()
        run.forget_proof(number)
    operation.report(f"generation {number}: {step.why}; changed in place")
    # Done once per run: if the next look still shows a difference, the store did not take it.
    run.tried[step.key] = "the store did not take the change"
    changed = journal.changed(number, wished=dict(wish.fields))
    if changed != journal:
        run.decide(changed, f"generation {number} changed in place: {step.why}")


def _retire(run: Run, step: Step, facts: Facts) -> None:
    journal, number, at = _journal(facts), step.number, run.operation.clock()
    if journal.current == number and facts.published is not None:
        # A leaked key goes before its successor is there: nobody may read it any more.
        run.book.withdraw(facts.published.version, journal.incarnation, at)
    run.decide(journal.moved(number, "retiring", at, note=step.why), f"generation {number} is to be revoked: {step.why}")


def _finish_abandoned(run: Run, step: Step, facts: Facts) -> None:
    journal, number = _journal(facts), step.number
    generation = journal.generations[number]
    run.book.bury(number)
    _revoke_all(run, facts, number)
    run.book.destroy(number)
    if facts.keys is None and not (generation.settled or generation.confirmed or generation.made_by == "adopt"):
        raise Blocked(
            f"generation {number} was given up and its store has no list that would show its key",
            do=f"Delete the key if it exists, then `connections confirm {journal.connection} --deleted {number}`",
            where=journal.connection,
        )
    if not generation.settled and generation.made_by == "store":
        _let_settle(run, journal, number)
    if facts.keys is not None and _listed(run, journal, number):
        raise Blocked(f"the store still lists generation {number}", do="Run again", where=journal.connection)
    _revoked(run, journal, number, "generation {} was given up; the store does not have it")


def _let_settle(run: Run, journal: Journal, number: int) -> None:
    """A lost request may still make the key: an `up` leaves it open for the next run, a destroy waits, since nobody may
    look again."""
    since = journal.generations[number].times.get("intended", run.operation.clock())
    left = (since + timedelta(seconds=run.issuer.capabilities.settle) - run.operation.clock()).total_seconds()
    if left <= 0:
        return
    if run.wish is not None and journal.phase == "open":
        run.tried[(Act.FINISH_ABANDONED, number)] = f"a lost request may still make its key for {left:.0f} s"
        raise VaultConflict("left open for the next run")
    run.operation.report(f"waiting {left:.0f} s: a lost request may still make the key of generation {number}")
    run.operation.wait(left)
    run.forget_listing()


def _revoke_all(run: Run, facts: Facts, number: int) -> None:
    if facts.capabilities.revoked_by == "person":
        return
    for key in (facts.keys or {}).get(number, ()):
        try:
            run.issuer.revoke(key.key_id)
        finally:
            run.forget_listing()


def _listed(run: Run, journal: Journal, number: int) -> bool:
    """Whether a listing made now shows a key of this number."""
    run.forget_listing()
    selector = Selector(run.book.owner.prefix, frozenset({journal.generations[number].key_id} - {""}), details=False)
    keys, _ = owned(run.operation, journal, run.issuer.find(selector))
    return bool(keys.get(number))


def _revoked(run: Run, journal: Journal, number: int, words: str) -> None:
    run.decide(journal.moved(number, "revoked", run.operation.clock()), words.format(number))


def _finish_retiring(run: Run, step: Step, facts: Facts) -> None:
    journal, number = _journal(facts), step.number
    generation = journal.generations[number]
    kept = run.book.kept(number)
    forgotten = generation.made_by == "adopt" and not _may_revoke_adopted(run, facts, number)
    if forgotten:
        run.book.destroy(number)
        _revoked(run, journal, number, "generation {} was adopted and is only forgotten, its key lives on")
        return
    _revoke_all(run, facts, number)
    if kept.state == "present" or generation.confirmed:
        missing = _proof_of_death(run, journal, number, kept)
        if missing:
            raise Blocked(
                f"generation {number} is not proved dead: {missing}", do="Run again", where=journal.connection
            )
    if facts.published is not None:
        run.book.forget_older(facts.published.version)
    run.book.destroy(number)
    _revoked(run, journal, number, "generation {} is revoked and proved dead")


def _may_revoke_adopted(run: Run, facts: Facts, number: int) -> bool:
    """An adopted key without our marker ends only by rotation, or where the declaration says so."""
    journal = _journal(facts)
    ids = {key.key_id for key in (facts.keys or {}).get(number, ())}
    carries_marker = bool(ids) and not ids & facts.unmarked
    return carries_marker or journal.phase == "open" or journal.generations[number].source.endswith("!")


def _proof_of_death(run: Run, journal: Journal, number: int, kept: Kept) -> str:
    """What is missing of the proof, in words; empty where it is whole (protocol.md section 6)."""
    missing = "nothing was looked at"
    for attempt in range(PROOF_TRIES):
        if attempt:
            run.operation.wait(0.5 * attempt)
        missing = _death_once(run, journal, number, kept)
        if not missing:
            break
    return missing


def _death_once(run: Run, journal: Journal, number: int, kept: Kept) -> str:
    generation, issuer = journal.generations[number], run.issuer
    if issuer.capabilities.lists and _listed(run, journal, number):
        return "the store still lists it"
    if generation.confirmed:
        return ""
    if run.operation.fingerprint(kept.values) != generation.fingerprint:
        return "the value in Vault is not the one that was issued, so its refusal would prove nothing"
    control = issuer.control()
    if control.verdict != "confirmed":
        return f"the store could not show that it tells good credentials from bad ones ({control.evidence})"
    answers = {issuer.probe(kept.values) for _ in range(2)}
    if answers != {"refused"}:
        return "the store still accepts it" if "accepted" in answers else "the store's answer to it has no clear meaning"
    return ""


def _revoke_stray(run: Run, step: Step, facts: Facts) -> None:
    _revoke_all(run, facts, step.number)
    run.operation.report(f"a stray key of generation {step.number}, dead by decision, was revoked")
    if _listed(run, _journal(facts), step.number):
        raise Blocked(f"the store still lists generation {step.number}", do="Run again", where=run.operation.owner.connection)


def _journal(facts: Facts) -> Journal:
    if facts.journal is None:
        raise AssertionError("no act but opening comes before the journal")
    return facts.journal


ACTS: Mapping[Act, Callable[[Run, Step, Facts], None]] = {
    Act.OPEN: _open,
    Act.WAIT: _wait,
    Act.WITHDRAW: _withdraw,
    Act.CONDEMN: _condemn,
    Act.FINISH_ABANDONED: _finish_abandoned,
    Act.FINISH_RETIRING: _finish_retiring,
    Act.REVOKE_STRAY: _revoke_stray,
    Act.ABANDON: _abandon,
    Act.VERIFY: _verify,
    Act.PUBLISH: _publish,
    Act.CLOSE: _close,
    Act.CLOSED: _closed,
    Act.ISSUE: _issue,
    Act.REVISE: _revise,
    Act.RETIRE: _retire,
}


# --- what core offers ------------------------------------------------------------------------------------------------------


def settle(operation: Operation, wish: Wish) -> Outcome:
    """Bring a connection to its wish as far as possible now. Raises only what stops everything; what could not be done
    stands in the outcome."""
    return Run(operation, wish).settle()


def destroy(operation: Operation) -> Outcome:
    """End a connection: every key of ours revoked and proved dead, the secrets destroyed. May be left unfinished; then
    the outcome says what is missing, and the next run goes on."""
    run = Run(operation, None)
    journal, _ = operation.book.journal()
    if journal is None:
        return Outcome(None)
    return run.settle()
