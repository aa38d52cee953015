"""The rights of a store-level API account as data: the rows of the control panel and their levels (sheet bigcommerce.md 4).

`scopes.csv` holds every label and level the vendor documents, one line each: `position` is the row's place among the 25
rows that every panel has; `offered` says who is shown the row; `includes` is the level whose rights this one has as well,
empty where nothing says so. `conflicts.csv` holds what the vendor's documents print in different ways (sheet 4.3): the
spelling `used` here, the one also `printed`, and `where` it stands. Parameters matter to OAuth alone: a person in front of
the panel sees labels and levels.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STORE_LEVEL: Final = ("panel", "newer", "feature")
"""Values of `offered` that a store-level account may meet: every panel, a newer one, one of a store with a feature."""

ELSEWHERE: Final[Mapping[str, str]] = {
    "app": "offered to apps only, not to a store-level account",
    "account": "a right of account-level API accounts, not of a store's",
    "implicit": "no row of the panel; every token has it",
}
"""The other values of `offered`, in words."""

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a row: the panel's word in lower case, its OAuth parameter (empty where it has none), and the level
    whose rights it has as well, empty where that is not documented."""

    word: str
    parameter: str
    includes: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the panel: `label` in the panel's spelling, `levels` from the lowest to the highest, `position` from 1 to
    25 or 0 for a row that not every panel has, and who is `offered` it."""

    label: str
    levels: tuple[Level, ...]
    position: int
    offered: str

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its levels, the lowest first."""
        return tuple(level.word for level in self.levels)

    @property
    def default(self) -> str:
        """The level that a row has where nobody sets it: `none`, or the lowest of a row that has no none (sheet 4.2)."""
        return self.words[0]

    def level(self, word: str) -> Level:
        """The level of this word; `KeyError` where the row has none such."""
        for level in self.levels:
            if level.word == word:
                return level
        raise KeyError(word)

    def includes(self, word: str, lower: str) -> bool:
        """Whether a level has all rights of another one: itself, the default of any row, or one that it is documented to
        include."""
        level = self.level(word)
        if lower in {word, self.default}:
            return True
        return bool(level.includes) and self.includes(level.includes, lower)


@dataclass(frozen=True, slots=True)
class Conflict:
    """What the vendor's documents print in two ways. `of` is `parameter`, `level`, `label` or `opened by`; `level` is empty
    where the whole row is meant."""

    label: str
    level: str
    of: str
    used: str
    printed: str
    where: str


def _lines(name: str) -> Iterator[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _rows() -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for line in _lines("scopes.csv"):
        level = Level(line["level"], line["parameter"], line["includes"])
        known = rows.get(line["label"])
        levels = (*known.levels, level) if known else (level,)
        rows[line["label"]] = Row(line["label"], levels, int(line["position"] or 0), line["offered"])
    return rows


TABLE: Final[Mapping[str, Row]] = _rows()
"""Every row of the vendor's table by its label, those of other kinds of accounts among them."""

ROWS: Final[Mapping[str, Row]] = {label: row for label, row in TABLE.items() if row.offered in STORE_LEVEL}
"""The rows of a store-level account by label, in the panel's order: the 25, then newer ones, then those of features."""

PANEL: Final = tuple(label for label, row in ROWS.items() if row.position)
"""The labels of the 25 rows that every panel has, in its order."""

CONFLICTS: Final = tuple(Conflict(**line) for line in _lines("conflicts.csv"))
"""What the vendor's documents do not agree about."""
