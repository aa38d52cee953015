"""Every route of the gateway as one table: what it needs, what a token with the scope gets, and what it does (sheet 5.2).

A route is data; gateway.py carries out its action. `statuses` are what the sheet names for a token with the scope: the first
is the default, the setting `statuses` picks another. Field lists of valid bodies are ours: enough to tell `{}` from a body.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Action = Literal[
    "time", "store", "list", "count", "one", "below", "create", "charge", "edit", "wipe", "archive", "hooks", "hook",
    "storefront", "private", "impersonation", "revoke", "graphql",
]  # fmt: skip

Need = tuple[str, str]
"""A label and the level that is at least needed."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path below `/stores/{hash}`."""

    operation: str
    """By this name settings, faults and the log call it."""
    method: str
    path: str
    """A segment `{}` stands for any one segment."""
    needs: tuple[Need, ...]
    """Any one of them opens it; none at all: every living token does."""
    statuses: tuple[int, ...]
    action: Action
    collection: str = ""
    required: tuple[str, ...] = ()
    """Fields of a body that is accepted."""
    bulk: bool = False
    """The body is an array of objects."""
    problem: bool = False
    """Its 422 is `application/problem+json` (sheet 6)."""
    owned: bool = False
    """What is made belongs to the account that made it: only that one may edit it (sheet 3.5)."""
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = (r"([^/]+)" if part == "{}" else re.escape(part) for part in self.path.split("/"))
        object.__setattr__(self, "pattern", re.compile("/".join(parts) + r"\Z"))

    @property
    def is_v2(self) -> bool:
        """Whether answers have the shapes of V2."""
        return self.path.startswith("/v2/")


def _read(label: str) -> tuple[Need, ...]:
    return ((label, "read-only"),)


def _modify(label: str) -> tuple[Need, ...]:
    return ((label, "modify"),)


INFORMATION = "Information & settings"
INSTRUMENTS = "Stored payment instruments"
IMPERSONATION = "Storefront API customer impersonation tokens"
SCRIPTS_READ = (*_read("Content"), *_read("Checkout content"))
SCRIPTS_MODIFY = (*_modify("Content"), *_modify("Checkout content"))
CHARGES = (*_modify("Order transactions"), *_modify("Orders"))
STOREFRONT = (("Storefront API tokens", "manage"),)
METAFIELDS_PATH = "/v3/catalog/products/{}/metafields"
TOKEN_PATH = "/v3/storefront/api-token"
TRANSACTIONS_PATH = "/v3/payments/transactions"

