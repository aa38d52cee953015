"""Rows of rights as somebody wrote them, in the panel's spelling; a set of rows and what is excepted from it.

A label that is left out means none, or the panel's default where a row has no none (sheet bigcommerce.md 4.2). Rights that
are kept and compared are therefore only the rows above their default, in the panel's order: a change of one row shows as
that row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from providers.bigcommerce.scopes import CONFLICTS, ELSEWHERE, PANEL, ROWS, TABLE
from providers.declarations.names import shown, suggestion

Rights = Mapping[str, str]
"""Levels by label, both in the panel's spelling, in the panel's order."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong at a row: the label as it was written, and whether the label itself is meant or else its level."""

    label: str
    of_label: bool
    what: str


def normalise(written: Mapping[str, str]) -> tuple[dict[str, str], tuple[Wrong, ...]]:
    """Rows as they were written, in the panel's spelling and order; and everything that is wrong with them.

    Rows at their default stay, since an `except` needs them. Letter case does not matter; what is wrong is left out.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    wrong: list[Wrong] = []
    for label, level in written.items():
        known = _LABELS.get(label.lower())
        if known is None:
            wrong.append(Wrong(label, True, _no_row(label)))
        elif known in seen:
            wrong.append(Wrong(label, True, f"{shown(label)} stands here twice; letter case makes no difference"))
        elif level.lower() not in ROWS[known].words:
            wrong.append(Wrong(label, False, _no_level(known, level)))
        else:
            found[known] = level.lower()
        seen.add(known or "")
    return {label: found[label] for label in ROWS if label in found}, tuple(wrong)


def granted(rights: Rights) -> dict[str, str]:
    """Only the rows above their default, in the panel's order."""
    return {label: rights[label] for label, row in ROWS.items() if rights.get(label, row.default) != row.default}


def complete(rights: Rights) -> dict[str, str]:
    """A level for each row that a person sets: the 25 of every panel, and whichever others are granted."""
    return {label: rights.get(label, row.default) for label, row in ROWS.items() if label in PANEL or label in rights}


def excepted(base: Rights, written: Mapping[str, str]) -> tuple[dict[str, str], tuple[Wrong, ...]]:
    """The rows of `base` with those of an `except` in their place; and the rows of it that are wrong or change nothing."""
    changes, wrong = normalise(written)
    idle = {label for label, level in changes.items() if base.get(label, ROWS[label].default) == level}
    said = tuple(
        Wrong(label, False, f"the set has this row at {shown(level)} already; leave the exception out")
        for label, level in written.items()
        if _LABELS.get(label.lower()) in idle
    )
    return {**base, **changes}, (*wrong, *said)


def wider(before: Rights, after: Rights) -> str:
    """In words, what rows with the levels `after` permit that `before` did not; empty where nothing."""
    found = []
    for label, row in ROWS.items():
        former, present = before.get(label, row.default), after.get(label, row.default)
        if not row.includes(former, present):
            found.append(f"{label}: {former} => {present}")
    return ", ".join(found)


_LABELS = {label.lower(): label for label in ROWS}
_OTHERS = {label.lower(): row for label, row in TABLE.items() if label not in ROWS}
_RENAMED = {conflict.printed.lower(): conflict for conflict in CONFLICTS if conflict.of == "label"}


def _no_row(label: str) -> str:
    """Why a label is none of the panel's rows, in words."""
    renamed, other = _RENAMED.get(label.lower()), _OTHERS.get(label.lower())
    if renamed:
        return f"{shown(label)} is how {renamed.where} calls it; the panel's word is {shown(renamed.used)}"
    if other:
        return f"{shown(label)} is {ELSEWHERE[other.offered]}"
    near = suggestion(label, ROWS)
    return f"no row of the panel is called {shown(label)}; allowed: {', '.join(ROWS)}{near}"


def _no_level(label: str, level: str) -> str:
    """Why a row has no such level, in words."""
    row = ROWS[label]
    printed = [
        conflict for conflict in CONFLICTS if (conflict.label, conflict.of, conflict.printed) == (label, "level", level)
    ]
    hint = (
        f"; {printed[0].where} prints it, the panel says {printed[0].used}" if printed else suggestion(level, row.words)
    )
    return f"the row has no level {shown(level)}; allowed: {', '.join(row.words)}{hint}"
