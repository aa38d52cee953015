"""The scopes of an app, as data (sheet coopcycle.md 3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

OAUTH: Final = "oauth"
API_KEY: Final = "api_key"
TYPES: Final = (OAUTH, API_KEY)


@dataclass(frozen=True, slots=True)
class Scope:
    """`offered` is whether the form has it; `store` whether it is for an app of one store, which `/api/me` answers;
    `collection` is what another one opens, the only way to see it work."""

    offered: bool
    store: bool
    collection: str = ""


SCOPES: Final[Mapping[str, Scope]] = {
    "deliveries": Scope(offered=True, store=True),
    "tasks": Scope(offered=True, store=True),
    "orders": Scope(offered=False, store=True),
    "orders:all": Scope(offered=True, store=False, collection="/api/orders"),
    "tasks:all": Scope(offered=True, store=False, collection="/api/tasks"),
}
"""Every scope that a server knows, in the order of its form."""

OFFERED: Final = tuple(name for name, scope in SCOPES.items() if scope.offered)

PLUGIN: Final = "deliveries"
"""The scope that the WordPress plugin always asks for: an app without it never connects (sheet 6, P6)."""


def ordered(scopes: Iterable[str]) -> tuple[str, ...]:
    """Scopes in the order of the form, unknown ones at the end: order means nothing to a server."""
    known = tuple(SCOPES)
    return tuple(sorted(set(scopes), key=lambda name: (known.index(name) if name in SCOPES else len(known), name)))


def of_a_store(scopes: Iterable[str]) -> bool:
    """Whether scopes belong to an app of one store."""
    return any(SCOPES[name].store for name in scopes if name in SCOPES)
