"""WooCommerce's resources, as the engine names them."""

from collections.abc import Mapping

from providers.core.resource import CredentialResource


class ApiKey(CredentialResource, module="woocommerce", name="ApiKey"):
    """A REST API key of a WooCommerce store."""


RESOURCES: Mapping[str, type[CredentialResource]] = {"api_key": ApiKey}
"""The resource class of each declared kind."""
