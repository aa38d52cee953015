"""`connections status`: every connection as its journal has it, or, with `--live`, as the store shows it.

What is said about waiting and persons comes from the same functions that the engine's runs use.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from operations.age import due_at, issued_at
from operations.results import Block, counted, together, words, worst
from operations.screen import table
from operations.session import Session
from operations.work import wish
from providers.core.contract import Capabilities
from providers.core.due import Facts, Wish, differing, rotation_wished
from providers.core.errors import ConnectionsError, CouldNotLook
from providers.core.journal import Journal, Kept, Published
from providers.core.ledger import held
from providers.core.loop import awaited, waiting
from providers.core.observe import observe
from providers.core.operation import status_word
from providers.core.standing import OF_A_PERSON, standing
from providers.core.toolbox import user_of
from providers.declarations import Connection, DeclaredLink
from providers.inputs import consumer_inputs, ledger_inputs

EXITS: Final[Mapping[str, int]] = {
    "live": 0,
    "rotating": 0,
    "retiring": 0,
    "awaiting_person": 4,
    "unchecked": 3,
    "absent": 2,
    "closed": 2,
    "drift": 2,
    "problem": 1,
}
"""Every state a connection can be in, with the exit code it stands for."""


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One user of a credential: `state` is one of `standing.LinkState`; `generation` the one it works with, 0 for none;
    `reasons` what is known and owed, in words."""

    name: str
    to: str
    state: str
    generation: int = 0
    confirmed_by: str = ""
    confirmed_at: str = ""
    reasons: tuple[str, ...] = ()

    def held(self, current: int) -> str:
        """Its state, and where it works with another generation than the current one, with which."""
        behind = self.generation and self.generation != current
        return f"{self.state} (holds generation {self.generation})" if behind else self.state


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """One connection. `issued_at` is when its generation was proved and became current; `reasons` are words."""

    name: str
    store: str
    platform: str
    rights: Any
    state: str
    generation: int = 0
    issued_at: datetime | None = None
    age_days: int | None = None
    rotation_due: datetime | None = None
    links: tuple[LinkStatus, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A stack's connections."""

    stack: str
    connections: tuple[ConnectionStatus, ...]

    @property
    def exit_code(self) -> int:
        """The gravest of all states."""
        return worst(EXITS[entry.state] for entry in self.connections)

    def shown(self) -> Iterable[Block]:
        """A row for each, then the reasons, then how many are how."""
        columns = ("connection", "rights", "state", "generation", "age", "rotation due", "links")
        yield from table(columns, [_row(entry) for entry in self.connections])
        yield ""
        yield from together((entry.name, reason) for entry in self.connections for reason in entry.reasons)
        states = [entry.state for entry in self.connections]
        counts = ", ".join(f"{states.count(state)} {state}" for state in EXITS if state in states)
        yield f"{self.stack}: {counts or 'no connections'}"


def _row(entry: ConnectionStatus) -> tuple[str, ...]:
    age = "-" if entry.age_days is None else f"{entry.age_days} d"
    due = entry.rotation_due.date() if entry.rotation_due else None
    links = ", ".join(f"{link.name} {link.held(entry.generation)}" for link in entry.links)
    return (entry.name, counted(entry.rights), entry.state, words(entry.generation or None), age, words(due), links)


# --- one connection ---


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen of a connection, in words: what is wrong, what differs, who and what it waits for."""

    journal: Journal | None
    problems: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


def status(session: Session, scope: str, *, waiting: bool, live: bool) -> StatusReport:
    """The connections of a scope; of the whole stack also those that Vault knows and nobody declares."""
    chosen = session.selected(scope)
    found = session.each("looking", chosen, lambda connection: _status(session, connection, live=live))
    if not scope and not any(entry.state == "unchecked" for entry in found):
        found += _undeclared(session)
    kept = [entry for entry in found if entry.reasons or not waiting]
    return StatusReport(session.stack.name, tuple(kept))


def _status(session: Session, connection: Connection, *, live: bool) -> ConnectionStatus:
    blank = ConnectionStatus(
        connection.name, connection.store.name, connection.platform, connection.fields.get("rights"), "absent"
    )
    try:
        wished = wish(session, connection)
        look = _at_the_store(session, connection, wished) if live else _in_the_journal(session, connection, wished)
    except ConnectionsError as error:
        state = "unchecked" if isinstance(error, CouldNotLook) else "problem"
        return replace(blank, state=state, reasons=(str(error),))
    journal = look.journal
    if journal is None:
        return replace(blank, reasons=("nothing was made yet; `pulumi up` makes it",))
    since = issued_at(journal)
    now = session.toolbox.clock()
    return replace(
        blank,
        state=_state(look, journal),
        generation=journal.current or 0,
        issued_at=since,
        age_days=(now - since).days if since else None,
        rotation_due=due_at(session.stack, connection, journal),
        links=users(session, connection, journal),
        reasons=(*look.problems, *look.drift, *look.person, *look.waiting),
    )


def _state(look: _Look, journal: Journal) -> str:
    word = status_word(journal, bool(look.problems), bool(look.person))
    return "drift" if look.drift and word not in {"problem", "closed", "absent"} else word


def _in_the_journal(session: Session, connection: Connection, wished: Wish) -> _Look:
    """What the journal alone tells: one read of Vault, no secret, no store."""
    operation = session.operation(connection)
    journal, _ = operation.book.journal()
    if journal is None:
        return _Look(None)
    if journal.phase == "closed":
        return _Look(journal, waiting=("it was ended and is declared again; `pulumi up` makes it",))
    facts = _facts(connection, journal, session.toolbox.clock())
    drift = _not_as_declared(journal, wished, operation.store)
    return _with_links(session, connection, facts.journal, drift, awaited(facts, wished), waiting(facts, wished))


def _at_the_store(session: Session, connection: Connection, wished: Wish) -> _Look:
    seen = observe(session.operation(connection), wished)
    if seen.journal is None or seen.journal.phase == "closed":
        return _Look(seen.journal, waiting=("it was ended and is declared again; `pulumi up` makes it",))
    changed = differing({name: wished.fields[name] for name in seen.fields if name in wished.fields}, seen.fields)
    otherwise = tuple(
        f"{name} is {words(seen.fields[name])} at the store, {words(wished.fields[name])} in the file"
        for name in changed
    )
    return _with_links(session, connection, seen.journal, (*otherwise, *seen.drift), seen.person, seen.waiting)


def _with_links(
    session: Session,
    connection: Connection,
    journal: Journal | None,
    drift: tuple[str, ...],
    person: tuple[str, ...],
    waits: tuple[str, ...],
) -> _Look:
    """With what the links of a connection lack."""
    if journal is None or journal.current is None:
        return _Look(journal, (), drift, person, waits)
    leaked = journal.generations[journal.current].compromised
    problems = (f"generation {journal.current} is compromised: {leaked}",) if leaked else ()
    for link in users(session, connection, journal):
        place = f"{connection.name}/{link.name}"
        if link.state in {"awaiting_person", "waiting_for_vendor"}:
            person = (*person, *(f"{place}: {reason}" for reason in link.reasons))
        elif link.state in {"absent", "connecting"}:
            drift = (*drift, f"{place} does not have generation {journal.current} yet; `pulumi up` gives it")
        elif link.state == "unlinking" or link.to == "":
            drift = (*drift, f"{place} is to be unlinked; `pulumi up` finishes it")
    return _Look(journal, problems, drift, person, waits)


def _facts(connection: Connection, journal: Journal, now: datetime) -> Facts:
    """The facts a journal alone gives. What is published is published since it became current, or a moment later."""
    by = connection.by_person
    # What was put in has its fingerprint in the journal, though nobody may read it here.
    captured = [number for number in journal.in_state("intended") if journal.generations[number].fingerprint]
    return Facts(
        journal=journal,
        kept={number: Kept("present") for number in captured},
        published=Published(0, "live", generation=journal.current, at=issued_at(journal)) if journal.current else None,
        keys=None,
        capabilities=Capabilities("person" if by else "api", "person" if by else "store", frozenset(), not by, 0.0),
        now=now,
    )


def _not_as_declared(journal: Journal, wished: Wish, address: str) -> tuple[str, ...]:
    """What the file says otherwise than the last run that acted, in words."""
    found: list[str] = []
    if journal.store != address:
        found.append(f"the store was {journal.store}")
    if journal.phase == "closing":
        found.append("it is being ended, though it is declared")
    if journal.current is not None:
        made = journal.generations[journal.current]
        found += [
            f"{name} was {words(made.wished.get(name))}, the file says {words(wished.fields[name])}"
            for name in differing(wished.fields, made.wished)
        ]
        if rotation_wished(journal, wished) > made.rotation:
            found.append(f"a rotation was asked for: {journal.requested.reason if journal.requested else ''}")
    if journal.intended is not None and journal.generations[journal.intended].fingerprint:
        found.append(f"key number {journal.intended} was put in")
    elif journal.intended is not None and journal.generations[journal.intended].made_by != "person":
        found.append(f"generation {journal.intended} is being made, or its run was killed")
    return tuple(f"{line}; `pulumi up` settles it" for line in found)


def users(session: Session, connection: Connection, journal: Journal) -> tuple[LinkStatus, ...]:
    """The users of a credential: the declared links, then those that only the journal has."""
    declared = [_link(session, connection, link, journal) for link in connection.links]
    # Until a run renamed it, a link stands in the journal under its former name.
    known = {link.name if link.name in journal.links else link.was or link.name for link in connection.links}
    extra = [
        LinkStatus(name, "", "unlinking", entry.acknowledged)
        for name, entry in sorted(journal.links.items())
        if name not in known
    ]
    return (*declared, *extra)


def _link(session: Session, connection: Connection, link: DeclaredLink, journal: Journal) -> LinkStatus:
    entry = journal.link(link.name, link.was)
    user = user_of(consumer_inputs(session.project, session.stack, connection, link))
    stands = standing(f"{connection.name}/{link.name}", entry, journal.current, user)
    if entry is None:
        return LinkStatus(link.name, link.to, "absent")
    by, at = (str(entry.receipt.get(word, "")) for word in OF_A_PERSON)
    return LinkStatus(link.name, link.to, stands.state, entry.acknowledged, by, at, stands.reasons)


# --- what nobody declares ---


def _undeclared(session: Session) -> list[ConnectionStatus]:
    """Connections that Vault knows and no file declares, until they are at their end."""
    inputs = ledger_inputs(session.project, session.stack)
    found = held(session.toolbox.documents(inputs), inputs, undeclared_only=True)
    return [
        _forgotten(entry.owner.connection, entry.journal)
        for entry in found
        if entry.journal.phase != "closed" and not entry.declared
    ]


def _forgotten(name: str, journal: Journal) -> ConnectionStatus:
    by_person = [
        number
        for number in journal.in_state("retiring", "abandoned", "intended")
        if journal.generations[number].made_by == "person" and not journal.generations[number].confirmed
    ]
    person = tuple(
        f"key number {number} was made by a person: see that it is gone, then "
        f"`connections confirm {name} --deleted {number} --reason TEXT`"
        for number in by_person
        if journal.phase == "closing"
    )
    latest = journal.generations[max(journal.generations)] if journal.generations else None
    return ConnectionStatus(
        name,
        name.partition("/")[0],
        journal.platform.partition("/")[0],
        latest.wished.get("rights") if latest else None,
        "awaiting_person" if person else "drift",
        journal.current or 0,
        issued_at(journal),
        reasons=person or ("it is not declared; `pulumi up` ends it",),
    )
