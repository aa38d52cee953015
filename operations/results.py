"""What a command found, as a value: rendered as tables for people, or as one JSON document for scripts.

A result is a frozen dataclass; its fields are the keys of the JSON document.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

GRAVITY: Final = (1, 5, 2, 3, 4, 0)
"""Exit codes from the gravest: error, refused by a rail, changes or drift, could not look, a person must act, done.

Of several the gravest is the command's: what is known to be wrong comes before what could not be seen.
"""


def worst(codes: Iterable[int]) -> int:
    """The gravest of these exit codes; 0 of none."""
    return min(codes, key=GRAVITY.index, default=0)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts under the names of their columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A text that stands as it is, however long: its own lines and blanks, for a file, a printer or a terminal."""

    text: str


Block = Table | Page | str
"""What people see: a table, a page or a line."""


class Result(Protocol):
    """What a command returns: a dataclass that can be shown."""

    @property
    def exit_code(self) -> int:
        """The command's exit code (declarations.md section 4)."""
        ...

    def shown(self) -> Iterable[Block]:
        """The result for people."""
        ...


def document(value: Any) -> Any:
    """A result as JSON values: dataclasses by their fields, moments in ISO 8601."""
    if dataclasses.is_dataclass(value):
        return {field.name: document(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): document(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [document(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def words(value: Any) -> str:
    """A value as a cell of a table."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {words(inner)}" for key, inner in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(words(inner) for inner in value) or "-"
    return value.isoformat() if isinstance(value, date) else str(value)


def counted(value: Any) -> str:
    """A value as a narrow cell: of rows with levels only how many have which, the most frequent first."""
    if not isinstance(value, Mapping):
        return words(value)
    levels = Counter(words(level) for level in value.values())
    return ", ".join(f"{many} {level}" for level, many in levels.most_common()) or "-"


def together(said: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Lines about names, each said once: what holds for many of them names them all."""
    names: dict[str, list[str]] = {}
    for name, line in said:
        names.setdefault(line, []).append(name)
    for line, about in names.items():
        yield line if line.startswith(about[0]) else f"{', '.join(about)}: {line}"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command did, in lines, where there is nothing to tabulate."""

    lines: tuple[str, ...]
    exit_code: int = 0

    def shown(self) -> Iterable[Block]:
        """The lines."""
        return self.lines
