"""All BigCommerce stores: which host a request is for, what it is called, and which part of the vendor answers it.

The first path segment is the vendor's host:

| host | what answers |
|---|---|
| `api.bigcommerce.com` | `gateway.py`: `/stores/{hash}/v2|v3/...` |
| `store-{hash}.mybigcommerce.com`, path below `/manage` | `panel.py`, the control panel |
| the same, `/graphql` | `storefront.py`, which shows whether a storefront token works |
| `login.bigcommerce.com` | `panel_login.py`: the one login and its deep links |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sandbox.bigcommerce import gateway, panel, storefront
from sandbox.bigcommerce.control import BigCommerceControl
from sandbox.bigcommerce.panel_login import LOGIN_HOST, LoginHost
from sandbox.bigcommerce.state import State, Store
from sandbox.exchange import Reply, UnknownInSheetError, VendorRequest, unknown_reply
from sandbox.vendor import ControlRoute, Surroundings, Vendor

GATEWAY_HOST = "api.bigcommerce.com"
STORE_HOST = re.compile(r"store-([a-z0-9]+)(?:-([0-9]+))?\.mybigcommerce\.com\Z")
"""The host of a store; of one of its channels, as public code calls the GraphQL API of other channels than the first."""


class BigCommerce(Vendor):
    """All BigCommerce stores of the process."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.state = State(surroundings.directory / "bigcommerce.sqlite", surroundings.key("bigcommerce"))
        self.url = surroundings.url

    def site(self, request: VendorRequest) -> Gateway | LoginHost | StoreHost | None:
        """The gateway, whatever store is asked for; the login host; or the host of a store there is."""
        if request.prefix == GATEWAY_HOST:
            return Gateway(self, gateway.target(self.state, request.path))
        if request.prefix == LOGIN_HOST:
            return LoginHost(self.state)
        match = STORE_HOST.match(request.prefix)
        store = self.state.store_at(match[1]) if match else None
        if match is None or store is None or (match[2] and int(match[2]) not in store.settings.channels):
            return None
        return StoreHost(self, store, int(match[2] or 0))

    def control_routes(self) -> list[ControlRoute]:
        """Stores, accounts, webhooks, shop data and quota."""
        return BigCommerceControl(self.state, self.url).routes()

    def facts(self) -> dict[str, Any]:
        """How many stores there are."""
        return {"bigcommerce_stores": len(self.state.stores())}

    def close(self) -> None:
        """Close the database."""
        self.state.close()


@dataclass(frozen=True, slots=True)
class Gateway:
    """`api.bigcommerce.com` as one request sees it."""

    vendor: BigCommerce
    target: gateway.Target

    @property
    def name(self) -> str:
        """The hash of the store that is asked for, as it stands in the path but for a `store-` prefix."""
        return self.target.store_hash or GATEWAY_HOST

    @property
    def latency(self) -> float:
        """The switch of the store."""
        return self.target.store.settings.latency if self.target.store else 0.0

    @property
    def clock_offset(self) -> float:
        """The switch of the store."""
        return self.target.store.settings.clock_offset if self.target.store else 0.0

    def operation(self, request: VendorRequest) -> str:
        """The operation of the route, such as `customers_read`; see routes.py."""
        return gateway.operation(self.target, request)

    def admit(self, request: VendorRequest) -> None:
        """Whose token it is was settled when the request came."""
        request.admitted = gateway.authenticated(self.vendor.state, request)

    async def process(self, request: VendorRequest) -> Reply:
        """Answer a request, and carry out what it asks."""
        return gateway.answer(self.vendor.state, self.target, request)


@dataclass(frozen=True, slots=True)
class StoreHost:
    """`store-{hash}.mybigcommerce.com`: the control panel and the storefront of one store."""

    vendor: BigCommerce
    store: Store
    channel: int = 0
    """The channel whose own host it is; 0 for the store's plain host, where the panel is."""

    @property
    def name(self) -> str:
        """The hash of the store."""
        return self.store.store_hash

    @property
    def latency(self) -> float:
        """The switch of the store."""
        return self.store.settings.latency

    @property
    def clock_offset(self) -> float:
        """The switch of the store."""
        return self.store.settings.clock_offset

    def operation(self, request: VendorRequest) -> str:
        """What the panel calls it, or `storefront_graphql`."""
        if request.path == storefront.GRAPHQL_PATH:
            return "storefront_graphql"
        return panel.operation(request) if _is_panel(request) else "storefront_other"

    def admit(self, request: VendorRequest) -> None:
        """Whose session it is was settled when the request came."""
        if _is_panel(request):
            request.admitted = panel.session(self.vendor.state, self.store, request)

    async def process(self, request: VendorRequest) -> Reply:
        """Answer a request, and carry out what it asks."""
        try:
            if request.path == storefront.GRAPHQL_PATH:
                return storefront.graphql(self.vendor.state, self.store, request, self.channel)
            if _is_panel(request) and not self.channel:
                return panel.answer(self.vendor.state, self.store, request)
        except UnknownInSheetError as reason:
            return unknown_reply(str(reason))
        return Reply(404, b"Not found\n", [("Content-Type", "text/plain; charset=utf-8")])


def _is_panel(request: VendorRequest) -> bool:
    return request.path == panel.PANEL_PATH or request.path.startswith(f"{panel.PANEL_PATH}/")
