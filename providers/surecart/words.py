"""The words of SureCart's declarations: each made from text by one rule, with its form in JSON Schema."""

import re
from typing import Annotated, Final

from pydantic import PlainValidator, WithJsonSchema

from providers.core import address
from providers.core.errors import AddressRefused, Refused
from providers.core.vault import paths
from providers.declarations.names import shown
from providers.declarations.values import text
from providers.declarations.yaml_text import kind_of
from providers.surecart.account_proof import SLUG

LONGEST_ADDRESS: Final = 200
"""Characters of a site's address at most."""

_PAGE: Final = re.compile(r"/(wp-json|wp-admin|wp-login\.php|wp-content|index\.php|surecart/webhooks)(/.*)?$")
"""Pages of a site that are pasted instead of its address."""


def account(value: object) -> str:
    """The slug of an account."""
    found = text(value)
    if not SLUG.fullmatch(found):
        raise ValueError(
            f"{shown(found)} is no slug of an account: small letters and digits, '-' and '_' between them; no address and no"
            " token belongs here"
        )
    return found


def rights(value: object) -> str:
    """`all`: a token has no other rights (sheet 1.1)."""
    if value != "all":
        found = shown(value) if isinstance(value, str) else kind_of(value)
        raise ValueError(
            f"{found} was found; allowed: all. SureCart's tokens have no scopes: a secret token may do everything, and"
            " nothing finer exists"
        )
    return "all"


def site(value: object) -> str:
    """A site's address in its one spelling: https, host in lower case, a sub-directory if it has one."""
    found = text(value)
    if len(found) > LONGEST_ADDRESS:
        raise ValueError(f"{len(found)} characters; an address has {LONGEST_ADDRESS} at most")
    try:
        spelled = address.parse(found).url
    except AddressRefused as error:
        # Without the text itself: it may hold a password.
        raise ValueError(f"{error.what}. {error.do}" if error.do else error.what) from None
    cut = _PAGE.sub("", spelled)
    if cut != spelled:
        raise ValueError(f"this is a page of the site; cut it off: {cut}")
    try:
        paths.checked(address.place_of(spelled))
    except Refused:
        raise ValueError(
            "each part of a path consists of letters, digits, '.', '_' and '-', without '.' or '-' first or '.' last: the"
            " site's login lies under it in Vault"
        ) from None
    return spelled


AccountSlug = Annotated[
    str, PlainValidator(account), WithJsonSchema({"type": "string", "pattern": f"^{SLUG.pattern}$"})
]
Everything = Annotated[str, PlainValidator(rights), WithJsonSchema({"const": "all"})]
SiteUrl = Annotated[
    str, PlainValidator(site), WithJsonSchema({"type": "string", "pattern": r"^https://[^\s?#@]*[^/\s?#@]$"})
]
