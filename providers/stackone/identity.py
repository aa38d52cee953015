"""Where a link to StackOne stands, from its words alone: the API of its region, and the origin owner (stackone.md 1, 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.core.address import place_of

API: Final = "https://api.stackone.com"
"""The vendor's own address; one of a region is `https://api.<region>.stackone.com`."""

PROVIDER: Final = "woocommerce"
"""What StackOne calls the stores that are linked."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose account it is at StackOne. For one owner and provider there is one account: a session overwrites it."""

    id: str
    name: str


def api_url(endpoint: str, hub: Mapping[str, Any]) -> str:
    """The address of the API: the region's, unless `_stack.yaml` names another host than the vendor's."""
    region = hub.get("region", "")
    return f"https://api.{region}.stackone.com" if region and endpoint == API else endpoint


def owner(words: Mapping[str, Any], pinned: Mapping[str, str]) -> Owner:
    """The declared origin owner, or the one that was pinned when the link was declared first."""
    declared = words.get("origin_owner")
    if declared:
        return Owner(declared["id"], declared["name"])
    return Owner(pinned["origin_owner_id"], pinned["origin_owner_name"])


def place(endpoint: str, hub: Mapping[str, Any], whose: Owner) -> str:
    """The slot at StackOne. A label makes no other one: sessions overwrite whatever label an account has (section 3)."""
    return f"stackone {place_of(api_url(endpoint, hub))} {PROVIDER} {whose.id}"
