"""`connections rotate`: replace credentials now, for a reason or for their age, and move their links.

What time or a person still owes is said; the next `rotate --due` or `pulumi up` goes on.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from operations.age import due_at
from operations.results import Block, together, words, worst
from operations.screen import table
from operations.session import Session
from operations.work import Failure, checked_reason, wish
from providers.core import loop, people
from providers.core.due import expiring
from providers.core.errors import ConnectionsError, Refused
from providers.core.journal import Journal
from providers.core.ledger import too_much
from providers.core.observe import observe
from providers.core.operation import Operation
from providers.declarations import Connection
from providers.inputs import consumer_inputs

Asking = Callable[[Operation], Journal]
"""A decision that makes another generation due."""

FOR_AGE: Final = "due for its age"


@dataclass(frozen=True, slots=True)
class Rotated:
    """Where a rotation left a connection: the current generation before and after, and what is still to come, in words."""

    name: str
    before: int
    after: int
    state: str
    person: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Rotations:
    """What was rotated or gone on with. `later` are due too, and left for the next run."""

    stack: str
    connections: tuple[Rotated, ...]
    later: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """The gravest of all."""
        return worst(entry.exit_code for entry in self.connections)

    def shown(self) -> Iterable[Block]:
        """A row for each, then what is to come."""
        rows = [
            (entry.name, words(entry.before or None), words(entry.after or None), entry.state)
            for entry in self.connections
        ]
        yield from table(("connection", "generation before", "now", "state"), rows)
        for entry in self.connections:
            yield from together((entry.name, line) for line in (*entry.problems, *entry.person, *entry.waiting))
        if self.later:
            yield f"due too, left for the next run: {', '.join(self.later)}"
        if not self.connections:
            yield f"{self.stack}: nothing is due"


def rotate(session: Session, name: str, *, reason: str, due: bool, at_most: int | None, compromised: bool) -> Rotations:
    """Rotate what is named, or what is due."""
    if bool(name) == due or (due and (compromised or reason)) or (at_most is not None and not due):
        raise ConnectionsError(
            "rotate takes a connection and --reason, with --compromised where it leaked; or --due, with --at-most",
            do="See `connections rotate --help`",
        )
    if due:
        return _due(session, at_most)
    asked = people.compromise if compromised else people.request_rotation
    why = checked_reason(reason)
    chosen = session.selected(name)
    if not compromised:
        _refuse_many(session, chosen)
    found = session.each(
        "rotating",
        chosen,
        lambda connection: _carried_out(session, connection, partial(asked, reason=why), leaked=compromised),
    )
    return Rotations(session.stack.name, tuple(found))


def _refuse_many(session: Session, chosen: Sequence[Connection]) -> None:
    """The rail of every `up` holds here too: not too many at once without an explicit word."""
    if len(chosen) > 1:
        before = {connection.name: "" for connection in session.stack.connections}
        refusal = too_much(before, {**before, **{connection.name: "rotate" for connection in chosen}})
        if refusal:
            raise Refused(refusal)


# --- what is due ---


def _due(session: Session, at_most: int | None) -> Rotations:
    """Begin what is due for its age, the oldest first; go on with what earlier runs left and what soon ends by itself."""
    stack, now = session.stack, session.toolbox.clock()
    begin: list[tuple[str, Connection]] = []
    work: list[tuple[Connection, Asking | None]] = []
    failed: list[Rotated] = []
    for connection, looked in zip(
        stack.connections, session.each("looking", stack.connections, lambda c: _looked(session, c)), strict=True
    ):
        journal, ends = (looked, False) if isinstance(looked, Failure) else looked
        if isinstance(journal, Failure):
            failed.append(_failed(connection, journal))
        elif journal is None or journal.phase != "open":
            continue
        elif _unfinished(journal):
            work.append((connection, None))
        else:
            moment = due_at(stack, connection, journal)
            by_schedule = stack.settings.rotation.by == "schedule" and not wish(session, connection).frozen
            if by_schedule and moment is not None and moment <= now:
                begin.append((moment.isoformat(), connection))
            elif by_schedule and ends:
                # It cannot be left for the next run, and needs no asking: the loop replaces what is soon over.
                work.append((connection, None))
    begin.sort(key=lambda entry: entry[0])
    limit = stack.settings.rotation.at_most if at_most is None else at_most
    now_due, later = begin[:limit], begin[limit:] if limit is not None else []
    work += [(connection, partial(people.request_rotation, reason=FOR_AGE)) for _, connection in now_due]
    done = session.each("rotating", work, lambda entry: _carried_out(session, entry[0], entry[1]))
    found = sorted((*failed, *done), key=lambda entry: entry.name)
    return Rotations(stack.name, tuple(found), tuple(connection.name for _, connection in later))


def _looked(session: Session, connection: Connection) -> tuple[Journal | None, bool] | Failure:
    """The journal, and whether the current credential soon ends by itself: only those that do so are looked at for it."""
    try:
        operation = session.operation(connection)
        journal, _ = operation.book.journal()
        if journal is None or journal.current is None or not operation.issuer.capabilities.lifetime:
            return journal, False
        return journal, bool(expiring(observe(operation, wish(session, connection)).findings))
    except ConnectionsError as error:
        return Failure.of(error)


def _unfinished(journal: Journal) -> bool:
    asked = journal.requested is not None and journal.requested.rotation > journal.rotation
    return asked or bool(journal.in_state("intended", "superseded", "retiring", "abandoned"))


# --- one connection ---


def _carried_out(session: Session, connection: Connection, ask: Asking | None, *, leaked: bool = False) -> Rotated:
    try:
        return _rotated(session, connection, ask, leaked=leaked)
    except ConnectionsError as error:
        return _failed(connection, Failure.of(error))


def _failed(connection: Connection, failure: Failure) -> Rotated:
    return Rotated(connection.name, 0, 0, "problem", problems=(failure.words,), exit_code=failure.exit_code)


def _rotated(session: Session, connection: Connection, ask: Asking | None, *, leaked: bool) -> Rotated:
    operation, wished = session.operation(connection), wish(session, connection)
    if wished.frozen and ask is not None and not leaked:
        raise Refused(
            f"frozen: {wished.frozen}", do="Wait, or rotate with --compromised if it leaked", where=connection.name
        )
    journal, _ = operation.book.journal()
    before = _current(journal)
    if ask is not None:
        ask(operation)
    settled = loop.settle(operation, wished)
    person: list[str] = []
    problems: list[ConnectionsError] = []
    for link in connection.links if _current(settled.journal) else ():
        inputs = consumer_inputs(session.project, session.stack, connection, link)
        given = session.toolbox.link_run(inputs, operation=operation).connect()
        person += given.person
        problems += given.problems
    # The links have moved: what they held may retire.
    outcome = loop.settle(operation, wished)
    problems += outcome.problems
    codes = [*(problem.exit_code for problem in problems), 4 if (*person, *outcome.person) else 0]
    return Rotated(
        connection.name,
        before,
        _current(outcome.journal),
        "problem" if problems else "awaiting_person" if person else outcome.state,
        (*person, *outcome.person),
        outcome.waiting,
        tuple(str(problem) for problem in problems),
        worst(codes),
    )


def _current(journal: Journal | None) -> int:
    return (journal.current or 0) if journal is not None else 0
