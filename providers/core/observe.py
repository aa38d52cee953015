"""Looking without touching: what `read`, a preview and `connections status` say about a connection (protocol.md 5).

Nothing is written at the store, the consumer or in Vault.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from providers.core.contract import Finding
from providers.core.due import Act, Facts, Wish, amiss, current_key, differing, due, unseen
from providers.core.errors import ConnectionsError, CouldNotLook, StoreError
from providers.core.journal import Journal
from providers.core.loop import awaited, prove_current, to_delete, waiting
from providers.core.operation import Operation, status_word
from providers.core.run import Run


@dataclass(frozen=True, slots=True)
class Observation:
    """A connection as it stands. `fields` are the observed values of declared fields; `drift` what else is not as
    declared and the next `up` repairs; `waiting`, `person` and `unverifiable` are no drift. All in words."""

    journal: Journal | None
    fields: Mapping[str, Any] = field(default_factory=dict)
    drift: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    findings: Sequence[Finding] = ()
    key_facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def unverifiable(self) -> tuple[str, ...]:
        """What could not be seen, in words."""
        return tuple(f"{f.check}: {f.evidence}" for f in self.findings if f.verdict == "unverifiable")

    @property
    def state(self) -> str:
        """One word for the connection's state."""
        return "drift" if self.drift else status_word(self.journal, False, bool(self.person))


def observe(operation: Operation, wish: Wish, *, proof: bool = True) -> Observation:
    """Look at a connection: store, Vault and live proof. Raises where it could not be looked at."""
    run = Run(operation, wish, fresh=False)
    run.read_journal()
    if run.journal is None or run.journal.phase == "closed":
        return Observation(run.journal)
    run.require_store()
    facts = run.look()
    if facts.lease:
        # Another run is at work: what stands there now is neither its old state nor its new one.
        return Observation(facts.journal, waiting=(f"run {facts.lease} is at work",))
    if proof and prove_current(run, facts):
        for problem in run.problems.values():
            if isinstance(problem, CouldNotLook):
                # A store that is down or limited contradicts nothing: that would be a diff in every preview.
                raise problem
        facts = run.look()
    person = awaited(facts, wish)
    return Observation(
        journal=facts.journal,
        fields=_fields(facts),
        drift=(*_drift(facts, wish, gone(operation, facts.journal)), *_contradicted(facts, run, wish)),
        waiting=(*waiting(facts, wish), *_unseen(facts).values()),
        person=person,
        findings=facts.proof,
        key_facts=_key_facts(facts),
    )


def _fields(facts: Facts) -> Mapping[str, Any]:
    journal = facts.journal
    if journal is None or journal.current is None:
        return {}
    key = current_key(facts, journal, journal.current)
    return dict(key.fields) if key is not None else {}


def _key_facts(facts: Facts) -> Mapping[str, str]:
    journal = facts.journal
    if journal is None or journal.current is None:
        return {}
    key = current_key(facts, journal, journal.current)
    return dict(key.facts) if key is not None else {}


A_NEW_KEY = ": a new key is due"
"""How drift ends that only a new secret repairs: the links' `handle` is raised by it."""

_SHOWN_AS_FIELDS = " differs at the store"
"""How `due` words a difference of declared fields: those are diffs of their own properties."""

_A_PERSONS = frozenset({Act.FINISH_RETIRING, Act.FINISH_ABANDONED})


def gone(operation: Operation, journal: Journal | None) -> frozenset[int]:
    """The numbers whose keys a person is to delete and seems to have deleted: the store refuses them by now, or they are
    proved dead already. The next run proves it and goes on."""
    if journal is None or operation.issuer.capabilities.revoked_by != "person":
        return frozenset()
    ending = journal.in_state("retiring", "abandoned")
    return frozenset(n for n in ending if "dead" in journal.generations[n].times or _is_refused(operation, n))


def _is_refused(operation: Operation, number: int) -> bool:
    kept = operation.book.kept(number)
    try:
        return kept.state == "present" and operation.issuer.probe(kept.values) == "refused"
    except StoreError:
        return False


def _drift(facts: Facts, wish: Wish, deleted: frozenset[int]) -> tuple[str, ...]:
    """Everything due now, in words, but what shows as a diff of a declared field or waits for a person; what is `deleted`
    waits for nobody any more."""
    words: list[str] = []
    tried: dict[tuple[Act, int], str] = {}
    while (step := due(facts, wish, tried)) is not None:
        tried[step.key] = step.why
        by_fields = step.act in {Act.REVISE, Act.ISSUE} and step.why.endswith((_SHOWN_AS_FIELDS, "change in place"))
        by_person = step.act in _A_PERSONS and step.number in to_delete(facts) and step.number not in deleted
        by_time = step.act is Act.FINISH_ABANDONED and step.number in _unseen(facts)
        if not by_fields and not by_person and not by_time:
            words.append(f"{step.why}{A_NEW_KEY}" if step.act is Act.ISSUE else step.why)
    return tuple(words)


def _unseen(facts: Facts) -> Mapping[int, str]:
    """The numbers that were given up and can only be waited for, with the words for it."""
    generations = facts.journal.generations if facts.journal is not None else {}
    found = {
        number: unseen(generation, facts.capabilities, facts.now)
        for number, generation in generations.items()
        if generation.state == "abandoned" and not generation.key_id
    }
    return {number: f"generation {number} was given up; {why}" for number, why in found.items() if why}


def _contradicted(facts: Facts, run: Run, wish: Wish) -> tuple[str, ...]:
    found = tuple(f"{f.check}: {f.evidence}" for f in amiss(facts.proof))
    if differing(wish.fields, _fields(facts) or wish.fields):
        # Other rights are declared than the key has: that is the diff of their own properties.
        found = ()
    problems: Sequence[ConnectionsError] = tuple(run.problems.values())
    return found + tuple(str(problem) for problem in problems)
