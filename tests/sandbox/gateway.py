"""What an integration sends to BigCommerce's gateway, and the probe table of sheet 5.2 as the tests read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.bigcommerce.client import BigCommerceClient, BigCommerceStore, HandMadeAccount

MISSING_SCOPE = "You don't have a required scope to access the endpoint"


@dataclass(frozen=True)
class Probe:
    """A request and its statuses with the scope; without it is 403, but for the time, which needs none."""

    label: str
    level: str
    method: str
    path: str
    has: tuple[int, ...]
    body: Any = None
    recorded: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def read(label: str, path: str, *has: int, recorded: bool = False) -> Probe:
    return Probe(label, "read-only", "GET", path, has or (200,), recorded=recorded)


def write(label: str, path: str, *has: int, recorded: bool = False, level: str = "modify") -> Probe:
    return Probe(label, level, "POST", path, has, {}, recorded)


PROBES = (
    read("Content", "/v2/pages?limit=1", recorded=True),
    write("Content", "/v2/pages", 400, recorded=True),
    read("Checkout content", "/v3/content/scripts/1", 422, recorded=True),
    write("Checkout content", "/v3/content/scripts", 422, recorded=True),
    read("Customers", "/v3/customers?limit=1", recorded=True),
    write("Customers", "/v3/customers", 422, recorded=True),
    read("Information & settings", "/v2/store"),
    write("Information & settings", "/v2/currencies", 400),
    read("Marketing", "/v2/banners?limit=1", recorded=True),
    write("Marketing", "/v2/banners", 400, recorded=True),
    read("Orders", "/v2/orders/count", recorded=True),
    write("Orders", "/v2/orders", 400, recorded=True),
    read("Order transactions", "/v3/orders/1/transactions", 404, 200, 204, recorded=True),
    write("Order transactions", "/v3/payments/transactions/authorizations", 422),
    write("Create payments", "/v3/payments/access_tokens", 422, recorded=True, level="create"),
    read("Get payment methods", "/v2/payments/methods", recorded=True),
    read("Stored payment instruments", "/v3/customers/0/stored-instruments", 200, 404),
    read("Products", "/v3/catalog/products?limit=1", recorded=True),
    write("Products", "/v3/catalog/products", 422, recorded=True),
    read("Themes", "/v3/themes", recorded=True),
    write("Themes", "/v3/themes", 400, recorded=True),
    read("Carts", "/v3/carts/1", 404, recorded=True),
    write("Carts", "/v3/carts", 422, recorded=True),
    read("Checkouts", "/v3/checkouts/1", 404, recorded=True),
    write("Checkouts", "/v3/checkouts/1/billing-address", 404, recorded=True),
    read("Sites & routes", "/v3/sites/1/routes", 200, 404, recorded=True),
    write("Sites & routes", "/v3/sites", 400),
    read("Channel settings", "/v3/channels/currency-assignments", recorded=True),
    write("Channel settings", "/v3/channels/currency-assignments", 422, recorded=True),
    read("Channel listings", "/v3/channels/1/listings?limit=1", recorded=True),
    write("Channel listings", "/v3/channels/1/listings", 422, recorded=True),
    Probe("Storefront API tokens", "manage", "DELETE", "/v3/storefront/api-token", (422,)),
    write(
        "Storefront API customer impersonation tokens",
        "/v3/storefront/api-token-customer-impersonation",
        422,
        level="manage",
    ),
    read("Store logs", "/v3/store/systemlogs?limit=1"),
    read("Store locations", "/v3/inventory/locations?limit=1"),
    write("Store locations", "/v3/inventory/locations", 422),
    read("Store inventory", "/v3/inventory/items?limit=1"),
    write("Store inventory", "/v3/inventory/adjustments/relative", 422),
    read("Fulfillment methods", "/v3/pickup/methods?limit=1"),
    write("Fulfillment methods", "/v3/pickup/methods", 400, 409, 415, 422),
    read("Order fulfillment", "/v3/orders/pickups?order_id:in=0"),
    write("Order fulfillment", "/v3/orders/pickups", 422),
)
"""Table 5.2 but for the liveness probe."""

LEVELS: dict[str, tuple[str, ...]] = {
    "Content": ("read-only", "modify"),
    "Checkout content": ("read-only", "modify"),
    "Customers": ("read-only", "modify"),
    "Customers login": ("login",),
    "Information & settings": ("read-only", "modify"),
    "Marketing": ("read-only", "modify"),
    "Orders": ("read-only", "modify"),
    "Order transactions": ("read-only", "modify"),
    "Create payments": ("create",),
    "Get payment methods": ("read-only",),
    "Stored payment instruments": ("read-only", "modify"),
    "Products": ("read-only", "modify"),
    "Themes": ("read-only", "modify"),
    "Carts": ("read-only", "modify"),
    "Checkouts": ("read-only", "modify"),
    "Sites & routes": ("read-only", "modify"),
    "Channel settings": ("read-only", "modify"),
    "Channel listings": ("read-only", "modify"),
    "Storefront API tokens": ("manage",),
    "Storefront API customer impersonation tokens": ("manage",),
    "Store logs": ("read-only",),
    "Store locations": ("read-only", "modify"),
    "Store inventory": ("read-only", "modify"),
    "Fulfillment methods": ("read-only", "modify"),
    "Order fulfillment": ("read-only", "modify"),
}
"""The 25 rows of every panel without their none, the lowest level first."""

EVERYTHING = {label: words[-1] for label, words in LEVELS.items()}
STONE_EDGE_MODIFY = (
    "Checkout content",
    "Customers",
    "Orders",
    "Order transactions",
    "Products",
    "Carts",
    "Checkouts",
    "Store inventory",
    "Fulfillment methods",
    "Order fulfillment",
)
STONE_EDGE = dict.fromkeys(STONE_EDGE_MODIFY, "modify") | {"Content": "read-only", "Store locations": "read-only"}
"""Sheet 4.1."""


def expected(probe: Probe, rows: Mapping[str, str]) -> bool:
    """Whether these rows open a probe, scripts by either row."""
    labels = ("Content", "Checkout content") if "/content/scripts" in probe.path else (probe.label,)
    return any(
        label in rows and LEVELS[label].index(rows[label]) >= LEVELS[label].index(probe.level) for label in labels
    )


@dataclass
class Api:
    """One store's API with one account's token."""

    http: httpx.Client
    client: BigCommerceClient
    store: BigCommerceStore
    account: HandMadeAccount
    token: str

    @property
    def hash(self) -> str:
        return self.store.hash

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> httpx.Response:
        given = ({"X-Auth-Token": self.token} if self.token else {}) | (headers or {})
        return self.http.request(method, self.url(path), json=body, headers=given)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.call("GET", path, headers=headers)

    def post(self, path: str, body: Any) -> httpx.Response:
        return self.call("POST", path, body)

    def probe(self, probe: Probe) -> httpx.Response:
        return self.call(probe.method, probe.path, probe.body)

    def url(self, path: str, store_hash: str | None = None) -> str:
        return f"{self.store.gateway_url}/stores/{store_hash or self.hash}{path}"

    def other(self, rows: Mapping[str, str]) -> Api:
        """The same store with another account."""
        account = self.client.make_account(self.hash, "another account", rows)
        return Api(self.http, self.client, self.store, account, account.access_token)

    def settings(self, **settings: Any) -> None:
        self.client.change_settings(self.hash, **settings)

    def delete_account(self) -> None:
        self.client.delete_account(self.hash, self.account.account_id)


MakeApi = Callable[..., Api]


def title(answer: httpx.Response) -> str:
    """The title of V3's error object."""
    return str(answer.json()["title"])
