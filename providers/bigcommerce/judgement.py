"""What live answers say about the rights of a token: from answers to levels, from levels to verdicts. No I/O here.

A row begins with every level it has; each answer takes levels away; what is left is what was observed
(sheet bigcommerce.md 5.3 to 5.5).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from providers.bigcommerce.probes import PROBES, Kind, Probe, planned
from providers.bigcommerce.rights import Rights, complete
from providers.bigcommerce.scopes import ROWS, Row
from providers.bigcommerce.wire import Reply, Saying
from providers.core.contract import Finding, Verdict

ALWAYS_LISTED: Final = ("Metafield ownership", "Metafields access")
"""Newer rows that no call of ours can see and that are said so about, declared or not (5.3, rule 6)."""

NOT_OPTED_IN: Final = "is not looked at with `verify: read`"


class Sight(Enum):
    """What one answer shows about the right it was asked for."""

    PRESENT = "the right is there"
    MISSING = "the right is missing"
    DEAD = "the token is not accepted"
    CARRIED_OUT = "the store carried out what none should"
    UNCLEAR = "no conclusion"


_PASSED: Final = frozenset({400, 404, 405, 409, 415, 422})
"""Statuses that come from behind the gateway: the right is there (5.3, rule 3)."""
_SERVED: Final = frozenset({200, 204})
"""The same on reading calls."""


def sight(kind: Kind, reply: Reply) -> Sight:
    """What an answer to a probe shows (5.3, rules 2 and 3)."""
    status = reply.status
    if kind == "write" and 200 <= status < 300:
        return Sight.CARRIED_OUT
    if reply.saying in {Saying.NO_ROUTE, Saying.NO_HEADER}:
        return Sight.UNCLEAR
    if status in _PASSED or (kind == "read" and status in _SERVED):
        return Sight.PRESENT
    if status == 403 and reply.saying is Saying.NO_SCOPE:
        return Sight.MISSING
    return Sight.DEAD if status == 401 else Sight.UNCLEAR


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known by one probe. Where it is nothing, `words` say why: they follow "reading" or "writing"."""

    sight: Sight
    words: str = ""


Answers = Mapping[Probe, Answer]
"""What is known by each probe; one that is left out counts as not opted in."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One line of the matrix: a row of the panel, the level declared, the levels that are possible after what was seen
    (from the lowest), the verdict, and how it came about, in words."""

    label: str
    declared: str
    possible: tuple[str, ...]
    verdict: Verdict
    evidence: str

    @property
    def observed(self) -> str:
        """The observed level, or those that could not be told apart."""
        return " or ".join(self.possible)

    @property
    def finding(self) -> Finding:
        """The line as core knows proofs."""
        return Finding(self.label, self.verdict, self.evidence)


def judge(rights: Rights, answers: Answers) -> tuple[Judged, ...]:
    """Every row a person sets, and those that no call can see, in the panel's order."""
    declared = complete({label: ROWS[label].default for label in ALWAYS_LISTED} | dict(rights))
    own = {label: _possible(ROWS[label], answers, lambda probe: probe.also is not None) for label in declared}

    def blurred(probe: Probe) -> bool:
        """Whether another row may have opened this call: by what that row was seen to have, not by what it should (5.4)."""
        return probe.also is not None and not probe.also[1].isdisjoint(own[probe.also[0]])

    return tuple(
        _judged(ROWS[label], level, _possible(ROWS[label], answers, blurred), answers, blurred)
        for label, level in declared.items()
    )


def foreseen(rights: Rights, *, full: bool) -> tuple[Judged, ...]:
    """What a proof will be able to show about a token that has exactly these rights, before there is any: the rows that
    are not confirmed cannot be proved in this combination."""
    return judge(rights, {probe: _as_declared(rights, probe) for probe in planned(full=full)})


def _as_declared(rights: Rights, probe: Probe) -> Answer:
    def level(label: str) -> str:
        return rights.get(label, ROWS[label].default)

    opened = level(probe.label) in probe.opened_by
    by_other = probe.also is not None and level(probe.also[0]) in probe.also[1]
    return Answer(Sight.PRESENT if opened or by_other else Sight.MISSING)


def _probes(row: Row) -> tuple[Probe, ...]:
    return tuple(probe for probe in PROBES if probe.label == row.label)


def _possible(row: Row, answers: Answers, blurred: Callable[[Probe], bool]) -> tuple[str, ...]:
    """The levels that the answers leave. What another row may have opened says nothing; what is closed is closed."""
    left = row.words
    for probe in _probes(row):
        seen = answers[probe].sight if probe in answers else Sight.UNCLEAR
        if seen is Sight.MISSING:
            left = tuple(word for word in left if word not in probe.opened_by)
        elif seen is Sight.PRESENT and not blurred(probe):
            left = tuple(word for word in left if word in probe.opened_by)
    return left


def _judged(
    row: Row, declared: str, possible: tuple[str, ...], answers: Answers, blurred: Callable[[Probe], bool]
) -> Judged:
    words = [f"declared {declared}", ", ".join(_seen(probe, answers, blurred) for probe in _probes(row))]
    if not possible:
        # Neither more nor less than declared: the calls themselves are not what we take them for.
        verdict: Verdict = "unverifiable"
        words.append("no level of the row explains these answers")
        possible = row.words
    elif declared not in possible:
        verdict = "contradicted"
        words.append(f"{_compared(row, declared, possible)}: {' or '.join(possible)}")
    elif len(possible) == 1:
        verdict = "confirmed"
    else:
        verdict = "unverifiable"
        words.append(f"{' or '.join(possible)} cannot be told apart")
    if not _probes(row):
        words[1:] = ["no call of the API shows this row"]
    return Judged(row.label, declared, possible, verdict, "; ".join(words))


def _compared(row: Row, declared: str, possible: tuple[str, ...]) -> str:
    """Whether what is possible is more than declared, or less: an answer shuts off one end of a row's levels."""
    return "MORE than declared" if row.words.index(possible[0]) > row.words.index(declared) else "LESS than declared"


_VERBS: Final[Mapping[str, tuple[str, str]]] = {
    "read": ("read", "reading"),
    "modify": ("write", "writing"),
    "create": ("create", "creating"),
    "manage": ("manage", "managing"),
}
"""What a probe shows, by the level that opens it; a reading probe shows reading, whatever opens it."""


def _seen(probe: Probe, answers: Answers, blurred: Callable[[Probe], bool]) -> str:
    """What one probe showed, in words."""
    verb, doing = _VERBS["read" if probe.kind == "read" else min(probe.opened_by)]
    answer = answers.get(probe, Answer(Sight.UNCLEAR, NOT_OPTED_IN))
    if answer.sight is Sight.MISSING:
        return f"does not {verb}"
    if answer.sight is not Sight.PRESENT:
        return f"{doing} {answer.words}"
    return f"{verb}s, which {probe.also[0]} opens too" if probe.also is not None and blurred(probe) else f"{verb}s"
