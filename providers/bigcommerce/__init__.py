"""BigCommerce: store-level API accounts that a person makes, and storefront tokens that one of them makes."""

from collections.abc import Mapping

from providers.core.contract import CredentialKind

CREDENTIALS: Mapping[str, CredentialKind] = {}
"""The kinds of credentials this platform gives, by their declared names."""
