"""The acts: what a run does about each thing that is due (protocol.md sections 4 and 6).

Each follows an earlier decision in the journal or is one; each is safe to repeat and safe to stop after.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from providers.core import marker
from providers.core.contract import RECOGNISED, Issued, Order, Selector, StoreKey
from providers.core.due import (
    Act,
    Facts,
    Step,
    amiss,
    current_key,
    differing,
    expiring,
    missing_or_dead,
    over,
    rotation_wished,
    unseen,
)
from providers.core.errors import (
    AddressRefused,
    Blocked,
    CouldNotLook,
    Forbidden,
    Rejected,
    Unauthorized,
    Unreachable,
    VaultConflict,
)
from providers.core.journal import DEAD, Generation, Journal, Kept, Lease
from providers.core.redaction import Secret
from providers.core.run import Run, owned, pins

PROOF_TRIES = 3
"""How often a proof of death is looked for in one run, since listings may lag behind writes."""

REVOKED_KEPT = 30
"""How many dead generations a journal remembers one by one; older numbers below `next` count as revoked."""

_NOT_SENT = (Rejected, Unreachable, AddressRefused, Unauthorized, Forbidden)
"""Failures of a request to make a key after which no key can appear."""


class Later(Exception):
    """Only time is missing; it is a status, not a problem."""


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
                inputs=dict(run.operation.inputs),
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
    for number in journal.in_state("intended", "current", "superseded"):
        journal = journal.moved(number, "retiring", at)
    run.decide(journal, "every generation is to end")


def _abandon(run: Run, step: Step, facts: Facts) -> None:
    journal = _journal(facts)
    known: dict[str, Any] = {"settled": step.number in run.never_sent}
    kept = facts.kept[step.number]
    if kept.state == "present" and journal.generations[step.number].made_by != "adopt":
        # So that the key is found by its record too: a person's carries no marker.
        known |= {"key_id": kept.key_id, "tail": kept.tail}
    moved = journal.moved(step.number, "abandoned", run.operation.clock(), note=step.why, **known)
    run.decide(moved.model_copy(update={"lease": None}), f"generation {step.number} given up: {step.why}")


def _verify(run: Run, step: Step, facts: Facts) -> None:
    journal, number = _journal(facts), step.number
    generation, kept = journal.generations[number], facts.kept[number]
    fingerprint = run.operation.fingerprint(kept.values)
    wrong = _wrong(run, facts, number, kept, fingerprint)
    proof = None
    if not wrong:
        fields = _to_prove(run, facts, generation, kept)
        findings = run.prove(number, kept.values, fields)
        proof = run.kept_proof(findings, fields)
        wrong = "; ".join(f"{f.check}: {f.evidence}" for f in amiss(findings))
        if generation.made_by != "adopt":
            # A new one that soon ends would have to be replaced at once, by one like it.
            wrong = wrong or expiring(findings)
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
        if generation.made_by == "store" and number not in run.issued:
            # An earlier run's: this one may do better.
            return
        # Another try would fail the same way: one key a run is enough.
        run.tried[(Act.ISSUE, 0)] = wrong
        raise Blocked(
            f"generation {number} was refused by its proof and is given up: {wrong}",
            where=run.operation.owner.connection,
        )
    at = run.operation.clock()
    if journal.current is not None:
        journal = journal.moved(journal.current, "superseded", at)
    known = {"key_id": kept.key_id, "tail": kept.tail, "fingerprint": fingerprint, "proof": proof}
    journal = journal.moved(number, "current", at, **known)
    journal = journal.model_copy(update={"pinned": pins(journal.pinned, findings)})
    run.decide(journal.model_copy(update={"lease": None}), f"generation {number} is proved and current")


def _to_prove(run: Run, facts: Facts, generation: Generation, kept: Kept) -> Mapping[str, Any]:
    """What the proof is held to: what was wished; of an adopted key, where rights change in place, what it has until they
    are changed and proved again."""
    if generation.made_by != "adopt" or facts.keys is None:
        return generation.wished
    by_id = Selector(run.book.owner.prefix, frozenset({kept.key_id}))
    found = next((key.fields for key in run.issuer.find(by_id) if key.key_id == kept.key_id), generation.wished)
    changeable = facts.capabilities.revisable
    return {name: found.get(name, value) if name in changeable else value for name, value in generation.wished.items()}


def _wrong(run: Run, facts: Facts, number: int, kept: Kept, fingerprint: str) -> str:
    """What about a made key is wrong before it is even tried, in words."""
    journal = _journal(facts)
    if any(g.fingerprint == fingerprint for n, g in journal.generations.items() if n != number):
        return "this value was a credential of the connection before"
    if facts.keys is None:
        return ""
    seen = [key for key in facts.keys.get(number, ()) if key.key_id == kept.key_id]
    if not seen:
        seen = _shown(run, kept.key_id, journal.generations[number].times["intended"])
        if not seen or seen[0].tail != kept.tail:
            return "the key is not at the store"
    generation = journal.generations[number]
    shown = {**generation.wished, **seen[0].fields}
    changed = differing(generation.wished, shown)
    if generation.made_by != "store":
        changed = tuple(name for name in changed if name not in facts.capabilities.revisable)
    return f"{', '.join(changed)} differs at the store" if changed else ""


def _shown(run: Run, key_id: str, since: datetime) -> list[StoreKey]:
    """The key in a listing made now, or, where lists lag behind, once a late request would have come to an end."""
    by_id = Selector(run.book.owner.prefix, frozenset({key_id}))
    # What was listed before lacks this key, by its age or by the ids that were asked for.
    run.forget_listing()
    seen = [key for key in run.issuer.find(by_id) if key.key_id == key_id]
    left = _unsettled(run, since)
    if seen or left <= 0:
        return seen
    run.operation.wait(left)
    return [key for key in run.issuer.find(by_id) if key.key_id == key_id]


def _unsettled(run: Run, since: datetime) -> float:
    """Seconds in which a request decided at this time may still be carried out, or its key still be missing in lists."""
    until = since + timedelta(seconds=run.issuer.capabilities.settle)
    return (until - run.operation.clock()).total_seconds()


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
    journal = _journal(facts)
    # Of links that were forgotten: the others took theirs with them.
    run.book.forget_received(range(1, journal.inbounds + 1))
    run.decide(journal.model_copy(update={"phase": "closed"}), "closed: nothing of ours is alive")


def _issue(run: Run, step: Step, facts: Facts) -> None:
    journal, operation, wish = _journal(facts), run.operation, run.wish
    if wish is None:
        raise AssertionError("nothing is issued without a wish")
    never_had_one = not any("current" in generation.times for generation in journal.generations.values())
    adopting = bool(wish.adopt) and never_had_one
    by_person = facts.capabilities.made_by == "person"
    if not (adopting or by_person) and (lacking := run.issuer.ready()):
        raise Later(lacking)
    number, at = journal.next, operation.clock()
    generation = Generation(
        state="intended",
        made_by="adopt" if adopting else "person" if by_person else "store",
        rotation=rotation_wished(journal, wish),
        wished=dict(wish.fields),
        source=wish.adopt if adopting else "",
        asked=wish.note,
        former_missing=bool(missing_or_dead(facts, journal)),
        note=step.why,
        times={"intended": at},
    )
    intended = journal.model_copy(
        update={
            "next": number + 1,
            "inputs": dict(operation.inputs),
            "generations": {**journal.generations, number: generation},
            "lease": None if by_person else Lease(run=operation.run, since=at),
        }
    )
    run.decide(intended, f"generation {number} intended: {step.why}")
    run.issued.add(number)
    if adopting:
        key_id, secret = _adopted(run, wish.adopt)
    elif by_person:
        return
    else:
        try:
            issued: Issued = run.issuer.issue(
                Order(wish.fields, marker.make(operation.keyring, operation.owner, number), at)
            )
        except _NOT_SENT:
            run.never_sent.add(number)
            raise
        finally:
            run.forget_listing()
        key_id, secret = issued.key_id, issued.secret
    keep(run, number, key_id, secret, made=not adopting)


def keep(run: Run, number: int, key_id: str, secret: Mapping[str, Secret], *, made: bool = True) -> None:
    """Store what was issued. Refused means that this number was given up meanwhile: the key that was `made` for it is ended
    at once; an adopted one was not made for it, and another number may have it now."""
    try:
        run.book.keep(number, key_id, run.issuer.tail(secret), secret)
    except VaultConflict:
        journal, _ = run.book.journal()
        # A journal that no longer remembers the number has seen it end long ago.
        known = journal.generations.get(number) if journal is not None else None
        if made and (known is None or known.state in DEAD):
            run.issuer.revoke(key_id, secret)
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
    taken = [mark.owner for mark in marker.read(run.operation.keyring, found) if mark.owner != run.operation.owner]
    if taken:
        raise Blocked(
            f"the key under {entry} belongs to {taken[0].stack}:{taken[0].connection} already",
            do="One key cannot serve two connections: make another one",
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
    run.decide(
        journal.moved(number, "retiring", at, note=step.why), f"generation {number} is to be revoked: {step.why}"
    )


def _finish_abandoned(run: Run, step: Step, facts: Facts) -> None:
    journal, number = _journal(facts), step.number
    generation = journal.generations[number]
    kept = run.book.kept(number)
    if kept.state == "absent":
        run.book.bury(number)
    # What was adopted was not made for this number: it stays as it was found.
    own = NOTHING if generation.made_by == "adopt" else kept
    _revoke_all(run, number, _ids(facts, number, own), own)
    if facts.keys is None and kept.state == "present" and generation.made_by != "adopt":
        # There is no list, but there is the key itself to ask with.
        words = _ending(run, facts, number, kept)
        journal = _proved(run, facts, number)
        run.book.destroy(number)
        _revoked(run, journal, number, f"{words}, having been given up")
        return
    run.book.destroy(number)
    if facts.keys is None and not _accounted_for(run, facts, number):
        if facts.capabilities.revoked_by == "person":
            # As below: somebody is asked to delete it, which is no fault of this run.
            raise Later(f"generation {number} was given up; whether its key was ever made only a person knows")
        expected = unseen(generation, facts.capabilities, facts.now)
        if expected:
            raise Later(
                f"generation {number} was given up; {expected}. If it is known to be gone:"
                f" `connections confirm {journal.connection} --deleted {number} --reason TEXT`"
            )
        raise Blocked(
            f"generation {number} was given up and its store has no list that would show its key",
            do=f"Delete it if it exists, then `connections confirm {journal.connection} --deleted {number} --reason TEXT`",
            where=journal.connection,
        )
    if not generation.settled and generation.made_by == "store":
        _let_settle(run, journal, number)
    by_word = facts.capabilities.residual and bool(generation.confirmed)
    if facts.keys is not None and _still_listed(run, journal, number) and not by_word:
        raise Blocked(f"the store still lists generation {number}", do="Run again", where=journal.connection)
    # Without a list nobody has seen that: it was never asked for, is over by its time, or a person says so.
    seen = "the store does not have it" if facts.keys is not None else "no key of it lives, as far as anybody knows"
    _revoked(run, journal, number, f"generation {{}} was given up; {seen}")


def _accounted_for(run: Run, facts: Facts, number: int) -> bool:
    """Whether it is known, without a list, that a number which was given up has no living key."""
    generation = _journal(facts).generations[number]
    known = generation.settled or generation.confirmed or generation.made_by == "adopt" or "dead" in generation.times
    return bool(known) or _is_over(run, facts, number)


def _is_over(run: Run, facts: Facts, number: int) -> bool:
    ends = over(_journal(facts).generations[number], facts.capabilities)
    return ends is not None and run.operation.clock() >= ends


def _proved(run: Run, facts: Facts, number: int) -> Journal:
    """Where there is no list, what is proved is noted before its document goes: nothing else shows it to a later run."""
    journal = _journal(facts)
    times = journal.generations[number].times
    if facts.keys is not None or "dead" in times:
        return journal
    ended = journal.changed(number, times={**times, "dead": run.operation.clock()})
    return run.decide(ended, f"the end of generation {number} is known")


def _let_settle(run: Run, journal: Journal, number: int) -> None:
    """A lost request may still make the key: an `up` leaves it open for the next run, a destroy waits, since nobody may
    look again."""
    left = _unsettled(run, journal.generations[number].times["intended"])
    if left <= 0:
        return
    if run.wish is not None and journal.phase == "open":
        raise Later(f"generation {number} was given up; a lost request may still make its key for {left:.0f} s")
    run.operation.report(f"waiting {left:.0f} s: a lost request may still make the key of generation {number}")
    run.operation.wait(left)


NOTHING = Kept("absent")


def _ids(facts: Facts, number: int, kept: Kept = NOTHING) -> tuple[str, ...]:
    """The ids of the keys of this number: as listed, or, where the store has no list, as recorded. One that was adopted
    there has none, but may be kept."""
    if facts.keys is not None:
        return tuple(key.key_id for key in facts.keys.get(number, ()))
    recorded = _journal(facts).generations[number].key_id
    return (recorded,) if recorded or kept.values else ()


def _revoke_all(run: Run, number: int, key_ids: Sequence[str], kept: Kept = NOTHING) -> None:
    if run.issuer.capabilities.revoked_by == "person":
        return
    for key_id in key_ids:
        try:
            run.issuer.revoke(key_id, kept.values if kept.key_id == key_id else None)
        finally:
            run.forget_listing()
        if run.issuer.capabilities.residual:
            run.ended.setdefault(number, set()).add(key_id)


def _still_listed(run: Run, journal: Journal, number: int) -> bool:
    """Whether a key of this number stays in the list although what is listed now was revoked."""
    late = _listed(run, journal, number)
    _revoke_all(run, number, tuple(key.key_id for key in late))
    return bool(late and _listed(run, journal, number))


def _listed(run: Run, journal: Journal, number: int) -> tuple[StoreKey, ...]:
    """The keys of this number in a listing made now, but those that this run ended and that stay listed."""
    ended = run.ended.get(number, set())
    return tuple(key for key in _rows(run, journal, number) if key.key_id not in ended)


def _rows(run: Run, journal: Journal, number: int) -> tuple[StoreKey, ...]:
    run.forget_listing()
    selector = Selector(run.book.owner.prefix, frozenset({journal.generations[number].key_id} - {""}), details=False)
    keys, _ = owned(run.operation, journal, run.issuer.find(selector))
    return keys.get(number, ())


def _revoked(run: Run, journal: Journal, number: int, words: str) -> None:
    ended, told = _left(run, journal.moved(number, "revoked", run.operation.clock()), number)
    run.decide(ended, "; ".join(filter(None, (words.format(number), told))))


def _left(run: Run, journal: Journal, number: int) -> tuple[Journal, str]:
    """With what stays of this number at a store that deletes nothing; that, and what works on, in words for people."""
    capabilities = run.issuer.capabilities
    rows = {key.key_id: key.tail for key in _rows(run, journal, number)} if capabilities.residual else {}
    stays = f"{', '.join(f'#{row}' for row in rows)} stays listed at the store and opens nothing" if rows else ""
    if told := "; ".join(filter(None, (stays, capabilities.lingers))):
        run.told.append(f"generation {number} is ended; {told}")
    return journal.model_copy(update={"residual": {**journal.residual, **rows}}), told


def _finish_retiring(run: Run, step: Step, facts: Facts) -> None:
    journal, number = _journal(facts), step.number
    generation = journal.generations[number]
    kept = run.book.kept(number)
    if generation.made_by == "adopt" and not _may_revoke_adopted(run, facts, number):
        run.book.destroy(number)
        _revoked(run, journal, number, "generation {} was adopted and is only forgotten, its key lives on")
        return
    if kept.state == "absent":
        run.book.bury(number)
    if not _is_over(run, facts, number):
        _revoke_all(run, number, _ids(facts, number, kept), kept)
    words = _ending(run, facts, number, kept)
    journal = _proved(run, facts, number)
    run.book.forget_older()
    run.book.destroy(number)
    _revoked(run, journal, number, words)


def _ending(run: Run, facts: Facts, number: int, kept: Kept) -> str:
    """How this generation ended, in words for the journal; raises as long as it cannot be said to have ended."""
    journal = _journal(facts)
    generation = journal.generations[number]
    missing = _proof_of_death(run, facts, number, kept)
    if missing is None:
        return "generation {} is revoked and proved dead"
    if missing.alive and generation.confirmed:
        # What a person says holds where nothing can be seen, never against what the store says.
        taken_back = f"the word that key number {number} is gone does not hold: {missing.words}"
        run.decide(journal.changed(number, confirmed=""), taken_back)
        raise Blocked(taken_back, do="Delete it at the store and run again", where=journal.connection)
    if generation.confirmed:
        return f"generation {{}} is gone by a person's word, not by proof: {missing.words}"
    ends = over(generation, facts.capabilities)
    if _is_over(run, facts, number) and not missing.alive:
        return f"generation {{}} has ended by itself, its time being over, not by proof: {missing.words}"
    words = f"generation {number} is not proved dead: {missing.words}"
    if ends is not None and not _is_over(run, facts, number):
        # A store that ends what has a life of its own may take its time, but no longer than that life.
        raise Later(f"{words}; it ends by itself by {ends:%Y-%m-%d %H:%M %Z}")
    if facts.capabilities.revoked_by == "person":
        # The person who is to delete it has not said so yet: that is awaited, and no fault of this run.
        raise Later(words)
    raise Blocked(words, do="Run again", where=journal.connection)


def _may_revoke_adopted(run: Run, facts: Facts, number: int) -> bool:
    """An adopted key without our marker ends only by rotation, or where the declaration says so."""
    journal = _journal(facts)
    ids = {key.key_id for key in (facts.keys or {}).get(number, ())}
    carries_marker = bool(ids) and not ids & facts.unmarked
    return carries_marker or journal.phase == "open" or run.operation.revoke_adopted


@dataclass(frozen=True, slots=True)
class _Missing:
    """What is missing of a proof of death, in words; `alive` where the store says that the key lives."""

    words: str
    alive: bool = False


def _proof_of_death(run: Run, facts: Facts, number: int, kept: Kept) -> _Missing | None:
    """What is missing of the proof; None where it is whole (protocol.md section 6)."""
    journal = _journal(facts)
    missing: _Missing | None = None
    for attempt in range(PROOF_TRIES):
        if attempt:
            run.operation.wait(0.5 * attempt)
        try:
            missing = _death_once(run, journal, number, kept)
        except CouldNotLook as unseen:
            if not (journal.generations[number].confirmed or _is_over(run, facts, number)):
                raise
            return _Missing(unseen.what)
        if missing is None:
            break
    return missing


def _death_once(run: Run, journal: Journal, number: int, kept: Kept) -> _Missing | None:
    generation, issuer = journal.generations[number], run.issuer
    if issuer.capabilities.lists and not issuer.capabilities.residual and _listed(run, journal, number):
        return _Missing("the store still lists it", alive=True)
    if kept.state == "destroyed" and (issuer.capabilities.lists or "dead" in generation.times):
        # An earlier run had its proof: it destroys the document before it says so.
        return None
    if kept.state != "present" and not issuer.capabilities.lists:
        return _Missing("its secret is lost, and the store has no list that would show it")
    # One that was given up before its proof has no fingerprint yet; its document was written once.
    if generation.fingerprint and run.operation.fingerprint(kept.values) != generation.fingerprint:
        return _Missing("the value in Vault is not the one that was issued, so its refusal would prove nothing")
    first = issuer.probe(kept.values)
    if first == "accepted":
        return _Missing("the store still accepts it", alive=True)
    # Between two refusals: what was the store's trouble before or after it would not be seen by one.
    control = issuer.control()
    if control.verdict != "confirmed":
        return _Missing(f"the store could not show that it tells good credentials from bad ones ({control.evidence})")
    answers = {first, issuer.probe(kept.values)}
    if "accepted" in answers:
        return _Missing("the store still accepts it", alive=True)
    return None if answers == {"refused"} else _Missing("the store's answer to it has no clear meaning")


def _revoke_stray(run: Run, step: Step, facts: Facts) -> None:
    journal = _journal(facts)
    _revoke_all(run, step.number, _ids(facts, step.number))
    what = f"a stray key of generation {step.number}, dead by decision, was revoked"
    run.operation.report(what)
    if _listed(run, journal, step.number):
        raise Blocked(
            f"the store still lists generation {step.number}", do="Run again", where=run.operation.owner.connection
        )
    left, told = _left(run, journal, step.number)
    if left != journal:
        run.decide(left, f"{what}; {told}")


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
