"""The resources of WooCommerce that a sync component may stand for, as data: `resources.csv` (pimworks.md section 5).

`data` says what is in them; `since` is the API version that has a resource first, empty where nobody recorded it. How
PIMworks calls its components is unknown: the label beside a resource is what a person ticks.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: its path below the API's version, what it holds in words, and since which version it is there."""

    resource: str
    data: str
    since: str


def _read() -> Mapping[str, Resource]:
    with Path(__file__).with_name("resources.csv").open(encoding="utf-8", newline="") as file:
        return {row["resource"]: Resource(**row) for row in csv.DictReader(file)}


RESOURCES: Final = _read()
"""Every resource, by its path."""
