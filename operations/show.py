"""`connections show`: one connection resolved, each value with the line it comes from, and what was decided for it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from operations.age import duration
from operations.results import Block, words
from operations.screen import table
from operations.session import Session
from operations.status import LinkStatus, users
from operations.work import Failure, vault_path
from providers.core.errors import ConnectionsError
from providers.core.journal import Journal
from providers.declarations import Stack, declared_words

STEPS_SHOWN = 10

_DURATIONS: Final = frozenset({"rotate_after", "overlap", "handover_ttl", "expires_after"})


@dataclass(frozen=True, slots=True)
class Value:
    """A word and its value; `origin` is `file:line`, or `built in`."""

    word: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class LinkShown:
    """A declared link."""

    name: str
    to: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class GenerationShown:
    """One generation: the id and the visible end of its key, and when it came into each state."""

    number: int
    state: str
    key_id: str
    tail: str
    times: dict[str, datetime]
    note: str


@dataclass(frozen=True, slots=True)
class StepShown:
    """One decision."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class JournalShown:
    """What was decided for a connection, and who uses which generation of its credential."""

    phase: str
    incarnation: int
    users: tuple[LinkStatus, ...]
    generations: tuple[GenerationShown, ...]
    steps: tuple[StepShown, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One connection. `journal` is null where nothing was made yet, or where `problem` says why it was not seen."""

    name: str
    vault_path: str
    values: tuple[Value, ...]
    links: tuple[LinkShown, ...]
    journal: JournalShown | None
    problem: str
    exit_code: int

    def shown(self) -> Iterable[Block]:
        """Values, links, and the journal."""
        yield from table(("word", "value", "written at"), [_cells(value) for value in self.values], self.name)
        for link in self.links:
            title = f"{self.name}/{link.name}, to {link.to}"
            yield from table(("word", "value", "written at"), [_cells(value) for value in link.values], title)
        yield f"In Vault: {self.vault_path}"
        if self.problem:
            yield f"The journal was not seen: {self.problem}"
        elif self.journal is None:
            yield "Nothing was made yet; `pulumi up` makes it."
        else:
            yield from _journal_blocks(self.journal)


def _cells(value: Value) -> tuple[str, ...]:
    return (value.word, words(value.value), value.origin)


def _journal_blocks(journal: JournalShown) -> Iterator[Block]:
    users = [(user.name, user.state, words(user.generation or None), words(user.reasons)) for user in journal.users]
    yield from table(("user", "state", "holds generation", "known"), users)
    rows = [
        (str(entry.number), entry.state, words(entry.key_id), words(entry.tail), _times(entry.times), words(entry.note))
        for entry in journal.generations
    ]
    yield from table(("generation", "state", "key", "ends in", "times", "note"), rows)
    steps = [(f"{step.at:%Y-%m-%d %H:%M:%S}", step.what) for step in journal.steps]
    yield from table(("at (UTC)", "decided"), steps, f"{journal.phase}, incarnation {journal.incarnation}")


def _times(times: dict[str, datetime]) -> str:
    return ", ".join(f"{state} {at:%Y-%m-%d %H:%M}" for state, at in times.items())


def show(session: Session, name: str) -> Shown:
    """One connection by its full name."""
    connection = session.stack.connection(name)
    journal, failure, home = None, None, connection.name
    try:
        book = session.operation(connection).book
        journal, _ = book.journal()
        # A renamed connection keeps its place in Vault.
        home = book.owner.connection
    except ConnectionsError as error:
        failure = Failure.of(error)
    return Shown(
        connection.name,
        vault_path(session, home),
        _origins(session.stack, connection.name, declared_words(connection)),
        tuple(
            LinkShown(link.name, link.to, _origins(session.stack, f"{connection.name}/{link.name}", link.fields))
            for link in connection.links
        ),
        _journal(journal, users(session, connection, journal)) if journal is not None else None,
        failure.words if failure else "",
        failure.exit_code if failure else 0,
    )


def _origins(stack: Stack, name: str, values: Any) -> tuple[Value, ...]:
    """Each value with its origin; what nobody wrote and has no value is left out."""
    found = []
    for word, value in values.items():
        origin = stack.origin(name, word)
        said = duration(value) if word in _DURATIONS else value
        if origin.file or said not in (None, "", False, {}):
            found.append(Value(word, said, str(origin)))
    return tuple(found)


def _journal(journal: Journal, of_it: tuple[LinkStatus, ...]) -> JournalShown:
    return JournalShown(
        journal.phase,
        journal.incarnation,
        of_it,
        tuple(
            GenerationShown(number, entry.state, entry.key_id, entry.tail, dict(entry.times), entry.note)
            for number, entry in sorted(journal.generations.items())
        ),
        tuple(StepShown(step.at, step.what) for step in journal.steps[-STEPS_SHOWN:]),
    )
