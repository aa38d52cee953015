"""What a platform contributes to the declarations, and which platforms there are.

A platform is added by adding a folder: a package under `providers/` whose module `declared` exports `DECLARED`. A system
that uses credentials is added in the same way: a package whose module `declared_link` exports `CONSUMERS`. One folder may
have both.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import Field, create_model

import providers
from providers.core.marker import Owner
from providers.declarations.models import EVERYWHERE, ConnectionWords, Declared, Hubs, LinkWords, Settings, StoreWords
from providers.declarations.stack import Connection, DeclaredLink


@dataclass(frozen=True, slots=True)
class Remark:
    """What rules say about a connection, at a word of it: a warning, or else an error. `path` begins at the connection."""

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


def _no_rules(_connection: Connection, _link: DeclaredLink) -> Iterable[Remark]:
    return ()


def _no_place(_connection: Connection, _link: DeclaredLink) -> str:
    return ""


def _no_pins(_connection: Connection, _link: DeclaredLink) -> Mapping[str, str]:
    return {}


Beside = Callable[[Connection, DeclaredLink, Sequence[tuple[Connection, DeclaredLink]]], Iterable[Remark]]


@dataclass(frozen=True, slots=True, eq=False)
class DeclaredConsumer:
    """The words of links to one system, for some kinds of credentials.

    `name` is the word after `to:`; `serves` the kinds it works with, as `<platform>/<kind>`; `words` the model of a link.
    Two folders may use one word, each for other kinds.

    The functions get the resolved connection and its link, on which the values below stand already. `rules` are what the
    model cannot say; `beside`, where there is any, needs all other links of the stack to this consumer too, and is called
    once every file could be read. `place` is the identity of the slot that the link fills, as its `Link.place` says it,
    empty for none: two links of a stack cannot be declared on one. `pins` are values that become an identity at the
    consumer: the first ones stay, whatever is declared later.

    `takes` are words of the store, its endpoints or the connection that the link needs too; one that has no value is left
    out. `endpoints` are the vendor's hosts by the input that says them, for which `_stack.yaml` may name others; `hub` is
    the model of the consumer's own words under `hubs` there.
    """

    name: str
    serves: frozenset[str]
    words: type[LinkWords]
    rules: Callable[[Connection, DeclaredLink], Iterable[Remark]] = _no_rules
    beside: Beside | None = None
    place: Callable[[Connection, DeclaredLink], str] = _no_place
    pins: Callable[[Connection, DeclaredLink], Mapping[str, str]] = _no_pins
    takes: tuple[str, ...] = ()
    endpoints: Mapping[str, str] = field(default_factory=dict)
    hub: type[Declared] | None = None


COMMON: Final[Mapping[str, DeclaredConsumer]] = {
    name: DeclaredConsumer(name, frozenset(), words) for name, words in EVERYWHERE.items()
}
"""Consumers of every kind of credential."""


@dataclass(frozen=True, slots=True)
class DeclaredPlatform:
    """The words of one platform.

    `identity` is the store's word that tells which store it is; `credentials` holds a model per kind of credential,
    `default_kind` the one meant where `credential` is not written; `rights_set` is the model of a file under
    `stacks/rights/<platform>/`; `by_person` tells whether only a person can make a credential; `rules` are what models
    cannot say, given the resolved connection and whose marker its label will carry; `beside` are those that also need the
    store's other connections, by their names in its file.

    `settle` turns a connection's words, given its full name and the platform's rights sets by name, into those that are
    kept, all JSON values; a set that cannot be read is None. `endpoints` are the hosts that all stores of the vendor
    share, by the input that says them, with the vendor's own addresses: `_stack.yaml` may name others, and
    `{<identity>}` in one stands for the store. `address` gives the URL that calls go to, given the store's identity and
    the endpoints. `signs_in` tells whether the product logs in at a store as its admin, and `example` holds the words of
    a connection to begin with. `consumers` no platform writes: `platforms` fills in, by kind of credential and by the word
    after `to:`, those that serve it besides `vault` and `person`.
    """

    name: str
    identity: str
    store: type[StoreWords]
    credentials: Mapping[str, type[ConnectionWords]]
    default_kind: str
    rights_set: type[Declared] | None = None
    by_person: Callable[[StoreWords, ConnectionWords], bool] = _api
    rules: Callable[[Connection, Owner], Iterable[Remark]] = _nothing
    beside: Callable[[Connection, Mapping[str, Connection]], Iterable[Remark]] = _alone
    settle: Callable[[str, Mapping[str, Any], Mapping[str, Any]], Settled] = _as_written
    endpoints: Mapping[str, str] = field(default_factory=dict)
    address: Callable[[str, Mapping[str, str]], str] = _at_its_identity
    signs_in: bool = True
    example: Mapping[str, Any] = field(default_factory=dict)
    consumers: Mapping[str, Mapping[str, DeclaredConsumer]] = field(default_factory=dict)

    def consumers_of(self, kind: str) -> Mapping[str, DeclaredConsumer]:
        """Those to which a credential of this kind can be linked, by the word after `to:`."""
        return {**COMMON, **self.consumers.get(kind, {})}


def platforms() -> Mapping[str, DeclaredPlatform]:
    """Every platform whose folder is there, by name, with the consumers whose folders are there."""
    consumers = tuple(consumer for offered in _exported("declared_link", "CONSUMERS") for consumer in offered)
    found: dict[str, DeclaredPlatform] = {}
    for declared in _exported("declared", "DECLARED"):
        served = {kind: serving(consumers, f"{declared.name}/{kind}") for kind in declared.credentials}
        found[declared.name] = replace(declared, consumers=served)
    return found


def _exported(module: str, name: str) -> Iterator[Any]:
    """What the folders' modules of this name export, in the order of the folders."""
    for folder in pkgutil.iter_modules(providers.__path__):
        found = f"{providers.__name__}.{folder.name}.{module}"
        if folder.ispkg and importlib.util.find_spec(found):
            yield getattr(importlib.import_module(found), name)


