"""What may be declared for WooCommerce: a store's address and its API keys (sheet woocommerce.md 5, 11, 12)."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import PlainValidator, WithJsonSchema

from providers.core import marker
from providers.core.marker import Owner
from providers.declarations.addresses import SITE_SCHEMA, site
from providers.declarations.models import ConnectionWords, StoreWords
from providers.declarations.names import shown
from providers.declarations.platforms import DeclaredPlatform, Remark
from providers.declarations.stack import Connection
from providers.declarations.values import line, text
from providers.woocommerce import labels

_NOT_THE_STORE = re.compile(r"/(wp-json|wc-auth|wc-api|wp-admin|wp-login\.php|index\.php|wp-content)(/.*)?$")
_LOGIN = re.compile(r"[A-Za-z0-9_.@-]([A-Za-z0-9 _.@-]{0,58}[A-Za-z0-9_.@-])?")


def store_url(value: object) -> str:
    """A store's address as it is compared and used; the pages of WordPress and WooCommerce are none."""
    return site(value, _NOT_THE_STORE)


def purpose(value: object) -> str:
    """A purpose that every version keeps exactly as it is sent (sheet 5), since a difference would never settle."""
    found = line(value)
    if "<" in found or ">" in found:
        raise ValueError("'<' or '>'; stores strip HTML tags, so leave them out")
    escape = re.search(r"%[0-9A-Fa-f]{2}", found)
    if escape:
        raise ValueError(f"'{escape[0]}'; stores drop percent escapes, so leave it out")
    hidden = next((character for character in found if unicodedata.category(character)[0] == "C"), None)
    if hidden:
        raise ValueError(f"an invisible character (U+{ord(hidden):04X}); take it out")
    if marker.strip(found) != found:
        raise ValueError("this looks like the marker that we put behind it; use other words")
    return found


def _login(value: object) -> str:
    found = text(value)
    if not _LOGIN.fullmatch(found):
        raise ValueError(
            f"{shown(found)} is no login name of WordPress: letters, digits, blanks and _ . - @, 60 at most"
        )
    return found


StoreUrl = Annotated[str, PlainValidator(store_url), WithJsonSchema(SITE_SCHEMA)]
Purpose = Annotated[
    str, PlainValidator(purpose), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": labels.LONGEST})
]
Login = Annotated[str, PlainValidator(_login), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 60})]


class WooCommerceStore(StoreWords):
    """A WooCommerce store."""

    platform: Literal["woocommerce"]
    """The platform of this store."""
    url: StoreUrl
    """The store's address, without a slash at the end and without an API path; a sub-directory is allowed."""
    login: Literal["admin", "none"] = "admin"
    """`none` where no login without a person is possible (two factors, captcha): a person then makes the keys."""
    moved_from: StoreUrl | None = None
    """The former address, after the store has moved."""


class ApiKey(ConnectionWords):
    """A REST API key of WooCommerce."""

    purpose: Purpose
    """What this is for; stands in the key's description at the store."""
    rights: Literal["read", "write", "read_write"]
    """The key's permission, in WooCommerce's word."""
    user: Login
    """Login name of the WordPress user the key acts as; best a service user with the role shop manager."""
    authentication: Literal["header", "query"] = "header"
    """`query` only where the host strips the header: it puts the key into the store's access logs."""


def _by_person(store: Any, _connection: ConnectionWords) -> bool:
    return bool(store.login == "none")


def _rules(connection: Connection, owner: Owner) -> Iterator[Remark]:
    # Whether stores count bytes or characters is unknown (sheet 5): the larger number counts. One blank stands between.
    room = labels.LONGEST - marker.longest(owner) - 1
    excess = len(connection.purpose.encode()) - room
    if excess > 0:
        what = f"purpose: {excess} characters too many; {room} fit beside our marker (letters outside ASCII count more)"
        yield Remark(("purpose",), what)
    if connection.by_person and not connection.ask:
        yield Remark((), "'ask' is missing; with `login: none` a person makes the key, and somebody must be asked")
    if connection.fields["authentication"] == "query":
        what = (
            "authentication: query puts the key into the store's access logs; use header wherever the host lets it pass"
        )
        yield Remark(("authentication",), what, warning=True)


DECLARED: Final = DeclaredPlatform(
    name="woocommerce",
    identity="url",
    store=WooCommerceStore,
    credentials={"api_key": ApiKey},
    default_kind="api_key",
    by_person=_by_person,
    rules=_rules,
    example={
        "purpose": "what it is for",
        "rights": "read",
        "user": "login of a service user",
        "links": {"reader": {"to": "vault"}},
    },
)
