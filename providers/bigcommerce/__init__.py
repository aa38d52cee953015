"""BigCommerce: store-level API accounts that a person makes, and storefront tokens that one of them makes."""

from collections.abc import Mapping

from providers.bigcommerce.issuer import BY_PERSON, FIELDS, SECRET_FIELDS, address, issuer
from providers.bigcommerce.rights import wider
from providers.core.contract import CredentialKind, Fields


def _wider(before: Fields, after: Fields) -> str:
    return wider(before.get("rights", {}), after.get("rights", {}))


CREDENTIALS: Mapping[str, CredentialKind] = {
    "api_account": CredentialKind(
        name="api_account",
        identity="store_hash",
        fields=FIELDS,
        revisable=BY_PERSON.revisable,
        secret_fields=SECRET_FIELDS,
        issuer=issuer,
        kept=("api", "panel", "login", "verify", "account_title"),
        wider=_wider,
        address=address,
    ),
}
"""The kinds of credentials this platform gives, by their declared names."""