def serving(consumers: Iterable[DeclaredConsumer], kind: str) -> Mapping[str, DeclaredConsumer]:
    """The consumers that serve a kind, by name. `ValueError` where two of one name do: nobody could say which is meant."""
    found: dict[str, DeclaredConsumer] = {}
    for consumer in consumers:
        if kind in consumer.serves:
            if consumer.name in {*found, *COMMON}:
                raise ValueError(f"two consumers of {kind} are called {consumer.name}")
            found[consumer.name] = consumer
    return found


def every_consumer(platforms: Mapping[str, DeclaredPlatform]) -> tuple[DeclaredConsumer, ...]:
    """Every consumer of these platforms' credentials, once each."""
    served = [kind for platform in platforms.values() for kind in platform.consumers.values()]
    return tuple(dict.fromkeys(consumer for kind in served for consumer in kind.values()))


def settings_model(platforms: Mapping[str, DeclaredPlatform]) -> type[Settings]:
    """The model of `_stack.yaml`, with the hubs of these platforms' consumers beside those that every stack has."""
    words: dict[str, Any] = {
        _attribute(consumer): (
            consumer.hub | None,
            Field(default=None, alias=consumer.name, description=consumer.hub.__doc__),
        )
        for consumer in every_consumer(platforms)
        if consumer.hub is not None
    }
    hubs = create_model("Hubs", __base__=Hubs, __doc__=Hubs.__doc__, **words)
    described = Field(default_factory=hubs, description=Settings.model_fields["hubs"].description)
    return create_model("Settings", __base__=Settings, __doc__=Settings.__doc__, hubs=(hubs, described))


def hub_values(settings: Settings, consumer: DeclaredConsumer) -> Mapping[str, Any]:
    """What stands under `hubs` for a consumer, as JSON values; empty where nothing does."""
    hub: Declared | None = getattr(settings.hubs, _attribute(consumer), None) if consumer.hub is not None else None
    return {} if hub is None else hub.model_dump(mode="json", exclude_none=True)


def _attribute(consumer: DeclaredConsumer) -> str:
    return consumer.name.replace("-", "_")
