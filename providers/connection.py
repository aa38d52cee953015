"""A connection as the engine sees it: one credential and its links under one component, and the ledger of the stack.

This is all that the program declares; `__main__.py` calls `declare`.
"""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
from pulumi import Alias, ComponentResource, ResourceOptions

from providers.core.resource import ConsumerLink, CredentialResource, Ledger
from providers.declarations import Connection, DeclaredLink, Stack, load, platforms
from providers.inputs import consumer_inputs, credential_inputs, ledger_inputs, needed


class StoreConnection(ComponentResource):
    """One credential and everybody who uses it."""

    def __init__(
        self, project: str, stack: Stack, connection: Connection, first: Sequence[Ledger | CredentialResource]
    ) -> None:
        """`first` are the resources that are made before it and ended after it."""
        super().__init__(
            "connections:index:StoreConnection",
            connection.name,
            None,
            # What it holds depends on `first`, not the component: the engine cannot complete one whose dependency failed.
            ResourceOptions(aliases=_aliases(connection.was)),
        )
        below = ResourceOptions(parent=self, depends_on=first, aliases=_aliases(connection.was))
        make = _resource(connection.platform, connection.kind)
        self.credential = make(connection.name, credential_inputs(project, stack, connection), below)
        self.links = [
            ConsumerLink(
                f"{connection.name}/{link.name}",
                {**consumer_inputs(project, stack, connection, link), "handle": self.credential.handle},
                ResourceOptions(parent=self, depends_on=[self.credential], aliases=_link_aliases(connection, link)),
            )
            for link in connection.links
        ]
        self.register_outputs({})


def _aliases(*names: str) -> list[Alias]:
    """The names under which the engine may know a resource that was renamed: it is the same one, and nothing is ended."""
    return [Alias(name=name) for name in names if name]


def _link_aliases(connection: Connection, link: DeclaredLink) -> list[Alias]:
    former = link.was or link.name
    renamed = f"{connection.name}/{former}" if link.was else ""
    return _aliases(renamed, f"{connection.was}/{former}" if connection.was else "")


def _resource(platform: str, kind: str) -> type[CredentialResource]:
    """The resource class of a kind: `RESOURCES` of the platform's module `resources`."""
    resources: Mapping[str, type[CredentialResource]] = importlib.import_module(
        f"providers.{platform}.resources"
    ).RESOURCES
    return resources[kind]


def declare(stacks: Path) -> None:
    """Declare everything that the stack's files say. An error in them ends the program before anything is touched."""
    project, name = pulumi.get_project(), pulumi.get_stack()
    stack = load(stacks, name, platforms(), project=project)
    for connection in stack.connections:
        for warning in connection.warnings:
            pulumi.log.warn(f"{connection.name}: {warning}")
    ledger = Ledger("ledger", ledger_inputs(project, stack))
    credentials: dict[str, CredentialResource] = {}
    for connection in sorted(stack.connections, key=lambda connection: bool(needed(connection))):
        other = needed(connection)
        first: list[Ledger | CredentialResource] = [ledger, *([credentials[other]] if other else [])]
        credentials[connection.name] = StoreConnection(project, stack, connection, first).credential
