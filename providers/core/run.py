"""One run's way: what it has looked at, what it tried in vain, and the incarnation it joined (protocol.md section 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from providers.core import marker
from providers.core.contract import Fields, Finding, Selector, StoreKey
from providers.core.due import Act, Facts, Wish, current_key
from providers.core.errors import ConnectionsError, Refused, Superseded, VaultRolledBack
from providers.core.journal import Journal, Kept, LastProof
from providers.core.operation import Operation
from providers.core.redaction import Secret


class Run:
    """One operation's way through the loop.

    `tried` is what this run will not try again, `problems` why that is an error, `later` why it is only a matter of time.
    `ended` are the ids of credentials of each number that this run revoked and that stay listed; `told` is what people
    should know of what it did.
    `fresh=False` allows a listing that another look of this process made a moment ago: for looking, never for acting.
    """

    def __init__(self, operation: Operation, wish: Wish | None, *, fresh: bool = True) -> None:
        self.operation = operation
        self.wish = wish
        self.book = operation.book
        self.issuer = operation.issuer
        self.tried: dict[tuple[Act, int], str] = {}
        self.problems: dict[tuple[Act, int], ConnectionsError] = {}
        self.issued: set[int] = set()
        self.never_sent: set[int] = set()
        self.ended: dict[int, set[str]] = {}
        self.told: list[str] = []
        self.journal: Journal | None = None
        self.version = -1
        self.later: dict[tuple[Act, int], str] = {}
        self._listing: Sequence[StoreKey] | None = None
        self._proofs: dict[int, Sequence[Finding]] = {}
        self._incarnation = 0
        self.fresh = fresh

    # --- look ---

    def look(self) -> Facts:
        """All facts, read in the order of protocol.md section 3: first what may be written, then what justifies it."""
        published = self.book.published()
        self.read_journal()
        journal = self.journal
        keys, unmarked = self._keys(journal)
        if _unknown_numbers(journal, keys):
            self._refuse_unknown(keys)
            return self.look()
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
        refuse_rolled_back(facts, self.book.owner.connection)
        return facts

    def read_journal(self) -> None:
        """Read the journal; what the store showed is forgotten if somebody else decided something meanwhile."""
        journal, version = self.book.journal()
        if version != self.version:
            self._listing = None
            self._proofs.clear()
        self.journal, self.version = journal, version

    def _known_proof(self, journal: Journal | None) -> Sequence[Finding]:
        if journal is None or journal.current is None:
            return ()
        return self._proofs.get(journal.current, ())

    def proved(self, number: int) -> bool:
        """Whether this run has a proof of this generation."""
        return number in self._proofs

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
        return keys, unmarked

    def _refuse_unknown(self, keys: Mapping[int, tuple[StoreKey, ...]] | None) -> None:
        """Numbers we do not know: a run beside us may have given them out between the two reads. Everything is looked at
        anew then, since a decision written against a journal read later than it was judged would undo what stands there."""
        journal, _ = self.book.journal()
        numbers = _unknown_numbers(journal, keys)
        if numbers:
            raise _rolled_back(self.book.owner.connection, numbers)

    def _selector(self, journal: Journal | None) -> Selector:
        recorded = journal.generations.values() if journal is not None else ()
        ids = frozenset(generation.key_id for generation in recorded if generation.key_id)
        residual = frozenset(journal.residual) if journal is not None else frozenset()
        return Selector(self.book.owner.prefix, ids, plain=residual)

    def forget_listing(self) -> None:
        """Look at the store again: something of ours was sent to it."""
        self._listing = None

    def prove(self, number: int, values: Mapping[str, Secret], fields: Mapping[str, object]) -> Sequence[Finding]:
        """Live proof of a generation; the run remembers it until something changes."""
        pinned = self.journal.pinned if self.journal is not None else {}
        self._proofs[number] = held_to(pinned, self.issuer.verify(values, fields))
        return self._proofs[number]

    def kept_proof(self, findings: Sequence[Finding], fields: Fields) -> LastProof | None:
        """What the journal is to keep of a proof just made: nothing where every look proves anew."""
        operation = self.operation
        return LastProof.of(findings, fields, operation.clock()) if operation.proof_age else None

    def goes_by(self, number: int, proof: LastProof | None, values: Mapping[str, Secret], fields: Fields) -> bool:
        """Whether an earlier proof will do: young enough, of the same fields, and the store does not refuse the key by
        now."""
        if proof is None or proof.fields != dict(fields):
            return False
        age = (self.operation.clock() - proof.at).total_seconds()
        if age >= self.operation.proof_age or self.issuer.probe(values) == "refused":
            return False
        self._proofs[number] = tuple(Finding(*finding) for finding in proof.findings)
        return True

    def forget_proof(self, number: int) -> None:
        """Prove again: the key was changed at the store."""
        self._proofs.pop(number, None)

    # --- decide ---

    def decide(self, journal: Journal, what: str) -> Journal:
        """Write a decision against the version that was looked at; raises `VaultConflict` when it is no longer that."""
        at = self.operation.clock()
        self.version = self.book.decide(journal, self.version, run=self.operation.run, at=at, what=what)
        self.journal = journal
        self.operation.report(what)
        return journal

    # --- take part ---

    def join(self) -> None:
        """Take part in one incarnation: the open one, or, for a wish, the one that follows a closed one."""
        self.read_journal()
        journal = self.journal
        if journal is None:
            self._incarnation = 1
        elif journal.phase == "open" or self.wish is None:
            self._incarnation = journal.incarnation
        else:
            self._incarnation = journal.incarnation + 1
        if self.wish is None:
            self.require_store()
            return
        if journal is not None and journal.store != self.operation.store:
            self._follow(journal)
        # Only now: a former name that was declared by mistake must not keep what it names.
        self.book.move_in(run=self.operation.run, at=self.operation.clock())

    def require_store(self) -> None:
        """Refuse to look, and to end anything, at another address than the key's: its secret goes nowhere else, and what
        another store lacks is not dead. Only a settling follows a store that moved."""
        journal = self.journal
        if journal is not None and journal.phase != "closed" and journal.store != self.operation.store:
            raise Refused(
                f"its key is of {journal.store}, not of {self.operation.store}",
                do="Run `pulumi up`: it finds out whether the store has moved",
                where=self.operation.owner.connection,
            )

    def _follow(self, journal: Journal) -> None:
        """Another address is declared: our current key must be found there, by id and tail, or, where nothing lists keys,
        open what the first proof pinned; else nothing is done."""
        alive = journal.in_state("intended", "current", "superseded", "retiring", "abandoned")
        if journal.phase == "closed" or not alive:
            self.decide(journal.model_copy(update={"store": self.operation.store}), "another store address")
            return
        number = journal.current
        keys = self.issuer.find(self._selector(journal)) if self.issuer.capabilities.lists else ()
        if number is not None:
            generation = journal.generations[number]
            listed = any(key.key_id == generation.key_id and key.tail == generation.tail for key in keys)
            if listed or self._opens_the_same(journal, number):
                self.decide(journal.model_copy(update={"store": self.operation.store}), "the store has moved")
                return
        raise Refused(
            f"{self.operation.store} does not have our key of {journal.store}",
            do="Declare the new store in a file of its own, or put the address back",
            where=self.operation.owner.connection,
        )

    def _opens_the_same(self, journal: Journal, number: int) -> bool:
        """Whether the current credential opens, under the declared name, what it opened at its first proof."""
        kept = self.book.kept(number)
        if self.issuer.capabilities.lists or not journal.pinned or kept.state != "present":
            return False
        found = self.issuer.verify(kept.values, journal.generations[number].wished)
        return pins({}, found) == journal.pinned

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


def held_to(pinned: Mapping[str, str], findings: Sequence[Finding]) -> Sequence[Finding]:
    """A proof held to what the first one saw: whatever opens another place than all before is no credential of this
    connection."""
    return tuple(
        replace(finding, verdict="contradicted", evidence=f"{finding.evidence}: it opens {finding.pins}, not {known}")
        if finding.pins and (known := pinned.get(finding.check, finding.pins)) != finding.pins
        else finding
        for finding in findings
    )


def pins(pinned: Mapping[str, str], findings: Sequence[Finding]) -> dict[str, str]:
    """What is pinned once this proof counts."""
    seen = {finding.check: finding.pins for finding in findings if finding.pins and finding.verdict == "confirmed"}
    return {**seen, **pinned}


def owned(
    operation: Operation, journal: Journal | None, listing: Sequence[StoreKey]
) -> tuple[Mapping[int, tuple[StoreKey, ...]], frozenset[str]]:
    """Our keys by number, and the ids that are ours by record only.

    Ours is a whole marker with a right MAC of this connection, or a recorded id whose tail matches. What only stays listed
    and opens nothing any more is left out.
    """
    residual = journal.residual if journal is not None else {}
    # With another end it opens something again: somebody had the store make another secret for it.
    listing = [key for key in listing if residual.get(key.key_id) != key.tail]
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


def _unknown_numbers(journal: Journal | None, keys: Mapping[int, tuple[StoreKey, ...]] | None) -> tuple[int, ...]:
    known = journal.next if journal is not None else 1
    return tuple(sorted(number for number in keys or {} if number >= known))


def _rolled_back(connection: str, numbers: Sequence[int]) -> VaultRolledBack:
    listed = ", ".join(str(number) for number in numbers)
    return VaultRolledBack(
        f"the store has keys of ours that Vault does not know (number {listed}): Vault is older than the store",
        do=f"Nothing was touched. Look with `connections recover {connection}`",
        where=connection,
    )


def refuse_rolled_back(facts: Facts, connection: str) -> None:
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
