"""StackOne: a consumer of WooCommerce keys, which it keeps in a linked account."""

from collections.abc import Mapping

from providers.core.contract import LinkKind
from providers.stackone.link import AccountLink
from providers.stackone.sessions import SHOWN

LINKS: Mapping[str, LinkKind] = {"stackone": LinkKind(AccountLink, shown=SHOWN)}
"""The consumers of this folder, by the word after `to:`."""
