"""The answers of the gateway: its error bodies (sheet 6) and the shapes of V2 and V3."""

from __future__ import annotations

import json
from typing import Any

from sandbox.bigcommerce.settings import StoreSettings
from sandbox.exchange import Reply

JSON = "application/json"
PROBLEM = "application/problem+json"
STATUS_CODES = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
MISSING_SCOPE = "You don't have a required scope to access the endpoint"
BAD_TOKEN = "Unauthorized - the v3 Auth client ID or token in the request are not a valid combination for this store."
FORBIDDEN = {
    "platform_limit": "This store has reached a limit of its plan.",
    "owner_changed": "The owner of this store has changed.",
    "feature_disabled": "This feature is not enabled for this store.",
}
"""Titles of a 403 for another cause; the wording is ours, only the causes are known (sheet 5.3)."""


def json_reply(value: Any, status: int = 200, content_type: str = JSON) -> Reply:
    """A JSON answer."""
    return Reply(status, json.dumps(value).encode(), [("Content-Type", content_type)])


def text_reply(text: str, status: int) -> Reply:
    """A short text."""
    return Reply(status, text.encode(), [("Content-Type", "text/plain; charset=utf-8")])


def titled(status: int, title: str, errors: dict[str, str] | None = None, content_type: str = JSON) -> Reply:
    """The error object of V3."""
    body = {"status": status, "title": title, "type": STATUS_CODES, "errors": errors or {}}
    return json_reply(body, status, content_type)


def missing_scope(settings: StoreSettings) -> Reply:
    """403 of V2 and V3 alike: nobody is told which scope is missing."""
    if settings.missing_scope_body == "2016":
        return json_reply({"error": "You are authorized but your scope does not include this resource."}, 403)
    return titled(403, MISSING_SCOPE)


def dead_token(settings: StoreSettings) -> Reply:
    """401 for a token that is unknown, deleted or of another store."""
    match settings.dead_token_body:
        case "text":
            return text_reply("Unauthorized", 401)
        case "empty":
            return Reply(401)
    return json_reply({"status": 401, "title": BAD_TOKEN, "type": "/api-docs/getting-started/api-status-codes"}, 401)


def no_token() -> Reply:
    """401 without the header."""
    return text_reply("X-Auth-Token header is required", 401)


def forbidden(cause: str) -> Reply:
    """403 for another cause than a scope."""
    return titled(403, FORBIDDEN[cause])


def trailing_slash() -> Reply:
    """403 for a path that ends with a slash."""
    return text_reply("Authentication Required", 403)


def no_route() -> Reply:
    """404 for a path that the gateway does not know."""
    return text_reply("The route is not found, check the URL", 404)


def bad_body(settings: StoreSettings, *, v2: bool, problem: bool, status: int, errors: dict[str, str]) -> Reply:
    """A body that is not accepted, or something that is not there: V2 answers a list, V3 names the fields."""
    if v2:
        entries = [{"status": status, "message": f"{name}: {text}"} for name, text in errors.items()]
        return json_reply(entries if settings.v2_errors == "list" else entries[0], status)
    content_type = PROBLEM if problem and status == 422 else JSON
    title = "The requested resource was not found." if status == 404 else "JSON data is missing or invalid"
    return titled(status, title, errors, content_type)


def collection(items: list[dict[str, Any]], *, v2: bool) -> Reply:
    """A page of a collection; an empty one of V2 is 204."""
    if v2:
        return json_reply(items) if items else Reply(204)
    return json_reply({"data": items, "meta": {"pagination": {"total": len(items), "count": len(items)}}})


def single(value: dict[str, Any], status: int = 200, *, v2: bool = False) -> Reply:
    """One object."""
    return json_reply(value if v2 else {"data": value, "meta": {}}, status)
