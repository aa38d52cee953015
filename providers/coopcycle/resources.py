"""CoopCycle's resources, as the engine names them."""

from collections.abc import Mapping

from providers.core.resource import CredentialResource


class ApiApp(CredentialResource, module="coopcycle", name="ApiApp"):
    """An API app of a CoopCycle server."""


RESOURCES: Mapping[str, type[CredentialResource]] = {"api_app": ApiApp}
"""The resource class of each declared kind."""
