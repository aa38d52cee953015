"""The rights of an API account as the control panel offers them, one row per label (sheet 4), read from scopes.csv.

scopes.csv holds all 101 lines of the vendor's table: `position` in the panel, `label`, `level` in the panel's word,
OAuth `parameter`, and `offered`, which says where the row is shown:

| offered | meaning |
|---|---|
| always | one of the 25 rows of every panel, at `position` |
| metafields, translations, b2b, infrastructure | a newer row, shown where the store's setting of that name is on |
| app_level, account_level | not for store-level accounts; never shown |
| implicit | no row at all; stands in grant strings only |
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("scopes.csv")
NONE = "none"
ALWAYS = "always"
SWITCHABLE = ("metafields", "translations", "b2b", "infrastructure")
"""Values of `offered` that are names of settings, in the order in which the panel appends their rows."""


class RightsError(ValueError):
    """Rights that the panel does not offer."""


@dataclass(frozen=True, slots=True)
class Level:
    """One choice in a row: its word, lower case, and the OAuth parameter it grants (empty for none)."""

    word: str
    parameter: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the form: its label and its levels from the lowest to the highest."""

    label: str
    levels: tuple[Level, ...]
    offered: str
    position: int
    """1 to 25 for the rows of every panel; 0 for the others."""

    @property
    def words(self) -> tuple[str, ...]:
        """The level words of this row, the lowest first."""
        return tuple(level.word for level in self.levels)

    @property
    def default(self) -> str:
        """The level nobody chose: `none`, or `standard` for Metafields access, which has no none."""
        return self.levels[0].word

    def rank(self, word: str) -> int:
        """How high a level stands in this row, 0 for the lowest; a higher level includes the lower ones."""
        return self.words.index(word)

    def parameter(self, word: str) -> str:
        """The OAuth parameter of a level; empty for none."""
        return self.levels[self.rank(word)].parameter


def _read() -> dict[str, Row]:
    rows: dict[str, Row] = {}
    with SOURCE.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            level = Level(line["level"], line["parameter"])
            known = rows.get(line["label"])
            levels = (*known.levels, level) if known else (level,)
            rows[line["label"]] = Row(line["label"], levels, line["offered"], int(line["position"] or 0))
    return rows


ROWS: dict[str, Row] = _read()
"""Every row of the table by its label, in the panel's order."""

PANEL_ROWS: tuple[Row, ...] = tuple(row for row in ROWS.values() if row.offered == ALWAYS)
"""The 25 rows of every panel."""


def offered_rows(switches: Iterable[str]) -> tuple[Row, ...]:
    """The rows of a panel in its order: the 25, then those of the switched-on groups (names out of SWITCHABLE)."""
    shown = set(switches)
    newer = (row for group in SWITCHABLE if group in shown for row in ROWS.values() if row.offered == group)
    return (*PANEL_ROWS, *newer)


def complete(chosen: Mapping[str, str], rows: Iterable[Row]) -> dict[str, str]:
    """A level for every offered row: the chosen ones, and the default where nothing was chosen.

    Labels and levels may come in any letter case; the answer has the table's. Raises RightsError on a row that is not
    offered, on a level that the row does not have and on a row chosen twice.
    """
    levels = {row.label: row.default for row in rows}
    by_name = {label.casefold(): label for label in levels}
    seen: set[str] = set()
    for given, word in chosen.items():
        label = by_name.get(given.casefold())
        if label is None:
            raise RightsError(f"there is no row {given!r}")
        if label in seen:
            raise RightsError(f"row {label!r} is chosen twice")
        seen.add(label)
        row = ROWS[label]
        if word.casefold() not in row.words:
            raise RightsError(f"row {label!r} takes {', '.join(row.words)}, not {word!r}")
        levels[label] = word.casefold()
    return levels


def allows(levels: Mapping[str, str], label: str, word: str) -> bool:
    """Whether an account with these levels has at least this level of a row."""
    row = ROWS[label]
    return label in levels and row.rank(levels[label]) >= row.rank(word)


def parameters(levels: Mapping[str, str]) -> tuple[str, ...]:
    """The OAuth parameters that these levels grant, in the panel's order; a modify name stands for its read too."""
    return tuple(parameter for label, word in levels.items() if (parameter := ROWS[label].parameter(word)))
