"""The answers of the cloud's API: objects, lists, and errors of five fields (sheet 1.1)."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.exchange import Reply
from sandbox.surecart.settings import CloudSettings
from sandbox.surecart.state import Account, WebhookEndpoint

INVALID_TOKEN = "Invalid API token provided"
WORDS = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    422: "unprocessable_entity",
    429: "too_many_requests",
    503: "service_unavailable",
}
"""`http_status` of an error body, as the vendor's example has it, and `type` where nothing finer is known."""
CACHED = (
    "coupons",
    "display_currencies",
    "manual_payment_methods",
    "processors",
    "products",
    "product_collections",
    "reviews",
    "webhook_endpoints",
)
"""What an account has cache keys for."""
PROTOCOLS = (
    "abandoned_checkout_protocol",
    "affiliation_protocol",
    "brand",
    "checkout_portal_protocol",
    "customer_notification_protocol",
    "customer_portal_protocol",
    "order_protocol",
    "review_protocol",
    "shipping_protocol",
    "subscription_protocol",
    "tax_protocol",
)
"""What an account holds the id of; `expand[]` puts the object there instead."""


def json_reply(value: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """A JSON answer."""
    return Reply(status, json.dumps(value).encode(), [("Content-Type", "application/json; charset=utf-8"), *headers])


def error(
    settings: CloudSettings,
    status: int,
    code: str,
    message: str,
    *,
    kind: str = "",
    validation_errors: Sequence[Mapping[str, Any]] = (),
    headers: Iterable[tuple[str, str]] = (),
) -> Reply:
    """An error: `code` is its stable key, `kind` its `type`."""
    body = {
        "http_status": WORDS[status] if settings.status_in_body == "word" else status,
        "type": kind or WORDS[status],
        "code": code,
        "message": message,
        "validation_errors": list(validation_errors),
    }
    return json_reply(body, status, headers)


def unauthorized(settings: CloudSettings) -> Reply:
    """401 for a token that is missing, unknown, deleted or of the wrong kind."""
    return error(settings, 401, settings.unauthorized_code, INVALID_TOKEN)


def not_found(settings: CloudSettings, name: str, identifier: str) -> Reply:
    """404 for an object that is not there, or is another account's."""
    return error(settings, 404, f"{name}.not_found", f"Unable to find {name} with id='{identifier}'")


def no_route(settings: CloudSettings, path: str) -> Reply:
    """404 for a path that the cloud does not know."""
    return error(settings, 404, "not_found", f"There is nothing at {path}")


def invalid(settings: CloudSettings, name: str, attribute: str, kind: str, message: str) -> Reply:
    """422 for an object with one bad attribute."""
    problem = {
        "attribute": attribute,
        "type": kind,
        "code": f"{name}.{attribute}.{kind}",
        "options": {},
        "message": message,
    }
    return error(settings, 422, f"{name}.invalid", message, kind="invalid", validation_errors=[problem])


def listing(items: Sequence[Mapping[str, Any]], total: int, limit: int, page: int, path: str) -> Reply:
    """A page of a list."""
    pagination = {"count": total, "limit": limit, "page": page, "url": path}
    return json_reply({"object": "list", "pagination": pagination, "data": list(items)})


def account_document(account: Account, expand: Iterable[str] = ()) -> dict[str, Any]:
    """An account as `GET /v1/account` answers it; of an expanded name with dots only the first part counts."""
    identity = uuid.UUID(account.id)
    expanded = {name.partition(".")[0] for name in expand}
    protocols: dict[str, Any] = {name: str(uuid.uuid5(identity, name)) for name in PROTOCOLS}
    for name in expanded & protocols.keys():
        protocols[name] = {"id": protocols[name], "object": name}
    return {
        "id": account.id,
        "object": "account",
        "cache_keys": {name: f"{name}/query-{_cache_key(account, name)}-0" for name in CACHED},
        "claimed": account.claimed,
        "claim_url": account.claim_url,
        "claim_window_ends_at": account.claim_window_ends_at,
        "currency": account.currency,
        "currency_locked": False,
        "locale": "en",
        "medias_total_byte_size": 0,
        "name": account.name,
        "slug": account.slug,
        "time_zone": "Etc/UTC",
        "url": account.url,
        "plan": {"free": True, "name": "Launch"},
        "public_token": account.public_token,
        "seeded_at": None,
        **protocols,
        "created_at": account.created_at,
        "updated_at": account.created_at,
    }


def webhook_document(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """A webhook endpoint as the API answers it."""
    return {"object": "webhook_endpoint"} | endpoint.model_dump(mode="json", exclude={"tests"})


def _cache_key(account: Account, name: str) -> str:
    return hashlib.sha256(f"{account.id}/{name}".encode()).hexdigest()[:32]
