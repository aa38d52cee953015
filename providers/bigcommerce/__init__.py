"""BigCommerce: store-level API accounts that a person makes, and storefront tokens that one of them makes."""

from collections.abc import Mapping
from typing import Any, Final

from providers.bigcommerce import download, storefront
from providers.bigcommerce.issuer import BY_PERSON, FIELDS, SECRET_FIELDS, address, issuer
from providers.bigcommerce.rights import wider
from providers.core.contract import CredentialKind, Fields
from providers.core.redaction import Secret

PROOF_AGE: Final = 86_400.0
"""Seconds for which a preview goes by an earlier proof: each takes from the live shop's quota (sheet bigcommerce.md 7)."""


def _wider(before: Fields, after: Fields) -> str:
    return wider(before.get("rights", {}), after.get("rights", {}))


def _parse(data: bytes, inputs: Mapping[str, Any]) -> Mapping[str, Secret]:
    return download.read(data, inputs["store_hash"]).values


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
        parse=_parse,
        proof_age=PROOF_AGE,
    ),
    "storefront_token": CredentialKind(
        name="storefront_token",
        identity="store_hash",
        fields=storefront.FIELDS,
        revisable=storefront.BY_ACCOUNT.revisable,
        secret_fields=storefront.SECRET_FIELDS,
        issuer=storefront.issuer,
        kept=("api", "panel", "account"),
        wider=storefront.wider,
        address=address,
        needs="account",
    ),
}
"""The kinds of credentials this platform gives, by their declared names."""
