"""What a stack declares, resolved: every value with the place it came from. Knows no platform and no files."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.core.address import host_of
from providers.core.errors import DeclarationError
from providers.declarations import names
from providers.declarations.models import EVERYWHERE, Freeze, Settings
from providers.declarations.names import shown


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written: a file from the project's top and a line from 1; an empty file is a built-in value."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else "built in"


@dataclass(frozen=True, slots=True)
class Store:
    """One place that issues credentials. `fields` are the platform's words as JSON values, the identity among them.

    `address` is the identity; `url` is what calls go to, and `endpoints` are the vendor's hosts by the input that says
    them, where all stores share them.
    """

    name: str
    tenant: str
    platform: str
    address: str
    fields: Mapping[str, Any]
    title: str
    team: str
    ask: str
    moved_from: str
    file: str
    url: str = ""
    endpoints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeclaredLink:
    """One user of a credential. `fields` are the consumer's words as JSON values, defaults filled in; durations in
    seconds.

    `place` is the slot it fills at its consumer, empty for none; `taken` are the words that it takes from its store and
    connection, `endpoints` its vendor's hosts, `hub` its consumer's words in `_stack.yaml`, and `pinned` the values that
    become its identity there.
    """

    name: str
    to: str
    fields: Mapping[str, Any]
    was: str = ""
    place: str = ""
    taken: Mapping[str, Any] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    hub: Mapping[str, Any] = field(default_factory=dict)
    pinned: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Connection:
    """One credential and its users, resolved. Empty texts are words that nobody wrote.

    `name` is the full name `store/connection`; `fields` are the platform's words of the credential as JSON values;
    `rotate_after` is in seconds, None is never; `overlap` is the longest of its `vault` links in seconds; `was` is the
    former full name; `by_person` says that only a person can make the credential.
    """

    name: str
    store: Store
    platform: str
    kind: str
    fields: Mapping[str, Any]
    purpose: str
    team: str
    ask: str
    verify: str
    rotate_after: int | None
    rotate: str
    overlap: int
    freeze: Freeze | None
    adopt: str
    revoke_on_destroy: bool
    was: str
    accept: Mapping[str, str]
    by_person: bool
    links: tuple[DeclaredLink, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack's declarations. `rights_sets` are the sets of each platform, as JSON values by name."""

    name: str
    settings: Settings
    stores: tuple[Store, ...]
    connections: tuple[Connection, ...]
    rights_sets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    origins: Mapping[str, Mapping[str, Origin]] = field(default_factory=dict, repr=False)

    def origin(self, name: str, word: str) -> Origin:
        """Where the value of `word` comes from, for a store, `store/connection` or `store/connection/link`."""
        return self.origins.get(name, {}).get(word, Origin())

    def connection(self, name: str) -> Connection:
        """The connection of this full name, or `DeclarationError` with the nearest one."""
        for connection in self.connections:
            if connection.name == name:
                return connection
        known = [connection.name for connection in self.connections]
        raise DeclarationError(f"no connection is called {shown(name)}{names.suggestion(name, known)}")


def select(stack: Stack, pattern: str) -> tuple[Connection, ...]:
    """The connections a pattern names: `store/connection`, `store/*`, `*/connection`, `*`. None found is an error."""
    found = tuple(entry for entry in stack.connections if fnmatch.fnmatchcase(entry.name, pattern))
    if found:
        return found
    stores = {connection.store.name for connection in stack.connections}
    if pattern in stores:
        raise DeclarationError(f"{shown(pattern)} is a store", do=f"All of its connections are {pattern}/*")
    known = {connection.name for connection in stack.connections} | {f"{store}/*" for store in stores}
    raise DeclarationError(f"no connection matches {shown(pattern)}{names.suggestion(pattern, known)}")


def declared_words(connection: Connection) -> dict[str, Any]:
    """What is declared for a connection, by the words of its file: JSON values, its store's among them."""
    store = connection.store
    return {
        "platform": connection.platform,
        **store.fields,
        "title": store.title,
        "moved_from": store.moved_from,
        "purpose": connection.purpose,
        **connection.fields,
        "team": connection.team,
        "ask": connection.ask,
        "verify": connection.verify,
        "rotate_after": connection.rotate_after,
        "rotate": connection.rotate,
        "overlap": connection.overlap,
        "freeze": connection.freeze and connection.freeze.model_dump(mode="json"),
        "adopt": connection.adopt,
        "revoke_on_destroy": connection.revoke_on_destroy,
        "was": connection.was,
        "accept": connection.accept,
    }


def inputs(stack: Stack, connection: Connection) -> dict[str, Any]:
    """The inputs of the credential's resource: JSON values, no secret, always in the same order, nothing empty.

    All that the provider needs to reach and end the credential stands here, since `destroy` runs no program: the
    store's address and words, and what `_stack.yaml` says about Vault and about this host.
    """
    hosts = stack.settings.hosts
    return _filled(
        {
            "connection": connection.name,
            **declared_words(connection),
            **connection.store.endpoints,
            "kind": connection.kind,
            "by_person": connection.by_person,
            "vault": stack.settings.vault.model_dump(mode="json"),
            "private_networks": list(hosts.private.get(host_of(connection.store.url), ())),
            "ca_file": hosts.ca_file,
        }
    )


def link_inputs(connection: Connection, link: DeclaredLink) -> dict[str, Any]:
    """The inputs of a link's resource that are declared: JSON values, always in the same order, nothing empty.

    Links that every kind of credential has need no more than their own words. Under `settle` stands what the credential's
    wish has besides its fields: whoever acknowledges last retires the former generation.
    """
    served: dict[str, Any] = {}
    if link.to not in EVERYWHERE:
        freeze = connection.freeze and connection.freeze.model_dump(mode="json")
        served = {
            "platform": connection.platform,
            "kind": connection.kind,
            **link.taken,
            **link.endpoints,
            "hub": link.hub,
            "pinned": _filled(link.pinned),
            "settle": _filled({"overlap": connection.overlap, "freeze": freeze}),
        }
    return _filled(
        {
            "connection": connection.name,
            "was": connection.was,
            "link": link.name,
            "link_was": link.was,
            "to": link.to,
            **served,
            **link.fields,
        }
    )


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not there: the engine drops nulls, and a word nobody wrote is no property."""
    return {word: value for word, value in values.items() if value not in (None, "", [], {}, False)}
