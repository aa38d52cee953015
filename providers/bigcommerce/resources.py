"""BigCommerce's resources, as the engine names them."""

from collections.abc import Mapping

from providers.core.resource import CredentialResource


class ApiAccount(CredentialResource, module="bigcommerce", name="ApiAccount"):
    """A store-level API account, which a person makes and deletes."""


class StorefrontToken(CredentialResource, module="bigcommerce", name="StorefrontToken"):
    """A storefront or private token, which an API account of the same store makes and revokes."""


RESOURCES: Mapping[str, type[CredentialResource]] = {"api_account": ApiAccount, "storefront_token": StorefrontToken}
"""The resource class of each declared kind."""
