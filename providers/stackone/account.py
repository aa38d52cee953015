"""A linked account as StackOne shows it, and what that says about a key, as values and tables. No I/O here.

StackOne never gives a secret back; some views show a placeholder that may end with the last characters of one
(stackone.md 4). It is compared and never sent anywhere.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from providers.core.contract import Finding, Verdict
from providers.core.errors import Unexpected
from providers.core.redaction import Secret, redact
from providers.core.texts import shown
from providers.stackone.identity import Owner

STATUS: Final = "account"
OWNER: Final = "origin owner"
LABEL: Final = "label"
STORE_URL: Final = "store url"
TAIL: Final = "secret tail"
"""The checks of an account."""

ACTIVE: Final = "active"

MEANING: Final[Mapping[str, tuple[Verdict, str]]] = {
    ACTIVE: ("confirmed", "it is active"),
    "inactive": ("contradicted", "it is inactive"),
    "suspended": ("contradicted", "it is suspended: data calls are refused"),
    "archived": ("contradicted", "it is archived"),
    "expired": ("contradicted", "it has expired"),
    "error": ("contradicted", "it is in error"),
}
"""The statuses that are known (section 2); others may come and conclude nothing."""

_PLACEHOLDER = re.compile(r"__secretvalue:\*\*redacted\*\*(.*)", re.DOTALL)
_OF_THE_STORE = re.compile(r"store|shop|url|domain", re.IGNORECASE)
_REASONS = 3


@dataclass(frozen=True, slots=True)
class Account:
    """A linked account. `updated_at` is StackOne's text, compared and never read as a time; `reasons` are words for its
    status; `values` are the texts of its set-up, by name, which may be placeholders."""

    id: str
    provider: str
    status: str
    reasons: tuple[str, ...]
    owner_id: str
    owner_name: str
    label: str
    updated_at: str
    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def account(row: Any) -> Account:
    """An account from its JSON. `Unexpected` where it has no id; whatever else is missing is an empty text."""
    if not isinstance(row, Mapping) or not _text(row, "id"):
        raise Unexpected("StackOne shows an account without an id")
    reasons = row.get("status_reasons")
    return Account(
        id=_text(row, "id"),
        provider=_text(row, "provider"),
        status=_text(row, "status"),
        reasons=tuple(_reasons(reasons if isinstance(reasons, list) else []))[:_REASONS],
        owner_id=_text(row, "origin_owner_id"),
        owner_name=_text(row, "origin_owner_name"),
        label=_text(row, "label"),
        updated_at=_text(row, "updated_at"),
        values=tuple(pair for bag in ("setup_information", "credentials") for pair in _texts(bag, row.get(bag))),
    )


def findings(account: Account, owner: Owner, label: str, url: str, secret: Mapping[str, Secret]) -> tuple[Finding, ...]:
    """What an account shows against what is declared and the values it was given. `label` may be empty: any will do."""
    found = [_status(account), _owner(account, owner)]
    if label:
        same = account.label == label
        words = "it is the declared one" if same else f"it is {shown(account.label)!r}"
        found.append(Finding(LABEL, "confirmed" if same else "contradicted", words))
    return (*found, _store_url(account, url), *_tails(account, secret))


def _status(account: Account) -> Finding:
    unknown: tuple[Verdict, str] = ("unverifiable", f"its status {shown(account.status)!r} is none that is known")
    verdict, words = MEANING.get(account.status, unknown)
    reasons = f": {'; '.join(account.reasons)}" if account.reasons and verdict != "confirmed" else ""
    return Finding(STATUS, verdict, words + reasons)


def _owner(account: Account, owner: Owner) -> Finding:
    if (account.owner_id, account.owner_name) == (owner.id, owner.name):
        return Finding(OWNER, "confirmed", f"it belongs to {owner.name} ({owner.id})")
    words = f"it belongs to {shown(account.owner_name)!r} ({shown(account.owner_id)})"
    return Finding(OWNER, "contradicted", words)


def _store_url(account: Account, url: str) -> Finding:
    shows = [
        value
        for name, value in account.values
        if _OF_THE_STORE.search(name) and value.lower().startswith(("https://", "http://"))
    ]
    if not shows:
        return Finding(STORE_URL, "unverifiable", "StackOne does not show it")
    if url in shows:
        return Finding(STORE_URL, "confirmed", "it is the declared one")
    return Finding(STORE_URL, "contradicted", f"it is {shown(redact(shows[0]))}")


def _tails(account: Account, secret: Mapping[str, Secret]) -> Iterator[Finding]:
    """One finding for what placeholders show. Under which name a field stands is not documented, so any secret may be it."""
    tails = [tail[1] for _, value in account.values if (tail := _PLACEHOLDER.fullmatch(value)) and tail[1]]
    if not tails:
        return
    key, own = (secret[name] for name in ("consumer_key", "consumer_secret"))
    # What else a connector may keep is none of ours: the secret's own tail is enough.
    if any(own.tail(len(tail)) == tail for tail in tails) or all(key.tail(len(tail)) == tail for tail in tails):
        yield Finding(TAIL, "confirmed", "it ends as that of this generation")
    else:
        yield Finding(TAIL, "contradicted", "it holds a secret that is not of this generation")


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return str(value) if isinstance(value, str | int) else ""


def _reasons(rows: Iterable[Any]) -> Iterator[str]:
    for row in rows:
        if isinstance(row, Mapping):
            words = [_text(row, name) for name in ("code", "description")]
            yield shown(redact(", ".join(word for word in words if word)))


def _texts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text in a document, by the name it stands under."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(str(key), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(name, inner)
