"""`connections check`: everything that is wrong with the declarations, without asking anybody."""

from collections.abc import Iterable
from dataclasses import dataclass

from operations.results import Block
from operations.session import Session
from providers.declarations import DeclarationErrors, Problem


@dataclass(frozen=True, slots=True)
class Checked:
    """What a stack declares in numbers, what to think about, and what is wrong."""

    stack: str
    stores: int
    connections: int
    links: int
    warnings: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> int:
        """1 where anything is wrong."""
        return 1 if self.problems else 0

    def shown(self) -> Iterable[Block]:
        """Problems by place, warnings, and how much there is."""
        yield from map(str, self.problems)
        yield from (f"warning: {warning}" for warning in self.warnings)
        if self.problems:
            yield f"{self.stack}: {len(self.problems)} problem{'s' if len(self.problems) > 1 else ''}"
        else:
            counts = f"{self.stores} stores, {self.connections} connections, {self.links} links"
            yield f"{self.stack}: {counts}; nothing is wrong with the files"


def check(session: Session) -> Checked:
    """Read the stack's files."""
    try:
        stack = session.stack
    except DeclarationErrors as error:
        return Checked(session.stack_name, 0, 0, 0, (), error.problems)
    return Checked(
        stack.name,
        len(stack.stores),
        len(stack.connections),
        sum(len(connection.links) for connection in stack.connections),
        tuple(f"{entry.name}: {warning}" for entry in stack.connections for warning in entry.warnings),
        (),
    )
