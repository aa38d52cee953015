"""`connections discover`: the keys of a store that are not ours, and declarations that would take them over."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from operations.results import Block, words
from operations.screen import plain, table
from operations.session import Session
from providers.core import marker
from providers.core.contract import Selector, StoreKey
from providers.core.journal import Book
from providers.core.marker import Owner
from providers.declarations import Store
from providers.declarations.house_style import adoption_text
from providers.declarations.names import proposed


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A key that is not ours. `marked` says that its label carries a marker: another stack's, or a copied one. `stub` is
    a declaration that takes it over, empty where none makes sense."""

    key_id: str
    label: str
    tail: str
    user: str
    rights: Any
    last_used: str
    marked: bool
    stub: str


@dataclass(frozen=True, slots=True)
class Discovered:
    """The keys of a store."""

    store: str
    ours: int
    foreign: tuple[ForeignKey, ...]
    stubs: bool
    adopt_mount: str

    @property
    def exit_code(self) -> int:
        """Keys of others are no fault."""
        return 0

    def shown(self) -> Iterable[Block]:
        """The keys of others; with `--adopt-stubs` the text to put under `connections:`."""
        rows = [
            (key.key_id, key.label, words(key.user), words(key.rights), words(key.last_used), key.tail)
            for key in self.foreign
        ]
        yield from table(("key", "label", "user", "rights", "last used", "ends in"), rows)
        yield f"{self.store}: {len(self.foreign)} keys of others, {self.ours} of ours"
        stubs = [key.stub for key in self.foreign if key.stub]
        if self.stubs and stubs:
            place = f"{self.adopt_mount}/<host>[:port][/<path>]/<entry>"
            yield f"# Under `connections:`; each pair goes to {place} in Vault first."
            for stub in stubs:
                yield from stub.splitlines()


def discover(session: Session, store_name: str, *, stubs: bool) -> Discovered:
    """List the store completely, and leave out what is ours."""
    (store,) = session.stores([store_name])
    inputs = session.store_inputs(store)
    keys = session.toolbox.issuer(inputs).find(Selector(""))
    ours = _ours(session, store, inputs, keys)
    taken = {connection.name.partition("/")[2] for connection in session.stack.connections if connection.store == store}
    foreign = []
    for key in keys:
        if key.key_id not in ours:
            found = _foreign(store, key, taken)
            foreign.append(found)
    return Discovered(store.name, len(ours), tuple(foreign), stubs, session.stack.settings.vault.adopt)


def _ours(session: Session, store: Store, inputs: dict[str, Any], keys: Iterable[StoreKey]) -> set[str]:
    """Ids of keys with a marker of this stack, or on record in it with the same visible end."""
    found = {
        mark.key.key_id
        for mark in marker.read(session.toolbox.keyring(inputs), keys)
        if (mark.owner.project, mark.owner.stack) == (session.project, session.stack.name)
    }
    documents = session.toolbox.documents(inputs)
    recorded = set()
    for name in documents.list(store.name):
        owner = Owner(session.project, session.stack.name, f"{store.name}/{name.rstrip('/')}")
        journal, _ = Book(documents, owner).peek()
        if journal is not None:
            recorded |= {
                (generation.key_id, generation.tail)
                for generation in journal.generations.values()
                if generation.state != "revoked"
            }
    return found | {key.key_id for key in keys if (key.key_id, key.tail) in recorded}


def _foreign(store: Store, key: StoreKey, taken: set[str]) -> ForeignKey:
    label = plain(key.label)
    marked = marker.strip(key.label) != " ".join(key.label.split())
    user, rights = key.fields.get("user", key.facts.get("owner", "")), key.fields.get("rights")
    stub = ""
    if not marked:
        name = _free(proposed(label), taken)
        purpose = plain(str(key.fields.get("purpose") or label)).replace("�", "") or name
        note = f"key {key.key_id}, ends in {key.tail}; say who uses it under `links`"
        stub = adoption_text(name, {**key.fields, "purpose": purpose}, f"{store.name}-{name}", note=note)
    return ForeignKey(key.key_id, label, key.tail, str(user), rights, key.facts.get("last_used", ""), marked, stub)


def _free(name: str, taken: set[str]) -> str:
    """The name, or with a number behind it, that no connection of the store has."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name[: 30 - len(str(number)) - 1].rstrip('-')}-{number}"
    taken.add(free)
    return free
