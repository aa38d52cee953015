"""`connections capture`: put in a key that a person made, after a live proof."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from operations.application import given_path
from operations.results import Block
from operations.screen import table
from operations.session import Session
from operations.values import read_values
from operations.work import checked_reason
from providers.core import kinds, people
from providers.core.contract import Finding
from providers.core.errors import Blocked, ConnectionsError
from providers.core.operation import Operation


@dataclass(frozen=True, slots=True)
class Captured:
    """A key that was proved and put into Vault under its number, or a number that was given up."""

    name: str
    number: int
    lost: bool
    findings: tuple[Finding, ...]
    next: tuple[str, ...]
    exit_code: int = 0

    def shown(self) -> Iterable[Block]:
        """The proof, and what to do next."""
        rows = [(finding.check, finding.verdict, finding.evidence) for finding in self.findings]
        yield from table(("check", "verdict", "evidence"), rows)
        what = "is given up" if self.lost else "is proved and in Vault"
        yield f"{self.name}: key number {self.number} {what}"
        yield from self.next


def capture(session: Session, name: str, *, file: str, delete: bool, lost: bool, reason: str) -> Captured:
    """Take the values in, or note that they will not come."""
    if (lost and (file or delete)) or (delete and not file) or (reason and not lost):
        raise ConnectionsError(
            "capture takes a connection, maybe with --file and --delete; or --lost with --reason",
            do="See `connections capture --help`",
        )
    connection = session.stack.connection(name)
    why = checked_reason(reason) if lost else ""
    operation = session.operation(connection)
    number = _awaited(operation)
    if lost:
        people.capture_lost(operation, why)
        step = "Run `pulumi up`: it gives the number up and asks for the next."
        return Captured(connection.name, number, True, (), (step,))
    kind = kinds.credential(f"{connection.platform}/{connection.kind}")
    path = given_path(file, os.environ) if file else None
    inputs = session.inputs(connection)
    own = kind.parse
    parse = (lambda data: own(data, inputs)) if own is not None else None
    findings = people.capture(operation, read_values(kind.secret_fields, path, parse))
    steps = ["Run `pulumi up`: it publishes the key and moves its links."]
    if path is not None and delete:
        path.unlink()
    elif path is not None:
        steps.append(f"Delete {file}: the key stands in it.")
    return Captured(connection.name, number, False, tuple(findings), tuple(steps))


def _awaited(operation: Operation) -> int:
    """The number that a person is asked for, before anything is asked of that person."""
    journal, _ = operation.book.journal()
    number = journal.intended if journal is not None else None
    if journal is None or number is None or journal.generations[number].made_by != "person":
        raise Blocked(
            "no key is awaited from a person",
            do="Run `pulumi up` first: it says what to make",
            where=operation.owner.connection,
        )
    return number
