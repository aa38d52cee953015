"""The resources that a program declares: thin, since everything they need stands in their inputs."""

from collections.abc import Mapping
from typing import Any

from pulumi import Output, ResourceOptions
from pulumi.dynamic import Resource

from providers.core.provider import CredentialProvider, LedgerProvider, LinkProvider

NEUTRAL_CREDENTIAL: Mapping[str, Any] = {
    "credential": None,
    "status": None,
    "facts": None,
    "rotation": None,
    "handle": None,
}
NEUTRAL_LINK: Mapping[str, Any] = {"status": None}


class CredentialResource(Resource):
    """A credential at a store. A platform subclasses it, to give the kind its name in the engine.

    `credential` holds the Vault path, generation, keyed fingerprint and the store's key id; `status` the state and its
    reasons; `facts` what the store says of itself; `handle` is what links take. Never a secret.
    """

    credential: Output[Mapping[str, Any]]
    status: Output[Mapping[str, Any]]
    facts: Output[Mapping[str, Any]]
    rotation: Output[Mapping[str, Any]]
    handle: Output[Mapping[str, Any]]

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: ResourceOptions | None = None) -> None:
        super().__init__(CredentialProvider(), name, {**NEUTRAL_CREDENTIAL, **inputs}, opts)


class ConsumerLink(Resource, module="core", name="Link"):
    """A user of a credential, at whatever consumer `to` names."""

    status: Output[Mapping[str, Any]]

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: ResourceOptions | None = None) -> None:
        super().__init__(LinkProvider(), name, {**NEUTRAL_LINK, **inputs}, opts)


class Ledger(Resource, module="core", name="Ledger"):
    """The stack's ledger: every other resource depends on it, so it is looked at with them and deleted last."""

    status: Output[Mapping[str, Any]]

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: ResourceOptions | None = None) -> None:
        super().__init__(LedgerProvider(), name, {**NEUTRAL_LINK, **inputs}, opts)
