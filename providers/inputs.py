"""The inputs of a stack's resources: one way for the engine's program and for the command.

Without the engine's SDK, which a command that only looks must not wait for.
"""

from typing import Any

from providers.core import kinds
from providers.declarations import Connection, DeclaredLink, Stack, inputs, link_inputs
from providers.declarations.models import EVERYWHERE


def credential_inputs(project: str, stack: Stack, connection: Connection) -> dict[str, Any]:
    """Everything the provider needs for a credential: what is declared, and where the stack's things are in Vault."""
    return {
        "project": project,
        "stack": stack.name,
        **inputs(stack, connection),
        "rotate_by": stack.settings.rotation.by,
    }


def needed(connection: Connection) -> str:
    """The full name of the connection of the same store by whose credential this one's is made and ended; empty where by
    none."""
    word = kinds.credential(f"{connection.platform}/{connection.kind}").needs
    return f"{connection.store.name}/{connection.fields[word]}" if word else ""


def consumer_inputs(project: str, stack: Stack, connection: Connection, link: DeclaredLink) -> dict[str, Any]:
    """Everything the provider needs for a link: what is declared, where the journal is, and what a hand-over takes."""
    settings = stack.settings
    # Who only reads Vault, or is handed values, needs no more than its documents and the mail server's login.
    places = {"mount", "hubs"} if link.to in EVERYWHERE else None
    found = {
        "project": project,
        "stack": stack.name,
        "vault": settings.vault.model_dump(mode="json", include=places),
        **link_inputs(connection, link),
    }
    if link.to not in QUIET:
        found["hosts"] = {
            "private": {host: list(networks) for host, networks in sorted(settings.hosts.private.items())},
            "ca_file": settings.hosts.ca_file or "",
        }
        if settings.hubs.mail is not None:
            found["mail"] = settings.hubs.mail.model_dump(mode="json", exclude_none=True)
    return found


QUIET = frozenset({"vault"})
"""Consumers that nothing is ever sent to."""


def ledger_inputs(project: str, stack: Stack) -> dict[str, Any]:
    """What the ledger compares Vault and the stores with."""
    hosts = stack.settings.hosts
    return {
        "project": project,
        "stack": stack.name,
        "vault": stack.settings.vault.model_dump(mode="json"),
        "private": {host: list(networks) for host, networks in sorted(hosts.private.items())},
        "ca_file": hosts.ca_file or "",
        "declared": {connection.name: connection.rotate for connection in stack.connections},
        "former": sorted(connection.was for connection in stack.connections if connection.was),
        "links": sorted(
            f"{connection.name}/{link.name}" for connection in stack.connections for link in connection.links
        ),
        "stores": _stores(stack),
    }


def _stores(stack: Stack) -> dict[str, Any]:
    """How to list each store: the inputs of any one of its connections."""
    found: dict[str, Any] = {}
    for connection in stack.connections:
        declared = inputs(stack, connection)
        words = ("platform", "kind", *kinds.credential(f"{connection.platform}/{connection.kind}").kept)
        kept = {word: declared[word] for word in words if word in declared}
        found.setdefault(connection.store.name, {**kept, **connection.store.fields, **connection.store.endpoints})
    return found
