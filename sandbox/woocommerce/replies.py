"""The kinds of answers a store gives."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from sandbox.exchange import Reply

NO_CACHE = ("Cache-Control", "no-cache, must-revalidate, max-age=0, no-store, private")


def html(body: str, status: int = 200, headers: list[tuple[str, str]] | None = None) -> Reply:
    """A page."""
    fixed = [("Content-Type", "text/html; charset=UTF-8"), NO_CACHE]
    return Reply(status, body.encode("utf-8", "surrogatepass"), [*fixed, *(headers or [])])


def text(body: str, status: int = 200) -> Reply:
    """What admin-ajax answers when it answers no JSON: the content type stays HTML."""
    return Reply(status, body.encode(), [("Content-Type", "text/html; charset=UTF-8"), NO_CACHE])


def redirect(location: str, headers: list[tuple[str, str]] | None = None) -> Reply:
    """A 302 with an empty page."""
    fixed = [("Content-Type", "text/html; charset=UTF-8"), NO_CACHE, ("Location", location)]
    return Reply(302, b"", [*fixed, *(headers or [])])


def moved(location: str) -> Reply:
    """What the web server itself answers for a directory without its slash."""
    return Reply(301, b"", [("Content-Type", "text/html; charset=iso-8859-1"), ("Location", location)])


def json_body(value: Any) -> str:
    """JSON as PHP writes it: ASCII only, slashes escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def ajax(value: Any) -> Reply:
    """A JSON answer of admin-ajax, always 200 (L9)."""
    headers = [("Content-Type", "application/json; charset=UTF-8"), ("X-Robots-Tag", "noindex"), NO_CACHE]
    return Reply(200, json_body(value).encode(), headers)


def died(message: str, status: int = 500, html_lang: str = "en-US") -> Reply:
    """WordPress's error page."""
    page = (
        f'<!DOCTYPE html>\n<html lang="{html_lang}">\n<head>\n<meta http-equiv="Content-Type" content="text/html; '
        'charset=utf-8" />\n<title>WordPress &rsaquo; Error</title>\n<style>html { background: #f1f1f1; }</style>\n'
        f'</head>\n<body id="error-page">\n\t<div class="wp-die-message">{escape(message)}</div></body>\n</html>\n'
    )
    return html(page, status)
