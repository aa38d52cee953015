"""What is due: the protocol as one pure function of the facts and the wish (protocol.md section 4).

No input or output, no clock of its own. The loop, a preview, `connections status` and the model explorer all call
`due`; there is no recovery code, since recovery is the same function with other facts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from providers.core.contract import LASTS, RECOGNISED, Capabilities, Fields, Finding, StoreKey
from providers.core.journal import Generation, Journal, Kept, Published


class Act(StrEnum):
    """The things a run can do, each safe to repeat and safe to stop after."""

    OPEN = "open"
    WAIT = "wait"
    WITHDRAW = "withdraw"
    CONDEMN = "condemn"
    FINISH_ABANDONED = "finish abandoned"
    FINISH_RETIRING = "finish retiring"
    REVOKE_STRAY = "revoke stray"
    ABANDON = "abandon"
    VERIFY = "verify"
    PUBLISH = "publish"
    CLOSE = "close"
    CLOSED = "closed"
    ISSUE = "issue"
    REVISE = "revise"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class Step:
    """The first thing due: what, for which generation (0: the connection as a whole), and why, in words for people."""

    act: Act
    number: int = 0
    why: str = ""

    @property
    def key(self) -> tuple[Act, int]:
        """What a run remembers to have tried in vain. Issuing counts once per run, whatever number it got."""
        return (self.act, 0 if self.act is Act.ISSUE else self.number)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is declared for a credential. No wish at all (None) means that it is to be destroyed.

    `overlap` is in seconds; `frozen` is the reason for which nothing new may begin, or empty; `adopt` names an entry
    under the adopt prefix; `note` is the declared reason of the last rotation.
    """

    fields: Fields
    rotation: int = 1
    overlap: float = 0.0
    frozen: str = ""
    adopt: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision rests on, in the order it was read: the published copy, the journal, the store.

    `keys` are our keys at the store by number, or None where the store has no list; `unmarked` the ids that are ours by
    record only. `kept` holds the documents of the intended and the current generation. `garbled` says that the current
    document no longer has its fingerprint. `proof` is the live proof of the current generation where one was made.
    `lease` names another run that began a moment ago.
    """

    journal: Journal | None
    published: Published | None
    keys: Mapping[int, tuple[StoreKey, ...]] | None
    capabilities: Capabilities
    now: datetime
    unmarked: frozenset[str] = frozenset()
    kept: Mapping[int, Kept] = field(default_factory=dict)
    garbled: bool = False
    proof: Sequence[Finding] = ()
    public: Mapping[str, str] = field(default_factory=dict)
    lease: str = ""


Tried = Mapping[tuple[Act, int], str]
"""What this run could not do, with the reason: not tried again before the next run."""


EVERY: frozenset[Act] = frozenset(Act)


def due(facts: Facts, wish: Wish | None, tried: Tried, acts: frozenset[Act] = EVERY) -> Step | None:
    """The first thing due among these acts, or None when there is nothing left that this run can do."""
    for step in _all_due(facts, wish):
        if step.key not in tried and step.act in acts:
            return step
    return None


def _all_due(facts: Facts, wish: Wish | None) -> list[Step]:
    journal = facts.journal
    if journal is None:
        return [Step(Act.OPEN, why="no journal yet")] if wish else []
    if journal.phase == "closed":
        # Only what `recover` found after the end, and keys that a sleeper made then.
        ends = _dying(facts, journal)
        return [*ends, Step(Act.OPEN, why="declared again")] if wish else ends
    if journal.phase == "closing":
        return _closing(facts, journal)
    steps = [*_dying(facts, journal), *_intended(facts, journal, wish)]
    behind = published_behind(facts, journal)
    if behind:
        steps.append(Step(Act.PUBLISH, journal.current or 0, behind))
    if wish is None:
        if not steps_open(steps) and not journal.links and not _awaits_person(journal):
            steps.append(Step(Act.CLOSE, why="no longer declared"))
        return steps
    return steps + _wished(facts, journal, wish)


def steps_open(steps: Sequence[Step]) -> bool:
    """Whether a decision that must come before closing is still due."""
    return any(step.act in {Act.VERIFY, Act.ABANDON, Act.WAIT} for step in steps)


def _strays(facts: Facts, journal: Journal) -> list[Step]:
    """Keys of numbers that are dead for ever: revoked ones, and those the journal no longer remembers."""
    known = journal.generations
    return [
        Step(Act.REVOKE_STRAY, number, f"a key of generation {number}, which is dead, is at the store")
        for number in sorted(facts.keys or {})
        if number < journal.next and (number not in known or known[number].state == "revoked")
    ]


def _dying(facts: Facts, journal: Journal) -> list[Step]:
    steps = [
        Step(Act.FINISH_ABANDONED, number, f"generation {number} was given up and is not yet gone")
        for number in journal.in_state("abandoned")
    ]
    steps += [
        Step(Act.FINISH_RETIRING, number, f"generation {number} is to be revoked and is not yet proved dead")
        for number in journal.in_state("retiring")
    ]
    return steps + _strays(facts, journal)


def _closing(facts: Facts, journal: Journal) -> list[Step]:
    published = facts.published
    if published is None or published.state != "revoked" or published.incarnation != journal.incarnation:
        return [Step(Act.WITHDRAW, why="the published copy must go first")]
    if journal.in_state("intended", "current", "superseded"):
        return [Step(Act.CONDEMN, why="every generation is to end")]
    steps = _dying(facts, journal)
    if not journal.in_state("abandoned", "retiring"):
        steps.append(Step(Act.CLOSED, why="every generation is dead"))
    return steps


def _intended(facts: Facts, journal: Journal, wish: Wish | None) -> list[Step]:
    number = journal.intended
    if number is None:
        return []
    generation = journal.generations[number]
    kept = facts.kept.get(number, Kept("absent"))
    if kept.state == "destroyed":
        return [Step(Act.ABANDON, number, "its document was destroyed")]
    person = generation.made_by == "person"
    if kept.state == "absent" and not person:
        if facts.lease:
            return [Step(Act.WAIT, number, f"run {facts.lease} is making generation {number}")]
        return [Step(Act.ABANDON, number, "the run that made it never stored its secret")]
    if person and kept.state == "absent":
        return [Step(Act.ABANDON, number, generation.confirmed)] if generation.confirmed else []
    if wish is None:
        return [Step(Act.ABANDON, number, "no longer declared")]
    if generation.wished != dict(wish.fields):
        return [Step(Act.ABANDON, number, "other rights are declared now")]
    if facts.keys is not None and len(facts.keys.get(number, ())) > 1:
        return [Step(Act.ABANDON, number, "the store made two keys of one request")]
    return [Step(Act.VERIFY, number, f"generation {number} is made and not yet proved")]


def _awaits_person(journal: Journal) -> bool:
    return any(journal.generations[n].made_by == "person" for n in journal.in_state("intended"))


def published_behind(facts: Facts, journal: Journal) -> str:
    """Why the published copy is not the current generation, in words; empty where it is, or may not be read. A leaked
    generation is not published again: it may be withdrawn on its way to its end."""
    number, published = journal.current, facts.published
    if number is None or published is None or journal.generations[number].compromised:
        return ""
    kept = facts.kept.get(number)
    if kept is None or kept.state != "present" or facts.garbled:
        return ""
    if published.state != "live" or published.incarnation != journal.incarnation:
        return f"generation {number} is not yet published in Vault"
    if published.generation != number:
        return f"Vault shows generation {published.generation or 'nothing'} where {number} is current"
    same = published.values.keys() == kept.values.keys() and all(
        value.same(published.values[name]) for name, value in kept.values.items()
    )
    if not same:
        return "the value in Vault was edited"
    return "" if dict(published.public) == dict(facts.public) else "the address in Vault is not the store's"


def rotation_wished(journal: Journal, wish: Wish) -> int:
    """The rotation number asked for, by declaration or by command."""
    return max(wish.rotation, journal.requested.rotation if journal.requested else 0)


def current_key(facts: Facts, journal: Journal, number: int) -> StoreKey | None:
    """The key of this generation at the store: its number and its recorded id."""
    generation = journal.generations[number]
    keys = (facts.keys or {}).get(number, ())
    return next((key for key in keys if key.key_id == generation.key_id), None)


def differing(declared: Fields, observed: Fields) -> tuple[str, ...]:
    """Names of the declared fields that stand otherwise, sorted."""
    return tuple(sorted(name for name, value in declared.items() if observed.get(name) != value))


def missing_or_dead(facts: Facts, journal: Journal) -> str:
    """Why the current credential cannot serve any more, in words; empty where it can."""
    number = journal.current
    if number is None:
        return ""
    kept = facts.kept.get(number)
    if kept is not None and (kept.state != "present" or facts.garbled):
        return "its secret in Vault is lost or is not the one that was issued"
    if facts.keys is None:
        refused = any(finding.check == RECOGNISED and finding.verdict == "contradicted" for finding in facts.proof)
        return "the store refuses the key" if refused else ""
    key = current_key(facts, journal, number)
    if key is None:
        return "the key is gone from the store"
    if key.tail != journal.generations[number].tail:
        return "the store has another secret in its place"
    if len(facts.keys[number]) > 1:
        return "the store has two keys of one request"
    return ""


def amiss(proof: Sequence[Finding]) -> tuple[Finding, ...]:
    """What a proof says against a credential: all that is contradicted, but that it will soon be over."""
    return tuple(finding for finding in proof if finding.verdict == "contradicted" and finding.check != LASTS)


def expiring(proof: Sequence[Finding]) -> str:
    """That a credential will soon be over, in words; empty where it lasts."""
    return next((f.evidence for f in proof if f.check == LASTS and f.verdict == "contradicted"), "")


def over(generation: Generation, capabilities: Capabilities) -> datetime | None:
    """When whatever was made for this generation has surely ended by itself; None where it does not. What was adopted has
    a life of its own."""
    life = generation.wished.get(capabilities.lifetime)
    if not life or generation.made_by == "adopt":
        return None
    return generation.times["intended"] + timedelta(seconds=float(life) + capabilities.settle)


def unseen(generation: Generation, capabilities: Capabilities, now: datetime) -> str:
    """Why a generation that was given up can only be waited for, in words: its key may have been made, no list shows it and
    nothing is left to end it with, but it ends by itself. Empty where more can be done, or its time is over."""
    ends = over(generation, capabilities)
    known = generation.settled or generation.confirmed or "dead" in generation.times
    if capabilities.lists or known or ends is None or now >= ends:
        return ""
    return f"if its key was made after all, it ends by itself by {ends:%Y-%m-%d %H:%M %Z}"


def needs_another(facts: Facts, journal: Journal, wish: Wish) -> str:
    """Why another generation is needed, in words; empty where the current one can be kept."""
    number = journal.current
    if number is None:
        return "no credential yet"
    generation = journal.generations[number]
    if generation.compromised:
        return f"compromised: {generation.compromised}"
    lost = missing_or_dead(facts, journal)
    if lost:
        return lost
    ending = expiring(facts.proof)
    if ending:
        return ending
    key = current_key(facts, journal, number)
    observed = {**generation.wished, **key.fields} if key is not None else generation.wished
    changed = [name for name in differing(wish.fields, observed) if name not in facts.capabilities.revisable]
    if changed:
        return f"{', '.join(changed)} cannot change in place"
    if rotation_wished(journal, wish) > generation.rotation:
        asked = journal.requested
        reason = asked.reason if asked is not None and asked.rotation > generation.rotation else ""
        return f"rotation asked for: {reason}" if reason else "rotation asked for"
    return ""


def _wished(facts: Facts, journal: Journal, wish: Wish) -> list[Step]:
    steps: list[Step] = []
    another = needs_another(facts, journal, wish)
    current = journal.current
    leaked = current is not None and bool(journal.generations[current].compromised)
    for number in journal.in_state("superseded"):
        # Before another key is made: otherwise three would live at once without need.
        compromised = journal.generations[number].compromised
        if compromised or not (wish.frozen or waits(facts, journal, wish, number)):
            why = "is compromised" if compromised else "is no longer needed"
            steps.append(Step(Act.RETIRE, number, f"generation {number} {why}"))
    if another and journal.intended is None and (leaked or not wish.frozen):
        steps.append(Step(Act.ISSUE, journal.next, another))
    for number in () if wish.frozen else journal.in_state("current", "superseded"):
        step = _revision(facts, journal, wish, number)
        if step is not None and not (another and number == current):
            steps.append(step)
    if leaked and current is not None:
        # A leaked key dies even where its successor cannot be had: this is reached when issuing one failed.
        steps.append(Step(Act.RETIRE, current, f"generation {current} is compromised"))
    return steps


def _revision(facts: Facts, journal: Journal, wish: Wish, number: int) -> Step | None:
    key = current_key(facts, journal, number)
    if key is None:
        return None
    shown = {**journal.generations[number].wished, **key.fields}
    changed = [name for name in differing(wish.fields, shown) if name in facts.capabilities.revisable]
    if changed:
        return Step(Act.REVISE, number, f"{', '.join(changed)} differs at the store")
    if key.key_id in facts.unmarked and facts.capabilities.relabels:
        return Step(Act.REVISE, number, "the key does not carry our marker")
    return None


def waits(facts: Facts, journal: Journal, wish: Wish, number: int) -> tuple[str, ...]:
    """What a superseded generation still waits for, in words; empty where it can retire."""
    published = facts.published
    if published is None or published.state != "live" or published.generation <= number or published.at is None:
        return ("the new generation is not published",)
    reasons: list[str] = []
    if _was_missing(facts, journal, number):
        # Nobody can use a key that is gone: nothing is taken from anyone who still holds it.
        return ()
    over = published.at + timedelta(seconds=wish.overlap)
    if facts.now < over:
        reasons.append(f"overlap until {over:%Y-%m-%d %H:%M:%S %Z}")
    reasons += [
        f"{name} still holds generation {entry.holds}"
        for name, entry in sorted(journal.links.items())
        if not entry.reads and entry.holds <= number
    ]
    return tuple(reasons)


def _was_missing(facts: Facts, journal: Journal, number: int) -> bool:
    """Whether this generation was replaced because its key was gone, and the store still does not have it."""
    replaced_missing = any(
        later > number and generation.former_missing for later, generation in journal.generations.items()
    )
    return replaced_missing and facts.keys is not None and not facts.keys.get(number)
