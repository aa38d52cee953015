"""What may be declared for CoopCycle: a server's address and its API apps (sheet coopcycle.md 1 to 3)."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from providers.coopcycle import labels
from providers.coopcycle.scopes import API_KEY, OAUTH, OFFERED, SCOPES, ordered
from providers.core import marker
from providers.core.marker import Owner
from providers.declarations.addresses import SITE_SCHEMA, site
from providers.declarations.models import ConnectionWords, Declared, StoreWords
from providers.declarations.names import listed, shown, suggestion
from providers.declarations.platforms import DeclaredPlatform, Remark
from providers.declarations.stack import Connection
from providers.declarations.values import line, text
from providers.declarations.yaml_text import kind_of

_NOT_THE_SERVER = re.compile(r"/(admin|api|login|oauth2|dashboard|profile|2fa)(/.*)?$")


def server_url(value: object) -> str:
    """A server's address as it is compared and used; its pages and its API are none."""
    return site(value, _NOT_THE_SERVER)


def store_number(value: object) -> int:
    """The number of one of the server's stores."""
    found = text(value)
    if not re.fullmatch(r"[1-9][0-9]{0,17}", found):
        raise ValueError(
            f"{shown(found)} is no store's number; it stands in the address of the store's page, such as 12"
        )
    return int(found)


def rights(value: object) -> tuple[str, ...]:
    """Scopes in the vendor's words, in the order of its form."""
    entries = _entries(value)
    for entry in entries:
        scope = SCOPES.get(text(entry))
        if scope is None:
            raise ValueError(f"{shown(entry)} was found; allowed: {listed(OFFERED)}{suggestion(entry, OFFERED)}")
        if not scope.offered:
            raise ValueError(
                f"the form for an app does not offer {entry}; the server knows it only for apps of a restaurant, which are"
                f" not built; allowed: {listed(OFFERED)}"
            )
    if len(set(entries)) < len(entries):
        raise ValueError("a value stands here twice")
    return ordered(entries)


def _entries(value: object) -> list[Any]:
    if isinstance(value, list) and value:
        return value
    found = "an empty list" if isinstance(value, list) else shown(value) if isinstance(value, str) else kind_of(value)
    raise ValueError(f"{found} was found; allowed: a list of {', '.join(OFFERED)}")


def app_name(value: object) -> str:
    """An app's name as a server keeps it."""
    found = line(value)
    hidden = next((character for character in found if unicodedata.category(character)[0] == "C"), None)
    if hidden:
        raise ValueError(f"an invisible character (U+{ord(hidden):04X}); take it out")
    if marker.strip(found) != found:
        raise ValueError("this looks like the marker that we put behind it; use other words")
    return found


ServerUrl = Annotated[str, PlainValidator(server_url), WithJsonSchema(SITE_SCHEMA)]
StoreNumber = Annotated[int, PlainValidator(store_number), WithJsonSchema({"type": "integer", "minimum": 1})]
AppName = Annotated[
    str, PlainValidator(app_name), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": labels.LONGEST})
]
Rights = Annotated[
    tuple[str, ...],
    BeforeValidator(rights),
    WithJsonSchema({"type": "array", "items": {"enum": list(OFFERED)}, "minItems": 1, "uniqueItems": True}),
]


class ForStore(Declared):
    """A store of the server: one of its clients. Both are checked, as a wrong number would send orders to a neighbour."""

    id: StoreNumber
    """Its number at the server."""
    name: AppName
    """Its name at the server."""


class CoopCycleServer(StoreWords):
    """A CoopCycle server."""

    platform: Literal["coopcycle"]
    """The platform of this store."""
    url: ServerUrl
    """The server's address, without a slash at the end and without a page."""
    moved_from: ServerUrl | None = None
    """The former address, after the server has moved."""


class ApiApp(ConnectionWords):
    """An API app. Whatever changes in it, another app takes its place: a server's form for changes makes new credentials."""

    name: AppName | None = None
    """The app's name at the server; the connection's full name in words where it is left out."""
    for_store: ForStore | None = None
    """The store whose account the orders go to; required for `deliveries` and `tasks`, forbidden for the `:all` scopes."""
    rights: Rights
    """The scopes: `deliveries` and `tasks` of one store, or `orders:all` and `tasks:all` of all stores."""
    type: Literal["oauth", "api_key"] = "oauth"
    """`api_key` is one text that nothing can revoke: it must be permitted in `_stack.yaml` and accepted."""


def _rules(connection: Connection, owner: Owner) -> Iterator[Remark]:
    fields = connection.fields
    bound = [name for name in fields["rights"] if SCOPES[name].store]
    wide = [name for name in fields["rights"] if not SCOPES[name].store]
    if bound and wide:
        what = f"rights: {', '.join(wide)} is for an app of no store, {', '.join(bound)} for one of a store; make two"
        yield Remark(("rights",), what)
    elif bound and not fields["for_store"]:
        yield Remark((), f"'for_store' is missing; {', '.join(bound)} is for an app of one store")
    elif wide and fields["for_store"]:
        what = f"for_store: an app with {', '.join(wide)} sees every store, so none can be declared"
        yield Remark(("for_store",), what)
    if wide:
        what = f"rights: {', '.join(wide)} reaches the orders or tasks of every store of this server"
        yield Remark(("rights",), what, warning=True)
    if fields["type"] == API_KEY and "irrevocable" not in connection.accept:
        yield Remark(("type",), 'type: api_key needs `accept: {irrevocable: "<reason>"}`: nothing can revoke it')
    if fields["type"] == OAUTH and "irrevocable" in connection.accept:
        yield Remark(("accept",), "accept: nothing here is irrevocable; only type: api_key is", warning=True)
    name = fields["name"] or labels.own_words(connection.name)
    excess = len(name) + 1 + marker.longest(owner) - labels.LONGEST
    if excess > 0:
        path = ("name",) if fields["name"] else ()
        yield Remark(path, f"name: {excess} characters too many beside our marker; declare a shorter `name`")


def _example() -> dict[str, Any]:
    return {
        "purpose": "what it is for",
        "for_store": {"id": 12, "name": "name of the store"},
        "rights": ["deliveries"],
        "links": {"reader": {"to": "vault"}},
    }


DECLARED: Final = DeclaredPlatform(
    name="coopcycle",
    identity="url",
    store=CoopCycleServer,
    credentials={"api_app": ApiApp},
    default_kind="api_app",
    rules=_rules,
    example=_example(),
)
"""CoopCycle: API apps of stores."""
