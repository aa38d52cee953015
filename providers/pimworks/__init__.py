"""PIMworks: a consumer of WooCommerce keys that a person connects, by its WooCommerce channel."""

from collections.abc import Mapping

from providers.core.contract import LinkKind
from providers.pimworks.link import Subscription, about

LINKS: Mapping[str, LinkKind] = {
    "pimworks": LinkKind(
        Subscription,
        what="WooCommerce key for PIMworks",
        about=about,
        looks=False,
        given=("url", "channel", "store_name", "components"),
    ),
}
"""The consumers of this folder, by the word after `to:`."""
