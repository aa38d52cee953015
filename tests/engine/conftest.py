"""The engine's side over Vault and stores in memory: a toolbox of doubles in place of the process's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from providers.core import provider
from providers.core.contract import Capabilities, Documents, Issuer, Keyring
from providers.core.operation import Operation
from providers.core.redaction import Secret
from providers.core.toolbox import Inputs, Toolbox
from tests.protocol.doubles import STORE, MemoryDocuments, MemoryKeyring, MemoryStore, World
from tests.protocol.handing import OFFICE, MemoryCourier

BY_FORM = Capabilities(
    "form", "store", frozenset({"rights", "user", "purpose"}), lists=True, settle=30.0, relabels=True
)
BY_PERSON = Capabilities("person", "person", frozenset(), lists=False, settle=0.0)


class StackDocuments(MemoryDocuments):
    """Documents in memory that can be listed from the top."""

    def list(self, path: str) -> Sequence[str]:
        if path:
            return super().list(path)
        return sorted({name if "/" not in name else name.partition("/")[0] + "/" for name in self.world.documents})


class MemoryToolbox(Toolbox):
    """What a process shares, in memory. `broken` is raised by whatever it names."""

    def __init__(self, world: World) -> None:
        super().__init__({}, clock=world.clock)
        self.world = world
        self.broken: dict[str, Exception] = {}
        self.entries: dict[str, Mapping[str, Secret]] = {}

    def _check(self, what: str) -> None:
        if what in self.broken:
            raise self.broken[what]

    def documents(self, inputs: Inputs) -> Documents:
        self._check("documents")
        return StackDocuments(self.world)

    def keyring(self, inputs: Inputs) -> Keyring:
        self._check("keyring")
        return MemoryKeyring()

    def issuer(self, inputs: Inputs) -> Issuer:
        self._check("issuer")
        return Store(self)

    def courier(self, inputs: Inputs, show: Callable[[str], None] | None = None) -> Any:
        return MemoryCourier(self.world, mails=bool(inputs.get("mail")), terminal=show is not None)

    def operation(self, inputs: Inputs, **given: Any) -> Operation:
        self._check("operation")
        made = super().operation(inputs, **given)
        words = {name: getattr(made, name) for name in made.__dataclass_fields__}
        return Operation(**words | {"wait": self.world.wait, "entry": self.entries.get, "lease": 0.0})


class Store(MemoryStore):
    """A store in memory whose parts can be broken."""

    def __init__(self, toolbox: MemoryToolbox) -> None:
        super().__init__(toolbox.world)
        self.toolbox = toolbox

    def find(self, *args: Any, **kwargs: Any) -> Any:
        self.toolbox._check("find")
        return super().find(*args, **kwargs)

    def verify(self, *args: Any, **kwargs: Any) -> Any:
        self.toolbox._check("verify")
        return super().verify(*args, **kwargs)

    def facts(self) -> Mapping[str, str]:
        self.toolbox._check("facts")
        return {"version": "11.0.1"}


@pytest.fixture
def world() -> World:
    return World(capabilities=BY_FORM)


@pytest.fixture
def toolbox(world: World, monkeypatch: pytest.MonkeyPatch) -> MemoryToolbox:
    made = MemoryToolbox(world)
    monkeypatch.setattr(provider, "TOOLBOX", made)
    monkeypatch.setattr(provider, "_seen", set())
    monkeypatch.setattr(provider, "_said", set())
    monkeypatch.setattr(provider, "_renamed", set())
    monkeypatch.setattr(provider, "_linked", {})
    monkeypatch.setattr(provider, "_stray_links", set())
    return made


VAULT = {"mount": "kv", "admins": "admins", "hubs": "hubs", "adopt": "legacy", "transit": "transit"}


def credential(**words: Any) -> dict[str, Any]:
    """The declared inputs of a credential, as the engine hands them over: every number a float."""
    usual = {
        "project": "connections",
        "stack": "test",
        "connection": "fresh-roast/orders",
        "platform": "woocommerce",
        "kind": "api_key",
        "url": STORE,
        "purpose": "orders into the hub",
        "rights": "read",
        "user": "hub-reader",
        "overlap": 3600.0,
        "rotate_by": "schedule",
        "vault": VAULT,
    }
    return usual | words


def link(**words: Any) -> dict[str, Any]:
    """The declared inputs of a link."""
    usual = {
        "project": "connections",
        "stack": "test",
        "vault": {"mount": "kv"},
        "connection": "fresh-roast/orders",
        "link": "hub",
        "to": "vault",
        "handle": {"path": "kv/connections/test/fresh-roast/orders", "rotation": 1.0},
    }
    return usual | words


OUTSIDE = {
    "to": "stone-edge",
    "handover": "auto",
    "handover_ttl": 259200.0,
    "recipient": OFFICE,
    "mail": {"server": "mail.example", "sender": "integrations@agency.example", "port": 587.0},
    "hosts": {"private": {}, "ca_file": ""},
}
"""The words of a link to a vendor that is handed the values and gives others in return."""


def ledger(**words: Any) -> dict[str, Any]:
    """The inputs of a ledger."""
    store = {"platform": "woocommerce", "kind": "api_key", "url": STORE}
    usual = {
        "project": "connections",
        "stack": "test",
        "vault": VAULT,
        "private": {},
        "ca_file": "",
        "declared": {"fresh-roast/orders": ""},
        "stores": {"fresh-roast": store},
    }
    return usual | words
