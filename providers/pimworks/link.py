"""The link to PIMworks: a hand-over to a person, since no public API was found (pimworks.md 1 and 7).

What can be proved is proved before the values leave; what PIMworks holds and does cannot be seen.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from providers.core.address import host_of
from providers.core.contract import Finding, LinkTools
from providers.core.redaction import Secret
from providers.pimworks.identity import place
from providers.pimworks.last_use import last_use
from providers.pimworks.proof import findings
from providers.woocommerce.api import KeyPair, Rest


class Subscription:
    """Implements `Link`: one store within a channel."""

    def __init__(self, inputs: Mapping[str, Any], tools: LinkTools) -> None:
        self._inputs, self._tools = inputs, tools
        self._hints: tuple[Finding, ...] = ()

    @property
    def place(self) -> str:
        """The store within its channel: it has one key there."""
        return place(self._inputs["channel"], self._inputs["url"])

    @property
    def acknowledges(self) -> Literal["here", "overlap", "person"]:
        """Who pressed SAVE says so."""
        return "person"

    def check(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """Every component's resource, and the right to write where PIMworks is to write."""
        inputs = self._inputs
        origin = self._tools.http(host_of(inputs["url"])).origin(inputs["url"])
        in_query = inputs.get("authentication") == "query"
        pair = KeyPair(secret["consumer_key"], secret["consumer_secret"], in_query)
        rest = Rest(origin, self._tools.clock, time.monotonic)
        # Before our own calls with the key, which count as use.
        self._hints = last_use(self._tools, origin.url, pair.consumer_key) if inputs.get("login") != "none" else ()
        return findings(origin, rest, pair, inputs["components"], writes=not inputs.get("import_only"))

    def connect(self, generation: int, secret: Mapping[str, Secret]) -> None:
        """The hand-over did it."""

    def verify(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """PIMworks has no call that tells what it holds; when the key was used last may hint at it."""
        return self._hints

    def observe(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """Nothing can be seen of it."""
        return ()

    def disconnect(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """Only a person can: how PIMworks removes a store is not documented."""
        store = self._inputs.get("store_name") or self._inputs["url"]
        where = f"Channels > Manage channels > {self._inputs['channel']}"
        return (
            f"PIMworks: under {where}, take out the store {store} before its key ends, or its syncs end in failures",
        )


def about(inputs: Mapping[str, Any]) -> Sequence[str]:
    """The values sheet, in lines for the top of the hand-over: what a person fills in and ticks (sections 2 to 4 and 6)."""
    components: Mapping[str, str] = inputs["components"]
    ticked = ", ".join(f"{label} ({resource})" for resource, label in components.items())
    use = "Read, for import only" if inputs.get("import_only") else "Read/Write"
    name = (f"Store name: {inputs['store_name']}",) if inputs.get("store_name") else ()
    return (
        f"For PIMworks, channel {inputs['channel']}: store URL, consumer key and secret key of a WooCommerce store.",
        f"Store URL: {inputs['url']}",
        *name,
        f"Sync components to tick, each with the data it was proved for: {ticked}",
        "You need a super user of PIMworks, or Read/Write on its Channel Subscription module.",
        f"In PIMworks: Channels > Manage channels. If {inputs['channel']} is not subscribed yet: search for it, press +Add.",
        "Press its edit icon, fill in the store, tick the components, press SAVE.",
        "SAVE is no test: it checks the values and starts the sync of the ticked components at once.",
        f"The key ({use}) is made; make none by hand. In the store's wp-admin it stands under:",
        "  Settings > Advanced > REST API (WooCommerce 3.4 and later), or Settings > API > Key/Apps (before 3.4)",
        "Where the store is there already with an earlier key: replace its two key fields and press SAVE.",
        "Then say so to whoever sent this: the earlier key ends only after that.",
    )
