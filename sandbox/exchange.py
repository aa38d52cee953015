"""What goes into a stand-in and what comes out of it, free of any web server.

The vendor logic sees only these values. That is what makes the faults of `faults.py` possible: a request that is a plain
value can be processed twice, later, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class UnknownInSheetError(Exception):
    """The fact sheet does not say what the vendor answers here; the stand-in refuses loudly instead of guessing."""


@dataclass(slots=True)
class VendorRequest:
    """One request as the vendor's program would see it."""

    method: str
    prefix: str
    """Name under which the store was addressed, the first segment of the path."""
    path: str
    """Path below the prefix, percent escapes decoded; begins with a slash."""
    raw_path: str
    """The same path as it was sent."""
    raw_query: str
    query_pairs: list[tuple[str, str]]
    form_pairs: list[tuple[str, str]]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes = b""
    list_lag: int = 0
    """How many writes the listing lags behind; set by a fault only."""
    admitted: object | None = None
    """The session this request had when it arrived; set for a late commit, whose login check lies in the past."""
    query: dict[str, str] = field(init=False)
    form: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        # The last value wins, as in PHP's $_GET and $_POST.
        self.query = dict(self.query_pairs)
        self.form = dict(self.form_pairs)

    def either(self, name: str) -> str:
        """PHP's $_REQUEST: the form before the query."""
        return self.form.get(name, self.query.get(name, ""))


@dataclass(slots=True)
class Reply:
    """One answer."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """First value of a header, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


def unknown_reply(reason: str) -> Reply:
    """The loud refusal for what the fact sheet leaves open."""
    text = f"sandbox: unknown in the sheet: {reason}\n"
    return Reply(501, text.encode(), [("Content-Type", "text/plain; charset=utf-8")])
