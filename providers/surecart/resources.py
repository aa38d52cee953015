"""SureCart's resources, as the engine names them."""

from collections.abc import Mapping

from providers.core.resource import CredentialResource


class ApiToken(CredentialResource, module="surecart", name="ApiToken"):
    """A secret token of an account, which a person makes and deletes."""


RESOURCES: Mapping[str, type[CredentialResource]] = {"api_token": ApiToken}
"""The resource class of each declared kind."""
