"""What a platform contributes to the declarations, and which platforms there are.

A platform is added by adding a folder: a package under `providers/` whose module `declared` exports `DECLARED`.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import providers
from providers.core.marker import Owner
from providers.declarations.models import ConnectionWords, Declared, LinkWords, StoreWords
from providers.declarations.stack import Connection


@dataclass(frozen=True, slots=True)
class Remark:
    """What a platform's rules say about a connection, at a word of it: a warning, or else an error."""

    path: tuple[str | int, ...]
    what: str
    warning: bool = False


def _api(_store: StoreWords, _connection: ConnectionWords) -> bool:
    return False


def _nothing(_connection: Connection, _owner: Owner) -> Iterable[Remark]:
    return ()


def _as_written(_name: str, fields: Mapping[str, Any], _sets: Mapping[str, Any]) -> "Settled":
    return Settled(fields)


def _alone(_connection: Connection, _others: Mapping[str, Connection]) -> Iterable[Remark]:
    return ()


def _at_its_identity(identity: str, _endpoints: Mapping[str, str]) -> str:
    return identity


@dataclass(frozen=True, slots=True)
class Settled:
    """A connection's words as they are kept, and what is wrong with them."""

    fields: Mapping[str, Any]
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredPlatform:
    """The words of one platform.

    `identity` is the store's word that tells which store it is; `credentials` holds a model per kind of credential,
    `default_kind` the one meant where `credential` is not written; `consumers` are those its credentials can be linked
    to besides `vault` and `person`; `rights_set` is the model of a file under `stacks/rights/<platform>/`;
    `by_person` tells whether only a person can make a credential; `rules` are what models cannot say, given the
    resolved connection and whose marker its label will carry; `beside` are those that also need the store's other
    connections, by their names in its file.

    `settle` turns a connection's words, given its full name and the platform's rights sets by name, into those that are
    kept, all JSON values; a set that cannot be read is None. `endpoints` are the hosts that all stores of the vendor
    share, by the input that says them, with the vendor's own addresses: `_stack.yaml` may name others, and
    `{<identity>}` in one stands for the store. `address` gives the URL that calls go to, given the store's identity and
    the endpoints. `signs_in` tells whether the product logs in at a store as its admin, and `example` holds the words of
    a connection to begin with.
    """

    name: str
    identity: str
    store: type[StoreWords]
    credentials: Mapping[str, type[ConnectionWords]]
    default_kind: str
    consumers: Mapping[str, type[LinkWords]] = field(default_factory=dict)
    rights_set: type[Declared] | None = None
    by_person: Callable[[StoreWords, ConnectionWords], bool] = _api
    rules: Callable[[Connection, Owner], Iterable[Remark]] = _nothing
    beside: Callable[[Connection, Mapping[str, Connection]], Iterable[Remark]] = _alone
    settle: Callable[[str, Mapping[str, Any], Mapping[str, Any]], Settled] = _as_written
    endpoints: Mapping[str, str] = field(default_factory=dict)
    address: Callable[[str, Mapping[str, str]], str] = _at_its_identity
    signs_in: bool = True
    example: Mapping[str, Any] = field(default_factory=dict)


def platforms() -> Mapping[str, DeclaredPlatform]:
    """Every platform whose folder is there, by name."""
    found: dict[str, DeclaredPlatform] = {}
    for module in pkgutil.iter_modules(providers.__path__):
        name = f"{providers.__name__}.{module.name}"
        if module.ispkg and importlib.util.find_spec(f"{name}.declared"):
            declared: DeclaredPlatform = importlib.import_module(f"{name}.declared").DECLARED
            found[declared.name] = declared
    return found
