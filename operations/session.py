"""What the parts of one call share: the stack's declarations, and the toolbox that reaches Vault and stores."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from operations.screen import Screen
from providers.core.address import host_of
from providers.core.errors import ConnectionsError, DeclarationError
from providers.core.operation import Operation
from providers.declarations import Connection, Stack, Store, load, platforms, select
from providers.declarations.files import RESERVED
from providers.declarations.names import listed, shown, suggestion
from providers.declarations.yaml_text import read
from providers.inputs import credential_inputs

if TYPE_CHECKING:
    from providers.core.toolbox import Toolbox

T = TypeVar("T")
R = TypeVar("R")

WORKERS = 8
"""Connections that are worked on side by side."""

STACK_VARIABLE = "CONNECTIONS_STACK"


class Session:
    """One call of the command, in the project's folder `root`. `wanted` is the stack asked for, or empty."""

    def __init__(self, root: Path, screen: Screen, wanted: str, make_toolbox: "Callable[[], Toolbox]") -> None:
        self.root, self.screen = root, screen
        self._wanted, self._make_toolbox = wanted, make_toolbox

    # --- declarations ---

    @property
    def stacks(self) -> Path:
        """The folder of all stacks' declarations."""
        return self.root / "stacks"

    @cached_property
    def project(self) -> str:
        """The Pulumi project's name."""
        file = self.root / "Pulumi.yaml"
        found = read(file.read_bytes()).root.get("name") if file.is_file() else None
        if not isinstance(found, str):
            raise ConnectionsError("there is no Pulumi.yaml with a name here", do="Go to the project's folder")
        return found

    @cached_property
    def stack_name(self) -> str:
        """`--stack`, else the environment's, else the only one there is."""
        named = self._wanted or os.environ.get(STACK_VARIABLE, "")
        if named:
            return named
        found = [path.name for path in self.stacks.iterdir() if path.is_dir()] if self.stacks.is_dir() else []
        known = [name for name in found if name not in RESERVED and not name.startswith(".")]
        if len(known) != 1:
            do = f"Name one with --stack: {listed(known)}" if known else "Make one with `connections init STACK`"
            raise DeclarationError(f"there are {len(known) or 'no'} stacks here", do=do)
        return known[0]

    @cached_property
    def stack(self) -> Stack:
        """What the stack's files declare."""
        return load(self.stacks, self.stack_name, platforms(), project=self.project)

    def selected(self, scope: str) -> tuple[Connection, ...]:
        """The connections that a scope names; all of them where it is empty."""
        return select(self.stack, scope) if scope else self.stack.connections

    def stores(self, named: Sequence[str]) -> tuple[Store, ...]:
        """The stores of these names; all of them where none is named."""
        known = {store.name: store for store in self.stack.stores}
        for name in named:
            if name not in known:
                raise DeclarationError(f"no store is called {shown(name)}{suggestion(name, known)}")
        return tuple(known[name] for name in named or known)

    # --- what reaches out ---

    @cached_property
    def toolbox(self) -> "Toolbox":
        """One Vault and one HTTP for the whole call."""
        return self._make_toolbox()

    def inputs(self, connection: Connection) -> dict[str, Any]:
        """A connection's inputs, as the engine has them."""
        return credential_inputs(self.project, self.stack, connection)

    def store_inputs(self, store: Store) -> dict[str, Any]:
        """What an issuer needs that belongs to no connection."""
        hosts = self.stack.settings.hosts
        return {
            "project": self.project,
            "stack": self.stack.name,
            "platform": store.platform,
            "kind": platforms()[store.platform].default_kind,
            **store.fields,
            **store.endpoints,
            "vault": self.stack.settings.vault.model_dump(mode="json"),
            "private_networks": list(hosts.private.get(host_of(store.url), ())),
            "ca_file": hosts.ca_file or "",
        }

    def operation(self, connection: Connection) -> Operation:
        """An operation on a connection; what it does is said on standard error."""
        return self.toolbox.operation(self.inputs(connection), report=self._reporter(connection.name))

    def _reporter(self, name: str) -> Callable[[str], None]:
        return lambda line: self.screen.say(f"{name}: {line}")

    def each(self, what: str, items: Sequence[T], work: Callable[[T], R]) -> list[R]:
        """Do something for every item, side by side; the results in the order of the items."""
        with self.screen.progress(what, len(items)) as running:

            def one(item: T) -> R:
                try:
                    return work(item)
                finally:
                    running.step()

            return list(self._pool.map(one, items))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        """One for the whole call: its threads keep their connections to Vault."""
        return ThreadPoolExecutor(WORKERS)

    def close(self) -> None:
        """End what still runs, and log out everywhere."""
        if "_pool" in self.__dict__:
            self._pool.shutdown(cancel_futures=True)
        if "toolbox" in self.__dict__:
            self.toolbox.close()
