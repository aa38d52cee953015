"""The words of BigCommerce's declarations: each made from text by one rule, with its form in JSON Schema."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from providers.declarations.names import shown, suggestion
from providers.declarations.values import endpoint, line, text
from providers.declarations.yaml_text import kind_of

LONGEST_HASH: Final = 20
"""Characters of a store hash that we take: real ones have about ten, and a token put here by mistake has more."""
SHORTEST_TITLE: Final = 4
"""Characters of an account's name at least (sheet bigcommerce.md 3.1)."""
MOST_ORIGINS: Final = 2
"""CORS origins of a token at most (sheet 8)."""
TOKEN_RIGHTS: Final = ("Unauthenticated", "Customer", "B2B")
"""Scopes of a private token in the vendor's words and order (sheet 8)."""

_HASH = re.compile(r"[A-Za-z0-9]+")
_HASH_IN_ADDRESS = re.compile(r"(?:^|[/.])(?:stores/|store-)([A-Za-z0-9]+)")


def store_hash(value: object) -> str:
    """A store's hash: the part of its API path between `/stores/` and `/v3/`, without any `store-` before it."""
    found = text(value)
    inside = _HASH_IN_ADDRESS.search(found.partition("://")[2] or found)
    if inside:
        what = "the hash has no `store-` before it" if found.startswith("store-") else "this is an address"
        raise ValueError(f"{what}; write the hash alone: {shown(inside[1])[1:-1]}")
    if not _HASH.fullmatch(found):
        raise ValueError(
            f"{shown(found)} is no store hash: it is what stands between /stores/ and /v3/ in the store's API path,"
            " letters and digits alone"
        )
    if len(found) > LONGEST_HASH:
        raise ValueError(f"{len(found)} characters; a store hash has {LONGEST_HASH} at most, and no token belongs here")
    return found


def account_title(value: object) -> str:
    """The name of an account in the panel's list."""
    found = line(value)
    if len(found) < SHORTEST_TITLE:
        raise ValueError(f"{shown(found)} is too short; the panel takes {SHORTEST_TITLE} characters at least")
    return found


def channel(value: object) -> int:
    """A channel's number."""
    found = text(value)
    if not re.fullmatch(r"[1-9][0-9]{0,9}", found):
        raise ValueError(f"{shown(found)} is no channel; write its number, such as 1")
    return int(found)


def origin(value: object) -> str:
    """An origin that a browser may call from: scheme and host, and a port if it is not the usual one."""
    found = endpoint(value)
    if "{" in found or found.count("/") > 2:
        raise ValueError(f"{shown(found)} is no origin; it ends after the host or its port")
    return found


def token_rights(value: object) -> str | tuple[str, ...]:
    """`all`, or the scopes of a private token, in the vendor's order."""
    if value == "all":
        return "all"
    entries = _entries(value, f"all, or a list of {', '.join(TOKEN_RIGHTS)}")
    words = {word.lower(): word for word in TOKEN_RIGHTS}
    for entry in entries:
        if text(entry).lower() not in words:
            raise ValueError(
                f"{shown(entry)} was found; allowed: {', '.join(TOKEN_RIGHTS)}{suggestion(entry, TOKEN_RIGHTS)}"
            )
    chosen = _different([words[entry.lower()] for entry in entries])
    return tuple(word for word in TOKEN_RIGHTS if word in chosen)


def _entries(value: object, allowed: str) -> list[Any]:
    if isinstance(value, list):
        return value
    found = shown(value) if isinstance(value, str) else kind_of(value)
    raise ValueError(f"{found} was found; allowed: {allowed}")


def _different(entries: list[Any]) -> set[Any]:
    """All entries of a list; none of them twice, and at least one."""
    if not entries:
        raise ValueError("an empty list")
    found = set(entries)
    if len(found) < len(entries):
        raise ValueError("a value stands here twice")
    return found


def _several(one: Callable[[object], Any], most: int | None = None) -> BeforeValidator:
    """A list of different values, sorted: their order means nothing to the vendor."""

    def parse(value: object) -> tuple[Any, ...]:
        found = _different([one(entry) for entry in _entries(value, "a list")])
        if most is not None and len(found) > most:
            raise ValueError(f"{len(found)} values; {most} are allowed")
        return tuple(sorted(found))

    return BeforeValidator(parse)


def unmoved(_value: object) -> str:
    """A former hash, which no store has."""
    raise ValueError("a store keeps its hash for ever; another hash is another store")


StoreHash = Annotated[
    str,
    PlainValidator(store_hash),
    WithJsonSchema({"type": "string", "pattern": f"^{_HASH.pattern}$", "maxLength": LONGEST_HASH}),
]
AccountTitle = Annotated[
    str,
    PlainValidator(account_title),
    WithJsonSchema({"type": "string", "minLength": SHORTEST_TITLE}),
]
Channels = Annotated[
    tuple[int, ...],
    _several(channel),
    WithJsonSchema({"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "uniqueItems": True}),
]
Origins = Annotated[
    tuple[str, ...],
    _several(origin, MOST_ORIGINS),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "pattern": r"^https://[^/?#@]+$"},
            "minItems": 1,
            "maxItems": MOST_ORIGINS,
            "uniqueItems": True,
        }
    ),
]
TokenRights = Annotated[
    str | tuple[str, ...],
    BeforeValidator(token_rights),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "all"},
                {"type": "array", "items": {"enum": list(TOKEN_RIGHTS)}, "minItems": 1, "uniqueItems": True},
            ]
        }
    ),
]
