"""BigCommerce's resources, as the engine names them."""

from collections.abc import Mapping

from providers.core.resource import CredentialResource


class ApiAccount(CredentialResource, module="bigcommerce", name="ApiAccount"):
    """A store-level API account, which a person makes and deletes."""


RESOURCES: Mapping[str, type[CredentialResource]] = {"api_account": ApiAccount}
"""The resource class of each declared kind."""
