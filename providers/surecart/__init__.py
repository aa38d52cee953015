"""SureCart: secret tokens of an account, which a person makes, and the WordPress sites that use them."""

from collections.abc import Mapping
from typing import Any, Final

from providers.core.contract import CredentialKind, LinkKind
from providers.core.redaction import Secret
from providers.surecart import token_text
from providers.surecart.issuer import BY_PERSON, FIELDS, SECRET_FIELDS, address, issuer
from providers.surecart.plugin_link import plugin_link


def _parse(data: bytes, _inputs: Mapping[str, Any]) -> Mapping[str, Secret]:
    return token_text.read(data)


CREDENTIALS: Final[Mapping[str, CredentialKind]] = {
    "api_token": CredentialKind(
        name="api_token",
        identity="account",
        fields=FIELDS,
        revisable=BY_PERSON.revisable,
        secret_fields=SECRET_FIELDS,
        issuer=issuer,
        kept=("api", "dashboard"),
        address=address,
        parse=_parse,
    )
}
"""The kinds of credentials this platform gives, by their declared names."""

LINKS: Final[Mapping[str, LinkKind]] = {"wordpress": LinkKind(plugin_link)}
"""The consumers of this folder, by the word after `to:`."""
