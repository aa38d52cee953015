"""The calls that show which rights a token has, as data: `probes.csv` (sheet bigcommerce.md 5.2).

`opened_by` are the levels of the row itself that let a call pass the gateway, `also_opened_by` levels of another row that
do so too, or may (5.4, 4.3). Write probes are bodies that no store can carry out: the gateway judges the token and its
rights before the body (5.1). No DELETE and no PUT but the one DELETE without its header (5.3, rule 1).
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

Kind = Literal["read", "write"]


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """One call: it passes the gateway with one of the levels `opened_by` of its row `label`, or with one of the levels
    `also` of another row. `body` is what is sent as JSON, None for nothing. There is one object of each, compared by
    identity."""

    label: str
    kind: Kind
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    opened_by: frozenset[str]
    also: tuple[str, frozenset[str]] | None = None

    @property
    def call(self) -> str:
        """Method and path, for people."""
        return f"{self.method} {self.path}"


def _kind(text: str) -> Kind:
    return "write" if text == "write" else "read"


def _probe(row: Mapping[str, str]) -> Probe:
    other, _, levels = row["also_opened_by"].partition("=")
    name, _, value = row["query"].partition("=")
    return Probe(
        row["label"],
        _kind(row["kind"]),
        row["method"],
        row["path"],
        {name: value} if name else {},
        json.loads(row["body"]) if row["body"] else None,
        frozenset(row["opened_by"].split("|")),
        (other, frozenset(levels.split("|"))) if other else None,
    )


def _load() -> tuple[Probe, ...]:
    with Path(__file__).with_name("probes.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_probe(row) for row in csv.DictReader(file))


PROBES: Final = _load()
"""Every probe, in the order of the panel's rows."""


def planned(*, full: bool) -> tuple[Probe, ...]:
    """The probes in the order they are sent: every reading one first, as they tell most and touch least; writing ones
    only where that was opted in (5.3, rule 7)."""
    reads = tuple(probe for probe in PROBES if probe.kind == "read")
    return reads + tuple(probe for probe in PROBES if probe.kind == "write") if full else reads
