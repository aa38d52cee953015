"""What a platform contributes to the declarations, and which platforms there are.

A platform is added by adding a folder: a package under `providers/` whose module `declared` exports `DECLARED`.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class DeclaredPlatform:
    """The words of one platform.

    `identity` is the store's word that tells which store it is; `credentials` holds a model per kind of credential,
    `default_kind` the one meant where `credential` is not written; `consumers` are those its credentials can be linked
    to besides `vault` and `person`; `rights_set` is the model of a file under `stacks/rights/<platform>/`;
    `by_person` tells whether only a person can make a credential; `rules` are what models cannot say, given the
    resolved connection and whose marker its label will carry.
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


def platforms() -> Mapping[str, DeclaredPlatform]:
    """Every platform whose folder is there, by name."""
    found: dict[str, DeclaredPlatform] = {}
    for module in pkgutil.iter_modules(providers.__path__):
        name = f"{providers.__name__}.{module.name}"
        if module.ispkg and importlib.util.find_spec(f"{name}.declared"):
            declared: DeclaredPlatform = importlib.import_module(f"{name}.declared").DECLARED
            found[declared.name] = declared
    return found
