"""The kinds of answers that the control panel and the login host give."""

from __future__ import annotations

import re

from sandbox.exchange import Reply, VendorRequest

PATH = re.compile(r"[A-Za-z0-9/._-]*\Z")


def page(text: str, status: int = 200) -> Reply:
    """An HTML page that nobody may keep or frame."""
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("X-Frame-Options", "DENY"),
    ]
    return Reply(status, text.encode("utf-8", "replace"), headers)


def redirect(location: str, cookies: list[tuple[str, str]] | None = None) -> Reply:
    """On to another page, by GET."""
    return Reply(302, b"", [("Location", location), ("Cache-Control", "no-store"), *(cookies or [])])


def cookie(name: str, value: str, path: str) -> tuple[str, str]:
    """A Set-Cookie header; an empty value ends the cookie."""
    end = "" if value else "; Max-Age=0"
    return "Set-Cookie", f"{name}={value}; Path={path}; Secure; HttpOnly; SameSite=Lax{end}"


def wanted_page(request: VendorRequest, below: str, otherwise: str) -> str:
    """The path that a good login leads to: the one that was asked for, if it lies `below`, else the usual one."""
    asked = request.either("target")
    return asked if asked.startswith(below) and PATH.match(asked) else otherwise
