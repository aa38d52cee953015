"""WooCommerce: REST API keys of stores from 2.6 to 11.x."""

from collections.abc import Mapping

from providers.core.contract import CredentialKind
from providers.woocommerce import store
from providers.woocommerce.issuer import BY_FORM, FIELDS, SECRET_FIELDS, issuer
from providers.woocommerce.verification import wider

CREDENTIALS: Mapping[str, CredentialKind] = {
    "api_key": CredentialKind(
        name="api_key",
        identity="url",
        fields=FIELDS,
        revisable=BY_FORM.revisable,
        secret_fields=SECRET_FIELDS,
        issuer=issuer,
        close=store.close,
        kept=("login", "authentication"),
        wider=wider,
    ),
}
"""The kinds of credentials this platform gives, by their declared names."""
