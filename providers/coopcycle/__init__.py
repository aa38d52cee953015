"""CoopCycle: API apps of its stores, and the WordPress plugin that uses them."""

from collections.abc import Mapping

from providers.coopcycle import plugin, server
from providers.coopcycle.issuer import BY_FORM, FIELDS, SECRET_FIELDS, issuer
from providers.core.contract import CredentialKind, LinkKind
from providers.wordpress import options

CREDENTIALS: Mapping[str, CredentialKind] = {
    "api_app": CredentialKind(
        name="api_app",
        identity="url",
        fields=FIELDS,
        revisable=BY_FORM.revisable,
        secret_fields=SECRET_FIELDS,
        issuer=issuer,
        close=server.close,
        kept=("type", "for_store"),
    ),
}
"""The kinds of credentials this platform gives, by their declared names."""

LINKS: Mapping[str, LinkKind] = {"wordpress": LinkKind(plugin.link, close=options.close)}
"""The consumers of its credentials, by the word after `to:`."""
