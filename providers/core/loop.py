"""Look at all facts, do the first thing that is due, look again, until nothing is due (protocol.md sections 3 to 6).

One loop for credentials. Nobody needs to be alive, alone or in time: every act follows an earlier decision in the journal,
and doing it twice does no harm.
"""

from providers.core.acts import ACTS, Later
from providers.core.due import EVERY, Act, Facts, Step, Wish, amiss, due, expiring, waits
from providers.core.errors import Blocked, PersonNeeded, StoreError, VaultConflict
from providers.core.journal import Journal, Kept
from providers.core.operation import Operation, Outcome
from providers.core.run import Run

TURNS = 200
"""More turns of the loop than any run can need: a fault of ours, not of the world."""


def settle(operation: Operation, wish: Wish) -> Outcome:
    """Bring a connection to its wish as far as possible now. Raises only what stops everything; what could not be done
    stands in the outcome."""
    return _work(Run(operation, wish))


def destroy(operation: Operation) -> Outcome:
    """End a connection: every key of ours revoked and proved dead, the secrets destroyed. May be left unfinished; then
    the outcome says what is missing, and the next run goes on."""
    return _work(Run(operation, None))


ENDS: frozenset[Act] = frozenset({Act.RETIRE, Act.FINISH_RETIRING})


def may_retire(journal: Journal) -> bool:
    """Whether a former generation may be at its end, as far as the journal tells: no user still holds it."""
    former = journal.in_state("superseded")
    held = [entry.holds for entry in journal.links.values() if not entry.reads]
    return journal.phase == "open" and bool(former) and all(holds > former[0] for holds in held)


def retire(operation: Operation, wish: Wish) -> Outcome:
    """End the former generations that nobody needs any more, and do nothing else: for whoever was the last to need one."""
    run = Run(operation, wish)
    facts = _rest(run, ENDS)
    problems, later = tuple(run.problems.values()), tuple(run.later.values())
    return Outcome(facts.journal, (), problems, later, awaited(facts, wish), tuple(run.told))


def _work(run: Run) -> Outcome:
    return outcome(run, _rest(run))


def _rest(run: Run, acts: frozenset[Act] = EVERY) -> Facts:
    """Do what is due among these acts until nothing is; the facts then."""
    _join(run)
    for _ in range(TURNS):
        facts = run.look()
        run.still_joined(facts.journal)
        step = due(facts, run.wish, run.tried, acts)
        if step is not None:
            _try(run, step, facts)
        elif acts != EVERY or not prove_current(run, facts):
            return facts
    raise AssertionError(f"{run.operation.owner.connection}: the loop does not come to rest")


def _join(run: Run) -> None:
    """Take part; a run beside us that writes first only means to look again."""
    while True:
        try:
            return run.join()
        except VaultConflict:
            continue


def _try(run: Run, step: Step, facts: Facts) -> None:
    try:
        ACTS[step.act](run, step, facts)
    except VaultConflict:
        return
    except Later as later:
        run.tried[step.key] = run.later[step.key] = str(later)
    except (StoreError, Blocked, PersonNeeded) as problem:
        run.tried[step.key] = str(problem)
        run.problems[step.key] = problem
        run.forget_listing()


def prove_current(run: Run, facts: Facts) -> bool:
    """Prove the current generation once nothing else is due; whether that brought a new fact."""
    journal = facts.journal
    if run.wish is None or journal is None or journal.current is None:
        return False
    number = journal.current
    kept = facts.kept.get(number, Kept("absent"))
    if run.proved(number) or kept.state != "present" or (Act.VERIFY, number) in run.tried:
        return False
    # What cannot change in place is held to how the key was made: for what is declared now another key is due. During a
    # freeze everything is.
    made_for = journal.generations[number].wished
    changeable = frozenset() if run.wish.frozen else facts.capabilities.revisable
    declared = run.wish.fields.items()
    fields = {name: value if name in changeable else made_for.get(name, value) for name, value in declared}
    try:
        if run.goes_by(number, journal.generations[number].proof, kept.values, fields):
            return True
        proof = run.kept_proof(run.prove(number, kept.values, fields), fields)
        if run.fresh and proof is not None:
            run.decide(journal.changed(number, proof=proof), f"generation {number} is proved again")
    except VaultConflict:
        # Somebody else decided meanwhile: the next look tells what.
        return True
    except StoreError as problem:
        run.tried[(Act.VERIFY, number)] = str(problem)
        run.problems[(Act.VERIFY, number)] = problem
    return True


def outcome(run: Run, facts: Facts) -> Outcome:
    """Where a run stands now, in words."""
    journal = facts.journal
    problems = list(run.problems.values())
    contradicted = amiss(facts.proof)
    if contradicted and run.wish is not None:
        words = "; ".join(f"{finding.check}: {finding.evidence}" for finding in contradicted)
        problems.append(Blocked(f"the key does not do what is declared: {words}", where=run.operation.owner.connection))
    return Outcome(
        journal,
        facts.proof,
        tuple(problems),
        waiting=(*run.later.values(), *waiting(facts, run.wish)),
        person=awaited(facts, run.wish),
        told=tuple(run.told),
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
        ending = expiring(facts.proof)
        reasons.append(f"frozen: {wish.frozen}{'; ' if ending else ''}{ending}")
    return tuple(reasons)


def awaited(facts: Facts, wish: Wish | None) -> tuple[str, ...]:
    """What only a person can do, in words."""
    journal = facts.journal
    if journal is None:
        return ()
    words = [
        _asked(journal, number, wish)
        for number in journal.in_state("intended")
        if journal.generations[number].made_by == "person" and facts.kept.get(number, Kept("absent")).state == "absent"
    ]
    words += [
        f"delete key {journal.generations[number].key_id or number} at the store "
        f"(`connections sheet {journal.connection}` says how), then "
        f"`connections confirm {journal.connection} --deleted {number} --reason TEXT`"
        for number in to_delete(facts)
    ]
    return tuple(words)


def to_delete(facts: Facts) -> tuple[int, ...]:
    """The numbers whose keys a person is still to delete; once somebody said that one is gone, a run has to prove it."""
    journal = facts.journal
    if journal is None or facts.capabilities.revoked_by != "person":
        return ()
    return tuple(n for n in journal.in_state("retiring", "abandoned") if not journal.generations[n].confirmed)


def _asked(journal: Journal, number: int, wish: Wish | None) -> str:
    """What is asked of a person about a key that was not put in yet."""
    lost = f"`connections capture {journal.connection} --lost --reason TEXT`"
    if wish is None:
        return f"say whether key number {number} was ever made: {lost}"
    if journal.generations[number].wished != dict(wish.fields):
        return f"key number {number} was asked for as it was declared before: {lost}, then `pulumi up` asks anew"
    return (
        f"make key number {number} by hand, as `connections sheet {journal.connection}` says, and put it in with "
        f"`connections capture {journal.connection}`"
    )
