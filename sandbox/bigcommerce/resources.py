"""The handful of shop data in a new store, by collection: what read probes list and what the dangerous routes wipe."""

from __future__ import annotations

from typing import Any

SEEDS: dict[str, tuple[dict[str, Any], ...]] = {
    "pages": ({"name": "About us", "type": "page"}, {"name": "Shipping", "type": "page"}),
    "scripts": (),
    "customers": (
        {"email": "first@customer.example", "first_name": "Chris", "last_name": "Customer"},
        {"email": "second@customer.example", "first_name": "Sam", "last_name": "Buyer"},
    ),
    "currencies": ({"currency_code": "USD", "is_default": True}, {"currency_code": "EUR", "is_default": False}),
    "coupons": ({"name": "Welcome", "code": "WELCOME", "amount": "5.00"},),
    "banners": ({"name": "Spring", "content": "<p>Spring</p>"}, {"name": "Summer", "content": "<p>Summer</p>"}),
    "orders": ({"status": "Completed", "total_inc_tax": "24.00"}, {"status": "Pending", "total_inc_tax": "12.50"}),
    "transactions": (),
    "payment_methods": ({"code": "bankdeposit", "name": "Bank Deposit"},),
    "payment_access_tokens": (),
    "stored_instruments": (),
    "products": ({"name": "House Blend", "type": "physical"}, {"name": "Mug", "type": "physical"}),
    "metafields": (),
    "themes": ({"name": "Cornerstone", "is_active": True},),
    "carts": (),
    "checkouts": (),
    "sites": (),
    "routes": (),
    "currency_assignments": ({"channel_id": 1, "enabled_currencies": ["USD"], "default_currency": "USD"},),
    "listings": (),
    "systemlogs": ({"severity": 1, "summary": "Theme activated"},),
    "locations": ({"code": "BC-LOCATION-1", "label": "Default location"},),
    "inventory": ({"sku": "HB-1", "available_to_sell": 12},),
    "adjustments": (),
    "pickup_methods": (),
    "pickups": (),
}
