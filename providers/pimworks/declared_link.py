"""What may be declared of a link to PIMworks (pimworks.md 5 and 8), and what can be refused before any call."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from providers.declarations.models import HandoverLink
from providers.declarations.names import shown, suggestion
from providers.declarations.platforms import DeclaredConsumer, Remark
from providers.declarations.stack import Connection, DeclaredLink
from providers.declarations.values import Flag, Line, text
from providers.pimworks.identity import place
from providers.pimworks.resources import RESOURCES


def _resource(value: object) -> str:
    found = text(value)
    if found not in RESOURCES:
        raise ValueError(f"{shown(found)} is no resource of WooCommerce that is known{suggestion(found, RESOURCES)}")
    return found


def _some(components: dict[str, str]) -> dict[str, str]:
    if not components:
        raise ValueError("no component; name one resource at least, such as {products: Products}")
    return components


Resource = Annotated[str, PlainValidator(_resource), WithJsonSchema({"type": "string", "enum": list(RESOURCES)})]


class SubscriptionLink(HandoverLink):
    """A store in a channel of PIMworks, which a person fills in there: no public API was found.

    `handover: auto` is `sealed` here.
    """

    channel: Line = "WooCommerce"
    """The channel, as PIMworks calls it."""
    store_name: Line | None = None
    """The store's name in PIMworks, by which its imports refer to it."""
    components: Annotated[dict[Resource, Line], AfterValidator(_some), Field(json_schema_extra={"minProperties": 1})]
    """The resources that are synced, each with the label that a person ticks: `{products: Products}`."""
    import_only: Flag = False
    """Whether PIMworks only takes data from the store, so that a key that reads will do."""


def _place(connection: Connection, link: DeclaredLink) -> str:
    return place(link.fields["channel"], connection.store.address)


def _rules(connection: Connection, link: DeclaredLink) -> Iterator[Remark]:
    rights, only = connection.fields["rights"], link.fields["import_only"]
    if rights == "write":
        yield Remark(("rights",), "rights: write: PIMworks reads the components from the store, and such a key may not")
    if rights == "read" and not only:
        what = (
            "rights: read: products go from PIMworks to the store too; declare read_write, or `import_only: true` at the"
            " link where none do"
        )
        yield Remark(("rights",), what)
    if rights == "read_write" and only:
        what = "rights: read_write: with `import_only: true` read is enough"
        yield Remark(("rights",), what, warning=True)


def _beside(
    connection: Connection, link: DeclaredLink, others: Sequence[tuple[Connection, DeclaredLink]]
) -> Iterator[Remark]:
    name, channel = link.fields.get("store_name"), link.fields["channel"]
    for other, theirs in others:
        same = (theirs.fields.get("store_name"), theirs.fields["channel"]) == (name, channel)
        if name and same:
            what = f"store_name: {other.name}/{theirs.name} has this name in the channel {channel} too"
            yield Remark(("links", link.name, "store_name"), what)


CONSUMERS: Final = (
    DeclaredConsumer(
        name="pimworks",
        serves=frozenset({"woocommerce/api_key"}),
        words=SubscriptionLink,
        rules=_rules,
        beside=_beside,
        place=_place,
        takes=("url", "authentication", "login"),
    ),
)
"""PIMworks, which takes REST API keys of WooCommerce."""
