"""Stone Edge Order Manager through Connect2Cart: a consumer of BigCommerce accounts that answers with a login of its own."""

from collections.abc import Mapping

from providers.core.contract import LinkKind
from providers.core.redaction import Secret
from providers.stone_edge.channel import channel
from providers.stone_edge.inbound import FIELDS, parsed


def _parse(data: bytes) -> Mapping[str, Secret]:
    return parsed(data).values()


LINKS: Mapping[str, LinkKind] = {
    "stone-edge": LinkKind(
        channel,
        what="BigCommerce API account for Stone Edge",
        about=lambda _inputs: (
            "For Stone Edge Order Manager with Connect2Cart: client ID, client secret, access token and store hash.",
            "Please answer with Cart ID/Username, Cart Password and Script URL, and say when these values are in use.",
        ),
        inbound_fields=FIELDS,
        parse=_parse,
    ),
}
"""The consumers of this folder, by the word after `to:`."""
