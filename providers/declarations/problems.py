"""What is wrong in the declared files: every problem at once, each with its place."""

from collections.abc import Iterable
from dataclasses import dataclass

from providers.core.errors import DeclarationError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem: what was found and what is allowed. `line` and `column` count from 1; 0 is the file as a whole."""

    file: str
    line: int
    column: int
    what: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.what}"


class DeclarationErrors(DeclarationError):
    """All that is wrong in a stack's files, sorted by place; one line each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__(f"problems in the declarations: {len(self.problems)}")

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)
