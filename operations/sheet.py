"""`connections sheet`: what a person is to do in a store's panel, as text, Markdown or HTML.

Whoever does it is often the shop's owner and has no login of ours: the sheet is printed or sent, and no secret is in it. It
is made from journals and the names of documents, so it needs no right to read a secret.
"""

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from operations.results import Block, Page
from operations.session import Session
from operations.sheet_forms import as_html, as_markdown, as_text
from operations.work import wish
from providers.core.contract import Fields
from providers.core.errors import ConnectionsError, DeclarationError
from providers.core.ledger import held, restored
from providers.core.operation import Operation
from providers.core.people import tasks
from providers.core.sheet import Sheet, Task
from providers.declarations import Connection
from providers.inputs import ledger_inputs

FORMS: Mapping[str, Callable[[Iterable[Sheet]], str]] = {"text": as_text, "markdown": as_markdown, "html": as_html}
"""What `--format` takes."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """One sheet: to make or to delete the key of this number of a connection."""

    name: str
    task: Task
    number: int
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class Sheets:
    """Every task that waits for a person, in the form that was asked for."""

    form: str
    sheets: tuple[Awaited, ...]
    exit_code: int = 0

    def shown(self) -> Iterable[Block]:
        """The sheets, one after another."""
        if not self.sheets:
            yield "No person is awaited."
            return
        yield Page(FORMS[self.form](awaited.sheet for awaited in self.sheets))


def sheet(session: Session, scope: str, *, form: str) -> Sheets:
    """The sheets of a scope, connections among them that are declared no more and whose keys are still to be deleted.

    Where one journal cannot be read nothing is printed: sheets with one missing would look complete.
    """
    if form not in FORMS:
        raise ConnectionsError(f"--format: {form!r} is none of {', '.join(FORMS)}", do="See `connections sheet --help`")
    unknown: DeclarationError | None = None
    chosen: tuple[Connection, ...] = ()
    try:
        chosen = session.selected(scope)
    except DeclarationError as error:
        unknown = error
    works: list[tuple[str, Operation, Fields | None]]
    works = [(one.name, session.operation(one), wish(session, one).fields) for one in chosen]
    if [one.name for one in chosen] != [scope]:
        works += _undeclared(session, scope or "*")
    if unknown is not None and not works:
        raise unknown
    found = session.each("reading journals", works, lambda work: _awaited(*work))
    return Sheets(form, tuple(awaited for some in found for awaited in some))


def _undeclared(session: Session, pattern: str) -> list[tuple[str, Operation, Fields | None]]:
    """The connections that Vault knows and no file declares."""
    inputs = ledger_inputs(session.project, session.stack)
    return [
        (
            entry.owner.connection,
            session.toolbox.operation(restored(inputs, entry.owner, entry.journal)),
            None,
        )
        for entry in held(session.toolbox.documents(inputs), inputs, undeclared_only=True)
        if not entry.declared
        and entry.journal.phase != "closed"
        and fnmatch.fnmatchcase(entry.owner.connection, pattern)
    ]


def _awaited(name: str, operation: Operation, declared: Fields | None) -> tuple[Awaited, ...]:
    return tuple(Awaited(name, asked.task, asked.number, asked.sheet) for asked in tasks(operation, declared))
