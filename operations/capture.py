"""`connections capture`: put in a key that a person made, after a live proof."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

from operations.application import given_path
from operations.results import Block
from operations.screen import table
from operations.session import Session
from operations.values import check_deletable, delete_file, read_values
from operations.work import checked_reason
from providers.core import kinds, people
from providers.core.contract import Finding
from providers.core.errors import ConnectionsError, PersonNeeded


@dataclass(frozen=True, slots=True)
class Captured:
    """A key that was proved and put into Vault under its number, or a number that was given up; or, with `problem`, a key
    that is not what was asked for, and `findings` say what of it. `next` is what to do now."""

    name: str
    number: int
    lost: bool
    findings: tuple[Finding, ...]
    next: tuple[str, ...]
    problem: str = ""
    exit_code: int = 0

    def shown(self) -> Iterable[Block]:
        """The proof, and what to do next."""
        rows = [(finding.check, finding.verdict, finding.evidence) for finding in self.findings]
        yield from table(("check", "verdict", "evidence"), rows)
        yield f"{self.name}: {self._words}"
        yield from self.next

    @property
    def _words(self) -> str:
        if self.problem:
            return self.problem
        if self.lost:
            return f"key number {self.number} is given up"
        return f"key number {self.number} is {'proved and in Vault' if self.findings else 'in Vault already'}"


def capture(session: Session, name: str, *, file: str, delete: bool, lost: bool, reason: str) -> Captured:
    """Take the values in, or note that they will not come."""
    if (lost and (file or delete)) or (delete and not file) or (reason and not lost):
        raise ConnectionsError(
            "capture takes a connection, maybe with --file and --delete; or --lost with --reason",
            do="See `connections capture --help`",
        )
    path = given_path(file, os.environ) if file else None
    if path is not None and delete:
        check_deletable(path, file)
    connection = session.stack.connection(name)
    why = checked_reason(reason) if lost else ""
    operation = session.operation(connection)
    # Before anything is asked of a person.
    number = people.awaited_number(operation)
    if lost:
        people.capture_lost(operation, why)
        step = "Run `pulumi up`: it gives the number up and asks for the next."
        return Captured(connection.name, number, True, (), (step,))
    kind = kinds.credential(f"{connection.platform}/{connection.kind}")
    inputs = session.inputs(connection)
    own = kind.parse
    parse = (lambda data: own(data, inputs)) if own is not None else None
    values = read_values(kind.secret_fields, path, parse)
    try:
        findings = people.capture(operation, values)
    except people.NotAsDeclared as refused:
        steps = (f"{refused.do}.", f"`connections sheet {name}` says what to make.")
        return Captured(name, number, False, refused.findings, steps, refused.what, refused.exit_code)
    taken = Captured(
        name, number, False, tuple(findings), ("Run `pulumi up`: it publishes the key and moves its links.",)
    )
    if path is None:
        return taken
    if not delete:
        return replace(taken, next=(*taken.next, f"Delete {file}: the key stands in it."))
    left = delete_file(path, file)
    return replace(taken, next=(*taken.next, left), exit_code=PersonNeeded.exit_code) if left else taken
