"""A small engine over the product's own providers: a state that survives kills, refresh, check, create, update, delete, in
the order of the program (`providers.connection`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.core import provider
from providers.core.provider import CredentialProvider, LedgerProvider, LinkProvider, NotDone
from providers.declarations import Stack
from providers.inputs import consumer_inputs, credential_inputs, ledger_inputs

PROVIDERS: Mapping[str, Any] = {"credential": CredentialProvider(), "link": LinkProvider(), "ledger": LedgerProvider()}


@dataclass(frozen=True, slots=True)
class Resource:
    """What the engine keeps of a resource."""

    kind: str
    id: str
    inputs: dict[str, Any]
    outs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Declared:
    """A resource of the program. `former` is another name that the engine may know it by."""

    kind: str
    inputs: dict[str, Any]
    former: str = ""
    of: str = ""


def program(project: str, stack: Stack) -> dict[str, Declared]:
    """What the program declares, by name, in its order."""
    found = {"ledger": Declared("ledger", ledger_inputs(project, stack))}
    for connection in stack.connections:
        found[connection.name] = Declared("credential", credential_inputs(project, stack, connection), of="ledger")
        for link in connection.links:
            inputs = consumer_inputs(project, stack, connection, link)
            former = f"{connection.name}/{link.was}" if link.was else ""
            found[f"{connection.name}/{link.name}"] = Declared("link", inputs, former, of=connection.name)
    return found


@dataclass
class Engine:
    """The engine of one stack."""

    state: dict[str, Resource] = field(default_factory=dict)

    def new_process(self) -> None:
        """What the providers' process remembers is forgotten with it."""
        for known in (provider._seen, provider._linked, provider._renamed, provider._stray_links, provider._said):
            known.clear()

    def up(self, declared: Mapping[str, Declared]) -> list[str]:
        """`pulumi up --refresh`; what failed, in words."""
        self.new_process()
        self.refresh()
        failed: dict[str, str] = {}
        handles: dict[str, Any] = {}
        for name, wanted in declared.items():
            if wanted.of in failed:
                failed[name] = f"{name}: not tried"
                continue
            if wanted.former in self.state and name not in self.state:
                self.state = {name if known == wanted.former else known: r for known, r in self.state.items()}
            inputs = {**wanted.inputs, "handle": handles[wanted.of]} if wanted.kind == "link" else dict(wanted.inputs)
            try:
                handles[name] = self._made(name, wanted.kind, inputs).get("handle")
            except NotDone as problem:
                failed[name] = str(problem)
        if not failed:
            failed = dict(self._ended([name for name in reversed(self.state) if name not in declared]))
        return list(failed.values())

    def refresh(self) -> None:
        for name, known in list(self.state.items()):
            seen = PROVIDERS[known.kind].read(known.id, known.outs)
            if not seen.id:
                del self.state[name]
            else:
                self.state[name] = Resource(known.kind, seen.id, dict(seen.inputs or known.inputs), dict(seen.outs))

    def _made(self, name: str, kind: str, inputs: dict[str, Any]) -> dict[str, Any]:
        known, doer = self.state.get(name), PROVIDERS[kind]
        checked = doer.check(known.inputs if known else {}, inputs)
        if checked.failures:
            raise NotDone("; ".join(failure.reason for failure in checked.failures))
        if known is None:
            created = doer.create(checked.inputs)
            self._put(name, Resource(kind, created.id, checked.inputs, created.outs))
        elif known.inputs != checked.inputs:
            outs = doer.update(known.id, known.outs, checked.inputs).outs
            self._put(name, Resource(kind, known.id, checked.inputs, outs))
        return self.state[name].inputs

    def _put(self, name: str, resource: Resource) -> None:
        self.state[name] = resource

    def _ended(self, names: list[str]) -> Iterator[tuple[str, str]]:
        for name in names:
            known = self.state[name]
            try:
                PROVIDERS[known.kind].delete(known.id, known.outs)
            except NotDone as problem:
                yield name, str(problem)
                return
            del self.state[name]

    def destroy(self) -> list[str]:
        """`pulumi destroy`; what failed, in words."""
        self.new_process()
        order = {"link": 0, "credential": 1, "ledger": 2}
        names = sorted(self.state, key=lambda name: order[self.state[name].kind])
        return [words for _, words in self._ended(names)]
