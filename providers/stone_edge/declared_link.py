"""The words of a link to Stone Edge (stone_edge.md section 1)."""

from typing import Final

from providers.declarations.models import HandoverLink
from providers.declarations.platforms import DeclaredConsumer
from providers.declarations.values import Flag, Mail

OFFICE: Final = "sales@stoneedge.com"
"""To where the vendor asks for the values (section 1); it asks for them in plain text, which BigCommerce forbids."""


class ChannelLink(HandoverLink):
    """Stone Edge Order Manager, which reads orders and stock through Connect2Cart.

    `handover: auto` is `sealed` here.
    """

    recipient: Mail = OFFICE
    """To whom the hand-over goes; one of `recipients` in `_stack.yaml`, unless a person hands it over."""
    negative_control: Flag = False
    """Whether a check also tries a wrong password, once, to see that the script would refuse it."""


CONSUMERS: Final = (DeclaredConsumer("stone-edge", frozenset({"bigcommerce/api_account"}), ChannelLink),)
"""Stone Edge, which works with an API account (section 1)."""
