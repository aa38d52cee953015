"""A made-up platform with what WooCommerce lacks: several kinds, rights sets, keys made by persons; and its consumers."""

from collections.abc import Iterator, Sequence
from typing import Literal

from providers.declarations.models import ConnectionWords, Declared, LinkWords, StoreWords
from providers.declarations.platforms import DeclaredConsumer, DeclaredPlatform, Remark, serving
from providers.declarations.stack import Connection, DeclaredLink
from providers.declarations.values import Count, Flag, Line, Text


class PaperStore(StoreWords):
    """A paper shop."""

    platform: Literal["paper"]
    store_hash: Text


class RightsChoice(Declared):
    """A set and what differs from it."""

    set: Line
    sheets: Count = 1


class Account(ConnectionWords):
    """An account that a person makes."""

    rights: RightsChoice


class Token(ConnectionWords):
    """A token."""

    rights: tuple[Literal["orders", "stock"], ...]
    strict: Flag = False


class RightsSet(Declared):
    """Rows of the panel."""

    rows: list[Line]


class PrinterLink(LinkWords):
    """A printer."""

    tray: Count
    colour: Line | None = None


class PrintHub(Declared):
    """The office that runs the printers."""

    floor: Count
    desk: Line = "front desk"


class HallPrinterLink(LinkWords):
    """The printer in the hall."""

    hall: Line


def _colour(_connection: Connection, link: DeclaredLink) -> Iterator[Remark]:
    colour = link.fields["colour"]
    if colour == "gold":
        yield Remark(("links", link.name, "colour"), "colour: no printer has gold")
    if colour:
        yield Remark(("links", link.name, "colour"), f"colour: {colour} is dear", warning=True)
    if not link.hub:
        yield Remark(("links", link.name), "'printer' is missing under hubs in _stack.yaml", warning=True)


def _quiet(
    _connection: Connection, link: DeclaredLink, others: Sequence[tuple[Connection, DeclaredLink]]
) -> Iterator[Remark]:
    for other, theirs in others:
        if theirs.fields["hall"] == link.fields["hall"]:
            what = f"hall: {other.name}/{theirs.name} prints here too"
            yield Remark(("links", link.name, "hall"), what, warning=theirs.name != "loud")


CONSUMERS = (
    DeclaredConsumer(
        "printer",
        frozenset({"paper/account"}),
        PrinterLink,
        rules=_colour,
        place=lambda connection, link: f"{connection.store.address} {link.endpoints['rack']} {link.fields['tray']}",
        pins=lambda connection, _link: {"clerk": connection.store.title, "unsaid": ""},
        takes=("title", "store_hash", "rights", "url", "nothing"),
        endpoints={"rack": "https://rack.paper.example"},
        hub=PrintHub,
    ),
    DeclaredConsumer("printer", frozenset({"paper/front_token"}), HallPrinterLink, beside=_quiet),
    DeclaredConsumer("hall-desk", frozenset({"paper/front_token"}), LinkWords),
)

PAPER = DeclaredPlatform(
    name="paper",
    identity="store_hash",
    store=PaperStore,
    credentials={"account": Account, "front_token": Token},
    default_kind="account",
    rights_set=RightsSet,
    by_person=lambda _store, connection: isinstance(connection, Account),
    consumers={kind: serving(CONSUMERS, f"paper/{kind}") for kind in ("account", "front_token")},
)
