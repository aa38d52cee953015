"""The handful of shop data that read probes meet (sheet 7.5), as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

READ_ONLY = ("GET",)
READ_WRITE = ("GET", "POST")


@dataclass(frozen=True, slots=True)
class Resource:
    """A collection below `wc/vN`."""

    methods: tuple[str, ...]
    items: tuple[dict[str, Any], ...]
    api_versions: tuple[str, ...] = ("v1", "v2", "v3")
    unknown_in: tuple[str, ...] = ()
    """API versions in which nobody looked whether the collection is there (sheet 7.5 is about 3.2.5 and 11.0.1)."""


def _numbered(first_id: int, *names: str) -> tuple[dict[str, Any], ...]:
    return tuple({"id": first_id + position, "name": name} for position, name in enumerate(names))


NEWER = ("v1",)

RESOURCES: dict[str, Resource] = {
    "products": Resource(READ_WRITE, _numbered(101, "House Blend", "Single Origin", "Decaf", "Paper Filters", "Mug")),
    "products/categories": Resource(READ_WRITE, _numbered(15, "Uncategorized", "Coffee", "Accessories")),
    "products/attributes": Resource(READ_WRITE, _numbered(1, "Grind", "Weight")),
    "products/tags": Resource(READ_WRITE, _numbered(31, "organic", "new")),
    "orders": Resource(
        READ_WRITE,
        (
            {"id": 201, "number": "201", "status": "completed", "currency": "EUR", "total": "24.00"},
            {"id": 202, "number": "202", "status": "processing", "currency": "EUR", "total": "12.50"},
            {"id": 203, "number": "203", "status": "pending", "currency": "EUR", "total": "8.00"},
        ),
    ),
    "customers": Resource(READ_WRITE, ({"id": 3, "email": "customer@shop.example", "role": "customer"},)),
    "coupons": Resource(READ_WRITE, ({"id": 301, "code": "welcome", "amount": "5.00"},)),
    "taxes": Resource(READ_WRITE, ({"id": 1, "country": "DE", "rate": "19.0000", "name": "VAT"},)),
    "shipping/zones": Resource(READ_WRITE, _numbered(0, "Everywhere else", "Home"), unknown_in=NEWER),
    "settings": Resource(
        READ_ONLY,
        ({"id": "general", "label": "General"}, {"id": "products", "label": "Products"}),
        unknown_in=NEWER,
    ),
    "webhooks": Resource(READ_WRITE, ()),
    "reports": Resource(READ_ONLY, ({"slug": "sales", "description": "List of sales reports."},)),
    "payment_gateways": Resource(
        READ_ONLY, ({"id": "bacs", "title": "Bank transfer"}, {"id": "cod", "title": "On delivery"}), unknown_in=NEWER
    ),
    "data": Resource(
        READ_ONLY,
        ({"slug": "countries", "description": "Countries."}, {"slug": "currencies", "description": "Currencies."}),
        api_versions=("v3",),
    ),
}