ROUTES: tuple[Route, ...] = (
    # Needs no row (sheet 14.2)
    Route("time", "GET", "/v2/time", (), (200,), "time"),
    Route("hooks_list", "GET", "/v3/hooks", (), (200,), "hooks"),
    Route("hooks_create", "POST", "/v3/hooks", (), (422,), "hooks", required=("scope", "destination")),
    Route("hooks_read", "GET", "/v3/hooks/{}", (), (404,), "hook"),
    Route("hooks_update", "PUT", "/v3/hooks/{}", (), (404,), "hook"),
    Route("hooks_delete", "DELETE", "/v3/hooks/{}", (), (404,), "hook"),
    # 1 and 2
    Route("pages_read", "GET", "/v2/pages", _read("Content"), (200,), "list", "pages"),
    Route("pages_write", "POST", "/v2/pages", _modify("Content"), (400,), "create", "pages", ("name", "type")),
    Route("scripts_list", "GET", "/v3/content/scripts", SCRIPTS_READ, (200,), "list", "scripts"),
    Route("scripts_read", "GET", "/v3/content/scripts/{}", SCRIPTS_READ, (422,), "one", "scripts"),
    Route(
        "scripts_write", "POST", "/v3/content/scripts", SCRIPTS_MODIFY, (422,), "create", "scripts", ("name", "src"),
        owned=True,
    ),
    Route("scripts_edit", "PUT", "/v3/content/scripts/{}", SCRIPTS_MODIFY, (422,), "edit", "scripts"),
    # 3
    Route("customers_read", "GET", "/v3/customers", _read("Customers"), (200,), "list", "customers"),
    Route(
        "customers_write", "POST", "/v3/customers", _modify("Customers"), (422,), "create", "customers",
        ("email", "first_name", "last_name"), bulk=True,
    ),
    Route("customers_wipe", "DELETE", "/v2/customers", _modify("Customers"), (204,), "wipe", "customers"),
    # 5
    Route("store", "GET", "/v2/store", _read(INFORMATION), (200,), "store"),
    Route("currencies_read", "GET", "/v2/currencies", _read(INFORMATION), (200,), "list", "currencies"),
    Route(
        "currencies_write", "POST", "/v2/currencies", _modify(INFORMATION), (400,), "create", "currencies",
        ("currency_code", "name"),
    ),
    Route("currencies_wipe", "DELETE", "/v2/currencies", _modify(INFORMATION), (204,), "wipe", "currencies"),
    # 6
    Route("banners_read", "GET", "/v2/banners", _read("Marketing"), (200,), "list", "banners"),
    Route("banners_write", "POST", "/v2/banners", _modify("Marketing"), (400,), "create", "banners", ("name", "content")),
    Route("banners_wipe", "DELETE", "/v2/banners", _modify("Marketing"), (204,), "wipe", "banners"),
    Route("coupons_read", "GET", "/v2/coupons", _read("Marketing"), (200,), "list", "coupons"),
    Route("coupons_wipe", "DELETE", "/v2/coupons", _modify("Marketing"), (204,), "wipe", "coupons"),
    # 7
    Route("orders_count", "GET", "/v2/orders/count", _read("Orders"), (200,), "count", "orders"),
    Route("orders_read", "GET", "/v2/orders", _read("Orders"), (200, 204), "list", "orders"),
    Route("orders_write", "POST", "/v2/orders", _modify("Orders"), (400,), "create", "orders", ("products",)),
    Route("orders_archive", "DELETE", "/v2/orders", _modify("Orders"), (204,), "archive", "orders"),
    # 8
    Route(
        "order_transactions_read", "GET", "/v3/orders/{}/transactions", _read("Order transactions"), (404, 200, 204),
        "below", "transactions",
    ),
    Route(
        "order_transactions_write", "POST", f"{TRANSACTIONS_PATH}/authorizations", _modify("Order transactions"), (422,),
        "create", "transactions", ("amount",),
    ),
    Route("order_capture", "POST", "/v3/orders/{}/payment_actions/capture", CHARGES, (201,), "charge", "transactions"),
    Route("order_void", "POST", "/v3/orders/{}/payment_actions/void", CHARGES, (201,), "charge", "transactions"),
    Route("order_refund", "POST", "/v3/orders/{}/payment_actions/refunds", CHARGES, (201,), "charge", "transactions"),
    # 9, 10, 11
    Route(
        "payments_write", "POST", "/v3/payments/access_tokens", (("Create payments", "create"),), (422,), "create",
        "payment_access_tokens", ("order",),
    ),
    Route(
        "payment_methods_read", "GET", "/v2/payments/methods", _read("Get payment methods"), (200,), "list",
        "payment_methods",
    ),
    Route(
        "stored_instruments_read", "GET", "/v3/customers/{}/stored-instruments", _read(INSTRUMENTS), (200, 404), "below",
        "stored_instruments",
    ),
    # 12
    Route("products_read", "GET", "/v3/catalog/products", _read("Products"), (200,), "list", "products"),
    Route(
        "products_write", "POST", "/v3/catalog/products", _modify("Products"), (422,), "create", "products",
        ("name", "type", "price", "weight"),
    ),
    Route("metafields_read", "GET", METAFIELDS_PATH, _read("Products"), (200,), "list", "metafields"),
    Route(
        "metafields_write", "POST", METAFIELDS_PATH, _modify("Products"), (422,), "create", "metafields",
        ("namespace", "key", "value"), owned=True,
    ),
    Route("metafields_edit", "PUT", f"{METAFIELDS_PATH}/{{}}", _modify("Products"), (404,), "edit", "metafields"),
    # 13 to 16
    Route("themes_read", "GET", "/v3/themes", _read("Themes"), (200,), "list", "themes"),
    Route("themes_write", "POST", "/v3/themes", _modify("Themes"), (400,), "create", "themes", ("file",)),
    Route("carts_read", "GET", "/v3/carts/{}", _read("Carts"), (404,), "one", "carts"),
    Route("carts_write", "POST", "/v3/carts", _modify("Carts"), (422,), "create", "carts", ("line_items",)),
    Route("checkouts_read", "GET", "/v3/checkouts/{}", _read("Checkouts"), (404,), "one", "checkouts"),
    Route(
        "checkouts_write", "POST", "/v3/checkouts/{}/billing-address", _modify("Checkouts"), (404,), "create",
        "checkouts", ("email", "country_code"),
    ),
    Route("routes_read", "GET", "/v3/sites/{}/routes", _read("Sites & routes"), (200, 404), "below", "routes"),
    Route("sites_write", "POST", "/v3/sites", _modify("Sites & routes"), (400,), "create", "sites", ("url", "channel_id")),
    # 17 and 18
    Route(
        "channel_settings_read", "GET", "/v3/channels/currency-assignments", _read("Channel settings"), (200,), "list",
        "currency_assignments",
    ),
    Route(
        "channel_settings_write", "POST", "/v3/channels/currency-assignments", _modify("Channel settings"), (422,),
        "create", "currency_assignments", ("channel_id", "enabled_currencies", "default_currency"), bulk=True,
    ),
    Route(
        "channel_listings_read", "GET", "/v3/channels/{}/listings", _read("Channel listings"), (200,), "list", "listings"
    ),
    Route(
        "channel_listings_write", "POST", "/v3/channels/{}/listings", _modify("Channel listings"), (422,), "create",
        "listings", ("product_id", "state", "variants"), bulk=True,
    ),
    # 19 and 20
    Route("storefront_create", "POST", TOKEN_PATH, STOREFRONT, (422,), "storefront"),
    Route("storefront_private_create", "POST", f"{TOKEN_PATH}-private", STOREFRONT, (422,), "private"),
    Route("storefront_revoke", "DELETE", TOKEN_PATH, STOREFRONT, (422,), "revoke"),
    Route(
        "storefront_impersonation_create", "POST", f"{TOKEN_PATH}-customer-impersonation", ((IMPERSONATION, "manage"),),
        (422,), "impersonation",
    ),
    # 21 to 25
    Route("logs_read", "GET", "/v3/store/systemlogs", _read("Store logs"), (200,), "list", "systemlogs"),
    Route("locations_read", "GET", "/v3/inventory/locations", _read("Store locations"), (200,), "list", "locations"),
    Route(
        "locations_write", "POST", "/v3/inventory/locations", _modify("Store locations"), (422,), "create", "locations",
        ("code", "label"), bulk=True, problem=True,
    ),
    Route("inventory_read", "GET", "/v3/inventory/items", _read("Store inventory"), (200,), "list", "inventory"),
    Route(
        "inventory_write", "POST", "/v3/inventory/adjustments/relative", _modify("Store inventory"), (422,), "create",
        "adjustments", ("items",), problem=True,
    ),
    Route("pickup_methods_read", "GET", "/v3/pickup/methods", _read("Fulfillment methods"), (200,), "list", "pickup_methods"),
    Route(
        "pickup_methods_write", "POST", "/v3/pickup/methods", _modify("Fulfillment methods"), (422, 400, 409, 415),
        "create", "pickup_methods", ("location_id", "display_name"), bulk=True,
    ),
    Route("pickups_read", "GET", "/v3/orders/pickups", _read("Order fulfillment"), (200,), "list", "pickups"),
    Route(
        "pickups_write", "POST", "/v3/orders/pickups", _modify("Order fulfillment"), (422,), "create", "pickups",
        ("order_id", "pickup_method_id"), bulk=True,
    ),
    # The Admin GraphQL API (sheet 14.4)
    Route("admin_graphql", "POST", "/graphql", (), (200,), "graphql"),
)  # fmt: skip

BY_OPERATION: dict[str, Route] = {route.operation: route for route in ROUTES}


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """The route for a method and a path below `/stores/{hash}`, with the segments its `{}` stand for; None: unknown."""
    for route in ROUTES:
        if route.method == method and (match := route.pattern.match(path)):
            return route, match.groups()
    return None
