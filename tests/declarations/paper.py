"""A made-up platform with what WooCommerce lacks: several kinds, rights sets, keys made by persons, a consumer."""

from typing import Literal

from providers.declarations.models import ConnectionWords, Declared, LinkWords, StoreWords
from providers.declarations.platforms import DeclaredPlatform
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


class PrinterLink(LinkWords):
    """A printer."""

    tray: Count


class RightsSet(Declared):
    """Rows of the panel."""

    rows: list[Line]


PAPER = DeclaredPlatform(
    name="paper",
    identity="store_hash",
    store=PaperStore,
    credentials={"account": Account, "front_token": Token},
    default_kind="account",
    consumers={"printer": PrinterLink},
    rights_set=RightsSet,
    by_person=lambda _store, connection: isinstance(connection, Account),
)
