"""Answers of the REST API: JSON, pages of a collection, errors."""

from __future__ import annotations

import json
from typing import Any

from sandbox.exchange import Reply
from sandbox.woocommerce.replies import json_body
from sandbox.woocommerce.visit import Visit

READING = ("GET", "HEAD")
WRITING = ("POST", "PUT", "PATCH", "DELETE")


class RestError(Exception):
    """An error of the REST API: code, message, status."""

    def __init__(self, code: str, message: str, status: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers


def paged(visit: Visit, items: list[dict[str, Any]]) -> Reply:
    """A page of a collection with its totals."""
    sizes: dict[str, int] = {}
    for name, default, maximum in (("per_page", 10, 100), ("page", 1, 1_000_000)):
        given = visit.request.query.get(name, str(default))
        if not given.isdecimal() or not 1 <= int(given) <= maximum:
            raise RestError("rest_invalid_param", visit.text("invalid_parameter", name=name), 400)
        sizes[name] = int(given)
    start = (sizes["page"] - 1) * sizes["per_page"]
    reply = json_reply([only_fields(visit, item) for item in items[start : start + sizes["per_page"]]])
    reply.headers += [
        ("X-WP-Total", str(len(items))),
        ("X-WP-TotalPages", str(-(-len(items) // sizes["per_page"]))),
    ]
    return reply


def only_fields(visit: Visit, item: dict[str, Any]) -> dict[str, Any]:
    """The fields that `_fields` asks for."""
    wanted = visit.request.query.get("_fields", "")
    if not wanted:
        return item
    names = {name.strip() for name in wanted.split(",")}
    return {name: value for name, value in item.items() if name in names}


def json_reply(value: Any, status: int = 200) -> Reply:
    """A JSON answer; its headers are added at the end."""
    return Reply(status, json_body(value).encode())


def no_route(visit: Visit) -> RestError:
    """The 404 of a route that does not exist."""
    return RestError("rest_no_route", visit.text("rest_no_route"), 404)


def error_reply(error: RestError) -> Reply:
    """The error as JSON; the code does not depend on the language, the message does."""
    body = {"code": error.code, "message": error.message, "data": {"status": error.status}}
    return Reply(error.status, json.dumps(body).encode(), list(error.headers))
