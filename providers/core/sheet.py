"""What a person is to do at a store, as data: the sheet that is printed, mailed or shown (sheet bigcommerce.md 3.4).

No rendering and no secret in it: the person who works by it is often the shop's owner and has no login of ours.
"""

from dataclasses import dataclass
from typing import Literal

Task = Literal["make", "delete"]
"""What a person is asked for: to make a credential, or to delete one."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to set, in the order of the page: the row's label and the level to choose, both in the page's own words."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One task of one person.

    `title` says what it is about in one line; `link` is the page where it is done; `steps` are done in their order, each
    a sentence, or a table that belongs to the sentence before it; `notes` are what to know, in no order.
    """

    title: str
    link: str
    steps: tuple[str | Table, ...]
    notes: tuple[str, ...] = ()
